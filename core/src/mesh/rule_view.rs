//! A rule as typed conditions and an effect, independent of a rule language's syntax.
//!
//! The recognition of meshes reads only this view of a rule. [`RuleView::from_iptables`] makes it
//! from an iptables rule. Another rule language can make the same view from its own statements.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::iptables::extension::{Id, Kind, comment, lower};
use crate::netfilter::condition::Subject;
use crate::netfilter::effect::{Behavior, Effect};
use crate::netfilter::ruleset::{Clause, CompactBox, Rule, Ruleset, Table, Target, Value};
use crate::packet::fields::PacketField;
use crate::packet::{Family, Protocol};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleView<'a> {
    /// The rule matches if all conditions hold. Their order has no meaning.
    pub(crate) conditions: Vec<ViewedCondition<'a>>,
    /// The effect on a packet that meets the conditions.
    pub(crate) effect: RuleEffect<'a>,
}

/// A field of the packet, compared with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ViewedCondition<'a> {
    pub(crate) field: ConditionField,
    pub(crate) negated: bool,
    pub(crate) value: ConditionValue<'a>,
}

/// The subject of a condition, as far as meshes distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConditionField {
    /// A field of the packet. For the destination port: one port or one range.
    Packet(PacketField),
    /// A set of destination ports.
    DestinationPortSet,
    /// The interface that routing chose.
    OutInterface,
    /// An address or interface that a listing does not show.
    Unlisted,
    /// Words of the input that are not a condition.
    Stray,
    /// Any other.
    Other,
}

/// The value of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConditionValue<'a> {
    Network(Network),
    Interface(&'a str),
    Protocol(Protocol),
    Port(PortRange),
    Ports(Vec<PortRange>),
    Ids(IdRange),
    Mark(MaskedMark),
    /// Bits of connection states, as `extension::conntrack` numbers them.
    States(u32),
    /// A value that the recognition never compares.
    Opaque,
}

/// The effect of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RuleEffect<'a> {
    /// The rule only counts.
    Count,
    /// The packet continues in a chain and can return to the next rule.
    Jump(&'a str),
    /// The packet continues in a chain. When that chain ends, it returns to the caller of this
    /// chain.
    Goto(&'a str),
    /// The rule ends the chain or changes the packet.
    Perform(Effect),
}

impl RuleEffect<'_> {
    /// Whether a packet may not come to the next rule.
    pub(super) fn takes_packets(&self) -> bool {
        match self {
            Self::Count => false,
            Self::Jump(_) | Self::Goto(_) => true,
            Self::Perform(effect) => effect.behavior() != Behavior::Passive,
        }
    }

    /// Whether it changes the destination of the packet.
    pub(crate) fn redirects(&self) -> bool {
        matches!(self, Self::Perform(effect) if effect.behavior() == Behavior::Redirect)
    }

    /// The local ports that it redirects to.
    pub(crate) fn ports(&self) -> Option<PortRange> {
        match *self {
            Self::Perform(Effect::Redirect {
                ports: Some((first, last)),
                ..
            }) => Some(PortRange { first, last }),
            Self::Perform(Effect::TransparentProxy {
                port: Some(port), ..
            }) => Some(PortRange {
                first: port,
                last: port,
            }),
            _ => None,
        }
    }
}

/// Addresses that are equal to one address under a mask. The mask may have holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address.
    pub address: IpAddr,
    /// The bits that are compared.
    pub mask: IpAddr,
}

impl Network {
    /// The network that contains one address only.
    pub fn single(address: IpAddr) -> Self {
        let mask = match address {
            IpAddr::V4(_) => Ipv4Addr::BROADCAST.into(),
            IpAddr::V6(_) => Ipv6Addr::from_bits(u128::MAX).into(),
        };
        Self { address, mask }
    }
}

/// `10.0.0.0/8`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, value) = match (self.address, self.mask) {
            (IpAddr::V4(address), IpAddr::V4(mask)) => (Family::Ipv4, Value::Net4(address, mask)),
            (IpAddr::V6(address), IpAddr::V6(mask)) => {
                (Family::Ipv6, Value::Net6(CompactBox::new((address, mask))))
            }
            _ => return Ok(()),
        };
        let mut out = String::new();
        Kind::Network.print(&value, &Ruleset::new(family, None), &mut out);
        f.write_str(out.trim_start())
    }
}

