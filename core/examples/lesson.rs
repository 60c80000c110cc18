//! Checks lessons: `lesson [--answers] FILE…` parses each file and checks all its claims, questions
//! and tasks.
//!
//! With `--answers`, the replies to readers go to standard output. Errors go to standard error as
//! `FILE:LINE: reason`, and the exit code is 1. Without a file it is 2.

use std::fs;
use std::process::ExitCode;

use chainwalk_core::lesson::{self, Block, Exercise, Lesson, TextPiece};

/// The directory of the page's rule sets.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../static/samples");

fn main() -> ExitCode {
    let (options, files): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|word| word == "--answers");
    if files.is_empty() {
        eprintln!("usage: lesson [--answers] FILE…");
        return ExitCode::from(2);
    }
    let sample = |name: &str, end: &str| fs::read_to_string(format!("{SAMPLES}/{name}.{end}")).ok();
    // The program ends soon, so it may leak the text.
    let library = |name: &str| {
        let host = sample(name, "host.json").map(|host| &*host.leak());
        Some((&*sample(name, "txt")?.leak(), host))
    };
    let mut good = true;
    for file in files {
        let read = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"));
        let read = read.and_then(|text| {
            lesson::read_lesson(&text, &library).map_err(|fault| format!("{file}:{fault}"))
        });
        match read {
            Ok(lesson) if !options.is_empty() => tell(&lesson),
            Ok(_) => {}
            Err(says) => {
                eprintln!("{says}");
                good = false;
            }
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints everything that a reader of the lesson can see, as text.
#[allow(clippy::print_stdout)]
fn tell(lesson: &Lesson) {
    println!(
        "{}: {} ({} min)",
        lesson.head.title, lesson.head.about, lesson.head.minutes
    );
    for step in &lesson.steps {
        println!("\n## {}", step.title);
        step.before.iter().for_each(print_block);
        if let Some(exercise) = &step.exercise {
            println!("  ? {}", text(exercise.prompt()));
            match exercise {
                Exercise::Ask(question) => {
                    for choice in &question.choices {
                        println!(
                            "  {} {}: {}",
                            if choice.right { "+" } else { "-" },
                            choice.words,
                            choice.reply
                        );
                    }
                }
                Exercise::Task(task) => task
                    .solutions
                    .iter()
                    .for_each(|solution| println!("  + {solution}")),
            }
            exercise
                .hints()
                .iter()
                .for_each(|hint| println!("  > {}", text(hint)));
        }
        step.after.iter().for_each(print_block);
    }
}

#[allow(clippy::print_stdout)]
fn print_block(block: &Block) {
    match block {
        Block::Paragraph(pieces) => println!("{}", text(pieces)),
        Block::Item(pieces) => println!("- {}", text(pieces)),
        Block::Listing(listing) => println!("{listing}"),
    }
}

fn text(pieces: &[TextPiece]) -> String {
    let words = pieces.iter().map(|piece| match piece {
        TextPiece::Text(text)
        | TextPiece::Strong(text)
        | TextPiece::Code(text)
        | TextPiece::Told(text, _) => &**text,
    });
    words.collect()
}
