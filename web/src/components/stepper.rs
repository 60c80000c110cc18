//! First, back, play, forward, last; the slider with both walks on it; the chains one is in, and
//! jumps; the step in a sentence.

use gloo::timers::callback::Interval;
use gloo::utils::window;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::badge::{badge, colour};
use super::phrases::format_place;
use super::verdict;
use crate::cursor::{self, Move};
use crate::element::{Markup, button, group, nothing, tag};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::side::Side;
use crate::state::{Action, State};
use crate::walked::Walked;
use chainwalk_core::walk::trace::Outcome;

/// Above so many steps the stations of a rail run together: only the line is drawn.
const MOST: usize = 80;

/// How long a step is shown while the walk goes on by itself, in milliseconds, with its name.
const PACES: [(u32, &str); 3] = [(2000, "slow"), (1000, "medium"), (350, "fast")];

/// All of it.
#[component]
pub(crate) fn Stepper(page: &Page) -> Html {
    page_part::enter(Part::Steps);
    let state = &page.state;
    let pace = use_state(|| PACES[1].0);
    use_effect_with((state.playing, *pace), {
        let act = page.act.clone();
        move |(playing, pace)| {
            let pace = *pace;
            let tick = move || {
                act.emit(if is_still() {
                    Action::Play(false)
                } else {
                    Action::Tick
                })
            };
            let timer = playing.then(|| Interval::new(pace, tick));
            move || drop(timer)
        }
    });
    let steps = state.steps();
    let at = state.cursor;
    let oninput = page.act.reform(|event: Event| {
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
        tag("option")
            .attr("value", milliseconds.to_string())
            .flag("selected", *pace == milliseconds)
            .child(name)
    });
    let (start, end) = (at == 0, at + 1 >= steps);
    let says = format!("Step {} of {}", (at + 1).min(steps), steps);
    let (play, play_shape) = if state.playing {
        ("Pause", "M4.500 2v12M11 2v12")
    } else {
        ("Play", "M4 2l9 6-9 6z")
    };
    group()
        .child(
            tag("div")
                .class("stepper")
                .child(
                    tag("div")
                        .class("moves")
                        .attr("role", "group")
                        .attr("aria-label", "Steps")
                        .child(mover(
                            page,
                            "first",
                            "First step (Home)",
                            Action::Go(Move::First),
                            start,
                            "M4 2v12M13 2 6 8l7 6z",
                        ))
                        .child(mover(
                            page,
                            "back",
                            "Step back (left arrow)",
                            Action::Go(Move::Back),
                            start,
                            "M10.500 2l1.500 1.500L7.500 8l4.500 4.500-1.500 1.500-6-6z",
                        ))
                        .child(mover(
                            page,
                            "play",
                            play,
                            Action::Play(!state.playing),
                            steps < 2,
                            play_shape,
                        ))
                        .child(mover(
                            page,
                            "forward",
                            "Step on (right arrow)",
                            Action::Go(Move::Forward),
                            end,
                            "M5.500 2 4 3.500 8.500 8 4 12.500 5.500 14l6-6z",
                        ))
                        .child(mover(
                            page,
                            "last",
                            "Last step (End)",
                            Action::Go(Move::Last),
                            end,
                            "M12 2v12M3 2l7 6-7 6z",
                        ))
                        .child(
                            tag("label")
                                .class("pick pace")
                                .child(tag("span").class("hidden").text("Pace of play"))
                                .child(
                                    tag("select")
                                        .id("pace")
                                        .attr("title", "Pace of play")
                                        .on("change", onchange)
                                        .children(paces),
                                ),
                        ),
                )
                .child(
                    tag("div")
                        .class("track")
                        .child(
                            tag("svg")
                                .class("rails")
                                .attr("aria-hidden", "true")
                                .children(state.walks().enumerate().map(
                                    |(row, (side, walked))| rail(state, row, side, walked, steps),
                                )),
                        )
                        .child(
                            tag("input")
                                .attr("type", "range")
                                .id("step")
                                .attr("min", "1")
                                .attr("max", steps.max(1).to_string())
                                .value((at + 1).to_string())
                                .attr("aria-label", "Step")
                                .attr("aria-valuetext", says)
                                .flag("disabled", steps < 2)
                                .on("input", oninput),
                        ),
                )
                .child(
                    tag("span")
                        .class("count")
                        .text("Step ")
                        .child(tag("b").child((at + 1).min(steps)))
                        .child(of(state)),
                ),
        )
        .child(
            tag("div").class("jumps").child(stack(state)).child(
                tag("div")
                    .class("choice")
                    .attr("role", "group")
                    .attr("aria-label", "Jump")
                    .child(jump(page, "next-match", "next match", "n", Move::NextMatch))
                    .child(jump(page, "out", "out of chain", "u", Move::OutOfChain))
                    .child(jump(page, "decided", "verdict", "v", Move::Decided)),
            ),
        )
        .child(sentence(state))
        .html()
}

/// Whether the system asks for stillness: then nothing moves by itself.
fn is_still() -> bool {
    let asked = window().match_media("(prefers-reduced-motion: reduce)");
    asked.ok().flatten().is_some_and(|asked| asked.matches())
}

