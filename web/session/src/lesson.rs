//! The state of the lessons: the list, the open lesson and step, the answers, and the progress.

use std::rc::Rc;

use chainwalk_core::lesson::{
    self, At, Exercise, Fault, Judgement, Lesson, LessonHead, LessonStep, Work,
};
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;

use crate::lesson_progress::Progress;
use crate::sample;

/// The beginning of the addresses of lessons: `#lessons`, `#lesson/NAME/STEP`,
/// `#lesson/NAME/handout`.
pub const ADDRESS: &str = "#lesson";

/// The character before each lesson in the text that holds all lessons.
const MARK: char = '\u{1e}';

/// The name of a lesson that was opened from a file.
pub(crate) const OWN: &str = "own";

/// A lesson before it is parsed.
#[derive(Debug)]
pub struct Entry {
    /// Its name in addresses.
    pub name: String,
    /// Its title and description.
    pub head: Result<LessonHead, Fault>,
    /// The number of its exercises.
    pub asks: usize,
    text: String,
}

impl Entry {
    fn new(name: &str, text: &str) -> Self {
        let asks = text
            .lines()
            .filter(|line| line.starts_with("```ask") || line.starts_with("```task"))
            .count();
        Self {
            name: name.into(),
            head: lesson::head(text),
            asks,
            text: text.into(),
        }
    }
}

/// The shown part of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A step, from 0.
    Step(usize),
    /// The whole lesson, for paper.
    Handout,
}

/// The shown part of the lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The lessons are closed.
    Closed,
    /// The list.
    List,
    /// A lesson, by its place in the list.
    Lesson(usize, Part),
}

/// The attempt at the open step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The chosen answers, in order.
    pub chosen: Vec<usize>,
    /// The number of shown hints.
    pub hints: usize,
    /// Whether the answer is shown.
    pub given_up: bool,
    /// The result of the last attempt at the task.
    pub judged: Option<Judgement>,
    /// The lowest number of moves that solved the task; `None` while it is unsolved.
    pub solved: Option<usize>,
}

/// The state of the lessons.
#[derive(Clone, Debug, Default)]
pub struct Classroom {
    /// Every lesson; empty until they are loaded.
    pub entries: Option<Rc<Vec<Entry>>>,
    /// Why loading failed, or the error of a file.
    pub fault: String,
    /// The address, which selects the shown part.
    pub address: String,
    /// The open lesson: its name, and its parsed text or the error in it.
    open: Option<(String, Rc<Result<Lesson, Fault>>)>,
    /// The attempt at the open step.
    pub attempt: Attempt,
    /// The progress in all lessons.
    pub progress: Progress,
    /// Whether the trainer's view is on: all answers, in larger type.
    pub trainer: bool,
}

/// An event of the lessons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonAction {
    /// An address was opened: the part from `#`.
    Address(String),
    /// The text of all lessons arrived.
    Loaded(String),
    /// Loading the lessons failed.
    Missing(String),
    /// A file was opened: a lesson, or a saved progress.
    File(String),
    /// An answer was chosen.
    Choose(usize),
    /// The reader requested another hint.
    Hint,
    /// The reader requested the answer.
    GiveUp,
    /// An attempt at a task was judged.
    Judged(Judgement),
    /// The trainer's view is switched on or off.
    Trainer,
    /// Progress is reset.
    Reset,
}

impl Classroom {
    /// Closed lessons, with the progress of earlier visits.
    pub fn new(progress: Progress) -> Self {
        Self {
            progress,
            ..Self::default()
        }
    }

    /// The shown part.
    pub fn shown(&self) -> Shown {
        let Some(rest) = self.address.strip_prefix(ADDRESS) else {
            return Shown::Closed;
        };
        let mut parts = rest.trim_start_matches('/').split('/');
        let name = parts.next().unwrap_or_default();
        let place = self
            .entries
            .iter()
            .flat_map(|entries| entries.iter())
            .position(|entry| entry.name == name);
        match (place, parts.next()) {
            (None, _) => Shown::List,
            (Some(place), Some("handout")) => Shown::Lesson(place, Part::Handout),
            (Some(place), step) => {
                let step = step
                    .and_then(|step| step.parse::<usize>().ok())
                    .unwrap_or(1);
                let last = self
                    .lesson()
                    .map_or(usize::MAX, |lesson| lesson.steps.len().saturating_sub(1));
                Shown::Lesson(place, Part::Step(step.saturating_sub(1).min(last)))
            }
        }
    }

    /// The open lesson.
    pub fn lesson(&self) -> Option<&Lesson> {
        self.result()?.as_ref().ok()
    }

    /// The open lesson, or the error in it.
    pub fn result(&self) -> Option<&Result<Lesson, Fault>> {
        self.open.as_ref().map(|(_, lesson)| &**lesson)
    }

