//! The translation of a connection that began before the packet, if the packet does not state the
//! translation itself.
//!
//! In the original direction, the walk first evaluates the connection's first packet. The
//! connection stores the translation of that packet (nf_nat_core.c, `nf_nat_packet`). In the reply
//! direction, and for an ICMP error, the walk searches table nat for rules that could have written
//! the packet's addresses. If there is no such rule, nothing was translated. If there is one, the
//! walk is undetermined, unless the rule's conditions name the address and port that it replaced.

use std::net::IpAddr;

use crate::iptables::extension::lower;
use crate::netfilter::effect::{Effect, NatRange, Side};
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::routing::{self, Query};
use crate::netfilter::ruleset::{Rule, Target, Value};
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;
use crate::packet::host::RouteKind;
use crate::packet::view::View;
use crate::packet::{ConnectionState, Direction, Family, Origin, Packet, Protocol};

use super::connection::{End, Translation};
use super::trace::{Assumption, Question};
use super::{Stop, Walker};

/// The assumption if the rules drop the first packet of a connection that exists.
pub(super) const NOT_DROPPED: &str = "the connection began although the rules drop its first packet: that packet is taken as accepted";
const SAME_RULES: &str = "the rules were the same when the packet's connection began";
/// The assumption if the mark of a reply's connection depends on a packet that the input does not
/// state.
const USUAL_FIRST: &str = "the first packet of the reply's connection had no mark, no payload, and usual values in its header";
/// The assumption if rules mark connections and later packets may have met them.
const FIRST_MARK: &str = "the connection's mark is the one that its first packet gave it";
const NO_HELPER: &str = "no helper of nat set up the translation of the expected connection";
const ERROR_OF_ANSWERS: &str = "the ICMP error answers a packet of the original direction, whose destination table nat did not translate";

/// The search for the rule that translated a connection gives up after this number of candidates.
const MAX_TRANSLATORS: usize = 64;
/// The maximum number of calls, from chain to chain, whose conditions count as a rule's own.
const MAX_CALLERS: usize = 8;

/// A rule that could have translated the packet's connection.
struct Translator {
    place: Place,
    hook: Hook,
    /// Its effect; `None` for a gap of a chain, and for a rule whose effect is unknown.
    effect: Option<Effect>,
}

impl<'a> Walker<'a> {
    /// Finds the translation and the mark of the packet's connection.
    pub(super) fn find_connection(&mut self) -> Result<(), Stop> {
        self.translation = self.known_translation.unwrap_or_default();
        self.connmark = None;
        if self.known_translation.is_some() {
            return Ok(());
        }
        match self.packet.state {
            Some(ConnectionState::Established) => {
                self.assume(SAME_RULES);
                match self.packet.direction_in_connection() {
                    Direction::Original => self.translate_like_first(),
                    Direction::Reply => self.translate_back(),
                }
            }
            Some(ConnectionState::Related) if self.is_icmp() => self.translate_error(),
            _ => Ok(()),
        }
    }

    /// Whether a RELATED packet is the first of an expected connection. nat treats such a packet as
    /// NEW, unless a helper has set up its translation (`nf_nat_inet_fn`; measured).
    pub(super) fn begins_expected_connection(&mut self, chains: &[ChainPlace]) -> bool {
        let unset = self
            .known_translation
            .is_none_or(|known| known == Translation::default());
        let begins = unset && !self.is_icmp();
        if begins && !chains.is_empty() {
            self.assume(NO_HELPER);
        }
        begins
    }

    fn is_icmp(&self) -> bool {
        matches!(self.packet.protocol, Protocol::ICMP | Protocol::ICMPV6)
    }

    /// Original direction: the first packet had the same addresses and took the same path.
    fn translate_like_first(&mut self) -> Result<(), Stop> {
        let packet = self.packet.clone();
        let is_tcp = packet.protocol == Protocol::TCP;
        let first = self.rehearse(Packet {
            state: None,
            direction: None,
            tcp_flags: None,
            connmark: 0,
            payload_length: if is_tcp { 0 } else { packet.payload_length },
            sctp_chunks: packet.sctp_chunks.as_ref().map(|_| vec!["INIT".into()]),
            ..packet
        })?;
        self.translation = Translation::set_up_by(&first);
        if self.packet.connmark == 0 {
            self.connmark = Some(first.connmark);
            if self.marks_connections() {
                self.assume(FIRST_MARK);
            }
        }
        Ok(())
    }

    /// Walks another packet to its end, to get the state that it leaves in its connection. The
    /// trace contains no step of it.
    fn rehearse(&mut self, first: Packet) -> Result<View, Stop> {
        let packet = std::mem::replace(&mut self.packet, first);
        self.rehearses = true;
        self.begin();
        let stop = self.take_way();
        self.rehearses = false;
        self.packet = packet;
        match stop {
            Stop::End(_) => {
                let end = self.view.clone();
                self.begin();
                Ok(end)
            }
            stop => Err(stop),
        }
    }

