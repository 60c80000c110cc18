//! Lessons: every lesson of the page is parsed, checked and played. Invalid lessons are reported
//! with their line.

use std::fs;
use std::path::Path;

use chainwalk_core::input::parse;
use chainwalk_core::lesson::{self, Block, Exercise, Lesson, Source, Task, TextPiece, Work};

const STATIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../static");

/// The rule sets of the page.
fn library(name: &str) -> Option<Source<'static>> {
    let read = |end: &str| fs::read_to_string(format!("{STATIC}/samples/{name}.{end}")).ok();
    let keep = |text: String| -> &'static str { text.leak() };
    Some((keep(read("txt")?), read("host.json").map(keep)))
}

/// All lessons, in order, with the names of their files.
fn lessons() -> Vec<(String, String, Lesson)> {
    let directory = Path::new(STATIC).join("lessons");
    let entries = fs::read_dir(directory).expect("there is a directory of lessons");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path: std::path::PathBuf| {
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("a lesson is text");
            let lesson = lesson::read_lesson(&text, &library)
                .unwrap_or_else(|fault| panic!("{name}:{fault}"));
            (name, text, lesson)
        })
        .collect()
}

fn tasks(lesson: &Lesson) -> impl Iterator<Item = (usize, &Task)> {
    lesson.steps.iter().filter_map(|step| match &step.exercise {
        Some(Exercise::Task(task)) => Some((step.scene.world, task)),
        _ => None,
    })
}

#[test]
fn every_lesson_is_read_and_asks_something() {
    let lessons = lessons();
    for (name, _, lesson) in &lessons {
        assert!(
            lesson.steps.iter().any(|step| step.exercise.is_some()),
            "{name} asks nothing"
        );
        let minutes: u32 = lesson.head.minutes.parse().expect("minutes are a number");
        assert!(
            (3..=12).contains(&minutes),
            "{name} takes {minutes} minutes"
        );
        for step in &lesson.steps {
            assert!(
                !step.scene.packets.is_empty(),
                "{name}:{}: no packet is shown",
                step.line
            );
            let Some(exercise) = &step.exercise else {
                continue;
            };
            assert!(
                !exercise.prompt().is_empty(),
                "{name}:{}: it asks without words",
                step.line
            );
            assert!(
                !exercise.hints().is_empty(),
                "{name}:{}: there is no hint",
                step.line
            );
        }
    }
}

#[test]
fn every_answer_has_its_own_reason() {
    for (name, _, lesson) in lessons() {
        for step in &lesson.steps {
            let Some(Exercise::Ask(question)) = &step.exercise else {
                continue;
            };
            for choice in &question.choices {
                assert!(choice.reply.len() > 20, "{name}:{}: {choice:?}", step.line);
            }
            let right = question
                .choices
                .iter()
                .find(|choice| choice.right)
                .expect("reading made sure");
            for wrong in question.choices.iter().filter(|choice| !choice.right) {
                assert_ne!(wrong.reply, right.reply, "{name}:{}", step.line);
                assert_ne!(wrong.words, right.words, "{name}:{}", step.line);
            }
        }
    }
}

#[test]
fn nothing_done_solves_no_task() {
    for (name, _, lesson) in lessons() {
        for (world, task) in tasks(&lesson) {
            let judged = match &task.work {
                Work::Packet(start, _) => {
                    lesson.judge_packet(world, task, &lesson.packets[*start].1)
                }
                Work::Rules => lesson.judge_rules(world, task, &lesson.worlds[world].rulesets),
            };
            assert!(!judged.solved && judged.moves == 0, "{name}: {judged:?}");
        }
    }
}

