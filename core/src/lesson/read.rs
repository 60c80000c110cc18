//! The lines of a lesson's file: header, steps, paragraphs, and fenced blocks for scenes, questions
//! and tasks.

use crate::analysis::scenario;
use crate::packet::Packet;
use crate::packet::fields::PacketField;
use crate::packet::form::{FieldError, PacketForm};
use crate::packet::host::Host;
use crate::packet::line;

use super::words::LessonActors;
use super::world::{World, station};
use super::{
    At, Block, Exercise, Fault, Goal, Lesson, LessonHead, LessonQuestion, LessonStep, Scene,
    Source, Task, Work,
};
use super::{ask, task};

/// A line with its number, as `key: value`.
type Keyed<'a> = (usize, &'a str, &'a str);

/// The lines of a file with their numbers, from 1.
struct LessonLines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> LessonLines<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let line = self.lines.get(self.at)?.trim_end();
        self.at += 1;
        Some((self.at, line))
    }

    /// The lines before the next one that is `end`. That line is consumed as well.
    fn until(&mut self, end: &str) -> Result<Vec<(usize, &'a str)>, Fault> {
        let start = self.at;
        let mut found = Vec::new();
        while let Some((number, line)) = self.next() {
            if line == end {
                return Ok(found);
            }
            found.push((number, line));
        }
        Err(fault(
            start,
            format!("this block is not closed: add a line `{end}`"),
        ))
    }
}

fn fault(line: usize, message: impl Into<String>) -> Fault {
    Fault {
        line,
        message: message.into(),
    }
}

/// Splits a file into the lines of its header, as key and value, and the other lines.
fn header(text: &str) -> Result<(Vec<Keyed<'_>>, LessonLines<'_>), Fault> {
    let mut lines = LessonLines {
        lines: text.lines().collect(),
        at: 0,
    };
    if lines
        .next()
        .is_none_or(|(_, line)| line.trim_start_matches('\u{feff}') != "---")
    {
        return Err(fault(
            1,
            "the header is missing: begin with a header between two lines of `---`",
        ));
    }
    let mut found = Vec::new();
    for (number, line) in lines.until("---")? {
        match line.split_once(':') {
            Some((key, value)) => found.push((number, key.trim(), value.trim())),
            None if line.is_empty() => {}
            None => {
                return Err(fault(
                    number,
                    format!("invalid header line `{line}`: write `key: value`"),
                ));
            }
        }
    }
    Ok((found, lines))
}

/// Parses only the entry for the list of lessons.
///
/// # Errors
/// If the header is invalid.
pub fn head(text: &str) -> Result<LessonHead, Fault> {
    let (header, _) = header(text)?;
    let value = |wanted: &str| {
        let found = header
            .iter()
            .find(|(_, key, _)| *key == wanted)
            .map(|(_, _, value)| (*value).to_owned());
        found.ok_or_else(|| fault(1, format!("the header has no `{wanted}:`")))
    };
    Ok(LessonHead {
        title: value("title")?,
        about: value("about")?,
        minutes: value("minutes")?,
    })
}

/// Parses a lesson and checks its claims. `library` returns the rule sets of the page.
///
/// # Errors
/// The first error.
pub fn read_lesson<'a>(
    text: &str,
    library: &dyn Fn(&str) -> Option<Source<'a>>,
) -> Result<Lesson, Fault> {
    let head = head(text)?;
    let (header, mut lines) = header(text)?;
    let lesson = Lesson {
        head,
        worlds: Vec::new(),
        packets: Vec::new(),
        steps: Vec::new(),
    };
    let mut reader = Reader {
        lesson,
        library,
        scene: Scene::default(),
    };
    let (packets, others): (Vec<Keyed>, Vec<Keyed>) = header
        .into_iter()
        .partition(|(_, key, _)| key.starts_with("packet "));
    for (number, key, value) in others {
        reader
            .head(key, value)
            .map_err(|message| fault(number, message))?;
    }
    // The file itself may contain rules, and packets take their addresses from the rules.
    let mut packets = Some(packets);
    while let Some((number, line)) = lines.next() {
        if line.starts_with("## ") && packets.is_some() {
            reader.packets(packets.take().unwrap_or_default())?;
        }
        reader.line(number, line, &mut lines)?;
    }
    match reader
        .lesson
        .steps
        .iter()
        .find(|step| step.scene.packets.is_empty())
    {
        Some(step) => {
            return Err(fault(
                step.line,
                "this step shows no packet: add a block `show` with `packets: NAME`",
            ));
        }
        None if reader.lesson.steps.is_empty() => {
            return Err(fault(
                lines.at,
                "the lesson has no step: add a line that begins with `## `",
            ));
        }
        None => {}
    }
    Ok(reader.lesson)
}

