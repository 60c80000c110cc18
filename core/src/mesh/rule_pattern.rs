//! Patterns of the rules that meshes make, and the comparison of a rule with them.

use super::chain_role::{ChainNames, ChainRole};
use super::mesh_option::MeshOption;
use super::rule_view::{
    ConditionField, ConditionValue, Network, RuleEffect, RuleView, ViewedCondition,
};
use crate::netfilter::effect::{ConnectionZone, Effect};
use crate::packet::fields::PacketField;
use crate::packet::{Family, Protocol};

/// A rule of a mesh: one row of its table.
#[derive(Debug)]
pub(super) struct MeshRule {
    /// Its chain.
    pub(super) chain: ChainRole,
    /// Within a chain, a rule with a lower rank comes first.
    pub(super) rank: u8,
    /// The conditions and the effect.
    pub(super) pattern: RulePattern,
    /// Its function in the mesh.
    pub(super) purpose: Purpose,
    /// The reason for the rule. `$` is replaced by the subject of the pattern or, without a
    /// subject, by the port of the effect. `%` is replaced by the proxy.
    pub(super) reason: &'static str,
}

impl MeshRule {
    /// Whether it lets the pod's own calls over `lo` leave, for any process of the pod.
    pub(super) fn spares_loopback(&self) -> bool {
        let needed = self.pattern.conditions.needed;
        self.pattern.effect == EffectPattern::Return
            && needed.len() == 1
            && needed[0].value == ValuePattern::LoopbackInterface
    }
}

/// A row: its place (chain and rank), conditions, effect, purpose, reason.
pub(super) const fn rule(
    (chain, rank): (ChainRole, u8),
    conditions: ConditionSet,
    effect: EffectPattern,
    purpose: Purpose,
    reason: &'static str,
) -> MeshRule {
    MeshRule {
        chain,
        rank,
        pattern: pattern(conditions, effect),
        purpose,
        reason,
    }
}

/// The function of a rule in its mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Part of the mesh's mechanism.
    Part,
    /// Redirects incoming connections.
    InboundRedirect,
    /// Redirects outgoing connections.
    OutboundRedirect,
    /// Redirects DNS.
    DnsRedirect,
    /// One of the rules that each of the proxy's ids has.
    Owner(OwnerRule),
    /// Sends all outgoing connections to the proxy that no earlier rule concerns.
    OutboundRest,
    /// Jumps to the mesh's chain for outgoing connections.
    OutboundJump,
    /// Jumps to the mesh's chain for incoming connections.
    InboundJump,
    /// Comes from an option that a user set.
    Option(MeshOption),
    /// Drops all packets for a short time while the mesh renews its rules.
    Renewal,
}

/// The rules that a mesh makes for one id of the proxy, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnerRule {
    /// The proxy's call to its own pod enters the proxy as a server.
    OwnPod,
    /// Loopback calls of other users are not captured.
    OthersLoopback,
    /// The proxy's own traffic leaves without capture.
    LetOut,
}

/// Conditions and an effect.
#[derive(Debug)]
pub(super) struct RulePattern {
    conditions: ConditionSet,
    effect: EffectPattern,
}

/// A pattern without a chain.
pub(super) const fn pattern(conditions: ConditionSet, effect: EffectPattern) -> RulePattern {
    RulePattern { conditions, effect }
}

/// Conditions in any order, and the fields that other conditions of the rule may compare.
#[derive(Debug)]
pub(super) struct ConditionSet {
    needed: &'static [ConditionPattern],
    others: FieldSet,
}

/// These conditions and no other.
pub(super) const fn exactly(needed: &'static [ConditionPattern]) -> ConditionSet {
    ConditionSet {
        needed,
        others: FieldSet(0),
    }
}

/// These conditions, and any other on addresses, interfaces and the protocol.
pub(super) const fn with_header(needed: &'static [ConditionPattern]) -> ConditionSet {
    ConditionSet {
        needed,
        others: HEADER,
    }
}

/// These conditions, and any other except on addresses, interfaces and the protocol.
pub(super) const fn beyond_header(needed: &'static [ConditionPattern]) -> ConditionSet {
    ConditionSet {
        needed,
        others: FieldSet(!HEADER.0),
    }
}

/// These conditions, and any other.
pub(super) const fn among(needed: &'static [ConditionPattern]) -> ConditionSet {
    ConditionSet {
        needed,
        others: FieldSet(u64::MAX),
    }
}

/// Any conditions, or none.
pub(super) const ANY: ConditionSet = among(&[]);

impl ConditionSet {
    /// Excludes other conditions on these fields.
    pub(super) const fn except(self, fields: FieldSet) -> Self {
        Self {
            others: FieldSet(self.others.0 & !fields.0),
            ..self
        }
    }
}

