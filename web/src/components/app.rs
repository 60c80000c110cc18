//! The root component: it owns the state, listens to the document, and runs the idle queue.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chainwalk_core::input::edit::Edit;
use chainwalk_session::analysis_queue::{AnalysisQueue, Turn};
use chainwalk_session::editing::EditAction;
use chainwalk_session::paste::Paste;
use chainwalk_session::state::{Action, Dialog, Evaluation, State, Tab, Version};
use chainwalk_session::{keys, lesson};
use gloo::file::callbacks::{FileReader, read_as_text};
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use gloo::utils::document;
use yew::prelude::*;

use super::form::PacketPane;
use super::header::Header;
use super::help::Help;
use super::left_out::unless_left_out;
use super::lessons::Lessons;
use super::list::COVERED;
use super::notices::{DraftPolicy, NoticeAction, NoticeAnswer, Notices, NoticesState};
use super::outcomes::Outcomes;
use super::rules::RulesPane;
use super::share::Share;
use super::verdict::Verdict;
use super::walk::WalkPane;
use crate::dispatch::Dispatch;
use crate::input_events::{self, InputEvent};
use crate::page_part::{self, PagePart};
use crate::recovery;
use crate::reducers::PageState;
use crate::{browser, draft_storage};

/// The longest text in bytes; a longer one may exceed the browser's memory.
const MAX_INPUT_BYTES: f64 = 100e6;

/// The delay of the idle queue after an action, in milliseconds: the effect is drawn first.
const IDLE_DELAY: u32 = 30;

/// The delay of storing a draft after a change, in milliseconds.
const DRAFT_DELAY: u32 = 300;

/// The number of parts that render one after the other when the page opens. The browser draws the
/// answer before the page renders the next part, because all of them take a fifth of a second on a
/// slow machine.
const PARTS: u8 = REST;
const RULES: u8 = 2;
const LIST: u8 = 3;
const MAP: u8 = 4;
const STEPS: u8 = 5;
const PACKET: u8 = 6;
/// The table of outcomes, the lessons and the dialogs.
const REST: u8 = 7;

/// Why a file was rejected.
const UNREADABLE_FILE: &str =
    "the file cannot be read: it may have been moved, or this browser may not open it";

/// The initial state of the page.
pub(crate) struct Opening {
    /// The state, until the page takes it.
    state: Cell<Option<PageState>>,
    notices: NoticesState,
    /// Whether it opens with a lesson. The lesson then renders together with the answer, which
    /// would otherwise move to the side later.
    opens_lesson: bool,
}

impl Opening {
    /// Reads the link, the draft or the first sample, and walks its packets.
    pub(crate) fn new() -> Self {
        let restart = recovery::begin();
        let is_opening_faulty = restart.parts.contains(&PagePart::Opening);
        let are_lessons_faulty = restart.parts.contains(&PagePart::Lessons);
        // A link has priority over the draft, and does not change it.
        let address = Some(input_events::fragment()).filter(|fragment| fragment.len() > 1);
        let opens_lesson = address
            .as_ref()
            .is_some_and(|address| address.starts_with(lesson::ADDRESS));
        // The address is that of the page before the panic, or of the link that caused it.
        let begins_again = !restart.work.is_empty() || is_opening_faulty;
        let is_stale = begins_again && (!opens_lesson || are_lessons_faulty);
        if is_stale {
            browser::address("");
        }
        let link = address.filter(|_| !opens_lesson || !is_stale);
        let link = Some(restart.work.clone())
            .filter(|work| !work.is_empty())
            .or(link);
        let is_guarded = link.as_deref().is_some_and(draft_storage::is_other_work);
        let draft = if link.is_some() {
            None
        } else {
            draft_storage::load()
        };
        let failed = browser::opening(draft.is_some()) && link.is_none();
        let opened = link.or(draft);
        let (offered, opened) = if failed || is_opening_faulty {
            (opened, None)
        } else {
            (None, opened)
        };
        page_part::enter(PagePart::Opening);
        let state = Rc::<State>::default().reduce(Action::Link(opened.unwrap_or_default()));
        page_part::enter(None);
        Self {
            state: Cell::new(Some(PageState(state))),
            notices: NoticesState::new(offered, restart, is_guarded),
            opens_lesson,
        }
    }
}

/// The props of [`App`].
#[derive(Properties)]
pub(crate) struct AppProps {
    pub(crate) opening: Rc<Opening>,
}

impl PartialEq for AppProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.opening, &other.opening)
    }
}

