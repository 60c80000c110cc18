//! Tasks: a packet to build, or rules to change. The walk judges the result.

use crate::analysis::scenario;
use crate::mesh;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Packet;
use crate::packet::fields::PacketField;
use crate::packet::form::PacketForm;
use crate::share::commands;
use crate::walk::trace::Trace;

use super::words::{self, LessonActors};
use super::world::{LessonTest, World};
use super::{Lesson, TextPiece, read};

/// The maximum number of side effects to report.
const MAX_SIDE_EFFECTS: usize = 3;

/// A goal of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// The packet, in a task about rules: a position in [`Lesson::packets`].
    pub packet: Option<usize>,
    /// The outcome that it must have.
    pub test: LessonTest,
}

/// The part that may be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// The packet. The listed fields must stay as they are in this packet of the lesson.
    Packet(usize, Vec<PacketField>),
    /// The rules.
    Rules,
}

/// A task.
#[derive(Debug)]
pub struct Task {
    /// The task in words.
    pub prompt: Vec<TextPiece>,
    /// The part that may be changed.
    pub work: Work,
    /// The goals.
    pub goals: Vec<Goal>,
    /// The smallest known number of moves.
    pub fewest: usize,
    /// The solutions of the lesson: fields of a packet, or commands.
    pub solutions: Vec<String>,
    /// The rules that all other traffic is compared with: a position in [`Lesson::worlds`]. If
    /// `None`, those of the step.
    pub against: Option<usize>,
    /// Suggested packets whose outcome may change.
    pub spare: Vec<String>,
    /// Hints, from a small one to nearly the answer.
    pub hints: Vec<Vec<TextPiece>>,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether all goals are reached and no other outcome has changed.
    pub solved: bool,
    /// The number of fields that differ from the start, or of commands that lead from the old rules
    /// to the new ones.
    pub moves: usize,
    /// The outcome of each packet, and whether it is the wanted one.
    pub lines: Vec<(bool, String)>,
}

impl Lesson {
    /// Judges a packet that was built for a task.
    pub fn judge_packet(&self, world: usize, task: &Task, packet: &Packet) -> Judgement {
        judge_packet(&self.cast(world), task, packet)
    }

    /// Judges rules that were changed for a task.
    pub fn judge_rules(&self, world: usize, task: &Task, rulesets: &[Ruleset]) -> Judgement {
        judge_rules(
            &self.cast(world),
            &self.worlds[task.against.unwrap_or(world)],
            task,
            rulesets,
        )
    }

    /// The meaning of names in a step with this rule set.
    pub(super) fn cast(&self, world: usize) -> LessonActors<'_> {
        LessonActors {
            world: &self.worlds[world],
            packets: &self.packets,
        }
    }
}

fn judge_packet(cast: &LessonActors, task: &Task, packet: &Packet) -> Judgement {
    let mut lines = Vec::new();
    let mut moves = 0;
    if let Work::Packet(start, keep) = &task.work {
        let [before, after] = [&cast.packets[*start].1, packet].map(PacketForm::from_packet);
        // A field that appears or disappears with another one is not a separate move.
        let both = |field: &PacketField| before.applies(*field) && after.applies(*field);
        for field in PacketField::all().filter(both) {
            let old = before.get(field);
            if old != after.get(field) {
                moves += 1;
                if keep.contains(&field) {
                    lines.push((
                        false,
                        format!("It must stay as it was: {}.", field.phrase(old)),
                    ));
                }
            }
        }
    }
    let trace = cast.world.walk(packet);
    let reached = task
        .goals
        .iter()
        .all(|goal| goal.test.holds(&cast.world.rulesets, &trace));
    lines.push((reached, cast.world.tell(&trace)));
    Judgement {
        solved: moves > 0 && lines.iter().all(|(wanted, _)| *wanted),
        moves,
        lines,
    }
}

