//! One step of a lesson: what is said, asked or to be done, and what is said to an answer; or the
//! whole lesson for paper.

use chainwalk_core::lesson::{
    At, Block, Choice, Exercise, Judgement, Lesson, Piece, Question, Step, Task, Work,
};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::fields::PacketField;
use gloo::utils::window;
use yew::prelude::*;

use crate::browser;
use crate::element::{Markup, button, group, nothing, tag};
use crate::lane::Lane;
use crate::lesson::{ADDRESS, Classroom, Entry, Event, Stage};
use crate::page::Page;
use crate::paste::Origin;
use crate::rows::Order;
use crate::state::{Action, Tab, View};

/// Whether the step that is open asks the reader to look at the packet.
pub(super) fn is_about_the_packet(room: &Classroom) -> bool {
    room.step().is_some_and(|(_, step)| {
        let builds = matches!(&step.exercise, Some(Exercise::Task(task)) if matches!(task.work, Work::Packet(..)));
        builds || step.scene.field.is_some()
    })
}

/// The step that is open.
pub(super) fn step(
    page: &Page,
    room: &Classroom,
    tell: &Callback<Event>,
    (name, at): (&str, usize),
    next: Option<&Entry>,
) -> Markup {
    let (Some(lesson), Some((_, step))) = (room.lesson(), room.step()) else {
        return nothing();
    };
    let last = lesson.steps.len();
    let address = |step: usize| format!("{ADDRESS}/{name}/{step}");
    let done = room.is_done(step);
    let on = match (at + 1 < last, next) {
        (true, _) => tag("a")
            .class("line")
            .id("lesson-next")
            .attr("href", address(at + 2))
            .text("Next step"),
        (false, Some(next)) => {
            let title = next.head.as_ref().map_or(&*next.name, |head| &head.title);
            tag("a")
                .class("line")
                .id("lesson-next")
                .attr("href", format!("{ADDRESS}/{}", next.name))
                .text("Next lesson: ")
                .child(title)
        }
        (false, None) => tag("a")
            .class("line")
            .id("lesson-next")
            .attr("href", "#lessons")
            .text("All lessons"),
    };
    let again = {
        let (act, stage) = (page.act.clone(), room.stage());
        move |_: web_sys::Event| {
            if let Some(stage) = stage.clone() {
                act.emit(Action::Stage(Box::new(stage)));
            }
        }
    };
    group()
        .child(tag("p").class("quiet").child(format!(
            "{} · step {} of {last}",
            lesson.head.title,
            at + 1
        )))
        // Of the first level: the verdict, which else has it, is hidden while a prediction is
        // wanted.
        .child(
            tag("h1")
                .id("lesson-title")
                .attr("tabindex", "-1")
                .child(&step.title),
        )
        .child(point(step))
        .child(blocks(page, room, &step.before))
        .child(
            step.exercise
                .as_ref()
                .map(|exercise| ask(page, room, tell, exercise, done)),
        )
        .child(done.then(|| {
            tag("div")
                .class("behind")
                .child(blocks(page, room, &step.after))
        }))
        .child(
            tag("p")
                .class("row-of")
                .child((at > 0).then(|| {
                    tag("a")
                        .class("line")
                        .id("lesson-back")
                        .attr("href", address(at))
                        .text("Back")
                }))
                .child(on),
        )
        .child(
            tag("p")
                .class("row-of")
                .child(
                    button()
                        .class("link")
                        .id("lesson-again")
                        .on("click", again)
                        .text("Show this step again"),
                )
                .child(
                    tag("a")
                        .class("link")
                        .attr("href", format!("{ADDRESS}/{name}/handout"))
                        .text("Handout"),
                )
                .child(
                    button()
                        .class("link")
                        .id("lesson-trainer")
                        .is("aria-pressed", room.trainer)
                        .on("click", tell.reform(|_: web_sys::Event| Event::Trainer))
                        .text("Trainer's view"),
                ),
        )
}