/// The page.
#[component]
pub(crate) fn App(props: &AppProps) -> Html {
    let opening = &props.opening;
    let state = use_reducer(|| opening.state.take().unwrap_or_default());
    let notices = use_reducer(|| opening.notices.clone());
    page_part::enter(None);
    recovery::note_new(&state);
    let act = use_act(&state, &notices);
    let parts = use_parts();
    use_input_events(&state, &act);
    use_idle_queue(&state, &act, parts);
    use_draft(&state, &notices);
    use_tab_positions(&state);
    use_effect({
        let state = state.clone();
        move || recovery::note_shown(&state)
    });

    let State {
        evaluation,
        view,
        history,
    } = &**state;
    let workspace = &evaluation.workspace;
    let embed = view.embed.as_ref();
    let plain_rules = workspace.paste.mesh.is_none().then_some("plain-rules");
    html! {
        <div class="desk">
            if opening.opens_lesson || parts >= REST {
                <Lessons workspace={workspace.clone()} act={act.clone()} />
            }
            <div class={classes!("page", embed.map(|_| "embed"), plain_rules)}>
                <Header
                    origin={workspace.paste.origin.clone()}
                    original={workspace.original.origin.clone()}
                    act={act.clone()}
                />
                if notices.is_shown() {
                    <Notices
                        state={(*notices).clone()}
                        onanswer={answer_notice(&state, &notices, &act)}
                    />
                }
                <Verdict
                    evaluation={evaluation.clone()}
                    tab={view.tab}
                    is_embedded={embed.is_some()}
                    act={act.clone()}
                />
                <main
                    class={classes!("columns", format!("show-{}", view.tab.key()))}
                    aria-busy={(parts < PARTS).then_some("true")}
                >
                    if parts >= RULES {
                        {unless_left_out(PagePart::Rules, || html! {
                            <RulesPane
                                evaluation={evaluation.clone()}
                                view={view.clone()}
                                has_list={parts >= LIST}
                                can_undo={history.can(false)}
                                can_redo={history.can(true)}
                                act={act.clone()}
                            />
                        })}
                    }
                    if parts >= MAP {
                        <WalkPane
                            evaluation={evaluation.clone()}
                            view={view.clone()}
                            has_steps={parts >= STEPS}
                            act={act.clone()}
                        />
                    }
                    if parts >= PACKET {
                        {unless_left_out(PagePart::Packet, || html! {
                            <PacketPane
                                evaluation={evaluation.clone()}
                                split={view.split.clone()}
                                act={act.clone()}
                            />
                        })}
                    }
                    if parts >= REST {
                        {unless_left_out(PagePart::Outcomes, || html! {
                            <Outcomes
                                evaluation={evaluation.clone()}
                                only={view.only}
                                act={act.clone()}
                            />
                        })}
                    }
                </main>
                if let Some(fragment) = embed {
                    <footer class="onward">
                        <a href={format!("#{fragment}")} target="_blank" rel="noopener">
                            {"Open in Chainwalk"}
                        </a>
                    </footer>
                }
                if parts >= REST {
                    <Help
                        open={view.dialog == Some(Dialog::Help)}
                        shortcuts={view.shortcuts}
                        act={act.clone()}
                    />
                    <Share
                        work={(view.dialog == Some(Dialog::Share)).then(|| Version::new(State::clone(&state)))}
                        {act}
                    />
                }
            </div>
        </div>
    }
}

/// Dispatches actions to the state, after the browser is prepared for them.
#[hook]
fn use_act(
    state: &UseReducerHandle<PageState>,
    notices: &UseReducerHandle<NoticesState>,
) -> Dispatch {
    let (state, notices) = (state.dispatcher(), notices.dispatcher());
    let act = use_callback((), move |action: Action, ()| {
        let focused = match &action {
            Action::Area(tab) => first_element(*tab),
            // The button disappears with its rule, so the button that undoes the deletion gets the
            // focus.
            Action::Rule(EditAction::Edit(Edit::Delete(_) | Edit::Off(_) | Edit::On(..))) => {
                "#undo"
            }
            _ => "",
        };
        if !focused.is_empty() {
            browser::show(focused, "nearest", true);
        }
        // A link was opened in the same page, for example by a click in another page.
        if let Action::Link(link) = &action
            && draft_storage::is_other_work(link)
        {
            notices.dispatch(NoticeAction::GuardDraft);
        }
        browser::leave_tab();
        page_part::enter(None);
        state.dispatch(action);
    });
    let act = use_memo(act, |act| Dispatch::new(act.clone()));
    (*act).clone()
}

