//! One line of a lesson: words, `**strong**`, `` `verbatim` ``, and `{{claims}}`. Each claim is
//! computed or checked here.

use crate::analysis::compare;
use crate::analysis::explain::{self, Fate, capital};
use crate::packet::{Origin, Packet};
use crate::walk::trace::Trace;

use super::TextPiece;
use super::world::World;

/// The meaning of names in a step.
#[derive(Clone, Copy)]
pub(super) struct LessonActors<'a> {
    pub(super) world: &'a World,
    pub(super) packets: &'a [(String, Packet)],
}

impl LessonActors<'_> {
    /// The position of the packet with a name.
    pub(super) fn packet(&self, name: &str) -> Result<usize, String> {
        let found = self
            .packets
            .iter()
            .position(|(known, _)| known == name.trim());
        found.ok_or_else(|| {
            format!(
                "unknown packet `{}`: the header has no packet with this name",
                name.trim()
            )
        })
    }

    fn walk(&self, name: &str) -> Result<Trace, String> {
        Ok(self.world.walk(&self.packets[self.packet(name)?].1))
    }

    /// Parses a line.
    pub(super) fn line(&self, text: &str) -> Result<Vec<TextPiece>, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['*', '`', '{']) {
            let (before, marked) = rest.split_at(at);
            let mark = ["{{", "**", "`"]
                .into_iter()
                .find(|mark| marked.starts_with(mark));
            let Some(mark) = mark else {
                let (plain, after) = rest.split_at(at + 1);
                push(&mut pieces, plain);
                rest = after;
                continue;
            };
            push(&mut pieces, before);
            let close = if mark == "{{" { "}}" } else { mark };
            let inner = &marked[mark.len()..];
            let (inner, after) = inner
                .split_once(close)
                .ok_or_else(|| format!("`{mark}` is not closed by `{close}`"))?;
            pieces.push(match mark {
                "{{" => self.claim(inner.trim())?,
                "**" => TextPiece::Strong(inner.into()),
                _ => TextPiece::Code(inner.into()),
            });
            rest = after;
        }
        push(&mut pieces, rest);
        Ok(pieces)
    }

    fn claim(&self, text: &str) -> Result<TextPiece, String> {
        let (claim, words) = text.split_once('|').map_or((text, None), |(claim, words)| {
            (claim.trim(), Some(words.trim()))
        });
        let (kind, about) = claim.split_once(' ').unwrap_or((claim, ""));
        let world = self.world;
        let told = |text: String| Ok(TextPiece::Told(text, None));
        let of_rule = |say: &dyn Fn(crate::netfilter::place::Place) -> Option<String>| {
            let place = world.place(about)?;
            let text = say(place).ok_or_else(|| format!("there is nothing to say of `{about}`"))?;
            Ok(TextPiece::Told(text, Some(place)))
        };
        match (kind, words) {
            ("is", Some(words)) => {
                let (name, test) = about.split_once(' ').unwrap_or((about, ""));
                let trace = self.walk(name)?;
                if !world.test(test)?.holds(&world.rulesets, &trace) {
                    return Err(format!(
                        "the claim `{claim}` does not hold: {}",
                        world.tell(&trace)
                    ));
                }
                told(words.into())
            }
            ("dead", Some(words)) => {
                let place = world.place(about)?;
                if !world.is_dead(place) {
                    return Err(format!(
                        "the claim `{claim}` does not hold: packets can match {}",
                        world.name(place)
                    ));
                }
                Ok(TextPiece::Told(words.into(), Some(place)))
            }
            ("verdict", None) => told(world.tell(&self.walk(about)?)),
            ("end", None) => told(world.headline(&self.walk(about)?).end),
            ("fate", None) => told(
                Fate::from_verdict(self.walk(about)?.verdict())
                    .word(world.mesh.is_some())
                    .into(),
            ),
            ("steps", None) => told(self.walk(about)?.shown().steps.len().to_string()),
            ("goes", None) => {
                let trace = self.walk(about)?;
                let view = trace.shown().result();
                told(explain::endpoint(view.dst, view.dport))
            }
            ("rule", None) => {
                let decided = self
                    .walk(about)?
                    .verdict()
                    .and_then(|verdict| verdict.decided_by);
                let place = decided.ok_or_else(|| format!("no rule decides of `{about}`"))?;
                Ok(TextPiece::Told(world.name(place), Some(place)))
            }
            ("part", None) => {
                let (a, b) = about.split_once(' ').unwrap_or((about, ""));
                let (a, b) = (self.walk(a)?, self.walk(b)?);
                let step =
                    compare::part(a.shown(), b.shown()).and_then(|part| b.shown().steps.get(part));
                let place = step.ok_or("these two packets do not part at a rule")?.place;
                Ok(TextPiece::Told(world.name(place), Some(place)))
            }
            ("step", None) => {
                let (name, rule) = about.split_once(' ').unwrap_or((about, ""));
                let (trace, place) = (self.walk(name)?, world.place(rule)?);
                Ok(TextPiece::Told(
                    world.describe_rule(&trace, place),
                    Some(place),
                ))
            }
            ("text", None) => match world.text(world.place(about)?) {
                Some(text) => Ok(TextPiece::Code(text)),
                None => Err(format!("`{about}` is a policy and has no text")),
            },
            ("says", None) => of_rule(&|place| {
                let (ruleset, table, _) = place.at.find(&world.rulesets);
                Some(explain::rule(ruleset, table, place.rule(&world.rulesets)?))
            }),
            ("why", None) => of_rule(&|place| {
                Some(capital(
                    &world.mesh.as_ref()?.purpose(&world.rulesets, place)?,
                ))
            }),
            _ => Err(format!(
                "unknown claim `{text}`: write verdict, end, fate, steps, goes or rule with a \
                packet; part with two; step with a \
                 packet and a rule; text, says or why with a rule; `is PACKET END | words` or `dead RULE | words`"
            )),
        }
    }
}

/// Describes a packet in a few words: "TCP from uid 1000 and gid 1000 to 93.184.216.34:443".
pub(super) fn packet(packet: &Packet) -> String {
    let protocol = packet
        .protocol
        .long_name()
        .unwrap_or("a packet")
        .to_ascii_uppercase();
    let from = match (packet.origin, packet.uid, packet.gid, packet.src) {
        (Origin::Inbound, _, _, Some(src)) => format!("outside ({src})"),
        (Origin::Inbound, ..) => "outside".into(),
        (_, Some(uid), Some(gid), _) if uid == gid => format!("uid and gid {uid}"),
        (_, Some(uid), Some(gid), _) => format!("uid {uid}, gid {gid}"),
        _ => "the kernel".into(),
    };
    let to = explain::endpoint(packet.dst, packet.dport);
    format!("{protocol} from {from} to {to}")
}

fn push(pieces: &mut Vec<TextPiece>, text: &str) {
    match pieces.last_mut() {
        Some(TextPiece::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(TextPiece::Text(text.into())),
    }
}