/// Points at a field of the packet.
fn point(step: &Step) -> Markup {
    let Some(field) = &step.scene.field else {
        return nothing();
    };
    let field = if *field == PacketField::InInterface {
        "interface"
    } else {
        field.name()
    };
    let ids = ["both", "a", "b"]
        .map(|whose| format!("#{whose}-{field}"))
        .join(",");
    browser::show(&format!(":is({ids})"), "end", false);
    tag("style").child(format!(
        ".input:has({ids}){{box-shadow:0 0 0 3px var(--edge)}}"
    ))
}

fn blocks(page: &Page, room: &Classroom, blocks: &[Block]) -> Markup {
    let groups = blocks.chunk_by(|a, b| matches!((a, b), (Block::Item(_), Block::Item(_))));
    let show = |group: &[Block]| match group {
        [Block::Paragraph(text)] => tag("p").child(pieces(page, room, text)),
        [Block::Listing(text)] => tag("pre").child(text),
        items => {
            let item = |item: &Block| match item {
                Block::Item(text) => tag("li").child(pieces(page, room, text)),
                _ => nothing(),
            };
            tag("ul").children(items.iter().map(item))
        }
    };
    group().children(groups.map(show))
}

fn pieces(page: &Page, room: &Classroom, pieces: &[Piece]) -> Markup {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => group().child(text),
        Piece::Strong(text) => tag("strong").child(text),
        Piece::Code(text) => tag("code").child(text),
        Piece::Told(text, None) => tag("span").class("told").child(text),
        Piece::Told(text, Some(place)) => {
            // A link and no button: it wraps as words do. Its address is where the reader is
            // already.
            tag("a")
                .class("link told")
                .attr("title", "Show this rule")
                .attr("href", room.address.clone())
                .on("click", show(page, room, *place))
                .child(text)
        }
    };
    group().children(pieces.iter().map(piece))
}

/// Goes to a rule; back to the rules of the lesson first, where others are shown.
fn show(page: &Page, room: &Classroom, place: Place) -> Callback<web_sys::Event> {
    let stage = room.stage().map(|stage| Stage {
        at: At::Rule(place),
        ..stage
    });
    let page = page.clone();
    Callback::from(move |_| {
        let paste = &page.state.paste;
        let own = stage
            .as_ref()
            .is_none_or(|stage| paste.editable() == Some(&*stage.text));
        match &stage {
            Some(stage) if !own || paste.origin != Origin::Lesson => {
                page.act.emit(Action::Stage(Box::new(stage.clone())))
            }
            _ => page.act.emit(Action::GoTo(place)),
        }
        page.act.emit(Action::Tab(Tab::Rules));
    })
}

fn ask(
    page: &Page,
    room: &Classroom,
    tell: &Callback<Event>,
    exercise: &Exercise,
    done: bool,
) -> Markup {
    let hints = exercise.hints();
    let shown = if room.trainer {
        hints.len()
    } else {
        room.attempt.hints.min(hints.len())
    };
    let body = match exercise {
        Exercise::Ask(question) => answers(room, tell, question),
        Exercise::Task(task) => attempt(page, room, tell, task),
    };
    tag("section")
        .class("ask")
        .attr("aria-labelledby", "lesson-ask")
        .child(tag("p").id("lesson-ask").class("prompt").child(pieces(
            page,
            room,
            exercise.prompt(),
        )))
        .child(body)
        .child(
            tag("ol")
                .class("hints")
                .attr("aria-live", "polite")
                .children(
                    hints[..shown]
                        .iter()
                        .map(|hint| tag("li").child(pieces(page, room, hint))),
                ),
        )
        .child((!done).then(|| {
            tag("p")
                .class("row-of")
                .child((shown < hints.len()).then(|| {
                    button()
                        .class("link")
                        .id("lesson-hint")
                        .on("click", tell.reform(|_: web_sys::Event| Event::Hint))
                        .child(format!("Hint {} of {}", shown + 1, hints.len()))
                }))
                .child(
                    button()
                        .class("link")
                        .id("lesson-answer")
                        .on("click", tell.reform(|_: web_sys::Event| Event::GiveUp))
                        .text("Show the answer"),
                )
        }))
}

