//! Hostile links and lessons: the page keeps answering, and a panic disables only the part that
//! panicked.

use std::fmt::Write;

use chainwalk_core::share::link;
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::{Page, Way, one_way};

const DUMP: &str = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j DROP\nCOMMIT\n";

/// A text that is made line by line.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", line(number)).expect("a String takes all that is written");
        text
    })
}

/// Contents of links, each with the message of the page, or an empty text.
fn links() -> Vec<(Value, &'static str)> {
    let text = |text: String| json!({"chainwalk": 2, "text": text});
    let around = |key: &str, count: usize, one: &dyn Fn(usize) -> Value| {
        let list: Vec<Value> = (0..count).map(one).collect();
        json!({"chainwalk": 2, "text": DUMP, "host": {key: list}})
    };
    let listed = |key: &str, list: Value| json!({"chainwalk": 2, "text": DUMP, key: list});
    let packet = json!({"origin": "local", "protocol": "tcp", "dst": "1.1.1.1"});
    let nested = format!(
        "*nat\n{}{}",
        lines(1_200, |at| format!(":{at} - [0:0]")),
        lines(1_199, |at| format!("-A {at} -j {}", at + 1))
    );
    let doubled = format!(
        "*nat\n:OUTPUT ACCEPT [0:0]\n{}-A OUTPUT -j 0\n{}",
        lines(40, |at| format!(":{at} - [0:0]")),
        lines(39, |at| format!(
            "-A {at} -j {0}\n-A {at} -m limit -j {0}",
            at + 1
        ))
    );
    let capture = json!({"schema_version": 1, "tool": "x", "captured_at": "x", "target": {}, "rulesets": vec![
        json!({"family": "ipv4", "backend": "nft", "command": [], "exit_code": 0, "text": DUMP, "stderr": ""}); 5_000]});
    vec![
        (text("Chain  éé".into()), "contains no iptables rules"),
        (text("*nat\n".repeat(100_000)), ""),
        (text("*nat\nCOMMIT\n".repeat(50_000)), ""),
        (text(format!("*filter\n:OUTPUT ACCEPT [0:0]\n{}", "-A OUTPUT\n".repeat(100_000))), ""),
        (text(format!("*filter\n{}", lines(3_000, |at| format!(":{at} -")))), ""),
        (text(format!("*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT {}", "-s 1.1.1.1,2.2.2.2 ".repeat(40_000))), ""),
        (text("\u{202e}".repeat(200_000)), "contains no iptables rules"),
        (text("{".repeat(500_000)), ""),
        (text(nested), ""),
        (text(doubled), ""),
        (text(capture.to_string()), "the first 16 are used"),
        (
            around("interfaces", 20_000, &|at| json!({"name": format!("e{}", at % 9), "addresses": ["10.0.0.1/24"]})),
            "20000 interfaces",
        ),
        (around("routes", 60_000, &|_| json!({"dst": "0.0.0.0/0", "dev": "eth0"})), "60000 routes"),
        (around("rules", 40_000, &|at| json!({"table": at % 9})), "40000 routing rules"),
        (
            around("sockets", 40_000, &|at| json!({"protocol": "tcp", "address": "0.0.0.0", "port": at % 9})),
            "40000 sockets",
        ),
        (
            around("processes", 40_000, &|at| json!({"pid": at % 9, "command": "x", "uid": 0, "gid": 0})),
            "40000 processes",
        ),
        (listed("packets", vec![packet; 40_000].into()), "40000 packets"),
        (
            listed(
                "settled",
                vec![json!({"ruleset": 0, "table": "filter", "chain": "OUTPUT", "rule": 1, "matches": true}); 40_000]
                    .into(),
            ),
            "40000 settled rules",
        ),
        (
            json!({"chainwalk": 2, "text": DUMP, "step": u64::MAX / 2, "lead": 99, "view": "\u{202e}", "settled": [
            {"ruleset": 7, "table": "raw", "chain": "none", "rule": 0, "matches": true}]}),
            "",
        ),
        (
            json!({"chainwalk": 2, "text": DUMP, "packets": [{"origin": "inbound", "protocol": 255, "src": "::1", "dst": "1.1.1.1", "uid": 1}]}),
            "",
        ),
    ]
}