fn judge_rules(cast: &LessonActors, old: &World, task: &Task, rulesets: &[Ruleset]) -> Judgement {
    let new = World {
        name: old.name.clone(),
        text: String::new(),
        host: old.host.clone(),
        host_known: old.host_known,
        rulesets: rulesets.to_vec(),
        mesh: rulesets.iter().find_map(mesh::recognise),
    };
    let moves = commands::count(&cast.world.rulesets, rulesets);
    let mut lines = Vec::new();
    for goal in &task.goals {
        let packet = &cast.packets[goal.packet.unwrap_or_default()].1;
        let trace = new.walk(packet);
        lines.push((
            goal.test.holds(&new.rulesets, &trace),
            format!("{}: {}", words::packet(packet), new.tell(&trace)),
        ));
    }
    let mut more = 0;
    for one in scenario::of_rules(&old.rulesets, &old.host, old.mesh.as_ref()) {
        let is_goal = |goal: &Goal| {
            goal.packet
                .is_some_and(|place| cast.packets[place].1 == one.packet)
        };
        if task.spare.iter().any(|key| key == one.key) || task.goals.iter().any(is_goal) {
            continue;
        }
        let (before, after) = (old.walk(&one.packet), new.walk(&one.packet));
        if !fares_alike(&before, &after) {
            match lines.len() < task.goals.len() + MAX_SIDE_EFFECTS {
                true => lines.push((
                    false,
                    format!(
                        "It also alters \u{201c}{}\u{201d}. It ought to be: {} Now: {}",
                        one.label,
                        old.tell(&before),
                        new.tell(&after)
                    ),
                )),
                false => more += 1,
            }
        }
    }
    if more > 0 {
        lines.push((
            false,
            format!("And {more} more kinds of traffic fare otherwise than they ought to."),
        ));
    }
    Judgement {
        solved: moves > 0 && lines.iter().all(|(wanted, _)| *wanted),
        moves,
        lines,
    }
}

fn fares_alike(one: &Trace, other: &Trace) -> bool {
    let end = |trace: &Trace| {
        trace
            .verdict()
            .map(|end| (end.kind, end.port, end.interface.clone(), end.redirected))
    };
    end(one) == end(other)
}

/// Checks the solutions of a task.
pub(super) fn check(cast: &LessonActors, against: &World, task: &Task) -> Result<(), String> {
    if task.goals.is_empty() || task.solutions.is_empty() {
        return Err("a task needs a `goal:` and a `solution:`".into());
    }
    let reached = |goal: &Goal| {
        let start = if let Work::Packet(start, _) = &task.work {
            Some(*start)
        } else {
            goal.packet
        };
        goal.test.holds(
            &cast.world.rulesets,
            &cast.world.walk(&cast.packets[start.unwrap_or_default()].1),
        )
    };
    if task.goals.iter().all(reached) {
        return Err("every `goal:` is already reached: change the goals".into());
    }
    if !task.spare.is_empty() {
        let known = scenario::of_rules(&against.rulesets, &against.host, against.mesh.as_ref());
        let keys: Vec<&str> = known.iter().map(|one| one.key).collect();
        if let Some(key) = task.spare.iter().find(|key| !keys.contains(&&***key)) {
            return Err(format!(
                "unknown suggested packet `{key}`; there are {}",
                keys.join(", ")
            ));
        }
    }
    let mut fewest = usize::MAX;
    for solution in &task.solutions {
        let judged = match &task.work {
            Work::Packet(start, _) => judge_packet(
                cast,
                task,
                &read::packet(&cast.packets[*start].1, solution.split(','))?,
            ),
            Work::Rules => {
                let text = cast
                    .world
                    .changed(solution.split(" ; "))
                    .map_err(|why| format!("solution `{solution}`: {why}"))?;
                judge_rules(
                    cast,
                    against,
                    task,
                    &crate::input::parse::parse(text).rulesets,
                )
            }
        };
        if !judged.solved {
            let wrong: Vec<String> = judged
                .lines
                .into_iter()
                .filter(|(wanted, _)| !wanted)
                .map(|(_, says)| says)
                .collect();
            return Err(format!(
                "solution `{solution}` does not solve it: {}",
                wrong.join(" ")
            ));
        }
        fewest = fewest.min(judged.moves);
    }
    if fewest != task.fewest {
        return Err(format!(
            "the shortest solution takes {fewest} moves: write `fewest: {fewest}`"
        ));
    }
    Ok(())
}
