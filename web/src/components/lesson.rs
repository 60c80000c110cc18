//! One step of a lesson: its text, its exercise, and the reply to an answer; or the whole lesson
//! for paper.

use chainwalk_core::lesson::{
    AnswerChoice, At, Block, Exercise, Judgement, Lesson, LessonQuestion, LessonStep, Task,
    TextPiece, Work,
};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_session::exercise;
use chainwalk_session::lesson::{ADDRESS, Classroom, Entry, LessonAction, Stage};
use chainwalk_session::packet_slot::PacketSlot;
use chainwalk_session::paste::Origin;
use chainwalk_session::rows::Order;
use chainwalk_session::state::{Action, RuleView, Tab};
use gloo::utils::window;
use yew::prelude::*;

use super::lessons::LessonsProps;
use super::phrases::bool_text;
use crate::browser;

/// The open step.
pub(super) fn step(
    props: &LessonsProps,
    room: &Classroom,
    tell: &Callback<LessonAction>,
    (name, at): (&str, usize),
    next: Option<&Entry>,
) -> Html {
    let (Some(lesson), Some((_, step))) = (room.lesson(), room.step()) else {
        return Html::default();
    };
    let last = lesson.steps.len();
    let done = room.is_done(step);
    let on = match (at + 1 < last, next) {
        (true, _) => html! {
            <a class="line" id="lesson-next" href={step_address(name, at + 2)}>{"Next step"}</a>
        },
        (false, Some(next)) => {
            let title = next.head.as_ref().map_or(&*next.name, |head| &head.title);
            html! {
                <a class="line" id="lesson-next" href={format!("{ADDRESS}/{}", next.name)}>
                    {"Next lesson: "}
                    {title}
                </a>
            }
        }
        (false, None) => html! {
            <a class="line" id="lesson-next" href="#lessons">{"All lessons"}</a>
        },
    };
    let again = {
        let (act, stage) = (props.act.clone(), room.stage());
        move |_: MouseEvent| {
            if let Some(stage) = stage.clone() {
                act.emit(Action::Stage(Box::new(stage)));
            }
        }
    };
    html! {
        <>
            <p class="quiet">
                {format!(
                    "{} · step {} of {last}",
                    lesson.head.title,
                    at + 1
                )}
            </p>
            // This is the first heading: the verdict, which has it otherwise, is hidden during a
            // prediction.
            <h1 id="lesson-title" tabindex="-1">{&step.title}</h1>
            {point(step)}
            {blocks(props, room, &step.before)}
            if let Some(exercise) = step.exercise
            .as_ref() {
                {ask(props, room, tell, exercise, done)}
            }
            if done {
                <div class="behind">{blocks(props, room, &step.after)}</div>
            }
            <p class="row-of">
                if at > 0 {
                    <a class="line" id="lesson-back" href={step_address(name, at)}>{"Back"}</a>
                }
                {on}
            </p>
            <p class="row-of">
                <button type="button" class="link" id="lesson-again" onclick={again}>
                    {"Show this step again"}
                </button>
                <a class="link" href={format!("{ADDRESS}/{name}/handout")}>{"Handout"}</a>
                <button
                    type="button"
                    class="link"
                    id="lesson-trainer"
                    aria-pressed={bool_text(room.trainer)}
                    onclick={tell.reform(|_: MouseEvent| LessonAction::Trainer)}
                >
                    {"Trainer's view"}
                </button>
            </p>
        </>
    }
}

/// The address of a step, from 1.
fn step_address(lesson: &str, step: usize) -> String {
    format!("{ADDRESS}/{lesson}/{step}")
}