    /// Reply direction: the source of the reply is the final destination of the first packet, and
    /// its destination is the final source.
    fn translate_back(&mut self) -> Result<(), Stop> {
        let Packet {
            dst, sport, dport, ..
        } = self.packet;
        let src = self.packet.src.unwrap_or(dst);
        let source = self.replaced(Side::Destination, (src, sport))?;
        let destination = self.replaced(Side::Source, (dst, dport))?;
        self.translation = Translation {
            source,
            destination,
            dnat: source.is_some(),
            snat: destination.is_some(),
            ..Translation::default()
        };
        if self.packet.connmark == 0 && self.marks_connections() {
            self.assume(USUAL_FIRST);
            self.assume(FIRST_MARK);
            let first = self.answered(
                destination.unwrap_or((dst, dport)),
                source.unwrap_or((src, sport)),
            );
            self.connmark = Some(self.rehearse(first)?.connmark);
        }
        Ok(())
    }

    /// The packet that a reply answers, with the addresses and ports that it had at its first hook.
    fn answered(&self, (src, sport): End, (dst, dport): End) -> Packet {
        let is_own = routing::kind_of(self.host, src, None) == RouteKind::Local;
        let back = || {
            routing::lookup(
                self.host,
                Query {
                    dst: src,
                    src: None,
                    mark: 0,
                    iif: "lo",
                },
            )
        };
        let protocol = self.packet.protocol;
        Packet {
            in_interface: if is_own {
                None
            } else {
                back().map(|way| way.interface)
            },
            src: Some(src),
            sport,
            dport,
            icmp_type: self
                .packet
                .icmp_type
                .map(|kind: u8| match (protocol, kind) {
                    (Protocol::ICMP, 0) => 8,
                    (Protocol::ICMP, 14 | 16 | 18) | (Protocol::ICMPV6, 129 | 140) => kind - 1,
                    _ => kind,
                }),
            icmp_code: self.packet.icmp_code,
            ..Packet::to(
                if is_own {
                    Origin::Local
                } else {
                    Origin::Inbound
                },
                protocol,
                dst,
            )
        }
    }

    /// Whether a rule sets the marks of connections.
    fn marks_connections(&self) -> bool {
        let sets = self
            .schedule
            .layers
            .iter()
            .map(|layer| &self.rulesets[*layer as usize]);
        sets.flat_map(|set| {
            set.tables
                .iter()
                .flat_map(|table| &table.chains)
                .map(move |chain| (set, chain))
        })
        .any(|(set, chain)| {
            let effects = chain
                .rules
                .iter()
                .filter_map(|rule| lower::effect(set, rule));
            effects.into_iter().any(|effect| {
                matches!(
                    effect,
                    Effect::SetConnectionMark { .. } | Effect::SaveMark(_)
                )
            })
        })
    }

    /// An ICMP error goes to the original source of its connection's packets (nf_nat_proto.c,
    /// `nf_nat_icmp_reply_translation`).
    fn translate_error(&mut self) -> Result<(), Stop> {
        if !self.translators(Side::Destination, None).is_empty() {
            self.assume(ERROR_OF_ANSWERS);
        }
        let destination = self.replaced(Side::Source, (self.packet.dst, None))?;
        self.translation = Translation {
            destination,
            snat: destination.is_some(),
            ..Translation::default()
        };
        Ok(())
    }

    /// The end that a translation of this side replaced; `None` if it translated nothing.
    fn replaced(&mut self, side: Side, end: End) -> Result<Option<End>, Stop> {
        let mut found = self.translators(side, Some(end));
        if found.len() < MAX_TRANSLATORS {
            found.retain(|translator| self.is_for_protocol(translator.place));
        }
        let Some(first) = found.first() else {
            return Ok(None);
        };
        let what = if side == Side::Source {
            "source"
        } else {
            "destination"
        };
        let because = match first.effect {
            Some(_) => {
                format!(
                    "the packet does not state whether {} is the {what} that its connection began with",
                    end.0
                )
            }
            None => format!(
                "a rule whose effect is unknown may have translated the {what} of the packet's connection"
            ),
        };
        let Some(&kept) = self.script.get(self.assumed.len()) else {
            self.path.missing = Some(because);
            return Err(Stop::Fork);
        };
        let (place, hook) = (first.place, first.hook);
        self.assumed.push(Assumption {
            place,
            hook,
            question: Question::Translated,
            matches: !kept,
            because,
            chance: None,
        });
        if kept {
            return Ok(None);
        }
        let mut ends = found
            .iter()
            .map(|translator| self.end_before(translator, side, end));
        let before = ends.next().flatten();
        match before {
            Some(_) if found.len() < MAX_TRANSLATORS && ends.all(|other| other == before) => {
                Ok(before)
            }
            _ => Err(Stop::Broken(format!(
                "no rule states the {what} that the packet's connection began with"
            ))),
        }
    }