    /// The open step, with its number.
    pub fn step(&self) -> Option<(usize, &LessonStep)> {
        match self.shown() {
            Shown::Lesson(_, Part::Step(step)) => Some((step, self.lesson()?.steps.get(step)?)),
            _ => None,
        }
    }

    /// Whether the text after the exercise is shown.
    pub fn is_done(&self, step: &LessonStep) -> bool {
        let chosen = &self.attempt.chosen;
        self.trainer
            || self.attempt.given_up
            || match &step.exercise {
                None => true,
                Some(Exercise::Ask(question)) => {
                    chosen.iter().any(|choice| question.choices[*choice].right)
                }
                Some(Exercise::Task(_)) => self.attempt.solved.is_some(),
            }
    }

    /// Whether the walk is hidden, because the reader must predict it.
    pub fn hides(&self) -> bool {
        self.step().is_some_and(|(_, step)| {
            matches!(&step.exercise, Some(Exercise::Ask(question)) if question.hides)
                && !self.is_done(step)
        })
    }

    /// The rules and packets of the open step.
    pub fn stage(&self) -> Option<Stage> {
        let (_, step) = self.step()?;
        let lesson = self.lesson()?;
        let world = &lesson.worlds[step.scene.world];
        let own = match &step.exercise {
            Some(Exercise::Task(task)) => match &task.work {
                Work::Packet(start, _) => Some(vec![*start]),
                Work::Rules => None,
            },
            _ => None,
        };
        let places = own.as_ref().unwrap_or(&step.scene.packets);
        Some(Stage {
            text: world.text.clone(),
            host: world.host_known.then(|| world.host.clone()),
            packets: places
                .iter()
                .map(|place| lesson.packets[*place].1.clone())
                .collect(),
            at: if self.hides() {
                At::Start
            } else {
                step.scene.at
            },
            whole: self.hides(),
        })
    }

    fn name(&self) -> Option<&str> {
        match (self.shown(), &self.entries) {
            (Shown::Lesson(place, _), Some(entries)) => Some(&entries[place].name),
            _ => None,
        }
    }

    /// Parses the lesson of the address.
    fn open(&mut self) {
        let Some(name) = self.name().map(str::to_owned) else {
            return;
        };
        if self.open.as_ref().is_some_and(|(open, _)| *open == name) {
            return;
        }
        let entry = self
            .entries
            .iter()
            .flat_map(|entries| entries.iter())
            .find(|entry| entry.name == name);
        let text = entry.map_or("", |entry| &entry.text);
        self.open = Some((name, Rc::new(lesson::read_lesson(text, &sample::written))));
    }

    fn load(&mut self, text: &str) {
        let lessons = text.split(MARK).filter_map(|part| part.split_once('\n'));
        self.entries = Some(Rc::new(
            lessons.map(|(name, text)| Entry::new(name, text)).collect(),
        ));
    }

    fn file(&mut self, text: &str) {
        if let Some(progress) = Progress::from_file(text) {
            self.progress.join(progress);
            return;
        }
        match lesson::read_lesson(text, &sample::written) {
            Err(fault) => self.fault = format!("This lesson cannot be used. Line {fault}"),
            Ok(_) => {
                let entries = self.entries.take().unwrap_or_default();
                let mut all: Vec<Entry> = entries
                    .iter()
                    .filter(|entry| entry.name != OWN)
                    .map(|entry| Entry::new(&entry.name, &entry.text))
                    .collect();
                all.push(Entry::new(OWN, text));
                self.entries = Some(Rc::new(all));
                (self.open, self.fault) = (None, String::new());
                self.address = format!("{ADDRESS}/{OWN}");
            }
        }
    }

    /// Stores that the step is finished.
    fn note(&mut self, moves: usize) {
        if let (Some(name), Some((step, _)), false) =
            (self.name().map(str::to_owned), self.step(), self.trainer)
        {
            self.progress.note(&name, step, moves);
        }
    }

    /// The lessons after an event.
    #[must_use]
    pub fn reduce(self: Rc<Self>, event: LessonAction) -> Rc<Self> {
        let mut classroom = Rc::unwrap_or_clone(self);
        classroom.apply(event);
        Rc::new(classroom)
    }

    fn apply(&mut self, event: LessonAction) {
        match event {
            LessonAction::Address(address) => {
                if address != self.address {
                    (self.address, self.attempt, self.fault) =
                        (address, Attempt::default(), String::new());
                }
            }
            LessonAction::Loaded(text) => self.load(&text),
            LessonAction::Missing(why) => {
                self.fault = format!("The lessons could not be loaded: {why}")
            }
            LessonAction::File(text) => self.file(&text),
            LessonAction::Choose(choice) => {
                if !self.attempt.chosen.contains(&choice) {
                    self.attempt.chosen.push(choice);
                }
                let right = self.step().is_some_and(|(_, step)| {
                    matches!(&step.exercise, Some(Exercise::Ask(question)) if question.choices[choice].right)
                });
                if right && !self.attempt.given_up {
                    self.note(0);
                }
            }
            LessonAction::Hint => self.attempt.hints += 1,
            LessonAction::GiveUp => self.attempt.given_up = true,
            LessonAction::Judged(judged) => {
                let Judgement { solved, moves, .. } = judged;
                self.attempt.judged = Some(judged);
                if solved && self.attempt.solved.is_none_or(|best| moves < best) {
                    self.attempt.solved = Some(moves);
                    if !self.attempt.given_up {
                        self.note(moves);
                    }
                }
            }
            LessonAction::Trainer => self.trainer = !self.trainer,
            LessonAction::Reset => self.progress = Progress::default(),
        }
        self.open();
    }
}