/// Opens a link in the open page, and waits until the page is complete again.
fn follow(page: &Page, fragment: &str) {
    let go = "location.hash = arguments[0];
        return new Promise(done => setTimeout(() => requestAnimationFrame(() => setTimeout(done))))";
    page.run(go, fragment);
    answers(page);
}

/// Checks that the page reacts to a key.
#[track_caller]
fn answers(page: &Page) {
    assert_eq!(page.text("#chainwalk-fault"), None);
    page.run("document.activeElement.blur()", ());
    page.press("?");
    page.holds("document.getElementById('help').open");
    page.press(Key::Escape);
    page.holds("!document.getElementById('help').open");
    assert_eq!(page.text("#chainwalk-fault"), None);
}

#[test]
fn whatever_a_link_holds_the_page_goes_on_answering() {
    one_way(Way::Http, |page| {
        let long: Vec<(usize, usize)> = links()
            .iter()
            .map(|(shared, _)| packed(shared).len())
            .enumerate()
            .filter(|(_, len)| *len >= link::MAX_LINK_CHARACTERS)
            .collect();
        assert_eq!(long, [], "links that are longer than a link may be");
        // Every fourth link: all of them take minutes, and pass.
        for (shared, says) in links().into_iter().step_by(4) {
            let fragment = link::Shared::from_file(&shared.to_string()).map(|_| ());
            assert!(fragment.is_some(), "it is a file of this page's");
            follow(page, &packed(&shared));
            if !says.is_empty() {
                page.reads("#diagnostics", says);
            }
        }
        // The page still accepts other rules.
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
    });
}

/// Packs a text as the page does, without its checks.
fn packed(shared: &Value) -> String {
    // A text alone is packed in the same way, with another version before it.
    format!("2{}", &link::fragment(&shared.to_string())[1..])
}

#[test]
fn whatever_a_lesson_holds_the_page_goes_on_answering() {
    const HEAD: &str = "---\ntitle: T\nabout: A\nminutes: 3\npacket app: internet\n---\n";
    const RULES: &str = "```rules small\n*nat\n:OUTPUT ACCEPT [0:0]\n:X - [0:0]\n-A OUTPUT -p tcp -j X\n-A X -j RETURN\nCOMMIT\n```\n";
    let open = "const input = document.getElementById('lesson-file');
        const files = new DataTransfer();
        files.items.add(new File([arguments[0]], 'mine.md'));
        input.files = files.files;
        input.dispatchEvent(new Event('change', {bubbles: true}))";
    one_way(Way::File, |page| {
        page.click("#lessons-open");
        page.holds("document.getElementById('lesson-file')");
        for (lesson, says) in [
            (
                format!("{HEAD}Words.\n"),
                "Line 7: this line is before the first step",
            ),
            (
                format!("{HEAD}{{{{verdict app}}}}\n## A\n"),
                "Line 7: this line is before the first step",
            ),
            (
                format!("{HEAD}```show\npackets: app\n```\n"),
                "Line 7: this line is before the first step",
            ),
            (
                format!("{HEAD}## A\n{{{{text X 1}}}}\n"),
                "Line 1: the lesson has no rules",
            ),
            (
                format!("{HEAD}{RULES}## A\n{}", "{{".repeat(100_000)),
                "is not closed",
            ),
            (
                format!("{HEAD}{RULES}## A\n```show\npackets: app\nat: X 99\n```\n"),
                "no `X 99`",
            ),
            ("---\n".repeat(100_000), "no `title:`"),
            ("\u{202e}éé".repeat(10_000), "begin with a header"),
        ] {
            page.run(open, &lesson);
            page.reads("#lesson .wrong", says);
            answers(page);
        }
        let good = format!(
            "{HEAD}{RULES}## A\n```show\nat: X 1\nrules: small\npackets: app\n```\n{{{{rule app}}}}\n"
        );
        page.run(open, &good);
        page.reads("#lesson-title", "A");
        answers(page);
    });
}

