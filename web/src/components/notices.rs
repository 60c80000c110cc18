//! Notices: a failure of the browser, or a restart of the page, with buttons for the answers.

use std::rc::Rc;

use yew::prelude::*;

use crate::page_part::{self, PagePart};
use crate::recovery::{self, Restart};

/// Whether changes replace the draft of earlier work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DraftPolicy {
    /// Each change replaces the draft.
    Replaced,
    /// A link was opened, and the first change asks the user.
    Guarded,
    /// The page waits for the user's answer.
    Asked,
    /// The draft stays until the page reloads.
    Kept,
}

/// The current notices.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NoticesState {
    /// A draft or a link that stopped the page the last time.
    pub(super) offered: Option<String>,
    /// Why the page restarted, until the user closes the notice.
    restart: Restart,
    pub(super) draft: DraftPolicy,
    /// A failure of the browser; empty without one.
    pub(super) failure: &'static str,
}

impl NoticesState {
    /// The notices when the page opens. `is_guarded`: the page opens with a link, and there is a
    /// draft of other work.
    pub(super) fn new(offered: Option<String>, restart: Restart, is_guarded: bool) -> Self {
        Self {
            offered,
            restart,
            draft: if is_guarded {
                DraftPolicy::Guarded
            } else {
                DraftPolicy::Replaced
            },
            failure: "",
        }
    }

    /// Whether there is a notice.
    pub(super) fn is_shown(&self) -> bool {
        self.offered.is_some()
            || !self.restart.message.is_empty()
            || self.draft == DraftPolicy::Asked
            || !self.failure.is_empty()
    }
}

/// A change of the notices.
#[derive(Debug)]
pub(super) enum NoticeAction {
    /// A link of other work was opened.
    GuardDraft,
    /// A change would replace the draft.
    AskForDraft,
    /// Changes replace the draft.
    ReplaceDraft,
    /// Changes do not replace the draft.
    KeepDraft,
    /// The offered draft was loaded or declined.
    DropOffer,
    /// The user closed the notice of the restart.
    CloseRestart,
    /// The failed operation of the browser; empty after a success.
    Failed(&'static str),
}

impl Reducible for NoticesState {
    type Action = NoticeAction;

    fn reduce(self: Rc<Self>, action: NoticeAction) -> Rc<Self> {
        let mut state = Rc::unwrap_or_clone(self);
        match action {
            NoticeAction::GuardDraft if state.draft == DraftPolicy::Replaced => {
                state.draft = DraftPolicy::Guarded;
            }
            NoticeAction::GuardDraft => {}
            NoticeAction::AskForDraft => state.draft = DraftPolicy::Asked,
            NoticeAction::ReplaceDraft => state.draft = DraftPolicy::Replaced,
            NoticeAction::KeepDraft => state.draft = DraftPolicy::Kept,
            NoticeAction::DropOffer => state.offered = None,
            NoticeAction::CloseRestart => state.restart = Restart::default(),
            NoticeAction::Failed(failure) => state.failure = failure,
        }
        Rc::new(state)
    }
}

/// The answer of a button of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoticeAnswer {
    LoadOffered,
    LeaveOffered,
    CloseRestart,
    /// Restarts the page with all parts.
    ShowWhole,
    ReplaceDraft,
    KeepDraft,
    LoadDraft,
    CloseFailure,
}

/// The props of [`Notices`].
#[derive(PartialEq, Properties)]
pub(super) struct NoticesProps {
    pub(super) state: NoticesState,
    pub(super) onanswer: Callback<NoticeAnswer>,
}

/// The most important notice.
#[component]
pub(super) fn Notices(props: &NoticesProps) -> Html {
    page_part::enter(None);
    let NoticesState {
        offered,
        restart,
        draft,
        failure,
    } = &props.state;
    let button = |id: &'static str, label: &'static str, answer: NoticeAnswer| {
        let onclick = props.onanswer.reform(move |_: MouseEvent| answer);
        html! { <button type="button" class="line" {id} {onclick}>{label}</button> }
    };
    let (message, buttons) = if let Some(offered) = offered {
        let load = button("draft-load", "Load it anyway", NoticeAnswer::LoadOffered);
        let leave = button("draft-leave", "Leave it", NoticeAnswer::LeaveOffered);
        let message = if restart.message.is_empty() {
            "The draft in this browser did not load the last time. This is the page without it."
        } else if offered.starts_with('#') {
            "The content of this link stopped the page. This is the page without it."
        } else {
            "Your last work stopped the page. This is the page without it."
        };
        (message.to_owned(), vec![load, leave])
    } else if !restart.message.is_empty() {
        let close = button("restart-read", "Close", NoticeAnswer::CloseRestart);
        let whole = button("restart-whole", "Show it again", NoticeAnswer::ShowWhole);
        match restart.parts.last() {
            Some(PagePart::Lessons) => (
                "A lesson stopped the page. It is closed. Your rules and packets are unchanged."
                    .into(),
                vec![close],
            ),
            Some(part) if recovery::is_left_out(*part) => (
                format!(
                    "The {} stopped the page and is left out. Your rules and packets are unchanged.",
                    part.name()
                ),
                vec![whole, close],
            ),
            _ => (
                "The page stopped and started again. Your rules and packets are unchanged.".into(),
                vec![close],
            ),
        }
    } else if *draft == DraftPolicy::Asked {
        let replace = button(
            "draft-replace",
            "Replace the draft",
            NoticeAnswer::ReplaceDraft,
        );
        let keep = button("draft-stay", "Keep the draft", NoticeAnswer::KeepDraft);
        let load = button("draft-back", "Load the draft", NoticeAnswer::LoadDraft);
        let message = "This browser keeps a draft of your earlier work. Changes to the content of this \
                       link would replace it.";
        (message.to_owned(), vec![replace, keep, load])
    } else {
        let close = button("notice-read", "Close", NoticeAnswer::CloseFailure);
        ((*failure).to_owned(), vec![close])
    };
    html! {
        <div class="notice" role="alert">
            <p>{message}</p>
            {for buttons}
            if !restart.message.is_empty() {
                <details>
                    <summary>
                        {"What went wrong: an error in Chainwalk, not in your rules"}
                    </summary>
                    <pre>{&restart.message}</pre>
                </details>
            }
        </div>
    }
}
