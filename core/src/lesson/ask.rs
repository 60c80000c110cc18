//! Questions: the right answer, and the reply to each answer. All of it comes from the walk.

use crate::analysis::constants::Constants;
use crate::analysis::counterfactual::{self, Flips};
use crate::analysis::scenario;
use crate::walk::trace::{Trace, Verdict, VerdictKind};

use super::words::{self, LessonActors};
use super::world::{LessonTest, World};
use super::{AnswerChoice, Fault};
use crate::analysis::explain::{self, Fate};

/// The subject of a question.
pub(super) enum About {
    /// Which of these statements holds for a packet?
    Packet(usize),
    /// For which packet does this statement hold?
    Which(LessonTest),
    /// Which rule never matches?
    Dead,
}

/// Parses the text after `ask`.
pub(super) fn about(cast: &LessonActors, text: &str) -> Result<About, String> {
    match text.split_once(' ').unwrap_or((text, "")) {
        ("which", test) => Ok(About::Which(cast.world.test(test)?)),
        ("dead", "") => Ok(About::Dead),
        (_, "") => Ok(About::Packet(cast.packet(text)?)),
        _ => Err(format!(
            "invalid question `ask {text}`: write `ask PACKET`, `ask which END` or `ask dead`"
        )),
    }
}

/// Makes the answers of a question. Each is a line and its text, with the author's own words after
/// `|`.
pub(super) fn choices(
    cast: &LessonActors,
    about: &About,
    line: usize,
    options: &[(usize, &str)],
) -> Result<Vec<AnswerChoice>, Fault> {
    let mut packet = match about {
        About::Packet(packet) => Some(AskedPacket::new(
            cast.world,
            cast.world.walk(&cast.packets[*packet].1),
        )),
        _ => None,
    };
    let mut choices = Vec::new();
    for (line, text) in options {
        let (name, words) = text
            .split_once('|')
            .map_or((*text, None), |(name, words)| (name, Some(words.trim())));
        let name = name.trim();
        let choice = match about {
            About::Packet(_) => packet.as_mut().expect("it was just made").choice(name),
            About::Which(test) => which(cast, test, name),
            About::Dead => dead(cast.world, name),
        };
        let mut choice = choice.map_err(|message| Fault {
            line: *line,
            message,
        })?;
        if let Some(words) = words {
            choice.words = words.into();
        }
        choices.push(choice);
    }
    let right = choices.iter().filter(|choice| choice.right).count();
    if right != 1 || choices.len() < 2 {
        let truth = packet.map_or_else(String::new, |asked| {
            format!(": {}", asked.world.tell(&asked.trace))
        });
        let message = format!(
            "of {} answers {right} are right, where one should be among others{truth}",
            choices.len()
        );
        return Err(Fault { line, message });
    }
    Ok(choices)
}

/// A packet that a question is about.
struct AskedPacket<'a> {
    world: &'a World,
    trace: Trace,
    flips: Option<Flips>,
}

impl<'a> AskedPacket<'a> {
    fn new(world: &'a World, trace: Trace) -> Self {
        Self {
            world,
            trace,
            flips: None,
        }
    }

    fn choice(&mut self, name: &str) -> Result<AnswerChoice, String> {
        let test = self.world.test(name)?;
        let right = test.holds(&self.world.rulesets, &self.trace);
        let code = match &test {
            LessonTest::Rule(place)
            | LessonTest::Matches(place)
            | LessonTest::Misses(place)
            | LessonTest::Unmet(place) => self.world.text(*place),
            _ => None,
        };
        Ok(AnswerChoice {
            words: self.world.describe_test(&test),
            code,
            right,
            reply: self.reply(&test, right),
        })
    }