/// Makes the page panic when it creates such an element, from its next start on.
fn take_away<'a>(page: &Page<'a>, method: &str, name: &str) -> Value {
    let steal = format!(
        "const make = Document.prototype.{method};
        Document.prototype.{method} = function (...all) {{
          if (all.at(-1) == '{name}') throw new DOMException('none left', 'InvalidCharacterError');
          return make.apply(this, all);
        }}"
    );
    page.run(&steal, ());
    page.command(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": steal}),
    )
}

#[test]
fn a_lesson_that_panics_is_closed_and_the_work_stays() {
    for way in [Way::Http, Way::File] {
        one_way(way, |page| {
            page.paste(DUMP);
            page.reads("#samples", "Your paste");
            let taken = take_away(page, "createElement", "aside");
            page.click("#lessons-open");
            let says = page.reads(
                ".notice[role=alert]",
                "A lesson stopped the page. It is closed",
            );
            assert!(says.contains("What went wrong"), "{says}");
            page.holds("location.hash == ''");
            page.reads("#samples", "Shared or saved rules");
            page.reads("#verdict", "policy of OUTPUT");
            answers(page);
            page.click("#restart-read");
            page.holds("!document.querySelector('.notice')");
            page.command("Page.removeScriptToEvaluateOnNewDocument", taken);
            // The browser may not report the panic, because the page may be closed before.
            let complaints = page.complaints();
            assert!(
                complaints
                    .iter()
                    .all(|line| line.contains("unreachable") || line.contains("panicked")),
                "{complaints:?}"
            );
        });
    }
}

#[test]
fn a_panel_that_panics_is_left_out_until_it_is_wanted_again() {
    one_way(Way::Http, |page| {
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        page.holds("Object.keys(localStorage).some(name => name.startsWith('chainwalk.draft.'))");
        let taken = take_away(page, "createElementNS", "desc");
        page.reload();
        page.reads(
            ".notice[role=alert]",
            "The map stopped the page and is left out",
        );
        page.reads(".left-out", "The map is left out");
        page.reads("#verdict", "policy of OUTPUT");
        page.reads("[data-rule='filter/OUTPUT/1']", "udp");
        answers(page);
        page.press(Key::Home);
        page.is_at(1);
        page.command("Page.removeScriptToEvaluateOnNewDocument", taken);
        page.click("#restart-whole");
        page.holds("document.getElementById('map')");
        page.reads("[data-rule='filter/OUTPUT/1']", "udp");
        page.holds("!document.querySelector('.notice')");
        let _ = page.complaints();
    });
}

#[test]
fn a_link_replaces_no_draft_without_asking() {
    one_way(Way::Http, |page| {
        // A stored draft begins with the time. The page may store the same work again later.
        let drafts = "Object.keys(localStorage).filter(name => name.startsWith('chainwalk.draft.')).map(name => localStorage[name].split(' ')[1])";
        let draft = || page.run(&format!("return {drafts}"), ());
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        page.holds(&format!("{drafts}.length == 1"));
        let before = draft();
        let other = link::fragment("*raw\n:OUTPUT DROP [0:0]\nCOMMIT\n");
        for (answer, stays) in [
            ("#draft-stay", true),
            ("#draft-back", true),
            ("#draft-replace", false),
        ] {
            page.open(&format!("{}#{other}", page.own));
            page.reads("#verdict", "policy of OUTPUT");
            page.click("#swap");
            page.reads(".notice[role=alert]", "a draft of your earlier work");
            assert_eq!(draft(), before);
            page.click(answer);
            page.holds("!document.querySelector('.notice')");
            if stays {
                assert_eq!(draft(), before, "{answer}");
            } else {
                page.until("another draft", || (draft() != before).then_some(()));
            }
            if answer == "#draft-back" {
                page.reads("[data-rule='filter/OUTPUT/1']", "udp");
            }
        }
    });
}