struct Reader<'l, 'a> {
    lesson: Lesson,
    library: &'l dyn Fn(&str) -> Option<Source<'a>>,
    scene: Scene,
}

impl Reader<'_, '_> {
    fn head(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key.split_once(' ').unwrap_or((key, "")) {
            ("title" | "about", "") => Ok(()),
            ("minutes", "") => match value.parse::<u8>() {
                Ok(1..) => Ok(()),
                _ => Err(format!("invalid number of minutes `{value}`")),
            },
            ("rules", "") => {
                for name in value.split_whitespace() {
                    let (text, host) = (self.library)(name)
                        .ok_or_else(|| format!("the page has no rules `{name}`"))?;
                    let host = host
                        .map(Host::from_json)
                        .transpose()
                        .map_err(|error| error.to_string())?;
                    self.lesson.worlds.push(World::new(name, text, host)?);
                }
                Ok(())
            }
            _ => Err(format!(
                "unknown header key `{key}`: use title, about, minutes, rules or packet NAME"
            )),
        }
    }

    fn packets(&mut self, header: Vec<Keyed>) -> Result<(), Fault> {
        if self.lesson.worlds.is_empty() {
            return Err(fault(
                1,
                "the lesson has no rules: name some in the header as `rules:`, or add a block \
                `rules NAME`",
            ));
        }
        for (number, key, value) in header {
            let packet = self
                .packet(value)
                .map_err(|message| fault(number, message))?;
            self.lesson
                .packets
                .push((key.trim_start_matches("packet ").trim().into(), packet));
        }
        Ok(())
    }

    /// Parses a packet of the header: a base packet and its changes.
    fn packet(&self, value: &str) -> Result<Packet, String> {
        let (base, changes) = value.split_once(',').unwrap_or((value, ""));
        let world = &self.lesson.worlds[0];
        let own = self
            .lesson
            .packets
            .iter()
            .find(|(name, _)| name == base)
            .map(|(_, packet)| packet.clone());
        let usual = || {
            let list = scenario::of_rules(&world.rulesets, &world.host, world.mesh.as_ref());
            list.into_iter()
                .find(|one| one.key == base)
                .map(|one| one.packet)
        };
        let base = match own.or_else(usual) {
            Some(base) => base,
            None if base.contains('>') => {
                line::parse_packet_line(base).map_err(|mistake| mistake.message)?
            }
            None => {
                let example = line::EXAMPLE;
                return Err(format!(
                    "unknown packet `{base}`: use a known name, or a line such as `{example}`"
                ));
            }
        };
        packet(&base, changes.split(','))
    }

    /// The position of the rule set with a name.
    fn world(&self, name: &str) -> Result<usize, String> {
        let found = self
            .lesson
            .worlds
            .iter()
            .position(|world| world.name == name);
        found.ok_or_else(|| format!("there are no rules `{name}`"))
    }