    /// The rules that could have written an end of the packet. Without an end: all rules that
    /// translate.
    fn translators(&self, side: Side, end: Option<End>) -> Vec<Translator> {
        let mut found = Vec::new();
        for hook in self.hooks_of_first(side) {
            for station in self.schedule.at(hook) {
                let super::Station::Nat(chains) = station else {
                    continue;
                };
                for base in chains {
                    self.translators_below(*base, hook, (side, end), &mut found);
                }
            }
        }
        found
    }

    /// The hooks at which nat saw the first packet of the connection that this packet answers. An
    /// arriving packet answers one that was sent or forwarded. A packet that is sent from here
    /// answers one that arrived or returned through `lo`.
    fn hooks_of_first(&self, side: Side) -> Vec<Hook> {
        let is_local = self.packet.origin == Origin::Local;
        let from_outside = is_local || self.passes_on();
        match side {
            Side::Destination if from_outside => vec![Hook::Output, Hook::Prerouting],
            Side::Destination => vec![Hook::Output],
            Side::Source if is_local => vec![Hook::Postrouting, Hook::Input],
            Side::Source => vec![Hook::Postrouting],
        }
    }

    /// Whether packets between other hosts cross this host, routed or bridged.
    fn passes_on(&self) -> bool {
        self.host.forwards(self.packet.family()) || self.may_bridge()
    }

    fn translators_below(
        &self,
        base: ChainPlace,
        hook: Hook,
        (side, end): (Side, Option<End>),
        found: &mut Vec<Translator>,
    ) {
        let (set, table, _) = base.find(self.rulesets);
        let mut reached = vec![false; table.chains.len()];
        let mut open = vec![base.chain];
        while let Some(number) = open.pop() {
            if std::mem::replace(&mut reached[number as usize], true)
                || found.len() >= MAX_TRANSLATORS
            {
                continue;
            }
            let (at, chain) = (
                ChainPlace {
                    chain: number,
                    ..base
                },
                &table.chains[number as usize],
            );
            if !chain.gaps.is_empty() {
                found.push(Translator {
                    place: Place { at, rule: None },
                    hook,
                    effect: None,
                });
            }
            for (place, rule) in (0..).zip(&chain.rules) {
                let place = Place {
                    at,
                    rule: Some(place),
                };
                match rule.target {
                    Target::Jump(next) | Target::Goto(next) => open.push(next),
                    Target::Missing { .. } => found.push(Translator {
                        place,
                        hook,
                        effect: None,
                    }),
                    Target::None | Target::Extension(_) => match lower::effect(set, rule) {
                        Some(Effect::Unsupported(_)) => found.push(Translator {
                            place,
                            hook,
                            effect: None,
                        }),
                        Some(effect) if self.writes(&effect, hook, side, end) => {
                            found.push(Translator {
                                place,
                                hook,
                                effect: Some(effect),
                            });
                        }
                        _ => {}
                    },
                }
            }
        }
    }

    /// Whether a rule applies to the protocol of the connection. The protocol is unknown for the
    /// connection of an ICMP error.
    fn is_for_protocol(&self, place: Place) -> bool {
        if self.packet.state == Some(ConnectionState::Related) {
            return true;
        }
        match self.required(place, PacketField::Protocol) {
            Some(Value::Number(number)) => {
                *number == 0 || *number == u32::from(self.packet.protocol.0)
            }
            _ => true,
        }
    }

    /// Whether an effect could have written this end. An effect that writes the previous value does
    /// not count.
    fn writes(&self, effect: &Effect, hook: Hook, side: Side, end: Option<End>) -> bool {
        let inward = matches!(hook, Hook::Prerouting | Hook::Output);
        let is_of_side = match effect {
            Effect::Dnat { .. } | Effect::Redirect { .. } => side == Side::Destination,
            Effect::Snat { .. } | Effect::Masquerade { .. } => side == Side::Source,
            Effect::Netmap { .. } => (side == Side::Destination) == inward,
            _ => false,
        };
        let Some((address, port)) = end.filter(|_| is_of_side) else {
            return is_of_side;
        };
        let is_own = || routing::kind_of(self.host, address, None) == RouteKind::Local;
        let fits = |ports: Option<(u16, u16)>| {
            ports.is_none_or(|(low, high)| port.is_none_or(|port| (low..=high).contains(&port)))
        };
        match effect {
            Effect::Dnat { range, .. } => holds(range, address) && fits(range.ports),
            Effect::Snat { range, .. } => {
                holds(range, address)
                    && fits(range.ports)
                    && (range.ports.is_some() || !self.is_only_source(address))
            }
            Effect::Redirect { ports, .. } => is_own() && fits(*ports),
            Effect::Masquerade { ports, .. } => {
                is_own() && fits(*ports) && (ports.is_some() || !self.is_only_source(address))
            }
            Effect::Netmap { network, mask } => is_in_network(address, *network, *mask),
            _ => false,
        }
    }