/// Claims about a packet come from the walk. An author's own words about it are inside a claim.
#[test]
fn no_claim_is_bare_text() {
    const CLAIMS: [&str; 12] = [
        "is captured",
        "not captured",
        "is dropped",
        "gets past",
        "goes past",
        "leaves by",
        "is sent to",
        "ends at",
        "is delivered",
        "lets it out",
        "rule decides",
        "is redirected to",
    ];
    for (name, _, lesson) in lessons() {
        for step in &lesson.steps {
            for block in step.before.iter().chain(&step.after) {
                let (Block::Paragraph(pieces) | Block::Item(pieces)) = block else {
                    continue;
                };
                for piece in pieces {
                    if let TextPiece::Text(text) | TextPiece::Strong(text) = piece {
                        // A question and a conditional sentence are not claims.
                        for sentence in text
                            .split_inclusive(['.', '?', ':'])
                            .filter(|sentence| !sentence.ends_with('?'))
                        {
                            let bare = CLAIMS.iter().find(|claim| sentence.contains(*claim));
                            assert_eq!(
                                bare, None,
                                "{name}:{}: `{sentence}` is bare text",
                                step.line
                            );
                        }
                    }
                }
            }
        }
    }
}

/// The template of the guide is a valid lesson, and the guide's statements about own rules hold.
#[test]
fn the_template_works() {
    let guide = include_str!("../../docs/write-a-lesson.md");
    let mut blocks = guide
        .split("````markdown\n")
        .skip(1)
        .map(|rest| rest.split("````\n").next().expect("it is closed"));
    let template = blocks.next().expect("there is a template");
    let lesson =
        lesson::read_lesson(template, &library).unwrap_or_else(|fault| panic!("template:{fault}"));
    assert_eq!((lesson.steps.len(), tasks(&lesson).count()), (2, 1));
    let own = blocks.next().expect("there are rules");
    let with_rules = template.replacen("## Two", &format!("{own}\n## Two"), 1);
    let lesson =
        lesson::read_lesson(&with_rules, &library).unwrap_or_else(|fault| panic!("rules:{fault}"));
    assert_eq!(lesson.worlds[1].name, "excluded");
}

const HEADER: &str = "---\ntitle: T\nabout: A\nminutes: 3\nrules: istio-sidecar\npacket app: internet\npacket b: as-proxy\n\
                      packet own: proxy-own-pod\npacket in: inbound\n---\n";

fn read(body: &str) -> Result<Lesson, String> {
    lesson::read_lesson(&format!("{HEADER}{body}"), &library).map_err(|fault| fault.to_string())
}