    fn reply(&mut self, test: &LessonTest, right: bool) -> String {
        let (world, trace) = (self.world, &self.trace);
        match test {
            LessonTest::Rule(place) => {
                let story = world.describe_rule(trace, *place);
                match (
                    right,
                    LessonTest::Matches(*place).holds(&world.rulesets, trace),
                ) {
                    (true, _) => {
                        format!("{story} {}.", explain::capital(&world.headline(trace).end))
                    }
                    (false, true) => format!("{story} But that does not settle where it ends."),
                    (false, false) => story,
                }
            }
            LessonTest::Matches(place) | LessonTest::Misses(place) | LessonTest::Unmet(place) => {
                world.describe_rule(trace, *place)
            }
            LessonTest::Passes((hook, table)) | LessonTest::Skips((hook, table)) => {
                let runs = trace.shown().steps.runs().iter();
                let mut asked = runs.map(|run| run.first).filter(|step| step.hook == *hook);
                match asked.find(|step| step.place.at.table(&world.rulesets).is(*table)) {
                    Some(step) => format!(
                        "At {hook} table {table} is asked. {}",
                        world.describe_rule(trace, step.place)
                    ),
                    None => format!("At {hook} table {table} is not asked about this packet."),
                }
            }
            LessonTest::Fate(_) | LessonTest::Port(_) | LessonTest::Sent(_) if right => {
                world.tell(trace)
            }
            LessonTest::Fate(_) | LessonTest::Port(_) | LessonTest::Sent(_) => self.elsewhere(test),
        }
    }

    /// The change with which the packet would have the other outcome.
    fn elsewhere(&mut self, test: &LessonTest) -> String {
        let (world, trace) = (self.world, &self.trace);
        let flips = self.flips.get_or_insert_with(|| {
            let constants = Constants::collect(&world.rulesets, trace.packet.family());
            counterfactual::find(&world.rulesets, &constants, &world.host, trace)
        });
        let found = flips
            .offered
            .iter()
            .find(|flip| is_end(test, &flip.verdict));
        match found {
            Some(flip) => {
                format!("Not this packet. {}", flip.sentence(&world.rulesets, &trace.packet, world.mesh.as_ref()))
            }
            None => {
                "Not this packet. No change of one field, or of one rule, was found that would take it there.".into()
            }
        }
    }
}

fn is_end(test: &LessonTest, verdict: &Verdict) -> bool {
    match test {
        LessonTest::Fate(fate) => Fate::from_verdict(Some(verdict)) == *fate,
        LessonTest::Port(port) => {
            verdict.kind == VerdictKind::Delivered && verdict.port == Some(*port)
        }
        LessonTest::Sent(name) => {
            verdict.kind == VerdictKind::Sent && verdict.interface.as_ref() == Some(name)
        }
        _ => false,
    }
}

fn which(cast: &LessonActors, test: &LessonTest, name: &str) -> Result<AnswerChoice, String> {
    let packet = &cast.packets[cast.packet(name)?].1;
    let trace = cast.world.walk(packet);
    let reply = match test {
        LessonTest::Rule(place)
        | LessonTest::Matches(place)
        | LessonTest::Misses(place)
        | LessonTest::Unmet(place) => {
            format!(
                "{} {}",
                cast.world.describe_rule(&trace, *place),
                cast.world.tell(&trace)
            )
        }
        _ => cast.world.tell(&trace),
    };
    Ok(AnswerChoice {
        words: words::packet(packet),
        code: None,
        right: test.holds(&cast.world.rulesets, &trace),
        reply,
    })
}

fn dead(world: &World, name: &str) -> Result<AnswerChoice, String> {
    let place = world.place(name)?;
    let code = world.text(place);
    let words = explain::capital(&world.name(place));
    let right = world.is_dead(place);
    let reply = if right {
        format!("{words} can never match: the rules before it take everything that it asks for.")
    } else {
        let scenarios = scenario::of_rules(&world.rulesets, &world.host, world.mesh.as_ref());
        let mut walks = scenarios.iter().map(|one| (one, world.walk(&one.packet)));
        match walks.find(|(_, trace)| LessonTest::Matches(place).holds(&world.rulesets, trace)) {
            Some((one, trace)) => {
                format!(
                    "It does match, for instance \u{201c}{}\u{201d}. {}",
                    one.label,
                    world.describe_rule(&trace, place)
                )
            }
            None => format!(
                "Nothing before {} takes all that it asks for: a packet can match it.",
                world.name(place)
            ),
        }
    };
    Ok(AnswerChoice {
        words,
        code,
        right,
        reply,
    })
}