    /// Whether this is the source of all connections of this host that a packet from outside could
    /// answer.
    fn is_only_source(&self, address: IpAddr) -> bool {
        self.packet.origin == Origin::Inbound && self.only_source() == Some(address)
    }

    /// The source of every connection that this host opens to others, if there is exactly one and
    /// the host forwards nothing.
    fn only_source(&self) -> Option<IpAddr> {
        let family = self.packet.family();
        let leaks = self
            .host
            .sysctls
            .iter()
            .any(|(name, value)| name.ends_with(".route_localnet") && value.trim() != "0");
        if self.passes_on() || leaks {
            return None;
        }
        let addresses = self
            .host
            .interfaces
            .iter()
            .flat_map(|interface| &interface.addresses);
        let mut own = addresses
            .map(|prefix| prefix.address)
            .filter(|address| Family::of_address(*address) == family && !address.is_loopback());
        own.next().filter(|_| own.next().is_none())
    }

    /// The end that a rule replaced, if its conditions name it, or those of its only caller.
    fn end_before(&self, translator: &Translator, side: Side, (_, port): End) -> Option<End> {
        let ports = match translator.effect.as_ref()? {
            Effect::Dnat { range, .. } | Effect::Snat { range, .. } => range.ports,
            Effect::Redirect { ports, .. } | Effect::Masquerade { ports, .. } => *ports,
            _ => return None,
        };
        let (address_field, port_field) = match side {
            Side::Destination => (PacketField::Dst, PacketField::Dport),
            Side::Source => (PacketField::Src, PacketField::Sport),
        };
        let address = match (self.required(translator.place, address_field), side) {
            (Some(Value::Net4(address, mask)), _) if mask.to_bits() == u32::MAX => {
                Some(IpAddr::V4(*address))
            }
            (Some(Value::Net6(net)), _) if net.1.to_bits() == u128::MAX => Some(IpAddr::V6(net.0)),
            (None, Side::Source) => self.only_source(),
            _ => None,
        };
        let port = match (ports, port) {
            (Some(_), Some(_)) => match self.required(translator.place, port_field) {
                Some(Value::Range(low, high)) if low == high => Some(u16::try_from(*low).ok()?),
                Some(Value::Number(port)) => Some(u16::try_from(*port).ok()?),
                _ => return None,
            },
            (_, port) => port,
        };
        Some((address?, port))
    }

    /// The value that every packet has in a field when it reaches a rule: from the rule's own
    /// condition, or from that of the only rule that leads to its chain.
    fn required(&self, mut place: Place, field: PacketField) -> Option<&'a Value> {
        let (set, table, _) = place.at.find(self.rulesets);
        for _ in 0..MAX_CALLERS {
            let rule = place.rule(self.rulesets)?;
            let compared = lower::statements(set, rule)
                .into_iter()
                .find_map(|statement| statement.required(field));
            if compared.is_some() {
                return compared;
            }
            let chain = place.at.chain;
            let leads = |rule: &Rule| matches!(rule.target, Target::Jump(next) | Target::Goto(next) if next == chain);
            let mut callers = (0..).zip(&table.chains).flat_map(|(caller, from)| {
                let at = ChainPlace {
                    chain: caller,
                    ..place.at
                };
                let rules = (0..).zip(&from.rules).filter(|(_, rule)| leads(rule));
                rules.map(move |(rule, _)| Place {
                    at,
                    rule: Some(rule),
                })
            });
            let only = callers.next().filter(|_| callers.next().is_none());
            place = only?;
        }
        None
    }
}

/// Whether a range contains an address. A range without addresses contains every address.
fn holds(range: &NatRange, address: IpAddr) -> bool {
    range.addresses.is_none_or(|(first, last)| {
        Family::of_address(first) == Family::of_address(address)
            && (first..=last).contains(&address)
    })
}

fn is_in_network(address: IpAddr, network: IpAddr, mask: IpAddr) -> bool {
    match (address, network, mask) {
        (IpAddr::V4(address), IpAddr::V4(network), IpAddr::V4(mask)) => {
            (address.to_bits() ^ network.to_bits()) & mask.to_bits() == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network), IpAddr::V6(mask)) => {
            (address.to_bits() ^ network.to_bits()) & mask.to_bits() == 0
        }
        _ => false,
    }
}