fn answers(room: &Classroom, tell: &Callback<Event>, question: &Question) -> Markup {
    let told = room.trainer || room.attempt.given_up;
    let answer = |(at, choice): (usize, &Choice)| {
        let chosen = room.attempt.chosen.contains(&at);
        let opened = chosen || room.trainer || (told && choice.right);
        let sign = match (opened, choice.right) {
            (false, _) => "",
            (true, true) => "✓ ",
            (true, false) => "✕ ",
        };
        tag("li")
            .class(opened.then_some(if choice.right { "right" } else { "not" }))
            .child(
                button()
                    .class("choice-of")
                    .attr("data-choice", at.to_string())
                    .is("aria-pressed", chosen)
                    .on(
                        "click",
                        tell.reform(move |_: web_sys::Event| Event::Choose(at)),
                    )
                    .child(sign)
                    .child(&choice.words)
                    .child(choice.code.as_ref().map(|code| tag("code").child(code))),
            )
            .child(
                tag("div")
                    .attr("role", "status")
                    .child(opened.then(|| tag("p").class("reply").child(&choice.reply))),
            )
    };
    tag("ol")
        .class("choices")
        .children(question.choices.iter().enumerate().map(answer))
}

fn attempt(page: &Page, room: &Classroom, tell: &Callback<Event>, task: &Task) -> Markup {
    let edit = page.act.clone();
    let edit = move |_: web_sys::Event| {
        edit.emit(Action::View(View::Edit));
        edit.emit(Action::Tab(Tab::Rules));
    };
    let rules = matches!(task.work, Work::Rules);
    group()
        .child(
            tag("p")
                .class("row-of")
                .child(rules.then(|| {
                    button()
                        .class("line")
                        .id("lesson-edit")
                        .on("click", edit)
                        .text("Edit the rules")
                }))
                .child(
                    button()
                        .class("line")
                        .id("lesson-check")
                        .on("click", check(page, room, tell))
                        .text("Check"),
                ),
        )
        .child(
            tag("div").attr("role", "status").id("lesson-judged").child(
                room.attempt
                    .judged
                    .as_ref()
                    .map(|judged| judgement(judged, task)),
            ),
        )
        .child((room.trainer || room.attempt.given_up).then(|| solutions(task)))
}

/// Judges what the playground holds.
fn check(page: &Page, room: &Classroom, tell: &Callback<Event>) -> Callback<web_sys::Event> {
    let (page, tell, room) = (page.clone(), tell.clone(), room.clone());
    Callback::from(move |_| {
        let (Some(lesson), Some((_, step))) = (room.lesson(), room.step()) else {
            return;
        };
        let Some(Exercise::Task(task)) = &step.exercise else {
            return;
        };
        let state = &page.state;
        let judged = match &task.work {
            Work::Rules => lesson.judge_rules(step.scene.world, task, state.paste.rulesets()),
            Work::Packet(..) => match state.lane(state.lead).draft.packet() {
                Ok(packet) => lesson.judge_packet(step.scene.world, task, &packet),
                Err(wrong) => {
                    let says = wrong.iter().map(|wrong| {
                        (false, format!("{}: {}", wrong.field.label(), wrong.message))
                    });
                    Judgement {
                        solved: false,
                        moves: 0,
                        lines: says.collect(),
                    }
                }
            },
        };
        if judged.solved && task.work == Work::Rules {
            page.act.emit(Action::View(View::Rows(Order::Walked)));
        }
        tell.emit(Event::Judged(judged));
    })
}

