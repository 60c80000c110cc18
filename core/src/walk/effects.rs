//! Performs effects: changes the packet and reports how the walk continues.
//!
//! # Layout
//! - `nat`: translation of addresses and ports; `choice`: the address and port that the kernel
//!   chooses from a range
//! - `header`: changes of the IP and TCP headers
//! - `proxy`: TPROXY and SYNPROXY
//! - this file: verdicts, marks and connection tracking

mod choice;
mod header;
mod nat;
mod proxy;

use crate::netfilter::effect::{ConnectionZone, Effect};
use crate::packet::host::Host;
use crate::packet::view::View;
use crate::packet::{ConnectionState, Packet};

use crate::netfilter::conntrack;

/// How the walk continues after an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EffectAction {
    /// With the next rule.
    Continue,
    /// With the next base chain.
    Accept,
    /// The packet is dropped.
    Drop,
    /// The packet is dropped, and its sender gets this answer.
    Reject(String),
    /// The packet is queued to a user-space program.
    Queue,
    /// In the calling chain.
    Return,
    /// The walk stops for this reason.
    Unknown(String),
    /// In one of two ways; the input does not determine which.
    Depends {
        /// The question, and the reason why the input does not answer it.
        because: String,
        /// The action if the answer is yes.
        yes: Box<EffectAction>,
        /// The action if the answer is no.
        no: Box<EffectAction>,
    },
}

/// The packet and its environment, which an effect reads and changes.
#[derive(Debug)]
pub(super) struct EffectContext<'a> {
    /// The packet at this point. Effects change it.
    pub(super) view: &'a mut View,
    /// The fields that no rule changes.
    pub(super) packet: &'a Packet,
    /// The namespace.
    pub(super) host: &'a Host,
    /// The assumptions of the walk.
    pub(super) assumes: &'a mut Vec<String>,
    /// Whether the effect set up a translation, including one that changes nothing.
    pub(super) translates: bool,
    /// Whether the walk cannot simulate a part of the effect.
    pub(super) doubtful: bool,
}

impl EffectContext<'_> {
    /// Performs one effect.
    pub(super) fn perform(&mut self, effect: Effect) -> EffectAction {
        match effect {
            Effect::Accept => EffectAction::Accept,
            Effect::Drop => EffectAction::Drop,
            Effect::Return => EffectAction::Return,
            Effect::Reject { with } => EffectAction::Reject(with.into()),
            Effect::Queue { queues, bypass } => queue(queues, bypass),
            Effect::Passive | Effect::UpdateSet => EffectAction::Continue,
            Effect::Duplicate { gateway } => {
                let gateway = gateway
                    .map(|gateway| gateway.to_string())
                    .unwrap_or_default();
                self.doubt(format!(
                    "the copy that TEE sends to {gateway} is not walked"
                ));
                EffectAction::Continue
            }
            Effect::Dnat { range, choice } => {
                self.translate_destination(&range, choice);
                EffectAction::Accept
            }
            Effect::Snat { range, choice } => {
                self.translate_source(&range, choice);
                EffectAction::Accept
            }
            Effect::Redirect { ports, choice } => self.redirect(ports, choice),
            Effect::Masquerade {
                ports,
                base,
                choice,
            } => self.masquerade(ports, base, choice),
            Effect::Netmap { network, mask } => self.netmap(network, mask),
            Effect::TransparentProxy {
                address,
                port,
                mark,
            } => self.transparent_proxy(address, port, mark),
            Effect::Synproxy => self.synproxy(),
            Effect::ClusterShare => EffectAction::Depends {
                because: "whether this node answers for the sender is decided by a hash".into(),
                yes: Box::new(EffectAction::Continue),
                no: Box::new(EffectAction::Drop),
            },
            Effect::Unsupported(reason) => EffectAction::Unknown(reason),
            Effect::SetUnknownMark { source } => {
                self.doubt(format!(
                    "{source} is none that a later rule or route asks for"
                ));
                EffectAction::Continue
            }
            Effect::TranslatePrefix { side, from, to } => self.translate_prefix(side, from, to),
            change => {
                self.change(change);
                EffectAction::Continue
            }
        }
    }

    /// Performs the effects after which the walk always continues with the next rule.
    fn change(&mut self, effect: Effect) {
        let view = &mut *self.view;
        match effect {
            Effect::SetMark(change) => view.mark = change.apply(view.mark),
            Effect::SetConnectionMark { change, shift }
                if conntrack::has_connection(view.state) =>
            {
                view.connmark = shift.apply(change.apply(view.connmark));
            }
            Effect::SaveMark(transfer) if conntrack::has_connection(view.state) => {
                let saved = transfer.shift.apply(view.mark & transfer.packet_mask);
                view.connmark = view.connmark & !transfer.connection_mask ^ saved;
            }
            Effect::RestoreMark(transfer) if conntrack::has_connection(view.state) => {
                let restored = transfer
                    .shift
                    .apply(view.connmark & transfer.connection_mask);
                view.mark = view.mark & !transfer.packet_mask ^ restored;
            }
            Effect::Track { tracked, zone } => {
                // A template of the connection counts as new in the rest of table raw.
                let state = if tracked {
                    ConnectionState::New
                } else {
                    ConnectionState::Untracked
                };
                if view.state.is_none() {
                    view.zone = match zone {
                        Some(ConnectionZone::Number(number)) => number,
                        Some(ConnectionZone::Mark) => view.mark as u16,
                        None => view.zone,
                    };
                }
                view.state.get_or_insert(state);
            }
            Effect::SetTos(change) => header::set_tos(view, change),
            Effect::SetEcn { ip, ece, cwr } => header::set_ecn(view, self.packet, (ip, ece, cwr)),
            Effect::SetTtl(change) => header::set_ttl(view, change),
            Effect::LowerMss(mss) => self.lower_mss(mss),
            Effect::StripTcpOptions(options) => {
                header::strip_tcp_options(view, self.packet, &options)
            }
            _ => {}
        }
    }

    /// Lists an assumption, once.
    fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumes.contains(&what) {
            self.assumes.push(what);
        }
    }

    /// Lists an assumption that may well be wrong, and makes the walk uncertain.
    fn doubt(&mut self, what: impl Into<String>) {
        self.doubtful = true;
        self.assume(what);
    }
}

/// If no program listens, the packet is dropped, or accepted with bypass (nf_queue.c, `nf_queue`).
fn queue((first, last): (u16, u16), bypass: bool) -> EffectAction {
    if !bypass {
        return EffectAction::Queue;
    }
    let queues = if first == last {
        format!("queue {first}")
    } else {
        format!("one of the queues {first} to {last}")
    };
    EffectAction::Depends {
        because: format!("whether a program listens on {queues} is not in a dump"),
        yes: Box::new(EffectAction::Queue),
        no: Box::new(EffectAction::Accept),
    }
}