/// One condition of a pattern.
#[derive(Debug)]
pub(super) struct ConditionPattern {
    fields: FieldSet,
    sign: Sign,
    value: ValuePattern,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Positive,
    Negated,
    Either,
}

/// A condition that holds for the value only.
pub(super) const fn is(fields: FieldSet, value: ValuePattern) -> ConditionPattern {
    ConditionPattern {
        fields,
        sign: Sign::Positive,
        value,
    }
}

/// A condition that holds for everything except the value.
pub(super) const fn not(fields: FieldSet, value: ValuePattern) -> ConditionPattern {
    ConditionPattern {
        fields,
        sign: Sign::Negated,
        value,
    }
}

/// A condition on the value, negated or not.
pub(super) const fn compares(fields: FieldSet, value: ValuePattern) -> ConditionPattern {
    ConditionPattern {
        fields,
        sign: Sign::Either,
        value,
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldSet(u64);

impl FieldSet {
    const fn single(field: ConditionField) -> Self {
        Self(match field {
            ConditionField::Packet(field) => 1 << field as u64,
            ConditionField::DestinationPortSet => 1 << 63,
            ConditionField::OutInterface => 1 << 62,
            ConditionField::Unlisted => 1 << 61,
            ConditionField::Stray => 1 << 60,
            ConditionField::Other => 1 << 59,
        })
    }

    const fn packet(field: PacketField) -> Self {
        Self::single(ConditionField::Packet(field))
    }

    /// The union of both sets.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn contains(self, field: ConditionField) -> bool {
        self.0 & Self::single(field).0 != 0
    }
}

pub(super) const SOURCE: FieldSet = FieldSet::packet(PacketField::Src);
pub(super) const DESTINATION: FieldSet = FieldSet::packet(PacketField::Dst);
pub(super) const IN_INTERFACE: FieldSet = FieldSet::packet(PacketField::InInterface);
pub(super) const OUT_INTERFACE: FieldSet = FieldSet::single(ConditionField::OutInterface);
pub(super) const PROTOCOL: FieldSet = FieldSet::packet(PacketField::Protocol);
pub(super) const SOURCE_PORT: FieldSet = FieldSet::packet(PacketField::Sport);
pub(super) const DESTINATION_PORT: FieldSet = FieldSet::packet(PacketField::Dport);
pub(super) const DESTINATION_PORTS: FieldSet = FieldSet::single(ConditionField::DestinationPortSet);
pub(super) const USER: FieldSet = FieldSet::packet(PacketField::Uid);
pub(super) const GROUP: FieldSet = FieldSet::packet(PacketField::Gid);
pub(super) const MARK: FieldSet = FieldSet::packet(PacketField::Mark);
pub(super) const CONNECTION_MARK: FieldSet = FieldSet::packet(PacketField::Connmark);
const CONNECTION_STATE: FieldSet = FieldSet::packet(PacketField::State);
/// The user or the group of the sender.
pub(super) const OWNER: FieldSet = USER.or(GROUP);
const HEADER: FieldSet = SOURCE
    .or(DESTINATION)
    .or(IN_INTERFACE)
    .or(OUT_INTERFACE)
    .or(PROTOCOL)
    .or(FieldSet::single(ConditionField::Unlisted));

pub(super) const TCP: ConditionPattern = is(PROTOCOL, ValuePattern::Protocol(Protocol::TCP));
pub(super) const UDP: ConditionPattern = is(PROTOCOL, ValuePattern::Protocol(Protocol::UDP));
pub(super) const IN_LOOPBACK: ConditionPattern = is(IN_INTERFACE, ValuePattern::LoopbackInterface);
pub(super) const OUT_LOOPBACK: ConditionPattern =
    is(OUT_INTERFACE, ValuePattern::LoopbackInterface);
pub(super) const INVALID: ConditionPattern = is(CONNECTION_STATE, ValuePattern::InvalidState);
pub(super) const TO_DNS: ConditionPattern = is(DESTINATION_PORT, ValuePattern::Port(53));
pub(super) const FROM_DNS: ConditionPattern = is(SOURCE_PORT, ValuePattern::Port(53));

/// The value of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValuePattern {
    /// Any value.
    Any,
    /// Any value. It is the subject of the rule: the value of the option, or the proxy's id.
    Subject,
    /// The loopback address: `127.0.0.1`, `::1`.
    Loopback,
    /// The address that a sidecar uses as the source of its connections to the app: `127.0.0.6`,
    /// `::6`.
    ProxySource,
    /// `lo`.
    LoopbackInterface,
    /// This protocol.
    Protocol(Protocol),
    /// This port, by itself or in a set.
    Port(u16),
    /// Packets that belong to no connection.
    InvalidState,
}

