//! All steps: the shared ones, the divergence, then both walks in two columns, and the ends.

use chainwalk_core::analysis::explain::capital;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::walk::trace::Outcome;
use chainwalk_session::cursor::Move;
use chainwalk_session::list_window::ListSize;
use chainwalk_session::pairs::{self, Cell, Pair};
use chainwalk_session::phrases::{format_count, format_place};
use chainwalk_session::sentences;
use chainwalk_session::side::Side;
use chainwalk_session::state::{Action, Evaluation};
use chainwalk_session::walked::Walked;
use yew::prelude::*;

use super::badge::{badge, colour, glyph, sign};
use super::follow::use_follow;
use super::phrases::text_with_code;
use super::virtual_list::{gap, use_virtual_list};
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The most rows that are rendered.
const MADE_ROWS: usize = 200;
/// The height of a row of a long list in CSS pixels, as in the style sheet.
const ROW_HEIGHT: usize = 29;

/// The context of the rows.
struct Shown<'a> {
    props: &'a StepsProps,
    walks: Vec<(Side, &'a Walked)>,
    toggle: Callback<usize>,
}

/// The props of [`Steps`].
#[derive(PartialEq, Properties)]
pub(super) struct StepsProps {
    pub(super) evaluation: Evaluation,
    /// The step shown.
    pub(super) cursor: usize,
    pub(super) act: Dispatch,
}

/// The list.
#[component]
pub(super) fn Steps(props: &StepsProps) -> Html {
    page_part::enter(PagePart::Steps);
    let evaluation = &props.evaluation;
    let node = use_follow((props.cursor, evaluation.results.rows.clone()), 32);
    let walks: Vec<(Side, &Walked)> = evaluation.walks().collect();
    // The walks, because other walks have other runs.
    let of: Vec<usize> = walks
        .iter()
        .map(|(_, walked)| std::ptr::from_ref(*walked) as usize)
        .collect();
    let opened = use_state(|| (Vec::new(), Vec::new()));
    let open = if opened.0 == of {
        opened.1.clone()
    } else {
        Vec::new()
    };
    let rows = use_memo(
        (of.clone(), evaluation.results.divergence, open.clone()),
        |(_, part, open)| {
            let alone: Vec<&Walked> = walks.iter().map(|(_, walked)| *walked).collect();
            pairs::list(&alone, *part, open)
        },
    );
    let toggle = Callback::from(move |run: usize| {
        let mut open = open.clone();
        match open.iter().position(|other| *other == run) {
            Some(at) => drop(open.remove(at)),
            None => open.push(run),
        }
        opened.set((of.clone(), open));
    });
    let current = rows.iter().position(|pair| pair.shows(props.cursor));
    let size = ListSize {
        rows: rows.len(),
        made: MADE_ROWS,
        row_height: ROW_HEIGHT,
    };
    let made = use_virtual_list(&node, size, &(current, rows.len()), current);
    let heads = walks.iter().map(|(side, walked)| {
        let count = format_count(walked.path().steps.len(), "step");
        html! {
            <div class="cell">
                {badge(*side)}
                <span class="who">{evaluation.name(*side)}</span>
                <span class="quiet">{count}</span>
            </div>
        }
    });
    let single = if walks.len() < 2 { "single" } else { "double" };
    let long = (made.len() < rows.len()).then_some("long");
    let shown = Shown {
        props,
        walks: walks.clone(),
        toggle,
    };
    html! {
        <div
            class={classes!("scroll", "steps", single, long)}
            ref={&node}
            tabindex="0"
            role="group"
            aria-label="All steps"
        >
            <div class="pair heads">{for heads}</div>
            {gap(size, made.start, "above")}
            {for rows[made.clone()].iter().map(|row| shown.row(row))}
            {gap(size, rows.len() - made.end, "below")}
        </div>
    }
}

impl Shown<'_> {
    fn row(&self, row: &Pair) -> Html {
        match row {
            Pair::Parting => html! {
                <div class="parting" role="separator"><span>{"The walks diverge here"}</span></div>
            },
            Pair::Shared(steps) => html! {
                <div class="pair shared">{self.steps(0, steps, true)}</div>
            },
            Pair::Each(cells) => {
                let cells = cells.iter().enumerate().map(|(place, cell)| match cell {
                    Cell::Steps(steps) => self.steps(place, steps, false),
                    Cell::End => outcome_cell(self.walks[place].1),
                    Cell::Nothing => html! { <div class="cell"></div> },
                });
                html! { <div class="pair">{for cells}</div> }
            }
        }
    }

    fn steps(&self, place: usize, steps: &pairs::Steps, shared: bool) -> Html {
        let (props, evaluation) = (self.props, &self.props.evaluation);
        let (side, walked) = self.walks[place];
        let path = walked.path();
        let rulesets = evaluation.workspace.paste.rulesets();
        let at = steps.at.start;
        let first = path.steps.at(at);
        let matched = first.outcome != Outcome::NoMatch;
        let current = steps.shows(props.cursor);
        let table = first.place.at.table(rulesets).label();
        let table = if walked.several_tables {
            format!("{table} ")
        } else {
            String::new()
        };
        let onclick = match steps.open {
            None => self.props.act.on(Action::Go(Move::To(at))),
            Some(_) => self.toggle.reform(move |_| at),
        };
        let (number, says) = match steps.open {
            None => {
                let place = format_place(rulesets, first.place);
                let what = summary(rulesets, walked, at);
                (
                    (at + 1).to_string(),
                    html! { <><code>{table}{place}</code>{" "}{what}</> },
                )
            }
            Some(_) => {
                let (_, _, chain) = first.place.at.find(rulesets);
                let [from, to] = [at, steps.at.end - 1]
                    .map(|step| path.steps.at(step).place.rule.unwrap_or(0) + 1);
                let says = html! {
                    <>
                        <code>{table}{&*chain.name}</code>
                        {format!(" rules {from} to {to}: no match")}
                    </>
                };
                (format!("{}–{}", at + 1, steps.at.end), says)
            }
        };
        let decided =
            matched && side == evaluation.workspace.lead && walked.decided_at() == Some(at);
        let tint = decided.then(|| colour(walked.headline.fate));
        let quiet = (!matched).then_some("quiet");
        let outcome = (matched && !shared).then(|| colour(walked.headline.fate));
        let mark = match steps.open {
            None => sign(walked.outcome(at)),
            Some(true) => "▾",
            Some(false) => "▸",
        };
        html! {
            <button
                type="button"
                class={classes!("cell", decided.then_some("decided"), tint)}
                aria-current={current.then_some("step")}
                aria-expanded={steps.open.map(|open| open.to_string())}
                data-current={current.then_some(side.key())}
                {onclick}
            >
                <span class="number">{number}</span>
                <span class={classes!("sign", outcome)}>{mark}</span>
                <span class={quiet}>{says}</span>
            </button>
        }
    }
}

/// The result of a step in a few words.
fn summary(rulesets: &[Ruleset], walked: &Walked, at: usize) -> Html {
    let summary = sentences::summarize_step(rulesets, walked, at);
    html! {
        <>
            if summary.is_emphasized {
                <b>{summary.result}</b>
            } else {
                {summary.result}
            }
            if let Some(details) = &summary.details {
                {": "}{text_with_code(details)}
            }
        </>
    }
}

fn outcome_cell(walked: &Walked) -> Html {
    let fate = walked.headline.fate;
    html! {
        <div class={classes!("cell", "end", colour(fate))}>
            <span class="number"></span>
            <span class="sign">{glyph(fate)}</span>
            <b>{capital(&walked.end())}</b>
        </div>
    }
}
