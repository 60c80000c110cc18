//! TPROXY and SYNPROXY.

use std::net::IpAddr;

use crate::netfilter::effect::MaskedBits;
use crate::packet::hook::Hook;
use crate::packet::{Origin, TcpFlags};

use super::{EffectAction, EffectContext};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

impl EffectContext<'_> {
    /// Delivers the packet to a local socket. If no socket listens, xt_TPROXY drops it.
    pub(super) fn transparent_proxy(
        &mut self,
        address: Option<IpAddr>,
        port: Option<u16>,
        mark: Option<MaskedBits>,
    ) -> EffectAction {
        let address = address.unwrap_or(self.view.dst);
        let port = port.or(self.view.dport);
        if !self.listens(port) {
            return EffectAction::Drop;
        }
        if let Some(change) = mark {
            self.view.mark = change.apply(self.view.mark);
        }
        self.view.steered = Some((address, port));
        EffectAction::Accept
    }

    /// Whether a process listens on the port. If the input contains no sockets, this is an
    /// assumption.
    fn listens(&mut self, port: Option<u16>) -> bool {
        let Some(port) = port else { return false };
        if self.host.sockets.is_empty() {
            self.assume(format!("a process listens on port {port}"));
            return true;
        }
        let protocol = self.packet.protocol;
        self.host
            .sockets
            .iter()
            .any(|socket| socket.protocol == protocol && socket.port == port)
    }

    /// SYNPROXY answers a SYN, and compares an ACK with that answer. Neither packet continues. All
    /// other packets do (xt_SYNPROXY.c, nf_synproxy_core.c).
    pub(super) fn synproxy(&mut self) -> EffectAction {
        if self.view.checksum_broken && self.verifies_checksum() {
            self.assume("no network card has verified the TCP checksum, which NPT made invalid");
            return EffectAction::Drop;
        }
        let TcpFlags(flags) = self.packet.tcp_flags.unwrap_or(TcpFlags::SYN);
        match flags & (FIN | SYN | RST | ACK) {
            SYN => {
                self.assume("SYNPROXY answers the SYN itself; it connects to the server when the answer is confirmed");
                EffectAction::Drop
            }
            ACK => {
                self.assume("SYNPROXY takes the ACK: if it confirms its answer, a SYN of its own goes to the server");
                EffectAction::Drop
            }
            _ => EffectAction::Continue,
        }
    }

    /// Whether SYNPROXY computes the checksum of a packet from a wire (`nf_ip6_checksum`). In
    /// FORWARD it does not where connection tracking has done so.
    fn verifies_checksum(&self) -> bool {
        self.packet.origin == Origin::Inbound
            && (self.view.hook == Hook::Input || !self.view.tracked)
    }
}
