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

/// A button: its id, its label, and its answer.
type NoticeButton = (&'static str, &'static str, NoticeAnswer);

const LOAD_OFFERED: NoticeButton = ("draft-load", "Load it anyway", NoticeAnswer::LoadOffered);
const LEAVE_OFFERED: NoticeButton = ("draft-leave", "Leave it", NoticeAnswer::LeaveOffered);
const CLOSE_RESTART: NoticeButton = ("restart-read", "Close", NoticeAnswer::CloseRestart);
const SHOW_WHOLE: NoticeButton = ("restart-whole", "Show it again", NoticeAnswer::ShowWhole);
const REPLACE_DRAFT: NoticeButton = (
    "draft-replace",
    "Replace the draft",
    NoticeAnswer::ReplaceDraft,
);
const KEEP_DRAFT: NoticeButton = ("draft-stay", "Keep the draft", NoticeAnswer::KeepDraft);
const LOAD_DRAFT: NoticeButton = ("draft-back", "Load the draft", NoticeAnswer::LoadDraft);
const CLOSE_FAILURE: NoticeButton = ("notice-read", "Close", NoticeAnswer::CloseFailure);

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
    let (message, buttons) = if let Some(offered) = offered {
        let message = if restart.message.is_empty() {
            "The draft in this browser did not load the last time. This is the page without it."
        } else if offered.starts_with('#') {
            "The content of this link stopped the page. This is the page without it."
        } else {
            "Your last work stopped the page. This is the page without it."
        };
        (message.to_owned(), &[LOAD_OFFERED, LEAVE_OFFERED][..])
    } else if !restart.message.is_empty() {
        match restart.parts.last() {
            Some(PagePart::Lessons) => (
                "A lesson stopped the page. It is closed. Your rules and packets are unchanged."
                    .into(),
                &[CLOSE_RESTART][..],
            ),
            Some(part) if recovery::is_left_out(*part) => (
                format!(
                    "The {} stopped the page and is left out. Your rules and packets are unchanged.",
                    part.name()
                ),
                &[SHOW_WHOLE, CLOSE_RESTART][..],
            ),
            _ => (
                "The page stopped and started again. Your rules and packets are unchanged.".into(),
                &[CLOSE_RESTART][..],
            ),
        }
    } else if *draft == DraftPolicy::Asked {
        let message = "This browser keeps a draft of your earlier work. Changes to the content of this \
                       link would replace it.";
        (
            message.to_owned(),
            &[REPLACE_DRAFT, KEEP_DRAFT, LOAD_DRAFT][..],
        )
    } else {
        ((*failure).to_owned(), &[CLOSE_FAILURE][..])
    };
    let buttons = buttons.iter().map(|(id, label, answer)| {
        let answer = *answer;
        let onclick = props.onanswer.reform(move |_: MouseEvent| answer);
        html! { <button type="button" class="line" id={*id} {onclick}>{*label}</button> }
    });
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
