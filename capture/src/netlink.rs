//! Sends a request to the kernel over netlink, and reads all messages of the answer.
//!
//! The layouts are those of the kernel's `linux/netlink.h`. The parser never trusts a received
//! length: an item that does not fit ends the message or the list.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
/// Kinds below this one belong to netlink itself.
const NLMSG_MIN_TYPE: u16 = 16;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP_INTR: u16 = 0x10;
/// Requests all entries instead of one.
const NLM_F_DUMP: u16 = 0x300;
/// The two upper bits of an attribute's kind are flags.
const NLA_TYPE_MASK: u16 = 0x3fff;

/// The buffer for one receive call. The kernel fills at most 32 KiB at a time, and more only for a
/// single message that does not fit.
const BUFFER: usize = 64 * 1024;
/// The maximum size of a stored list: 100,000 routes take 8 MB.
const MAX_LIST: usize = 16 << 20;
/// The number of attempts if a list changes while it is read.
const ATTEMPTS: u32 = 5;
/// The timeout. The kernel answers at once, so this only prevents a hang with a broken kernel.
const PATIENCE_SECONDS: i64 = 5;

/// A netlink socket to the kernel, in the thread's network namespace.
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    /// Whether a list was longer than [`MAX_LIST`].
    pub(crate) is_cut: bool,
}

/// One entry of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetlinkMessage {
    /// Its type within the protocol.
    pub(crate) kind: u16,
    /// The fixed header of the protocol, then the attributes.
    pub(crate) body: Vec<u8>,
}

impl Netlink {
    /// Opens a socket in the network namespace of the calling thread.
    pub(crate) fn open(protocol: SockProtocol) -> io::Result<Self> {
        let socket = socket::socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            protocol,
        )?;
        // The socket is connected to port 0, the kernel, so that no other process can answer.
        socket::connect(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        socket::setsockopt(
            &socket,
            sockopt::ReceiveTimeout,
            &TimeVal::seconds(PATIENCE_SECONDS),
        )?;
        Ok(Self {
            socket,
            sequence: 0,
            is_cut: false,
        })
    }

    /// Requests a list and returns every entry. `header` is the complete header of the protocol.
    pub(crate) fn dump(&mut self, kind: u16, header: &[u8]) -> io::Result<Vec<NetlinkMessage>> {
        for _ in 0..ATTEMPTS {
            if let Some(messages) = self.dump_once(kind, header)? {
                return Ok(messages);
            }
        }
        Err(io::Error::other("it kept changing while it was read"))
    }

    /// Like [`Self::dump`], but returns `None` if the list changed in the meantime.
    fn dump_once(&mut self, kind: u16, header: &[u8]) -> io::Result<Option<Vec<NetlinkMessage>>> {
        self.sequence += 1;
        let request = request(kind, self.sequence, header);
        socket::send(self.socket.as_raw_fd(), &request, MsgFlags::empty())?;
        let mut answer = NetlinkAnswer::default();
        let mut buffer = vec![0; BUFFER];
        while !answer.complete {
            // With MSG_TRUNC, the call returns the true length, so that a truncated message is
            // detected.
            let length =
                match socket::recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_TRUNC) {
                    Err(Errno::EINTR) => continue,
                    Err(Errno::EAGAIN) => return Err(io::ErrorKind::TimedOut.into()),
                    other => other?,
                };
            let datagram = buffer
                .get(..length)
                .ok_or_else(|| io::Error::other("an answer was too long"))?;
            answer.take(datagram, self.sequence)?;
        }
        self.is_cut |= answer.size > MAX_LIST;
        Ok((!answer.interrupted).then_some(answer.messages))
    }
}

/// A request for a list, as bytes.
fn request(kind: u16, sequence: u32, header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + header.len()).expect("a protocol's header has a few bytes");
    let mut bytes = Vec::with_capacity(16 + header.len());
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes()); // the kernel knows who asks
    bytes.extend(header);
    bytes
}

/// The part of an answer that has been read.
#[derive(Default)]
struct NetlinkAnswer {
    messages: Vec<NetlinkMessage>,
    /// The size of the messages, including those that were not stored.
    size: usize,
    complete: bool,
    interrupted: bool,
}

