//! Two netlink requests to the kernel: delete all connections, and read the trace of nftables.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{NetlinkAddr, bind, setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

/// `nlmsghdr`, followed by `nfgenmsg`.
const HEADER: usize = 16;
const FAMILY_HEADER: usize = 4;
/// `NFNL_SUBSYS_CTNETLINK` and `IPCTNL_MSG_CT_DELETE`.
const DELETE_CONNECTIONS: u16 = 1 << 8 | 2;
/// `NFNL_SUBSYS_NFTABLES` and `NFT_MSG_TRACE`.
const TRACE: u16 = 10 << 8 | 17;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const REQUEST: u16 = 1 | 4;
/// `NLMSG_ERROR`: also the acknowledgement, with error 0.
const ERROR: u16 = 2;
/// `NFNLGRP_NFTRACE` as a bit of `nl_groups`.
const TRACE_GROUP: u32 = 1 << 8;

fn socket(groups: u32) -> Socket {
    let family = Domain::from(libc::AF_NETLINK);
    let protocol = Protocol::from(libc::NETLINK_NETFILTER);
    let socket =
        Socket::new(family, Type::RAW, Some(protocol)).expect("root may open netlink sockets");
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups)).expect("the group exists");
    socket
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The messages of a datagram: type and body.
fn messages(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER {
        let length = u32_at(bytes, 0) as usize;
        found.push((u16_at(bytes, 4), &bytes[HEADER..length]));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// The connections of the network namespace in which it was opened.
#[derive(Debug)]
pub(crate) struct Connections(Socket);

impl Connections {
    pub(crate) fn open() -> Self {
        Self(socket(0))
    }

    /// Deletes all connections, so that the next packet is the first of its connection.
    pub(crate) fn forget(&mut self) {
        let mut request = [0; HEADER + FAMILY_HEADER];
        let length = u32::try_from(request.len()).expect("it is short");
        request[..4].copy_from_slice(&length.to_ne_bytes());
        request[4..6].copy_from_slice(&DELETE_CONNECTIONS.to_ne_bytes());
        request[6..8].copy_from_slice(&REQUEST.to_ne_bytes());
        self.0
            .write_all(&request)
            .expect("the kernel takes requests");
        let mut answer = [0; 256];
        let length = self.0.read(&mut answer).expect("the kernel answers");
        let answers = messages(&answer[..length]);
        let error = answers
            .iter()
            .find(|(kind, _)| *kind == ERROR)
            .map(|(_, body)| u32_at(body, 0));
        assert_eq!(
            error,
            Some(0),
            "connection tracking did not forget its connections"
        );
    }
}

/// An event in a chain of nftables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// The rule with this handle matched.
    Rule(u64),
    /// The packet reached the end of the base chain.
    Policy,
}

/// One message of the trace.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) table: String,
    pub(crate) chain: String,
    pub(crate) kind: EventKind,
    /// The index of the outgoing interface.
    pub(crate) out_interface: Option<u32>,
    pub(crate) mark: u32,
    /// The start of the IP packet. Only the first message of a base chain contains it.
    pub(crate) packet: Vec<u8>,
}

impl Event {
    /// Parses a message; `None` if the packet only returned from a chain.
    fn read(body: &[u8]) -> Option<Self> {
        let mut event = Self {
            table: String::new(),
            chain: String::new(),
            kind: EventKind::Policy,
            out_interface: None,
            mark: 0,
            packet: Vec::new(),
        };
        let (mut handle, mut kind, mut transport) = (None, 0, Vec::new());
        let mut rest = &body[FAMILY_HEADER..];
        while rest.len() >= 4 {
            let length = usize::from(u16_at(rest, 0));
            let value = &rest[4..length];
            let number = || u32::from_be_bytes(value.try_into().expect("a number of 32 bits"));
            let text = || {
                String::from_utf8_lossy(value)
                    .trim_end_matches('\0')
                    .to_owned()
            };
            // `enum nft_trace_attributes` of linux/netfilter/nf_tables.h.
            match u16_at(rest, 2) & 0x3fff {
                1 => event.table = text(),
                2 => event.chain = text(),
                3 => {
                    handle = Some(u64::from_be_bytes(
                        value.try_into().expect("a handle has 64 bits"),
                    ))
                }
                4 => kind = number(),
                8 => event.packet = value.to_vec(),
                9 => transport = value.to_vec(),
                12 => event.out_interface = Some(number()),
                14 => event.mark = number(),
                _ => {}
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        event.packet.append(&mut transport);
        // `enum nft_trace_types`: policy, return, rule.
        event.kind = match (kind, handle) {
            (1, _) => EventKind::Policy,
            (3, Some(handle)) => EventKind::Rule(handle),
            _ => return None,
        };
        Some(event)
    }
}

/// Reads the trace of the network namespace in which it was opened.
#[derive(Debug)]
pub(crate) struct Tracer {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Tracer {
    /// The buffer holds the trace of one packet through some thousand rules.
    const ROOM: usize = 1 << 22;

    pub(crate) fn open() -> Self {
        let socket = socket(TRACE_GROUP);
        setsockopt(&socket, sockopt::RcvBufForce, &Self::ROOM)
            .expect("root may have a large buffer");
        socket.set_nonblocking(true).expect("a socket can be");
        Self {
            socket,
            buffer: vec![0; 1 << 16],
        }
    }

    /// All events so far, in order.
    pub(crate) fn take(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match self.socket.read(&mut self.buffer) {
                Ok(length) => {
                    let messages = messages(&self.buffer[..length]).into_iter();
                    events.extend(
                        messages
                            .filter(|(kind, _)| *kind == TRACE)
                            .filter_map(|(_, body)| Event::read(body)),
                    );
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return events,
                // ENOBUFS would mean lost events.
                Err(error) => panic!("the trace cannot be read: {error}"),
            }
        }
    }
}