/// A range of ports. Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl PortRange {
    fn new((first, last): (u32, u32)) -> Option<Self> {
        Some(Self {
            first: u16::try_from(first).ok()?,
            last: u16::try_from(last).ok()?,
        })
    }

    /// The port, if the range contains only one.
    pub fn single(self) -> Option<u16> {
        (self.first == self.last).then_some(self.first)
    }
}

/// `80`, `8000:8080`.
impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(port) => write!(f, "{port}"),
            None => write!(f, "{}:{}", self.first, self.last),
        }
    }
}

/// A range of user or group ids. Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// `1337`, `1000-1999`.
impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// A mark and the bits to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaskedMark {
    pub(crate) value: u32,
    pub(crate) mask: u32,
}

/// `0x539`, `0x539/0xfff`.
impl fmt::Display for MaskedMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u32::MAX => write!(f, "{:#x}", self.value),
            mask => write!(f, "{:#x}/{mask:#x}", self.value),
        }
    }
}

impl fmt::Display for ConditionValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Interface(name) => f.write_str(name),
            Self::Protocol(protocol) => protocol.fmt(f),
            Self::Port(port) => port.fmt(f),
            Self::Ports(ports) => {
                let ports: Vec<String> = ports.iter().map(PortRange::to_string).collect();
                f.write_str(&ports.join(","))
            }
            Self::Ids(ids) => ids.fmt(f),
            Self::Mark(mark) => mark.fmt(f),
            Self::States(_) | Self::Opaque => Ok(()),
        }
    }
}

impl<'a> RuleView<'a> {
    /// The view of an iptables rule, without its comment.
    pub(crate) fn from_iptables(ruleset: &'a Ruleset, table: &'a Table, rule: &Rule) -> Self {
        let conditions = ruleset
            .matches(rule)
            .iter()
            .filter_map(|part| condition(ruleset, part))
            .collect();
        Self {
            conditions,
            effect: effect(ruleset, table, rule),
        }
    }
}

/// The condition of one option of a match; `None` if every packet meets it.
fn condition<'a>(ruleset: &'a Ruleset, part: &'a Clause) -> Option<ViewedCondition<'a>> {
    let extension = part.extension();
    let (field, value) = match part.opt() {
        _ if std::ptr::eq(extension, &comment::COMMENT) => return None,
        _ if part.extension == Id::UNLISTED => (ConditionField::Unlisted, ConditionValue::Opaque),
        _ if part.extension == Id::STRAY => (ConditionField::Stray, ConditionValue::Opaque),
        // `-m tcp` without options adds nothing to the required `-p tcp`.
        None if extension.implied_by.is_some() => return None,
        None => (ConditionField::Other, ConditionValue::Opaque),
        Some(opt) => {
            let known = opt
                .field
                .and_then(|field| test(ruleset, field.subject, &part.value));
            known.unwrap_or((ConditionField::Other, ConditionValue::Opaque))
        }
    };
    // iptables prints neither the interface pattern `+` nor the range of all ports.
    let every_packet = match &value {
        ConditionValue::Interface(name) => *name == "+",
        ConditionValue::Port(ports) => (ports.first, ports.last) == (0, u16::MAX),
        _ => false,
    };
    (!every_packet).then_some(ViewedCondition {
        field,
        negated: part.negated,
        value,
    })
}