impl NetlinkAnswer {
    fn take(&mut self, mut datagram: &[u8], sequence: u32) -> io::Result<()> {
        while let (Some(length), Some(kind), Some(flags), Some(number)) = (
            u32_at(datagram, 0),
            u16_at(datagram, 4),
            u16_at(datagram, 6),
            u32_at(datagram, 8),
        ) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let body = datagram
                .get(16..length)
                .ok_or_else(|| io::Error::other("an answer is shorter than it says"))?;
            datagram = rest(datagram, length);
            if number != sequence {
                continue; // the tail of an earlier answer
            }
            self.interrupted |= flags & NLM_F_DUMP_INTR != 0;
            match kind {
                // Both contain an error number, which is negative or 0.
                NLMSG_DONE | NLMSG_ERROR => {
                    let number = body
                        .first_chunk()
                        .map_or(0, |bytes| i32::from_ne_bytes(*bytes));
                    if number < 0 {
                        return Err(io::Error::from_raw_os_error(number.saturating_neg()));
                    }
                    self.complete = true;
                }
                NLMSG_OVERRUN => {
                    return Err(io::Error::other("the kernel lost a part of the answer"));
                }
                _ if kind >= NLMSG_MIN_TYPE => {
                    self.size = self
                        .size
                        .saturating_add(size_of::<NetlinkMessage>() + body.len());
                    if self.size <= MAX_LIST {
                        self.messages.push(NetlinkMessage {
                            kind,
                            body: body.to_vec(),
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The attributes after a fixed header of `header` bytes: type and value. The list ends at the
/// first attribute that does not fit.
pub(crate) fn attributes(body: &[u8], header: usize) -> Attributes<'_> {
    Attributes(rest(body, header))
}

/// See [`attributes`].
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & NLA_TYPE_MASK;
        let value = self.0.get(4..length)?;
        self.0 = rest(self.0, length);
        Some((kind, value))
    }
}

/// The bytes after an item of `length` bytes. Items are aligned to four bytes.
pub(crate) fn rest(bytes: &[u8], length: usize) -> &[u8] {
    length
        .checked_next_multiple_of(4)
        .and_then(|next| bytes.get(next..))
        .unwrap_or_default()
}

/// The 16-bit number at `offset`.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u16::from_ne_bytes(*bytes))
}

/// The 32-bit number at `offset`.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes
        .get(offset..)?
        .first_chunk()
        .map(|bytes| u32::from_ne_bytes(*bytes))
}

/// An address of four or sixteen bytes.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::from(*bytes.first_chunk::<4>()?)),
        16 => Some(IpAddr::from(*bytes.first_chunk::<16>()?)),
        _ => None,
    }
}

/// A text that ends with a zero byte, or with the value.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The bytes of a recorded message. The recordings are from a little-endian machine, so the tests
/// that use them require one.
#[cfg(test)]
pub(crate) fn recorded(hex: &str) -> Vec<u8> {
    let digits = hex
        .as_bytes()
        .chunks(2)
        .map(|digits| std::str::from_utf8(digits).expect("ASCII"));
    digits
        .map(|digits| u8::from_str_radix(digits, 16).expect("hexadecimal"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message in the kernel's layout, padded.
    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = request(kind, sequence, body);
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn an_answer_is_complete_when_the_kernel_says_so() {
        let mut answer = NetlinkAnswer::default();
        let datagram = [
            message(24, 2, 7, &[1, 2, 3]),
            message(24, 2, 6, b"old"),
            message(24, 2, 7, &[4]),
        ]
        .concat();
        answer.take(&datagram, 7).expect("well formed");
        assert!(!answer.complete);
        answer
            .take(&message(NLMSG_DONE, 2, 7, &[0; 4]), 7)
            .expect("well formed");
        assert!(answer.complete && !answer.interrupted);
        let expected = [vec![1, 2, 3], vec![4]].map(|body| NetlinkMessage { kind: 24, body });
        assert_eq!(answer.messages, expected);
    }

    #[test]
    fn a_refusal_and_a_cut_message_are_errors() {
        let refusal = message(NLMSG_ERROR, 0, 1, &(-1_i32).to_ne_bytes());
        let error = NetlinkAnswer::default()
            .take(&refusal, 1)
            .expect_err("refused");
        assert_eq!(error.raw_os_error(), Some(1));
        let whole = message(24, 2, 1, &[0; 8]);
        assert!(NetlinkAnswer::default().take(&whole[..20], 1).is_err());
    }

    #[test]
    fn a_list_that_changed_meanwhile_is_marked() {
        let mut answer = NetlinkAnswer::default();
        answer
            .take(&message(24, NLM_F_DUMP_INTR, 1, &[]), 1)
            .expect("well formed");
        assert!(answer.interrupted);
    }

    #[test]
    fn attributes_end_at_the_first_that_does_not_fit() {
        let mut bytes = vec![9, 9, 9, 9]; // a fixed header
        bytes.extend([6_u16.to_ne_bytes(), 0x8003_u16.to_ne_bytes()].concat());
        bytes.extend([1, 2, 0, 0]);
        bytes.extend([40_u16.to_ne_bytes(), 4_u16.to_ne_bytes()].concat());
        bytes.extend([0; 8]);
        let read: Vec<_> = attributes(&bytes, 4).collect();
        assert_eq!(read, [(3, &[1, 2][..])]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, sequence: u32, header in 0_usize..20) {
            let _ = NetlinkAnswer::default().take(&bytes, sequence);
            prop_assert!(attributes(&bytes, header).count() <= bytes.len() / 4);
        }
    }
}