    fn cast(&self) -> LessonActors<'_> {
        self.lesson.cast(self.scene.world)
    }

    fn line(&mut self, number: usize, line: &str, lines: &mut LessonLines) -> Result<(), Fault> {
        if let Some(title) = line.strip_prefix("## ") {
            // The scene stays, but the highlighted field does not.
            (self.scene.at, self.scene.field) = (At::Decided, None);
            let (scene, title) = (self.scene.clone(), title.to_owned());
            let (before, exercise, after) = (Vec::new(), None, Vec::new());
            self.lesson.steps.push(LessonStep {
                title,
                line: number,
                scene,
                before,
                exercise,
                after,
            });
            return Ok(());
        }
        if let Some(kind) = line.strip_prefix("```") {
            let inside = lines.until("```")?;
            return self.fence(number, kind.trim(), &inside);
        }
        if line.is_empty() {
            return Ok(());
        }
        if line.starts_with('#') {
            return Err(fault(
                number,
                "invalid heading: begin the heading of a step with `## `",
            ));
        }
        // Before the first step, there may be no rules for a claim.
        self.step(number)?;
        // A paragraph or an item extends to an empty line or to the next item.
        let mut text = line.to_owned();
        while let Some(next) = lines.lines.get(lines.at).map(|next| next.trim()) {
            if next.is_empty()
                || ["- ", "## ", "```"]
                    .iter()
                    .any(|start| next.starts_with(start))
            {
                break;
            }
            text += " ";
            text += next;
            lines.at += 1;
        }
        let item = text.strip_prefix("- ");
        let pieces = self
            .cast()
            .line(item.unwrap_or(&text))
            .map_err(|message| fault(number, message))?;
        self.push(
            number,
            if item.is_some() {
                Block::Item(pieces)
            } else {
                Block::Paragraph(pieces)
            },
        )
    }

    fn step(&mut self, number: usize) -> Result<&mut LessonStep, Fault> {
        self.lesson.steps.last_mut().ok_or_else(|| {
            fault(
                number,
                "this line is before the first step: begin a step with `## Heading`",
            )
        })
    }

    fn push(&mut self, number: usize, block: Block) -> Result<(), Fault> {
        let step = self.step(number)?;
        let list = if step.exercise.is_some() {
            &mut step.after
        } else {
            &mut step.before
        };
        list.push(block);
        Ok(())
    }

    fn fence(&mut self, number: usize, kind: &str, inside: &[(usize, &str)]) -> Result<(), Fault> {
        let (word, about) = kind.split_once(' ').unwrap_or((kind, ""));
        let text = || {
            inside
                .iter()
                .flat_map(|(_, line)| [line, "\n"])
                .collect::<String>()
        };
        if matches!(word, "show" | "ask" | "task") {
            self.step(number)?;
        }
        match word {
            "" | "text" | "sh" | "yaml" => self.push(number, Block::Listing(text())),
            "rules" => self
                .rules(about, &text(), inside)
                .map_err(|message| fault(number, message)),
            "host" => {
                let host =
                    Host::from_json(&text()).map_err(|error| fault(number, error.to_string()))?;
                let world = self
                    .lesson
                    .worlds
                    .iter_mut()
                    .find(|world| world.name == about);
                let world = world.ok_or_else(|| {
                    fault(
                        number,
                        format!("there are no rules `{about}`: write `host NAME`"),
                    )
                })?;
                (world.host, world.host_known) = (host, true);
                Ok(())
            }
            "show" => {
                // The other lines name packets and rules of the rule set, which may be given after
                // them.
                let (first, others): (Vec<_>, Vec<_>) =
                    inside.iter().partition(|(_, text): &&(usize, &str)| {
                        text.trim_start().starts_with("rules:")
                    });
                for (line, text) in first.into_iter().chain(others) {
                    self.show(text).map_err(|message| fault(line, message))?;
                }
                let scene = self.scene.clone();
                let step = self.step(number)?;
                let told = step.exercise.is_some() || step.before.iter().any(claims);
                if told && step.scene.world != scene.world {
                    let says = "this block shows other rules, and a claim above refers to the \
                    rules before: put `show` before the claim";
                    return Err(fault(number, says));
                }
                step.scene = scene;
                Ok(())
            }
            "ask" | "task" => {
                let exercise = match word {
                    "ask" => Exercise::Ask(self.question(number, about, inside)?),
                    _ => Exercise::Task(self.task(number, about, inside)?),
                };
                let step = self.step(number)?;
                if step.exercise.replace(exercise).is_some() {
                    return Err(fault(
                        number,
                        "a step has one exercise: begin another step for this one",
                    ));
                }
                Ok(())
            }
            _ => Err(fault(
                number,
                format!("unknown block `{word}`: use show, ask, task, rules, host, or none"),
            )),
        }
    }

    /// Parses `rules NAME` with a text, or `rules NAME from OTHER` with commands.
    fn rules(&mut self, about: &str, text: &str, inside: &[(usize, &str)]) -> Result<(), String> {
        let words: Vec<&str> = about.split_whitespace().collect();
        let world = match words[..] {
            [name] => World::new(name, text, None)?,
            [name, "from", other] => {
                let from = &self.lesson.worlds[self.world(other)?];
                let text = from.changed(inside.iter().map(|(_, line)| *line))?;
                World::new(name, &text, from.host_known.then(|| from.host.clone()))?
            }
            _ => return Err("write `rules NAME`, or `rules NAME from OTHER` with commands".into()),
        };
        self.lesson.worlds.push(world);
        Ok(())
    }

    fn show(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("`{line}` is not `key: value`"))?;
        let value = value.trim();
        match key.trim() {
            "rules" => {
                let world = self.world(value)?;
                if self.scene.world != world {
                    // `at` refers to a rule of the other rule set.
                    (self.scene.world, self.scene.at) = (world, At::Decided);
                }
            }
            "packets" => {
                let found: Result<Vec<usize>, String> = value
                    .split_whitespace()
                    .map(|name| self.cast().packet(name))
                    .collect();
                self.scene.packets = found?;
                if !(1..=2).contains(&self.scene.packets.len()) {
                    return Err("show one or two packets".into());
                }
            }
            "at" => {
                self.scene.at = match value {
                    "start" => At::Start,
                    "end" => At::End,
                    _ => match station(value) {
                        Ok((hook, table)) => At::Station(hook, table),
                        Err(_) => At::Rule(self.cast().world.place(value)?),
                    },
                };
            }
            "field" => {
                self.scene.field = Some(field(value)?);
            }
            _ => {
                return Err(format!(
                    "unknown key `{key}`: use rules, packets, at or field"
                ));
            }
        }
        Ok(())
    }

    fn question(
        &self,
        number: usize,
        about: &str,
        inside: &[(usize, &str)],
    ) -> Result<LessonQuestion, Fault> {
        let cast = self.cast();
        let about = ask::about(&cast, about).map_err(|message| fault(number, message))?;
        let options: Vec<(usize, &str)> = inside
            .iter()
            .filter_map(|(line, text)| Some((*line, text.strip_prefix("- ")?)))
            .collect();
        let choices = ask::choices(&cast, &about, number, &options)?;
        let (prompt, keys) = self.prompt(inside)?;
        let (mut hints, mut hides) = (Vec::new(), true);
        for (line, key, value) in keys {
            match (key, value) {
                ("walk", "shown") => hides = false,
                ("hint", _) => {
                    hints.push(cast.line(value).map_err(|message| fault(line, message))?)
                }
                _ => {
                    return Err(fault(
                        line,
                        format!("a question has no `{key}: {value}`: use `hint:` or `walk: shown`"),
                    ));
                }
            }
        }
        Ok(LessonQuestion {
            prompt,
            choices,
            hides,
            hints,
        })
    }

    /// Splits a block into its leading words and its `key: value` lines.
    fn prompt<'t>(
        &self,
        inside: &[(usize, &'t str)],
    ) -> Result<(Vec<super::TextPiece>, Vec<Keyed<'t>>), Fault> {
        let key = |text: &&'t str| text.split_once(": ").filter(|(key, _)| KEYS.contains(key));
        let words: Vec<&(usize, &str)> = inside
            .iter()
            .take_while(|(_, text)| !text.starts_with("- ") && key(text).is_none())
            .collect();
        let first = words.first().map_or(0, |(line, _)| *line);
        let text = words
            .iter()
            .map(|(_, text)| text.trim())
            .collect::<Vec<_>>()
            .join(" ");
        let pieces = self
            .cast()
            .line(&text)
            .map_err(|message| fault(first, message))?;
        let mut keys = Vec::new();
        for (line, text) in inside
            .iter()
            .skip(words.len())
            .filter(|(_, text)| !text.starts_with("- ") && !text.is_empty())
        {
            let (key, value) = key(text)
                .ok_or_else(|| fault(*line, format!("unknown line `{text}` in this block")))?;
            keys.push((*line, key, value.trim()));
        }
        Ok((pieces, keys))
    }

    fn task(&self, number: usize, about: &str, inside: &[(usize, &str)]) -> Result<Task, Fault> {
        let cast = self.cast();
        let work = match about.split_once(' ').unwrap_or((about, "")) {
            ("packet", name) => Work::Packet(
                cast.packet(name)
                    .map_err(|message| fault(number, message))?,
                Vec::new(),
            ),
            ("rules", "") => Work::Rules,
            _ => return Err(fault(number, "write `task packet NAME` or `task rules`")),
        };
        let (prompt, keys) = self.prompt(inside)?;
        let (goals, hints) = (Vec::new(), Vec::new());
        let mut task = Task {
            prompt,
            work,
            goals,
            fewest: 1,
            solutions: Vec::new(),
            against: None,
            spare: Vec::new(),
            hints,
        };
        for (line, key, value) in keys {
            let words = || value.split_whitespace().map(str::to_owned);
            let done = match (key, &mut task.work) {
                ("goal", Work::Packet(..)) => cast
                    .world
                    .test(value)
                    .map(|test| task.goals.push(Goal { packet: None, test })),
                ("goal", Work::Rules) => {
                    let (name, test) = value.split_once(' ').unwrap_or((value, ""));
                    cast.packet(name).and_then(|packet| {
                        task.goals.push(Goal {
                            packet: Some(packet),
                            test: cast.world.test(test)?,
                        });
                        Ok(())
                    })
                }
                ("keep", Work::Packet(_, keep)) => {
                    words().try_for_each(|word| field(&word).map(|field| keep.push(field)))
                }
                ("against", Work::Rules) => {
                    self.world(value).map(|world| task.against = Some(world))
                }
                ("spare", Work::Rules) => {
                    task.spare.extend(words());
                    Ok(())
                }
                ("fewest", _) => value
                    .parse()
                    .map(|fewest| task.fewest = fewest)
                    .map_err(|_| format!("invalid number `{value}`")),
                ("solution", _) => {
                    task.solutions.push(value.into());
                    Ok(())
                }
                ("hint", _) => cast.line(value).map(|hint| task.hints.push(hint)),
                _ => Err(format!("such a task has no `{key}:`")),
            };
            done.map_err(|message| fault(line, message))?;
        }
        let against = &self.lesson.worlds[task.against.unwrap_or(self.scene.world)];
        task::check(&cast, against, &task).map_err(|message| fault(number, message))?;
        Ok(task)
    }
}