/// The rules and packets that a step of a lesson shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The rules.
    pub text: String,
    /// The namespace, if the lesson states one.
    pub host: Option<Host>,
    /// One packet or two.
    pub packets: Vec<Packet>,
    /// The step of the walk.
    pub at: At,
    /// Whether all rules are shown in the order of the text.
    pub whole: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSONS: &str = "\u{1e}one\n---\ntitle: One\nabout: First.\nminutes: 3\nrules: istio-sidecar\npacket app: internet\n---\n\
        ## A\n```show\npackets: app\n```\n```ask app\nWhere?\n- port 15001\n- sent eth0\nhint: Look.\n```\nBehind.\n## B\nText.\n\
        ## C\n```task packet app\nGet out.\ngoal: sent eth0\nsolution: uid 1337\n```\n\
        \u{1e}two\n---\ntitle: Two\n---\n";

    fn after(events: impl IntoIterator<Item = LessonAction>) -> Rc<Classroom> {
        let open = [
            LessonAction::Address("#lesson/one".into()),
            LessonAction::Loaded(LESSONS.into()),
        ];
        open.into_iter()
            .chain(events)
            .fold(Rc::default(), Classroom::reduce)
    }

    #[test]
    fn an_address_opens_a_lesson_at_a_step() {
        let go = |address: &str| after([LessonAction::Address(address.into())]).shown();
        assert_eq!(go("#lesson/one"), Shown::Lesson(0, Part::Step(0)));
        assert_eq!(go("#lesson/one/3"), Shown::Lesson(0, Part::Step(2)));
        assert_eq!(go("#lesson/one/99"), Shown::Lesson(0, Part::Step(2)));
        assert_eq!(go("#lesson/one/handout"), Shown::Lesson(0, Part::Handout));
        assert_eq!(
            (go("#lessons"), go("#lesson/none"), go("#"), go("#1abc")),
            (Shown::List, Shown::List, Shown::Closed, Shown::Closed)
        );
    }

    #[test]
    fn a_prediction_hides_the_walk_until_it_is_right() {
        let asked = after([]);
        assert!(
            asked.hides()
                && asked
                    .stage()
                    .is_some_and(|stage| stage.whole && stage.at == At::Start)
        );
        let wrong = asked.reduce(LessonAction::Choose(1));
        assert!(wrong.hides() && wrong.progress.of("one").is_empty());
        let right = wrong.reduce(LessonAction::Choose(0));
        assert!(!right.hides());
        assert_eq!(right.progress.of("one"), [(0, 0)]);
        assert!(!after([LessonAction::Trainer]).hides());
        let given_up = after([LessonAction::GiveUp, LessonAction::Choose(0)]);
        assert!(
            !given_up.hides() && given_up.progress.of("one").is_empty(),
            "a shown answer is not progress"
        );
    }

    #[test]
    fn a_task_keeps_the_best_attempt() {
        let at = LessonAction::Address("#lesson/one/3".into());
        let judged = |solved, moves| {
            LessonAction::Judged(Judgement {
                solved,
                moves,
                lines: Vec::new(),
            })
        };
        let solved = after([
            at,
            judged(true, 3),
            judged(true, 1),
            judged(true, 2),
            judged(false, 0),
        ]);
        assert_eq!(
            (solved.attempt.solved, solved.progress.of("one")),
            (Some(1), &[(2, 1)][..])
        );
    }

    #[test]
    fn a_file_is_a_lesson_a_progress_or_refused() {
        let own = LESSONS
            .split(MARK)
            .nth(1)
            .and_then(|one| one.split_once('\n'))
            .expect("a lesson")
            .1;
        let opened = after([LessonAction::File(own.into())]);
        assert_eq!(
            (opened.shown(), opened.fault.as_str()),
            (Shown::Lesson(2, Part::Step(0)), "")
        );
        let broken = after([LessonAction::File(
            own.replace("{{", "").replace("port 15001", "port 1"),
        )]);
        assert!(
            broken
                .fault
                .starts_with("This lesson cannot be used. Line 12: "),
            "{}",
            broken.fault
        );
        let progress = after([LessonAction::Choose(0)]).progress.clone();
        let joined = after([LessonAction::File(progress.to_file())]);
        assert_eq!(joined.progress, progress);
    }
}