fn judgement(judged: &Judgement, task: &Task) -> Markup {
    let moves = |count: usize| {
        if count == 1 {
            "1 move".to_owned()
        } else {
            format!("{count} moves")
        }
    };
    let says = match (judged.solved, judged.moves) {
        (true, count) if count <= task.fewest => {
            format!("✓ Solved in {}, the fewest known.", moves(count))
        }
        (true, count) => format!(
            "✓ Solved in {}; {} are known to do.",
            moves(count),
            task.fewest
        ),
        (false, 0) => "✕ Not yet: nothing is changed.".to_owned(),
        (false, count) => format!("✕ Not yet, after {}.", moves(count)),
    };
    let line = |(wanted, says): &(bool, String)| {
        tag("li")
            .class(if *wanted { "right" } else { "not" })
            .child(if *wanted { "✓ " } else { "✕ " })
            .child(says)
    };
    group()
        .child(
            tag("p")
                .class(if judged.solved { "right" } else { "not" })
                .child(tag("b").child(says)),
        )
        .child(
            tag("ul")
                .class("lines")
                .children(judged.lines.iter().map(line)),
        )
}

fn solutions(task: &Task) -> Markup {
    group().child(tag("p").text("What does it:")).child(
        tag("ul").children(
            task.solutions
                .iter()
                .map(|solution| tag("li").child(tag("code").child(solution))),
        ),
    )
}

/// The whole lesson on paper; with all answers in the trainer's view.
pub(super) fn handout(page: &Page, room: &Classroom) -> Markup {
    let Some(lesson) = room.lesson() else {
        return nothing();
    };
    let print = |_: web_sys::Event| {
        // A browser may refuse it; its own menu then prints as well.
        let _ = window().print();
    };
    group()
        .child(
            tag("h1")
                .id("lesson-title")
                .attr("tabindex", "-1")
                .child(&lesson.head.title),
        )
        .child(tag("p").class("quiet").child(&lesson.head.about))
        .child(
            tag("p")
                .class("row-of")
                .child(
                    button()
                        .class("line")
                        .id("lesson-print")
                        .on("click", print)
                        .text("Print"),
                )
                .child(
                    tag("a")
                        .class("line")
                        .id("lesson-back")
                        .attr("href", room.address.trim_end_matches("/handout").to_owned())
                        .text("Back to the lesson"),
                ),
        )
        .children(lesson.worlds.iter().map(|world| {
            group()
                .child(tag("h2").child(format!("Rules: {}", world.name)))
                .child(tag("pre").child(&world.text))
        }))
        .children(
            lesson
                .steps
                .iter()
                .enumerate()
                .map(|(at, step)| sheet(page, room, lesson, at, step)),
        )
}

fn sheet(page: &Page, room: &Classroom, lesson: &Lesson, at: usize, step: &Step) -> Markup {
    let packets = step
        .scene
        .packets
        .iter()
        .zip(["A", "B"])
        .map(|(place, letter)| {
            let says = Lane::of(&lesson.packets[*place].1, None).says();
            tag("p")
                .class("quiet")
                .child(format!("Packet {letter}: {says}"))
        });
    let exercise = step.exercise.as_ref().map(|exercise| {
        let body = match exercise {
            Exercise::Ask(question) => {
                let choice = |choice: &Choice| {
                    let sign = if room.trainer && choice.right {
                        "☑ "
                    } else {
                        "☐ "
                    };
                    tag("li")
                        .child(sign)
                        .child(&choice.words)
                        .text(" ")
                        .child(choice.code.as_ref().map(|code| tag("code").child(code)))
                        .child(
                            room.trainer
                                .then(|| tag("p").class("reply").child(&choice.reply)),
                        )
                };
                tag("ol")
                    .class("choices")
                    .children(question.choices.iter().map(choice))
            }
            Exercise::Task(task) if room.trainer => solutions(task),
            Exercise::Task(_) => tag("p").class("blank"),
        };
        tag("section")
            .class("ask")
            .child(
                tag("p")
                    .class("prompt")
                    .child(pieces(page, room, exercise.prompt())),
            )
            .child(body)
    });
    let after = step.exercise.is_none() || room.trainer;
    tag("section")
        .class("sheet")
        .child(tag("h2").child(format!("{}. {}", at + 1, step.title)))
        .child(
            tag("p")
                .class("quiet")
                .child(format!("Rules: {}", lesson.worlds[step.scene.world].name)),
        )
        .children(packets)
        .child(blocks(page, room, &step.before))
        .child(exercise)
        .child(after.then(|| blocks(page, room, &step.after)))
}