impl ValuePattern {
    fn matches(self, value: &ConditionValue, family: Family) -> bool {
        match (self, value) {
            (Self::Any | Self::Subject, _) => true,
            (Self::Loopback, ConditionValue::Network(network)) => *network == loopback(family),
            (Self::ProxySource, ConditionValue::Network(network)) => {
                *network == proxy_source(family)
            }
            (Self::LoopbackInterface, ConditionValue::Interface(name)) => *name == "lo",
            (Self::Protocol(wanted), ConditionValue::Protocol(protocol)) => *protocol == wanted,
            (Self::Port(wanted), ConditionValue::Port(ports)) => ports.single() == Some(wanted),
            (Self::Port(wanted), ConditionValue::Ports(ports)) => {
                ports.iter().any(|one| one.single() == Some(wanted))
            }
            (Self::InvalidState, ConditionValue::States(bits)) => {
                *bits == crate::packet::ConnectionState::Invalid.bit()
            }
            _ => false,
        }
    }
}

/// The loopback address.
pub(super) fn loopback(family: Family) -> Network {
    Network::single(family.loopback())
}

/// The address that a sidecar uses as the source of inbound connections to the app (Istio's
/// `InboundPassthroughBindIpv4`).
pub(super) fn proxy_source(family: Family) -> Network {
    Network::single(match family {
        Family::Ipv4 => [127, 0, 0, 6].into(),
        Family::Ipv6 => [0, 0, 0, 0, 0, 0, 0, 6].into(),
    })
}

/// The effect of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EffectPattern {
    /// Any effect.
    Any,
    Accept,
    Drop,
    Return,
    /// A jump to a chain of the mesh.
    Jump(ChainRole),
    /// A redirect to any port of this host.
    Redirect,
    /// A redirect to this port of this host.
    RedirectTo(u16),
    TransparentProxy,
    TranslateDestination,
    SetMark,
    SetConnectionMark,
    SaveMark,
    RestoreMark,
    SetZone,
}

impl EffectPattern {
    fn matches(self, effect: &RuleEffect, chains: ChainNames) -> bool {
        let effect = match (self, effect) {
            (Self::Any, _) => return true,
            (Self::Jump(role), RuleEffect::Jump(chain)) => return chains.name(role) == Some(chain),
            (_, RuleEffect::Perform(effect)) => effect,
            _ => return false,
        };
        match (self, effect) {
            (Self::RedirectTo(wanted), Effect::Redirect { ports, .. }) => {
                *ports == Some((wanted, wanted))
            }
            (Self::Accept, Effect::Accept)
            | (Self::Drop, Effect::Drop)
            | (Self::Return, Effect::Return)
            | (Self::Redirect, Effect::Redirect { ports: Some(_), .. })
            | (Self::TransparentProxy, Effect::TransparentProxy { .. })
            | (Self::TranslateDestination, Effect::Dnat { .. })
            | (Self::SetMark, Effect::SetMark(_))
            | (Self::SetConnectionMark, Effect::SetConnectionMark { .. })
            | (Self::SaveMark, Effect::SaveMark(_))
            | (Self::RestoreMark, Effect::RestoreMark(_))
            | (
                Self::SetZone,
                Effect::Track {
                    tracked: true,
                    zone: Some(ConnectionZone::Number(1..)),
                },
            ) => true,
            _ => false,
        }
    }
}

/// The maximum number of conditions of a rule: one bit each. No rule of a mesh has more.
const MAX_CONDITIONS: usize = u64::BITS as usize;

impl RulePattern {
    /// Whether a rule fits the pattern.
    pub(super) fn matches(&self, chains: ChainNames, family: Family, view: &RuleView) -> bool {
        self.compare(chains, family, view).is_some()
    }

    /// Like [`Self::matches`], but returns the condition that contains the subject.
    pub(super) fn compare<'v, 'a>(
        &self,
        chains: ChainNames,
        family: Family,
        view: &'v RuleView<'a>,
    ) -> Option<Option<&'v ViewedCondition<'a>>> {
        if !self.effect.matches(&view.effect, chains) || view.conditions.len() > MAX_CONDITIONS {
            return None;
        }
        let (mut used, mut subject) = (0_u64, None);
        for wanted in self.conditions.needed {
            let (place, condition) =
                view.conditions
                    .iter()
                    .enumerate()
                    .find(|(place, condition)| {
                        used & 1 << place == 0 && wanted.matches(condition, family)
                    })?;
            used |= 1 << place;
            if wanted.value == ValuePattern::Subject {
                subject = subject.or(Some(condition));
            }
        }
        let mut others = view
            .conditions
            .iter()
            .enumerate()
            .filter(|(place, _)| used & 1 << place == 0);
        others
            .all(|(_, condition)| self.conditions.others.contains(condition.field))
            .then_some(subject)
    }
}