/// The number of rendered parts. After the browser has drawn a part, the next one renders.
#[hook]
fn use_parts() -> u8 {
    let parts = use_state(|| 1_u8);
    // The request for the first frame. Dropping it cancels it.
    let frame = use_mut_ref(|| None::<AnimationFrame>);
    use_effect_with(*parts, {
        let parts = parts.clone();
        move |made| {
            let made = *made;
            if made == 1 {
                browser::measure();
            }
            if made == PARTS {
                // The last part reduced the height of the list.
                if let Ok(Some(list)) = document().query_selector(".list") {
                    browser::follow(&list, COVERED);
                }
                // The page was drawn once, so it is safe to open again.
                Timeout::new(50, || {
                    browser::opening(false);
                    recovery::settle();
                })
                .forget();
                return;
            }
            let make_next = move || {
                Timeout::new(0, move || parts.set(made + 1)).forget();
            };
            // A hidden page draws nothing.
            if made == 1 && !document().hidden() {
                // The browser draws the frame right after this callback, so the task runs after it.
                frame.replace(Some(request_animation_frame(move |_| make_next())));
            } else {
                make_next();
            }
        }
    });
    *parts
}

/// Handles keys, pastes, drops, files and links of the whole document.
#[hook]
fn use_input_events(state: &UseReducerHandle<PageState>, act: &Dispatch) {
    // The file reader; dropping it cancels the read.
    let reader = use_mut_ref(|| None::<FileReader>);
    use_effect_with((state.view.shortcuts, state.view.held), {
        let act = act.clone();
        move |(shortcuts, held)| {
            let (shortcuts, held) = (*shortcuts, *held);
            let take = Callback::from(move |event| match event {
                InputEvent::Text(text) if text.len() as f64 > MAX_INPUT_BYTES => {
                    act.emit(reject_size(text.len() as f64));
                }
                InputEvent::Text(text) => act.emit(Action::Paste(text)),
                InputEvent::Do(action) => act.emit(action),
                InputEvent::Link(fragment) => act.emit(Action::Link(fragment)),
                InputEvent::File(file) if file.size() > MAX_INPUT_BYTES => {
                    act.emit(reject_size(file.size()));
                }
                InputEvent::File(file) => {
                    let act = act.clone();
                    // Invalid UTF-8 becomes replacement characters.
                    *reader.borrow_mut() = Some(read_as_text(
                        &file.into(),
                        move |result: Result<String, _>| {
                            act.emit(result.map_or_else(
                                |_| Action::Refuse(UNREADABLE_FILE.into()),
                                Action::Paste,
                            ));
                        },
                    ));
                }
                InputEvent::Key { key, focus, repeat } => {
                    if let Some(action) = keys::action(&key, focus, shortcuts) {
                        if repeat && !held {
                            act.emit(Action::Held(true));
                        }
                        act.emit(action);
                    }
                }
                InputEvent::Up if held => act.emit(Action::Held(false)),
                InputEvent::Up => {}
            });
            let listeners = input_events::listen(&take);
            move || drop(listeners)
        }
    });
}

/// Runs the idle queue in turns while no action happens.
#[hook]
fn use_idle_queue(state: &UseReducerHandle<PageState>, act: &Dispatch, parts: u8) {
    let runner = use_memo(act.clone(), |act| QueueRunner::new(act.clone()));
    let runs = parts == PARTS && !recovery::is_left_out(PagePart::Analysis);
    let deps = (state.evaluation.clone(), state.view.clone(), runs);
    use_effect_with(deps, move |(evaluation, _, runs)| {
        // A search is what the user waits for.
        let is_awaited = evaluation.results.sought.is_some();
        let delay = if runner.continues.replace(false) || is_awaited {
            0
        } else {
            IDLE_DELAY
        };
        let evaluation = evaluation.clone();
        let turn = {
            let runner = Rc::clone(&runner);
            move || runner.run_turn(evaluation)
        };
        runner
            .timer
            .replace(runs.then(|| Timeout::new(delay, turn)));
    });
}

/// The queue with its timer.
struct QueueRunner {
    queue: RefCell<AnalysisQueue>,
    /// The next turn; dropping it cancels it.
    timer: RefCell<Option<Timeout>>,
    /// Whether the last change of the state was a result of the queue.
    continues: Cell<bool>,
    act: Dispatch,
}

impl QueueRunner {
    fn new(act: Dispatch) -> Self {
        Self {
            queue: RefCell::default(),
            timer: RefCell::default(),
            continues: Cell::new(false),
            act,
        }
    }

