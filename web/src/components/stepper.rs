//! The controls of the walk: first, back, play, forward, last; the slider with both walks; the
//! callers of the current chain, and jumps; the step in a sentence.

use gloo::timers::callback::Interval;
use gloo::utils::window;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::badge::{badge, colour};
use super::phrases::{bool_text, text_with_code};
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};
use chainwalk_core::walk::trace::Outcome;
use chainwalk_session::cursor::{self, Move};
use chainwalk_session::phrases::format_place;
use chainwalk_session::sentences;
use chainwalk_session::side::Side;
use chainwalk_session::state::{Action, Evaluation};
use chainwalk_session::walked::Walked;

/// Above this number of steps a rail has no stations, because they would overlap.
const MAX_STATIONS: usize = 80;

/// The durations of a step during playback, in milliseconds, with their names.
const PACES: [(u32, &str); 3] = [(2000, "slow"), (1000, "medium"), (350, "fast")];

/// The props of [`Stepper`].
#[derive(PartialEq, Properties)]
pub(super) struct StepperProps {
    pub(super) evaluation: Evaluation,
    /// The step shown.
    pub(super) cursor: usize,
    /// Whether the walk is playing.
    pub(super) playing: bool,
    /// Whether a key is held down.
    pub(super) held: bool,
    pub(super) act: Dispatch,
}

/// The controls.
#[component]
pub(super) fn Stepper(props: &StepperProps) -> Html {
    page_part::enter(PagePart::Steps);
    let evaluation = &props.evaluation;
    let pace = use_state(|| PACES[1].0);
    use_effect_with((props.playing, *pace), {
        let act = props.act.clone();
        move |(playing, pace)| {
            let pace = *pace;
            let timer = playing.then(|| {
                Interval::new(pace, move || {
                    act.emit(if is_still() {
                        Action::Play(false)
                    } else {
                        Action::Tick
                    })
                })
            });
            move || drop(timer)
        }
    });
    let steps = evaluation.steps();
    let at = props.cursor;
    let oninput = props.act.map(|event: InputEvent| {
        let slider = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let step = slider
            .and_then(|slider| slider.value().parse::<usize>().ok())
            .unwrap_or(1);
        Action::Go(Move::To(step.saturating_sub(1)))
    });
    let onchange = {
        let pace = pace.clone();
        move |event: Event| {
            let list = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
            pace.set(
                list.and_then(|list| list.value().parse().ok())
                    .unwrap_or(PACES[1].0),
            );
        }
    };
    let paces = PACES.map(|(milliseconds, name)| {
        html! {
            <option value={milliseconds.to_string()} selected={*pace == milliseconds}>
                {name}
            </option>
        }
    });
    let says = format!("Step {} of {}", (at + 1).min(steps), steps);
    let moves = move_buttons(props.playing, at, steps);
    html! {
        <>
            <div class="stepper">
                <div class="moves" role="group" aria-label="Steps">
                    {for moves.map(|button| move_button(&props.act, button))}
                    <label class="pick pace">
                        <span class="hidden">{"Playback speed"}</span>
                        <select id="pace" title="Playback speed" {onchange}>{for paces}</select>
                    </label>
                </div>
                <div class="track">
                    <svg class="rails" aria-hidden="true">
                        {for evaluation.walks().enumerate().map(
                            |(row, (side, walked))| rail(evaluation, row, side, walked, steps),
                        )}
                    </svg>
                    <input
                        type="range"
                        id="step"
                        min="1"
                        max={steps.max(1).to_string()}
                        value={(at + 1).to_string()}
                        aria-label="Step"
                        aria-valuetext={says}
                        disabled={steps < 2}
                        {oninput}
                    />
                </div>
                <span class="count">{"Step "}<b>{(at + 1).min(steps)}</b>{positions(evaluation)}</span>
            </div>
            <div class="jumps">
                {stack(props)}
                <div class="choice" role="group" aria-label="Jump">
                    {jump(props, "next-match", "next match", "n", Move::NextMatch)}
                    {jump(props, "out", "out of chain", "u", Move::OutOfChain)}
                    {jump(props, "decided", "verdict", "v", Move::Decided)}
                </div>
            </div>
            {sentence(props)}
        </>
    }
}

/// Whether the system requests reduced motion. Nothing moves by itself then.
fn is_still() -> bool {
    let asked = window().match_media("(prefers-reduced-motion: reduce)");
    asked.ok().flatten().is_some_and(|asked| asked.matches())
}

fn jump(
    props: &StepperProps,
    id: &'static str,
    name: &'static str,
    key: &'static str,
    to: Move,
) -> Html {
    let evaluation = &props.evaluation;
    // A jump without a target is disabled.
    let stays = evaluation.after(props.cursor, to) == props.cursor;
    html! {
        <button
            type="button"
            {id}
            aria-disabled={bool_text(stays)}
            onclick={props.act.on(Action::Go(to))}
        >
            {name}
            {" "}
            <kbd>{key}</kbd>
        </button>
    }
}

/// A button that moves through the walks.
struct MoveButton {
    id: &'static str,
    name: &'static str,
    action: Action,
    disabled: bool,
    /// The path of its symbol.
    shape: &'static str,
}

