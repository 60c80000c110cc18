//! Any text is parsed as a lesson or refused. A valid lesson can be shown, asked and judged.

#![no_main]

use chainwalk_core::analysis::explain;
use chainwalk_core::input::parse;
use chainwalk_core::lesson::{self, At, Block, Exercise, Lesson, TextPiece, Work};
use chainwalk_core::walk::walk;
use chainwalk_fuzz::sample;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = lesson::head(text);
    match lesson::read_lesson(text, &sample) {
        Ok(lesson) => show(&lesson),
        Err(fault) => _ = fault.to_string(),
    }
});

fn show(lesson: &Lesson) {
    for step in &lesson.steps {
        let world = &lesson.worlds[step.scene.world];
        assert!((1..=2).contains(&step.scene.packets.len()));
        for place in &step.scene.packets {
            let _ = walk(
                &world.rulesets,
                None,
                &world.host,
                &lesson.packets[*place].1,
            );
        }
        if let At::Rule(place) = step.scene.at {
            let _ = explain::place(&world.rulesets, place);
            let _ = place.rule(&world.rulesets);
        }
        let mut pieces: Vec<&TextPiece> = Vec::new();
        for block in step.before.iter().chain(&step.after) {
            if let Block::Paragraph(all) | Block::Item(all) = block {
                pieces.extend(all);
            }
        }
        if let Some(exercise) = &step.exercise {
            pieces.extend(
                exercise
                    .prompt()
                    .iter()
                    .chain(exercise.hints().iter().flatten()),
            );
            if let Exercise::Task(task) = exercise {
                let packet = match &task.work {
                    Work::Packet(start, _) => *start,
                    Work::Rules => step.scene.packets[0],
                };
                let _ = lesson.judge_packet(step.scene.world, task, &lesson.packets[packet].1);
                for rules in [&*world.text, "", "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"] {
                    let _ =
                        lesson.judge_rules(step.scene.world, task, &parse::parse(rules).rulesets);
                }
            }
        }
        for piece in pieces {
            // A click on it shows this rule.
            if let TextPiece::Told(_, Some(place)) = piece {
                let _ = place.rule(&world.rulesets);
            }
        }
    }
}