    fn run_turn(self: Rc<Self>, evaluation: Evaluation) {
        if let Some(running) = self.timer.take() {
            // This is the running callback, which must not be dropped now.
            drop(running.forget());
        }
        page_part::enter(PagePart::Analysis);
        let turn = self.queue.borrow_mut().run_turn(&evaluation);
        page_part::enter(None);
        match turn {
            Turn::Idle => {}
            Turn::Unfinished => {
                let runner = Rc::clone(&self);
                let next = Timeout::new(0, move || runner.run_turn(evaluation));
                self.timer.replace(Some(next));
            }
            Turn::Finished(computed) => {
                self.continues.set(true);
                self.act.emit(Action::Computed(Rc::new(computed)));
            }
        }
    }
}

/// Stores a draft after each change of the work, and updates the address.
#[hook]
fn use_draft(state: &UseReducerHandle<PageState>, notices: &UseReducerHandle<NoticesState>) {
    let timer = use_mut_ref(|| None::<Timeout>);
    let deps = (
        state.evaluation.workspace.clone(),
        state.view.linked,
        notices.draft,
    );
    use_effect_with(deps, {
        let (state, notices) = (state.clone(), notices.clone());
        move |(_, linked, _)| {
            // The address of a lesson stays during experiments.
            if *linked || input_events::fragment().starts_with(lesson::ADDRESS) {
                // A draft of the work before that is not stored any more.
                timer.take();
                return;
            }
            // The address does not hold the shown work any more.
            browser::address("");
            timer.replace(Some(Timeout::new(DRAFT_DELAY, move || {
                match notices.draft {
                    DraftPolicy::Guarded => notices.dispatch(NoticeAction::AskForDraft),
                    DraftPolicy::Replaced => {
                        let failure = draft_storage::store(&state).err().unwrap_or_default();
                        if failure != notices.failure {
                            notices.dispatch(NoticeAction::Failed(failure));
                        }
                    }
                    DraftPolicy::Asked | DraftPolicy::Kept => {}
                }
            })));
        }
    });
}

/// On a narrow screen, restores the scroll position of each tab.
#[hook]
fn use_tab_positions(state: &UseReducerHandle<PageState>) {
    let before = use_mut_ref(|| None::<Rc<Paste>>);
    let original = Rc::clone(&state.workspace().original);
    use_effect_with((state.view.tab, Rc::as_ptr(&original)), move |(tab, _)| {
        if let Some(before) = before.replace(Some(Rc::clone(&original))) {
            browser::enter_tab(tab.key(), !Rc::ptr_eq(&before, &original));
        }
    });
}

/// Carries out the action of a notice's button.
fn answer_notice(
    state: &UseReducerHandle<PageState>,
    notices: &UseReducerHandle<NoticesState>,
    act: &Dispatch,
) -> Callback<NoticeAnswer> {
    let (state, notices, act) = (state.clone(), notices.clone(), act.clone());
    Callback::from(move |answer| match answer {
        NoticeAnswer::LoadOffered => {
            if let Some(draft) = &notices.offered {
                act.emit(Action::Link(draft.clone()));
            }
            notices.dispatch(NoticeAction::DropOffer);
        }
        NoticeAnswer::LeaveOffered => notices.dispatch(NoticeAction::DropOffer),
        NoticeAnswer::CloseRestart => notices.dispatch(NoticeAction::CloseRestart),
        NoticeAnswer::ShowWhole => recovery::start_whole(&state),
        NoticeAnswer::ReplaceDraft => {
            let failure = draft_storage::store(&state).err().unwrap_or_default();
            notices.dispatch(NoticeAction::ReplaceDraft);
            notices.dispatch(NoticeAction::Failed(failure));
        }
        NoticeAnswer::KeepDraft => notices.dispatch(NoticeAction::KeepDraft),
        NoticeAnswer::LoadDraft => {
            act.emit(Action::Link(draft_storage::load().unwrap_or_default()));
            notices.dispatch(NoticeAction::ReplaceDraft);
        }
        NoticeAnswer::CloseFailure => notices.dispatch(NoticeAction::Failed("")),
    })
}

/// The element that gets the focus when the focus moves to a part of the page.
fn first_element(tab: Tab) -> &'static str {
    match tab {
        Tab::Rules => "#pane-rules .scroll",
        Tab::Walk => "#step",
        Tab::Packet => "#pane-packet .scroll",
        Tab::Outcomes => "#pane-past button",
    }
}

fn reject_size(bytes: f64) -> Action {
    let [has, limit] = [bytes, MAX_INPUT_BYTES].map(|bytes| bytes as u64 / 1_000_000);
    Action::Refuse(format!(
        "this text has {has} MB, and this page reads up to {limit} MB: give it the part that matters, such as one dump"
    ))
}