fn jump(page: &Page, id: &'static str, name: &'static str, key: &'static str, to: Move) -> Markup {
    // Where it leads nowhere it says so.
    let stays = page.state.after(to) == page.state.cursor;
    button()
        .id(id)
        .is("aria-disabled", stays)
        .on("click", page.on(Action::Go(to)))
        .child(name)
        .text(" ")
        .child(tag("kbd").child(key))
}

fn mover(
    page: &Page,
    id: &'static str,
    name: &'static str,
    to: Action,
    disabled: bool,
    shape: &'static str,
) -> Markup {
    // Not `disabled`: that would take the focus away from whoever steps with the keyboard.
    button()
        .id(id)
        .attr("aria-label", name)
        .attr("title", name)
        .is("aria-disabled", disabled)
        .on("click", page.on(to))
        .child(
            tag("svg")
                .attr("viewBox", "0 0 16 16")
                .attr("width", "14")
                .attr("height", "14")
                .attr("aria-hidden", "true")
                .child(tag("path").attr("d", shape)),
        )
}

/// " of 12 (A), 7 (B)"
fn of(state: &State) -> Markup {
    let counts: Vec<String> = state
        .walks()
        .map(|(side, walked)| match state.compare {
            true => format!("{} ({})", walked.path().steps.len(), side.letter()),
            false => walked.path().steps.len().to_string(),
        })
        .collect();
    tag("span")
        .class("quiet")
        .text(" of ")
        .child(counts.join(", "))
}

/// One walk as a line with a station for every step: hollow where the rule did not match.
fn rail(state: &State, row: usize, side: Side, walked: &Walked, longest: usize) -> Markup {
    let steps = &walked.path().steps;
    if steps.is_empty() {
        return nothing();
    }
    // In hundredths of a percent: no floating point is worth its size here.
    let x = |at: usize| {
        let hundredths = at * 10_000 / longest.saturating_sub(1).max(1);
        format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    };
    let y = if state.walks().count() == 1 {
        14
    } else {
        8 + 12 * row
    };
    let stations = steps
        .iter()
        .enumerate()
        .filter(|_| longest <= MOST)
        .map(|(at, step)| {
            let hit = step.outcome != Outcome::NoMatch;
            tag("circle")
                .class(if hit { "hit" } else { "miss" })
                .attr("cx", x(at))
                .attr("cy", y.to_string())
                .attr("r", if hit { "4" } else { "3.5" })
        });
    tag("g")
        .class(side.key())
        .class(colour(walked.headline.fate))
        .child(
            tag("line")
                .attr("x1", "0%")
                .attr("x2", x(steps.len() - 1))
                .attr("y1", y.to_string())
                .attr("y2", y.to_string()),
        )
        .children(stations)
}

/// The chains that led here.
fn stack(state: &State) -> Markup {
    let Some((side, walked)) = state.followed() else {
        return nothing();
    };
    let path = walked.path();
    let at = state.cursor.min(path.steps.len().saturating_sub(1));
    let Some(step) = path.steps.get(at) else {
        return nothing();
    };
    let rulesets = state.paste.rulesets();
    let places: Vec<String> = cursor::stack(path, at)
        .into_iter()
        .map(|at| format_place(rulesets, path.steps.at(at).place))
        .collect();
    let (last, before) = places
        .split_last()
        .expect("a stack ends with the step itself");
    let parted = state.part.is_some_and(|part| state.cursor > part);
    tag("p")
        .class("stack")
        .child(tag("span").class("hidden").text("Chain stack: "))
        .child(parted.then(|| group().child(badge(side)).text(" ")))
        .child(
            tag("code")
                .child(&*step.place.at.table(rulesets).label())
                .text(" › ")
                .children(before.iter().map(|place| format!("{place} › ")))
                .child(tag("b").child(last)),
        )
}

/// The step in words: once where both packets fare alike.
fn sentence(state: &State) -> Markup {
    let at = state.cursor;
    let says: Vec<(Side, String)> = state
        .walks()
        .map(|(side, walked)| (side, verdict::step(state, walked, at)))
        .collect();
    let says = match &says[..] {
        [(_, a), (_, b)] if a == b => tag("span")
            .child(badge(Side::A))
            .child(badge(Side::B))
            .text(" ")
            .child(a),
        [(_, one)] if !state.compare => tag("span").child(one),
        [] => tag("span").text("There is no packet to walk."),
        several => group().children(several.iter().map(|(side, says)| {
            tag("span")
                .child(badge(*side))
                .text(" ")
                .child(says)
                .text(" ")
        })),
    };
    // Not read out while a key is held or the walk goes on by itself; an end of that changes the
    // region, which then is.
    let live = if state.held || state.playing {
        "off"
    } else {
        "polite"
    };
    tag("p")
        .class("sentence")
        .id("sentence")
        .attr("aria-live", live)
        .attr("aria-atomic", "true")
        .child(says)
        .child((state.held || state.playing).then(|| tag("span").class("hidden").text("…")))
}
