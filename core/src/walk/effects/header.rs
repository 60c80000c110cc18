//! Changes of the IP and TCP headers.

use std::net::{IpAddr, Ipv6Addr};

use crate::netfilter::effect::{MaskedBits, Side, TtlChange};
use crate::packet::view::View;
use crate::packet::{Family, Packet, Protocol, TcpFlags};

use super::{EffectAction, EffectContext};

/// The number of the maximum segment size among TCP's options.
const MSS: u8 = 2;
/// The number of the no-operation among TCP's options.
const NO_OPERATION: u8 = 1;
/// TCP's flags of explicit congestion notification.
const ECE: u8 = 0x40;
const CWR: u8 = 0x80;

pub(super) fn set_tos(view: &mut View, change: MaskedBits) {
    let old = u32::from(view.dscp) << 2 | u32::from(view.ecn);
    let [new, ..] = change.apply(old).to_le_bytes();
    (view.dscp, view.ecn) = (new >> 2, new & 3);
}

/// Changes explicit congestion notification: in the IP header, and TCP's ECE and CWR (ipt_ECN.c).
pub(super) fn set_ecn(
    view: &mut View,
    packet: &Packet,
    (ip, ece, cwr): (Option<u8>, Option<bool>, Option<bool>),
) {
    view.ecn = ip.unwrap_or(view.ecn);
    if packet.protocol != Protocol::TCP {
        return;
    }
    let TcpFlags(old) = view.tcp_flags.unwrap_or(TcpFlags::SYN);
    let set = |flags: u8, bit: u8, on: Option<bool>| match on {
        Some(true) => flags | bit,
        Some(false) => flags & !bit,
        None => flags,
    };
    let new = set(set(old, ECE, ece), CWR, cwr);
    if new != old {
        view.tcp_flags = Some(TcpFlags(new));
    }
}

pub(super) fn set_ttl(view: &mut View, change: TtlChange) {
    view.ttl = match change {
        TtlChange::Set(ttl) => ttl,
        TtlChange::Decrease(by) => view.ttl.saturating_sub(by),
        TtlChange::Increase(by) => view.ttl.saturating_add(by),
    };
}

/// Replaces each byte of the options by a no-operation. The header keeps its length
/// (xt_TCPOPTSTRIP.c).
pub(super) fn strip_tcp_options(view: &mut View, packet: &Packet, options: &[u8]) {
    if packet.is_later_fragment() {
        return;
    }
    if options.contains(&MSS) {
        view.mss = None;
    }
    for option in view.tcp_options.iter_mut().flatten() {
        if options.contains(option) {
            *option = NO_OPERATION;
        }
    }
}

impl EffectContext<'_> {
    /// Lowers TCP's maximum segment size (xt_TCPMSS.c).
    pub(super) fn lower_mss(&mut self, mss: Option<u16>) {
        let packet = self.packet;
        if packet.protocol != Protocol::TCP || packet.is_later_fragment() {
            return;
        }
        let Some(wanted) = mss else {
            // The input does not contain the MTU of the path.
            self.view.mss = None;
            self.doubt("how far TCPMSS lowers the segment size depends on the path's MTU");
            return;
        };
        let absent = self
            .view
            .tcp_options
            .as_ref()
            .map(|options| !options.contains(&MSS));
        match (self.view.mss, absent) {
            // The target never raises the size.
            (Some(old), _) => self.view.mss = Some(old.min(wanted)),
            // The kernel adds no option to a segment that contains data.
            (None, Some(true)) if packet.payload_length > 0 => {}
            (None, Some(true)) => {
                let default = if packet.family() == Family::Ipv4 {
                    536
                } else {
                    1220
                };
                self.view.mss = Some(wanted.min(default));
                self.view.tcp_options.get_or_insert_default().push(MSS);
            }
            (None, _) => {}
        }
    }

    /// Replaces the prefix of an IPv6 address (ip6t_NPT.c). If no word of the address can take the
    /// checksum adjustment, the packet is dropped.
    pub(super) fn translate_prefix(
        &mut self,
        side: Side,
        from: (Ipv6Addr, u32),
        to: (Ipv6Addr, u32),
    ) -> EffectAction {
        let (address, tracked) = match side {
            Side::Source => (&mut self.view.src, &mut self.view.tracked_src),
            Side::Destination => (&mut self.view.dst, &mut self.view.tracked_dst),
        };
        let old = *address;
        let IpAddr::V6(known) = old else {
            return EffectAction::Continue;
        };
        let Some(new) = replace_prefix(known, from, to) else {
            return EffectAction::Drop;
        };
        tracked.get_or_insert(old);
        *address = IpAddr::V6(new);
        self.view.checksum_broken |= sum(known) != sum(new);
        EffectAction::Continue
    }
}

/// The sum of the sixteen-bit words in one's complement.
fn sum(address: Ipv6Addr) -> u32 {
    address.segments().into_iter().map(u32::from).sum::<u32>() % 0xffff
}

/// The new address. One word takes the adjustment that keeps checksums valid (`ip6t_npt_map_pfx`).
/// `None` if no word can take it.
fn replace_prefix(
    address: Ipv6Addr,
    from: (Ipv6Addr, u32),
    to: (Ipv6Addr, u32),
) -> Option<Ipv6Addr> {
    let length = from.1.max(to.1);
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    let mut words =
        Ipv6Addr::from_bits(address.to_bits() & !mask | to.0.to_bits() & mask).segments();
    let place = if length <= 48 {
        3
    } else {
        (4..8).find(|place| words[*place] != 0xffff)?
    };
    let adjusted = (u32::from(words[place]) + sum(from.0) + 0xffff - sum(to.0)) % 0xffff;
    words[place] = u16::try_from(adjusted).ok()?;
    Some(words.into())
}
