//! Attempts at the exercises of a lesson, and their results in words.

use chainwalk_core::lesson::{Exercise, Judgement, Task, Work};

use crate::lesson::{Classroom, Entry};
use crate::phrases::format_count;
use crate::state::Workspace;

impl Classroom {
    /// Whether the open step asks the reader to look at the packet.
    pub fn is_about_the_packet(&self) -> bool {
        self.step().is_some_and(|(_, step)| {
            let builds = matches!(&step.exercise, Some(Exercise::Task(task)) if matches!(task.work, Work::Packet(..)));
            builds || step.scene.field.is_some()
        })
    }

    /// Judges the workspace as an attempt at the open task.
    pub fn judge(&self, workspace: &Workspace) -> Option<Judgement> {
        let (lesson, (_, step)) = (self.lesson()?, self.step()?);
        let Some(Exercise::Task(task)) = &step.exercise else {
            return None;
        };
        let world = step.scene.world;
        if task.work == Work::Rules {
            return Some(lesson.judge_rules(world, task, workspace.paste.rulesets()));
        }
        Some(match workspace.slot(workspace.lead).form.packet() {
            Ok(packet) => lesson.judge_packet(world, task, &packet),
            Err(errors) => Judgement {
                solved: false,
                moves: 0,
                lines: errors
                    .iter()
                    .map(|error| (false, format!("{}: {}", error.field.label(), error.message)))
                    .collect(),
            },
        })
    }

    /// The number of finished exercises of a lesson; empty if there are none.
    pub fn describe_progress(&self, entry: &Entry) -> String {
        let done = self.progress.of(&entry.name).len().min(entry.asks);
        match (done, entry.asks) {
            (0, _) => String::new(),
            (done, all) if done == all => " ✓ done".into(),
            (done, all) => format!(" {done} of {all} done"),
        }
    }
}

/// The result of an attempt in a sentence.
pub fn describe_judgement(judgement: &Judgement, task: &Task) -> String {
    let moves = format_count(judgement.moves, "move");
    match (judgement.solved, judgement.moves) {
        (true, count) if count <= task.fewest => format!("✓ Solved in {moves}, the fewest known."),
        (true, _) => format!("✓ Solved in {moves}. {} are enough.", task.fewest),
        (false, 0) => "✕ Not solved: nothing is changed.".to_owned(),
        (false, _) => format!("✕ Not solved after {moves}."),
    }
}

/// The topics of the lessons, and their total duration.
pub fn describe_lessons(entries: &[Entry]) -> String {
    let heads = entries.iter().filter_map(|entry| entry.head.as_ref().ok());
    let minutes: u32 = heads
        .filter_map(|head| head.minutes.parse::<u32>().ok())
        .sum();
    let duration = if minutes > 0 {
        format!(": {minutes} minutes, no cluster")
    } else {
        String::new()
    };
    format!(
        "How a mesh captures a pod's traffic, and how traffic bypasses it{duration}. Every claim in them is tested."
    )
}