/// Checks the error of a lesson with this step.
#[track_caller]
fn refused(body: &str, line: usize, part: &str) {
    let says =
        read(&format!("## S\n{body}\n```show\npackets: app\n```\n")).expect_err("it is broken");
    assert!(
        says.starts_with(&format!("{}: ", line + 11)) && says.contains(part),
        "{says}"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    refused(
        "It {{is app direct | goes out}}.",
        1,
        "the claim `is app direct` does not hold: Captured. Rule 9",
    );
    refused("\nOne\ntwo {{fate nobody}}.", 2, "unknown packet `nobody`");
    refused("{{dead ISTIO_OUTPUT 1 | never}}", 1, "does not hold");
    refused("{{text ISTIO_OUTPUT 12}}", 1, "have no `ISTIO_OUTPUT 12`");
    refused("{{tells app}}", 1, "unknown claim `tells app`");
    refused("an open {{fate app", 1, "`{{` is not closed by `}}`");
    refused("# A", 1, "invalid heading");
    refused(
        "```show\npackets: app\nat: ISTIO_OUTPUT 99\n```",
        3,
        "have no `ISTIO_OUTPUT 99`",
    );
    refused(
        "```show\npackets: app\nfield: colour\n```",
        3,
        "has no field `colour`",
    );
    refused("```shows\n```", 1, "unknown block");
    let open = read("## S\n```ask app\nWhere?\n- port 15001\n")
        .map(|_| ())
        .expect_err("it is not closed");
    assert!(
        open.starts_with("12: this block is not closed: add a line"),
        "{open}"
    );
    refused(
        "```ask app\nWhere?\n- port 15006\n- sent eth0\n```",
        1,
        "of 2 answers 0 are right",
    );
    refused(
        "```ask app\nWhere?\n- port 15001\n- captured\n```",
        1,
        "of 2 answers 2 are right",
    );
    refused(
        "```ask app\nWhere?\n- port 15001\n- sent wlan0\n```",
        4,
        "no interface `wlan0`",
    );
    refused(
        "```task packet app\nDo.\ngoal: sent eth0\nsolution: uid 1001\n```",
        1,
        "`uid 1001` does not solve it: Captured.",
    );
    refused(
        "```task packet app\nDo.\ngoal: sent eth0\nfewest: 2\nsolution: uid 1337\n```",
        1,
        "write `fewest: 1`",
    );
    refused(
        "```task rules\nDo.\ngoal: app sent eth0\nsolution: -I ISTIO_OUTPUT 1 -p tcp -j RETURN\n```",
        1,
        "It also alters",
    );
    refused(
        "```task packet app\nDo.\ngoal: captured\nsolution: dport 80\n```",
        1,
        "change the goals",
    );
    refused(
        "```task rules\nDo.\ngoal: app sent eth0\nspare: uddp\nsolution: -I ISTIO_OUTPUT 1 -p tcp -j RETURN\n```",
        1,
        "unknown suggested packet `uddp`; there are internet, as-proxy",
    );
    refused(
        "```rules mine from istio-sidecar\n-F ISTIO_OUTPUT\n```\nIt is {{fate app}}.\n```show\nrules: mine\n```",
        5,
        "refers to the rules before",
    );
    refused(
        "```task rules\nDo.\ngoal: app sent eth0\nsolution: -I NOWHERE 1 -j RETURN\n```",
        1,
        "NOWHERE",
    );
    refused(
        "```rules mine\n*nat\n-A OUTPUT -p tcp --dport 99999 -j RETURN\nCOMMIT\n```",
        1,
        "99999",
    );
    for (text, says) in [
        ("no header", "1: the header is missing"),
        ("---\ntitle T\n---\n", "2: invalid header line `title T`"),
        (
            "---\ntitle: T\nabout: A\n---\n",
            "1: the header has no `minutes:`",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\nrules: none\n---\n",
            "5: the page has no rules `none`",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\nrules: linkerd\npacket p: none\n---\n## S\n",
            "6: unknown packet `none`",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\nrules: linkerd\npacket p: tcp > nowhere\n---\n## S\n",
            "6: to: ",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\nrules: linkerd\n---\nText\n",
            "7: this line is before the first step",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: six\n---\n",
            "4: invalid number of minutes `six`",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\n---\n## S\n",
            "1: the lesson has no rules",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\nrules: linkerd\n---\n## S\n",
            "7: this step shows no packet",
        ),
        (
            "---\ntitle: T\nabout: A\nminutes: 1\nrules: linkerd\n---\n",
            "6: the lesson has no step",
        ),
    ] {
        let fault = lesson::read_lesson(text, &library)
            .map(|_| ())
            .expect_err("it is broken")
            .to_string();
        assert!(fault.starts_with(says), "{fault}");
    }
}

/// The replies to the answers of a question about the packet `b` with uid 1337, which bypasses the
/// proxy.
fn replies(options: &str) -> Vec<(bool, String)> {
    let lesson = read(&format!(
        "## S\n```show\npackets: b\n```\n```ask b\nWhere?\n{options}\n```"
    ))
    .expect("it is a lesson");
    let Some(Exercise::Ask(question)) = &lesson.steps[0].exercise else {
        panic!("it asks")
    };
    question
        .choices
        .iter()
        .map(|choice| (choice.right, choice.reply.clone()))
        .collect()
}

#[test]
fn a_wrong_answer_is_told_what_it_would_take() {
    let replies = replies("- port 15001\n- port 15006\n- sent eth0\n- dropped");
    assert_eq!(
        replies.iter().map(|(right, _)| *right).collect::<Vec<_>>(),
        [false, false, true, false]
    );
    assert_eq!(
        replies[0].1,
        "Not this packet. Had the uid been 1000 and not 1337, rule 9 of ISTIO_OUTPUT would have sent it to Envoy on 15001."
    );
    assert!(
        replies[1].1.contains("destination been 10.244.1.5"),
        "{}",
        replies[1].1
    );
    assert_eq!(
        replies[2].1,
        "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out. Leaves by eth0 unchanged."
    );
    assert!(
        replies[3]
            .1
            .contains("No change of one field, or of one rule"),
        "{}",
        replies[3].1
    );
}

#[test]
fn a_wrong_rule_is_told_what_it_does() {
    let replies = replies(
        "- rule ISTIO_OUTPUT 2\n- rule ISTIO_OUTPUT 4\n- rule ISTIO_OUTPUT 9\n- rule OUTPUT 1",
    );
    assert!(
        replies[0]
            .1
            .starts_with("Rule 2 of ISTIO_OUTPUT does not match: "),
        "{}",
        replies[0].1
    );
    assert!(
        replies[1].0
            && replies[1]
                .1
                .starts_with("Rule 4 of ISTIO_OUTPUT matches: uid 1337"),
        "{}",
        replies[1].1
    );
    assert!(
        replies[2]
            .1
            .ends_with("This packet leaves the chain before it."),
        "{}",
        replies[2].1
    );
    assert!(
        replies[3]
            .1
            .ends_with("But that does not settle where it ends."),
        "{}",
        replies[3].1
    );
}

fn task(body: &str) -> Lesson {
    read(&format!("## S\n```show\npackets: app\n```\n{body}"))
        .unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_packet_is_judged_by_what_it_does() {
    let lesson = task(
        "```task packet app\nGet past.\ngoal: sent eth0\nkeep: dst dport\nsolution: uid 1337\nsolution: protocol udp\n```",
    );
    let (world, task) = tasks(&lesson).next().expect("a task");
    let app = &lesson.packets[0].1;
    let judge = |change: fn(&mut chainwalk_core::packet::Packet)| {
        let mut packet = app.clone();
        change(&mut packet);
        lesson.judge_packet(world, task, &packet)
    };
    let good = judge(|packet| packet.gid = Some(1337));
    assert!(good.solved && good.moves == 1, "{good:?}");
    let more = judge(|packet| (packet.uid, packet.gid) = (Some(1337), Some(1337)));
    assert!(more.solved && more.moves == 2, "{more:?}");
    let wrong = judge(|packet| packet.uid = Some(0));
    assert!(
        !wrong.solved
            && wrong.lines[0]
                .1
                .starts_with("Captured. Rule 9 of ISTIO_OUTPUT"),
        "{wrong:?}"
    );
    let kept = judge(|packet| (packet.uid, packet.dport) = (Some(1337), Some(80)));
    assert!(
        !kept.solved && kept.lines[0].1 == "It must stay as it was: to port 443.",
        "{kept:?}"
    );
}

#[test]
fn rules_are_judged_by_what_else_they_alter() {
    let lesson = task(
        "```task rules\nLet the app out.\ngoal: app sent eth0\n\
         solution: -I ISTIO_OUTPUT 1 -d 93.184.216.34 -p tcp -m owner --uid-owner 1000 --gid-owner 1000 -m tcp --dport 443 -j RETURN\n```",
    );
    let (world, task) = tasks(&lesson).next().expect("a task");
    let judge = |from: &str, to: &str| {
        let text = lesson.worlds[world].text.replace(from, to);
        lesson.judge_rules(world, task, &parse::parse(text).rulesets)
    };
    let last = "-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n";
    let gone = judge(last, "");
    assert!(
        !gone.solved && gone.moves == 1 && gone.lines[0].0,
        "{gone:?}"
    );
    assert!(
        gone.lines[1]
            .1
            .starts_with("It also alters “app → internet, IPv6")
            || gone.lines[1].1.contains("alters"),
        "{gone:?}"
    );
    assert!(
        gone.lines.last().expect("lines").1.starts_with("And "),
        "{gone:?}"
    );
    let none = judge("no such text", "");
    assert!(
        !none.solved && none.moves == 0 && !none.lines[0].0,
        "{none:?}"
    );
    // A rule that is deleted and inserted at another position.
    let moved = judge(
        "-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n",
        "-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n",
    );
    assert_eq!(moved.moves, 2);
}