impl ConditionPattern {
    fn matches(&self, condition: &ViewedCondition, family: Family) -> bool {
        let sign = match self.sign {
            Sign::Positive => !condition.negated,
            Sign::Negated => condition.negated,
            Sign::Either => true,
        };
        sign && self.fields.contains(condition.field)
            && self.value.matches(&condition.value, family)
    }
}

#[cfg(test)]
mod tests {
    use super::super::MeshKind;
    use super::super::rule_view::{IdRange, PortRange};
    use super::*;

    fn condition(field: ConditionField, negated: bool, value: ConditionValue) -> ViewedCondition {
        ViewedCondition {
            field,
            negated,
            value,
        }
    }

    fn owner(id: u32) -> ConditionValue<'static> {
        ConditionValue::Ids(IdRange {
            first: id,
            last: id,
        })
    }

    /// The purpose that Istio's definition gives to a rule of ISTIO_OUTPUT.
    fn purpose(
        conditions: Vec<ViewedCondition>,
        effect: RuleEffect,
    ) -> Option<(Purpose, Option<String>)> {
        let view = RuleView { conditions, effect };
        let fit =
            MeshKind::IstioSidecar
                .definition()
                .fit(Family::Ipv4, ChainRole::Outbound, &view)?;
        Some((
            fit.rule.purpose,
            fit.subject.map(|subject| subject.value.to_string()),
        ))
    }

    #[test]
    fn the_order_of_conditions_means_nothing_and_the_subject_is_found() {
        let mut conditions = vec![
            condition(ConditionField::Packet(PacketField::Uid), false, owner(1337)),
            condition(
                ConditionField::Packet(PacketField::Dport),
                true,
                ConditionValue::Port(PortRange {
                    first: 15_008,
                    last: 15_008,
                }),
            ),
            condition(
                ConditionField::OutInterface,
                false,
                ConditionValue::Interface("lo"),
            ),
            condition(
                ConditionField::Packet(PacketField::Dst),
                true,
                ConditionValue::Network(loopback(Family::Ipv4)),
            ),
        ];
        let own_pod = Some((Purpose::Owner(OwnerRule::OwnPod), Some("1337".to_owned())));
        assert_eq!(
            purpose(conditions.clone(), RuleEffect::Jump("ISTIO_IN_REDIRECT")),
            own_pod
        );
        conditions.reverse();
        assert_eq!(
            purpose(conditions.clone(), RuleEffect::Jump("ISTIO_IN_REDIRECT")),
            own_pod
        );
        assert_eq!(
            purpose(conditions, RuleEffect::Goto("ISTIO_IN_REDIRECT")),
            None,
            "a goto does not come back"
        );
    }

    #[test]
    fn a_condition_too_many_or_of_the_other_sign_makes_another_rule() {
        const GROUPS: RulePattern = pattern(
            among(&[not(GROUP, ValuePattern::Any), not(GROUP, ValuePattern::Any)]),
            EffectPattern::Any,
        );
        let returns = || RuleEffect::Perform(Effect::Return);
        let lets_out = Some((Purpose::Owner(OwnerRule::LetOut), Some("1337".to_owned())));
        assert_eq!(
            purpose(
                vec![condition(
                    ConditionField::Packet(PacketField::Uid),
                    false,
                    owner(1337)
                )],
                returns()
            ),
            lets_out
        );
        assert_eq!(
            purpose(
                vec![condition(
                    ConditionField::Packet(PacketField::Uid),
                    true,
                    owner(1337)
                )],
                returns()
            ),
            None
        );
        let other = condition(ConditionField::Other, false, ConditionValue::Opaque);
        assert_eq!(
            purpose(
                vec![
                    condition(ConditionField::Packet(PacketField::Uid), false, owner(1337)),
                    other.clone()
                ],
                returns()
            ),
            None
        );
        // A condition must not count twice.
        let one = vec![
            condition(ConditionField::Packet(PacketField::Gid), true, owner(1)),
            other,
        ];
        let mut view = RuleView {
            conditions: one,
            effect: returns(),
        };
        let istio = MeshKind::IstioSidecar.definition().chains;
        assert!(!GROUPS.matches(istio, Family::Ipv4, &view));
        view.conditions.push(condition(
            ConditionField::Packet(PacketField::Gid),
            true,
            owner(2),
        ));
        assert!(GROUPS.matches(istio, Family::Ipv4, &view));
    }
}