fn move_buttons(playing: bool, at: usize, steps: usize) -> [MoveButton; 5] {
    let (is_first, is_last) = (at == 0, at + 1 >= steps);
    let (play, play_shape) = if playing {
        ("Pause", "M4.500 2v12M11 2v12")
    } else {
        ("Play", "M4 2l9 6-9 6z")
    };
    [
        MoveButton {
            id: "first",
            name: "First step (Home)",
            action: Action::Go(Move::First),
            disabled: is_first,
            shape: "M4 2v12M13 2 6 8l7 6z",
        },
        MoveButton {
            id: "back",
            name: "Previous step (left arrow)",
            action: Action::Go(Move::Back),
            disabled: is_first,
            shape: "M10.500 2l1.500 1.500L7.500 8l4.500 4.500-1.500 1.500-6-6z",
        },
        MoveButton {
            id: "play",
            name: play,
            action: Action::Play(!playing),
            disabled: steps < 2,
            shape: play_shape,
        },
        MoveButton {
            id: "forward",
            name: "Next step (right arrow)",
            action: Action::Go(Move::Forward),
            disabled: is_last,
            shape: "M5.500 2 4 3.500 8.500 8 4 12.500 5.500 14l6-6z",
        },
        MoveButton {
            id: "last",
            name: "Last step (End)",
            action: Action::Go(Move::Last),
            disabled: is_last,
            shape: "M12 2v12M3 2l7 6-7 6z",
        },
    ]
}

fn move_button(act: &Dispatch, button: MoveButton) -> Html {
    // Not `disabled`, because a disabled button loses the keyboard focus.
    html! {
        <button
            type="button"
            id={button.id}
            aria-label={button.name}
            title={button.name}
            aria-disabled={bool_text(button.disabled)}
            onclick={act.on(button.action)}
        >
            <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
                <path d={button.shape} />
            </svg>
        </button>
    }
}

/// " of 12 (A), 7 (B)"
fn positions(evaluation: &Evaluation) -> Html {
    let counts: Vec<String> = evaluation
        .walks()
        .map(|(side, walked)| match evaluation.workspace.compare {
            true => format!("{} ({})", walked.path().steps.len(), side.letter()),
            false => walked.path().steps.len().to_string(),
        })
        .collect();
    html! { <span class="quiet">{" of "}{counts.join(", ")}</span> }
}

/// A walk as a line with a station for every step; a station is hollow if the rule did not match.
fn rail(evaluation: &Evaluation, row: usize, side: Side, walked: &Walked, longest: usize) -> Html {
    let steps = &walked.path().steps;
    if steps.is_empty() {
        return Html::default();
    }
    let y = if evaluation.walks().count() == 1 {
        14
    } else {
        8 + 12 * row
    };
    let stations = steps
        .iter()
        .enumerate()
        .filter(|_| longest <= MAX_STATIONS)
        .map(|(at, step)| {
            let hit = step.outcome != Outcome::NoMatch;
            html! {
                <circle
                    class={if hit { "hit" } else { "miss" }}
                    cx={rail_position(at, longest)}
                    cy={y.to_string()}
                    r={if hit { "4" } else { "3.5" }}
                />
            }
        });
    html! {
        <g class={classes!(side.key(), colour(walked.headline.fate))}>
            <line x1="0%" x2={rail_position(steps.len() - 1, longest)} y1={y.to_string()} y2={y.to_string()} />
            {for stations}
        </g>
    }
}

/// The place of a step on a rail.
fn rail_position(at: usize, longest: usize) -> String {
    let share = at as f64 / longest.saturating_sub(1).max(1) as f64;
    format!("{:.2}%", share * 100.0)
}

/// The callers of the current chain.
fn stack(props: &StepperProps) -> Html {
    let evaluation = &props.evaluation;
    let Some((side, walked)) = evaluation.followed(props.cursor) else {
        return Html::default();
    };
    let path = walked.path();
    let at = props.cursor.min(path.steps.len().saturating_sub(1));
    let Some(step) = path.steps.get(at) else {
        return Html::default();
    };
    let rulesets = evaluation.workspace.paste.rulesets();
    let places: Vec<String> = cursor::stack(path, at)
        .into_iter()
        .map(|at| format_place(rulesets, path.steps.at(at).place))
        .collect();
    let (last, before) = places
        .split_last()
        .expect("a stack ends with the step itself");
    let parted = evaluation
        .results
        .divergence
        .is_some_and(|part| props.cursor > part);
    html! {
        <p class="stack">
            <span class="hidden">{"Chain stack: "}</span>
            if parted {
                {badge(side)}{" "}
            }
            <code>
                {&*step.place.at.table(rulesets).label()}
                {" › "}
                {for before.iter().map(|place| format!("{place} › "))}
                <b>{last}</b>
            </code>
        </p>
    }
}

/// The step in words, once if both packets share it.
fn sentence(props: &StepperProps) -> Html {
    let evaluation = &props.evaluation;
    let at = props.cursor;
    let rulesets = evaluation.workspace.paste.rulesets();
    let says: Vec<(Side, String)> = evaluation
        .walks()
        .map(|(side, walked)| (side, sentences::describe_step(rulesets, walked, at)))
        .collect();
    let says = match &says[..] {
        [(_, a), (_, b)] if a == b => html! {
            <span>{badge(Side::A)}{badge(Side::B)}{" "}{text_with_code(a)}</span>
        },
        [(_, one)] if !evaluation.workspace.compare => html! { <span>{text_with_code(one)}</span> },
        [] => html! { <span>{"There is no complete packet."}</span> },
        several => html! {
            <>
                {for several.iter().map(|(side, says)| {
                    html! { <span>{badge(*side)}{" "}{text_with_code(says)}{" "}</span> }
                })}
            </>
        },
    };
    // Screen readers do not read it while a key is held or the walk plays. The end of that changes
    // the region, which they then read.
    let live = if props.held || props.playing {
        "off"
    } else {
        "polite"
    };
    html! {
        <p class="sentence" id="sentence" aria-live={live} aria-atomic="true">
            {says}
            if props.held || props.playing {
                <span class="hidden">{"…"}</span>
            }
        </p>
    }
}