/// Whether a part of it comes from the shown walk.
fn claims(block: &Block) -> bool {
    match block {
        Block::Paragraph(pieces) | Block::Item(pieces) => pieces
            .iter()
            .any(|piece| matches!(piece, super::TextPiece::Told(..))),
        Block::Listing(_) => false,
    }
}

/// The keys of blocks.
const KEYS: [&str; 8] = [
    "hint", "walk", "goal", "against", "keep", "spare", "fewest", "solution",
];

/// The packet field with a name of the public JSON.
pub(super) fn field(name: &str) -> Result<PacketField, String> {
    name.parse().map_err(|_| {
        format!("a packet has no field `{name}`: the names are those of the public JSON, such as uid or dport")
    })
}

/// A packet with changed fields, each as `field value`. `none` empties a field.
pub(super) fn packet<'t>(
    base: &Packet,
    changes: impl Iterator<Item = &'t str>,
) -> Result<Packet, String> {
    let mut form = PacketForm::from_packet(base);
    for change in changes.map(str::trim).filter(|change| !change.is_empty()) {
        let (key, value) = change
            .split_once(' ')
            .ok_or_else(|| format!("`{change}` is not `field value`"))?;
        form.set(
            field(key)?,
            if value == "none" {
                String::new()
            } else {
                value.trim().into()
            },
        );
    }
    let wrong = |wrong: Vec<FieldError>| {
        wrong
            .first()
            .map(|first| format!("{}: {}", first.field.name(), first.message))
    };
    form.packet().map_err(|all| wrong(all).unwrap_or_default())
}