/// The field and the value of an option, from its subject.
fn test<'a>(
    ruleset: &'a Ruleset,
    subject: Subject,
    value: &'a Value,
) -> Option<(ConditionField, ConditionValue<'a>)> {
    use PacketField::{
        Connmark, Dport, Dst, Gid, InInterface, Mark, Protocol as ProtocolNumber, Sport, Src,
        State, Uid,
    };
    let field = match subject {
        Subject::Packet(field) => ConditionField::Packet(field),
        Subject::OutInterface => ConditionField::OutInterface,
        Subject::EitherPort | Subject::Other => return None,
    };
    let compared = match (field, value) {
        (ConditionField::Packet(Src | Dst), value) => ConditionValue::Network(network(value)?),
        (ConditionField::Packet(InInterface) | ConditionField::OutInterface, Value::Text(name)) => {
            ConditionValue::Interface(ruleset.text(*name))
        }
        (ConditionField::Packet(ProtocolNumber), Value::Number(number)) => {
            ConditionValue::Protocol(Protocol(u8::try_from(*number).ok()?))
        }
        (ConditionField::Packet(Sport | Dport), Value::Range(low, high)) => {
            ConditionValue::Port(PortRange::new((*low, *high))?)
        }
        (ConditionField::Packet(Dport), Value::List(list)) => {
            let ports = list
                .iter()
                .copied()
                .map(PortRange::new)
                .collect::<Option<_>>()?;
            return Some((
                ConditionField::DestinationPortSet,
                ConditionValue::Ports(ports),
            ));
        }
        (ConditionField::Packet(Uid | Gid), Value::Range(first, last)) => {
            ConditionValue::Ids(IdRange {
                first: *first,
                last: *last,
            })
        }
        (ConditionField::Packet(Mark | Connmark), Value::Masked { value, mask }) => {
            ConditionValue::Mark(MaskedMark {
                value: *value,
                mask: *mask,
            })
        }
        (ConditionField::Packet(State), Value::Bits(bits)) => ConditionValue::States(*bits),
        _ => return None,
    };
    Some((field, compared))
}

fn network(value: &Value) -> Option<Network> {
    match value {
        Value::Net4(address, mask) => Some(Network {
            address: (*address).into(),
            mask: (*mask).into(),
        }),
        Value::Net6(network) => Some(Network {
            address: network.0.into(),
            mask: network.1.into(),
        }),
        _ => None,
    }
}

/// The effect of an iptables rule.
pub(crate) fn effect<'a>(ruleset: &'a Ruleset, table: &'a Table, rule: &Rule) -> RuleEffect<'a> {
    match rule.target {
        Target::None => RuleEffect::Count,
        Target::Jump(chain) => RuleEffect::Jump(&table.chains[chain as usize].name),
        Target::Goto(chain) => RuleEffect::Goto(&table.chains[chain as usize].name),
        Target::Missing { name, goto: false } => RuleEffect::Jump(ruleset.missing(name)),
        Target::Missing { name, goto: true } => RuleEffect::Goto(ruleset.missing(name)),
        Target::Extension(_) => {
            lower::effect(ruleset, rule).map_or(RuleEffect::Count, RuleEffect::Perform)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::parse;

    /// The first rule of a table, as its view.
    fn shown(rule: &str) -> String {
        let parsed = parse::parse(format!(
            "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT {rule}\nCOMMIT\n"
        ));
        let (ruleset, table) = (&parsed.rulesets[0], &parsed.rulesets[0].tables[0]);
        let view = RuleView::from_iptables(ruleset, table, &table.chains[0].rules[0]);
        let conditions = view.conditions.iter().map(|condition| {
            let not = if condition.negated { "not " } else { "" };
            let field = match condition.field {
                ConditionField::Packet(field) => <&str>::from(field).to_owned(),
                other => format!("{other:?}"),
            };
            format!("{not}{field} {}", condition.value)
        });
        conditions.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn an_iptables_rule_is_its_conditions() {
        let rule = "! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1000-1999 \
                    -m mark ! --mark 0x539/0xfff -m comment --comment x -j RETURN";
        assert_eq!(
            shown(rule),
            "not dst 127.0.0.1/32; OutInterface lo; protocol tcp; not dport 15008; uid 1000-1999; not mark 0x539/0xfff"
        );
        assert_eq!(
            shown(
                "-d 10.1.0.3/255.255.0.255 -p udp -m multiport --dports 53,8000:8080 -m ttl --ttl-eq 1 -j RETURN"
            ),
            "dst 10.1.0.3/255.255.0.255; protocol udp; DestinationPortSet 53,8000:8080; Other "
        );
    }

    #[test]
    fn conditions_that_every_packet_meets_are_left_out() {
        assert_eq!(
            shown("-p tcp -o + -m tcp --dport 0:65535 -j RETURN"),
            "protocol tcp"
        );
        assert_eq!(shown("-p tcp -m tcp -j RETURN"), "protocol tcp");
    }
}