/// Goes to a field of the packet.
fn point(step: &LessonStep) -> Html {
    let Some(field) = &step.scene.field else {
        return Html::default();
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
    html! {
        <style>
            {format!(
                ".input:has({ids}){{box-shadow:0 0 0 3px var(--edge)}}"
            )}
        </style>
    }
}

fn blocks(props: &LessonsProps, room: &Classroom, blocks: &[Block]) -> Html {
    let groups = blocks.chunk_by(|a, b| matches!((a, b), (Block::Item(_), Block::Item(_))));
    html! { <>{for groups.map(|group: &[Block]| match group {
        [Block::Paragraph(text)] => html! { <p>{pieces(props, room, text)}</p> },
        [Block::Listing(text)] => html! { <pre>{text}</pre> },
        items => {
            html! { <ul>{for items.iter().map(|item: &Block| match item {
                Block::Item(text) => html! { <li>{pieces(props, room, text)}</li> },
                _ => Html::default(),
            })}</ul> }
        }
    })}</> }
}

fn pieces(props: &LessonsProps, room: &Classroom, pieces: &[TextPiece]) -> Html {
    html! { <>{for pieces.iter().map(|piece: &TextPiece| match piece {
        TextPiece::Text(text) => html! { {text} },
        TextPiece::Strong(text) => html! { <strong>{text}</strong> },
        TextPiece::Code(text) => html! { <code>{text}</code> },
        TextPiece::Told(text, None) => html! { <span class="told">{text}</span> },
        TextPiece::Told(text, Some(place)) => {
            // A link, not a button, because its text must wrap. Its address is the current one.
            html! {
                <a
                    class="link told"
                    title="Show this rule"
                    href={room.address.clone()}
                    onclick={show(props, room, *place)}
                >
                    {text}
                </a>
            }
        }
    })}</> }
}

/// Goes to a rule, and restores the lesson's rules first if others are shown.
fn show(props: &LessonsProps, room: &Classroom, place: Place) -> Callback<MouseEvent> {
    let stage = room.stage().map(|stage| Stage {
        at: At::Rule(place),
        ..stage
    });
    let props = props.clone();
    Callback::from(move |_| {
        let paste = &props.workspace.paste;
        let own = stage
            .as_ref()
            .is_none_or(|stage| paste.editable() == Some(&*stage.text));
        match &stage {
            Some(stage) if !own || paste.origin != Origin::Lesson => {
                props.act.emit(Action::Stage(Box::new(stage.clone())))
            }
            _ => props.act.emit(Action::GoTo(place)),
        }
        props.act.emit(Action::Tab(Tab::Rules));
    })
}

fn ask(
    props: &LessonsProps,
    room: &Classroom,
    tell: &Callback<LessonAction>,
    exercise: &Exercise,
    done: bool,
) -> Html {
    let hints = exercise.hints();
    let shown = if room.trainer {
        hints.len()
    } else {
        room.attempt.hints.min(hints.len())
    };
    let body = match exercise {
        Exercise::Ask(question) => answers(room, tell, question),
        Exercise::Task(task) => attempt(props, room, tell, task),
    };
    html! {
        <section class="ask" aria-labelledby="lesson-ask">
            <p id="lesson-ask" class="prompt">
                {pieces(
                    props,
                    room,
                    exercise.prompt(),
                )}
            </p>
            {body}
            <ol class="hints" aria-live="polite">
                {for hints[..shown]
                    .iter()
                    .map(|hint| html! { <li>{pieces(props, room, hint)}</li> })}
            </ol>
            if !done {
                <p class="row-of">
                    if shown < hints.len() {
                        <button
                            type="button"
                            class="link"
                            id="lesson-hint"
                            onclick={tell.reform(|_: MouseEvent| LessonAction::Hint)}
                        >
                            {format!("Hint {} of {}", shown + 1, hints.len())}
                        </button>
                    }
                    <button
                        type="button"
                        class="link"
                        id="lesson-answer"
                        onclick={tell.reform(|_: MouseEvent| LessonAction::GiveUp)}
                    >
                        {"Show the answer"}
                    </button>
                </p>
            }
        </section>
    }
}

fn answers(room: &Classroom, tell: &Callback<LessonAction>, question: &LessonQuestion) -> Html {
    let is_revealed = room.trainer || room.attempt.given_up;
    html! { <ol class="choices">{for question.choices.iter().enumerate().map(|(at, choice): (usize, &AnswerChoice)| {
        let chosen = room.attempt.chosen.contains(&at);
        let opened = chosen || room.trainer || (is_revealed && choice.right);
        let sign = match (opened, choice.right) {
            (false, _) => "",
            (true, true) => "✓ ",
            (true, false) => "✕ ",
        };
        html! {
            <li class={opened.then_some(if choice.right { "right" } else { "not" })}>
                <button
                    type="button"
                    class="choice-of"
                    data-choice={at.to_string()}
                    aria-pressed={bool_text(chosen)}
                    onclick={tell.reform(move |_: MouseEvent| LessonAction::Choose(at))}
                >
                    {sign}
                    {&choice.words}
                    if let Some(code) = choice.code.as_ref() {
                        <code>{code}</code>
                    }
                </button>
                <div role="status">
                    if opened {
                        <p class="reply">{&choice.reply}</p>
                    }
                </div>
            </li>
        }
    })}</ol> }
}

fn attempt(
    props: &LessonsProps,
    room: &Classroom,
    tell: &Callback<LessonAction>,
    task: &Task,
) -> Html {
    let edit = props.act.clone();
    let edit = move |_: MouseEvent| {
        edit.emit(Action::View(RuleView::Edit));
        edit.emit(Action::Tab(Tab::Rules));
    };
    let rules = matches!(task.work, Work::Rules);
    html! {
        <>
            <p class="row-of">
                if rules {
                    <button type="button" class="line" id="lesson-edit" onclick={edit}>
                        {"Edit the rules"}
                    </button>
                }
                <button
                    type="button"
                    class="line"
                    id="lesson-check"
                    onclick={check(props, room, tell, task)}
                >
                    {"Check"}
                </button>
            </p>
            <div role="status" id="lesson-judged">
                if let Some(judged) = room.attempt
                .judged
                .as_ref() {
                    {judgement(judged, task)}
                }
            </div>
            if room.trainer || room.attempt.given_up {
                {solutions(task)}
            }
        </>
    }
}

/// Judges the current state of the playground.
fn check(
    props: &LessonsProps,
    room: &Classroom,
    tell: &Callback<LessonAction>,
    task: &Task,
) -> Callback<MouseEvent> {
    let (props, tell, room) = (props.clone(), tell.clone(), room.clone());
    let is_about_rules = task.work == Work::Rules;
    Callback::from(move |_| {
        let Some(judged) = room.judge(&props.workspace) else {
            return;
        };
        if judged.solved && is_about_rules {
            props.act.emit(Action::View(RuleView::Rows(Order::Walked)));
        }
        tell.emit(LessonAction::Judged(judged));
    })
}

fn judgement(judged: &Judgement, task: &Task) -> Html {
    let says = exercise::describe_judgement(judged, task);
    html! {
        <>
            <p class={if judged.solved { "right" } else { "not" }}><b>{says}</b></p>
            <ul class="lines">{for judged.lines.iter().map(|(wanted, says): &(bool, String)| {
        html! {
            <li class={if *wanted { "right" } else { "not" }}>
                {if *wanted { "✓ " } else { "✕ " }}
                {says}
            </li>
        }
    })}</ul>
        </>
    }
}

fn solutions(task: &Task) -> Html {
    html! {
        <>
            <p>{"Solutions:"}</p>
            <ul>
                {for task.solutions
                    .iter()
                    .map(|solution| html! { <li><code>{solution}</code></li> })}
            </ul>
        </>
    }
}

/// The whole lesson for paper; the trainer's view includes all answers.
pub(super) fn handout(props: &LessonsProps, room: &Classroom) -> Html {
    let Some(lesson) = room.lesson() else {
        return Html::default();
    };
    let print = |_: MouseEvent| {
        // A browser may refuse to print; its own menu still works.
        let _ = window().print();
    };
    html! {
        <>
            <h1 id="lesson-title" tabindex="-1">{&lesson.head.title}</h1>
            <p class="quiet">{&lesson.head.about}</p>
            <p class="row-of">
                <button type="button" class="line" id="lesson-print" onclick={print}>
                    {"Print"}
                </button>
                <a
                    class="line"
                    id="lesson-back"
                    href={room.address.trim_end_matches("/handout").to_owned()}
                >
                    {"Back to the lesson"}
                </a>
            </p>
            {for lesson.worlds.iter().map(|world| {
                html! { <><h2>{format!("Rules: {}", world.name)}</h2><pre>{&world.text}</pre></> }
            })}
            {for lesson
                .steps
                .iter()
                .enumerate()
                .map(|(at, step)| sheet(props, room, lesson, at, step))}
        </>
    }
}

fn sheet(
    props: &LessonsProps,
    room: &Classroom,
    lesson: &Lesson,
    at: usize,
    step: &LessonStep,
) -> Html {
    let packets = step
        .scene
        .packets
        .iter()
        .zip(["A", "B"])
        .map(|(place, letter)| {
            let says = PacketSlot::new(&lesson.packets[*place].1, None).line_text();
            html! { <p class="quiet">{format!("Packet {letter}: {says}")}</p> }
        });
    let exercise = step.exercise.as_ref().map(|exercise| {
        let body = match exercise {
            Exercise::Ask(question) => {
                html! { <ol class="choices">{for question.choices.iter().map(|choice: &AnswerChoice| {
                    let sign = if room.trainer && choice.right {
                        "☑ "
                    } else {
                        "☐ "
                    };
                    html! {
                        <li>
                            {sign}
                            {&choice.words}
                            {" "}
                            if let Some(code) = choice.code.as_ref() {
                                <code>{code}</code>
                            }
                            if room.trainer {
                                <p class="reply">{&choice.reply}</p>
                            }
                        </li>
                    }
                })}</ol> }
            }
            Exercise::Task(task) if room.trainer => solutions(task),
            Exercise::Task(_) => html! { <p class="blank"></p> },
        };
        html! {
            <section class="ask">
                <p class="prompt">{pieces(props, room, exercise.prompt())}</p>
                {body}
            </section>
        }
    });
    let after = step.exercise.is_none() || room.trainer;
    html! {
        <section class="sheet">
            <h2>{format!("{}. {}", at + 1, step.title)}</h2>
            <p class="quiet">{format!("Rules: {}", lesson.worlds[step.scene.world].name)}</p>
            {for packets}
            {blocks(props, room, &step.before)}
            {exercise}
            if after {
                {blocks(props, room, &step.after)}
            }
        </section>
    }
}
