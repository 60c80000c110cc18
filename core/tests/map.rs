//! The map: its properties at every width and step, for rules of every kind, and examples.

use std::collections::BTreeSet;

use chainwalk_core::analysis::compare;
use chainwalk_core::analysis::explain;
use chainwalk_core::analysis::scenario;
use chainwalk_core::input::parse::parse;
use chainwalk_core::map::{self, Anchor, ClickTarget, Layout, Map, MapForm, ShapeGroup, Track};
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::{Outcome, Trace};
use chainwalk_core::walk::walk;

/// The widths of a narrow phone, a wide phone, half a screen, a column of a wide screen, and a
/// whole screen.
const WIDTHS: [i32; 5] = [296, 376, 480, 576, 1068];

/// Rules of many kinds, with hosts.
fn sets() -> Vec<(&'static str, Host)> {
    macro_rules! set {
        ($file:literal) => {
            (include_str!($file), Host::pod())
        };
        ($file:literal, $host:literal) => {
            (
                include_str!($file),
                Host::from_json(include_str!($host)).expect("a host"),
            )
        };
    }
    vec![
        set!("walks/sidecar.rules"),
        set!("walks/tproxy.rules", "walks/tproxy.host.json"),
        set!("walks/arriving.rules", "walks/arriving.host.json"),
        set!("walks/chains.rules"),
        set!("walks/copies.rules"),
        set!("walks/unknown.rules"),
        set!("walks/backends.rules"),
        set!("walks/broken.rules"),
        set!(
            "../../static/samples/istio-ambient.txt",
            "../../static/samples/istio-ambient.host.json"
        ),
        set!("../../static/samples/linkerd.txt"),
    ]
}

fn lane<'a>(rulesets: &[Ruleset], letter: &'static str, trace: &'a Trace) -> Track<'a> {
    let path = trace.shown();
    let decided_by = path.verdict.as_ref().and_then(|verdict| verdict.decided_by);
    let end = |verdict: &chainwalk_core::walk::trace::Verdict| {
        format!("{:?}", verdict.kind).to_lowercase()
    };
    Track {
        letter,
        name: format!("{} to {}", trace.packet.protocol, trace.packet.dst),
        path,
        fate: explain::Fate::from_verdict(trace.verdict()),
        end: trace.verdict().map_or("depends".into(), end),
        decided: decided_by.and_then(|place| {
            path.steps
                .iter()
                .position(|step| step.place == place && step.outcome != Outcome::NoMatch)
        }),
        doubts: Vec::new(),
        others: map::others(rulesets, trace, end),
    }
}

fn sheet<'a>(
    rulesets: &'a [Ruleset],
    traces: &'a [Trace],
    cursor: usize,
    width: i32,
) -> Layout<'a> {
    let lanes: Vec<Track> = traces
        .iter()
        .zip(["A", "B"])
        .map(|(trace, letter)| lane(rulesets, letter, trace))
        .collect();
    let followed = (0..lanes.len())
        .rev()
        .find(|lane| cursor < lanes[*lane].path.steps.len());
    let followed = followed.unwrap_or(lanes.len() - 1);
    let meshed = rulesets
        .iter()
        .any(|set| chainwalk_core::mesh::recognise(set).is_some());
    Layout {
        rulesets,
        meshed,
        lanes,
        followed,
        legs: Vec::new(),
        cursor,
        width,
    }
}

fn packets(rulesets: &[Ruleset], host: &Host) -> Vec<Packet> {
    scenario::of_rules(rulesets, host, None)
        .into_iter()
        .map(|scenario| scenario.packet)
        .collect()
}

/// Every map of every set: each packet by itself, and with the next one.
fn each_map(check: impl Fn(&Layout, &Map, &str)) {
    for (text, host) in sets() {
        let parsed = parse(text);
        let rulesets = &parsed.rulesets;
        let traces: Vec<Trace> = packets(rulesets, &host)
            .iter()
            .map(|packet| walk(rulesets, None, &host, packet))
            .collect();
        for size in [1, 2] {
            for some in traces.windows(size) {
                let steps = some
                    .iter()
                    .map(|trace| trace.shown().steps.len())
                    .max()
                    .unwrap_or(0);
                for (cursor, width) in (0..=steps.min(40))
                    .step_by(5)
                    .flat_map(|cursor| WIDTHS.map(|width| (cursor, width)))
                {
                    let sheet = sheet(rulesets, some, cursor, width);
                    let packets: Vec<_> = some
                        .iter()
                        .map(|trace| (trace.packet.src, trace.packet.dst))
                        .collect();
                    let what = format!("{packets:?} at step {cursor}, {width} wide, in\n{text}");
                    check(&sheet, &map::draw(&sheet), &what);
                }
            }
        }
    }
}

fn shapes<'a>(map: &'a Map, class: &'a str) -> impl Iterator<Item = (&'a ShapeGroup, &'a MapForm)> {
    let shapes = map
        .groups
        .iter()
        .flat_map(|group| group.shapes.iter().map(move |shape| (group, shape)));
    shapes
        .filter(move |(_, shape)| shape.class.split(' ').any(|one| one == class))
        .map(|(group, shape)| (group, &shape.form))
}

fn texts(map: &Map) -> Vec<&str> {
    let forms = map
        .groups
        .iter()
        .flat_map(|group| &group.shapes)
        .map(|shape| &shape.form);
    forms
        .filter_map(|form| {
            if let MapForm::Text(.., text) = form {
                Some(&**text)
            } else {
                None
            }
        })
        .collect()
}

/// Left, top, right and bottom of a shape. Lines have none.
fn covers(form: &MapForm) -> Option<[i32; 4]> {
    match form {
        MapForm::Box(x, y, width, height, _) => Some([*x, *y, x + width, y + height]),
        MapForm::Dot(x, y, radius) => Some([x - radius, y - radius, x + radius, y + radius]),
        MapForm::Text(x, y, anchor, text) => {
            let width = i32::try_from(text.chars().count() * 66 / 10).expect("short");
            let left = match anchor {
                Anchor::Start => *x,
                Anchor::Middle => x - width / 2,
                Anchor::End => x - width,
            };
            Some([left, y - 9, left + width, y + 3])
        }
        MapForm::Line(_) => None,
    }
}

#[test]
fn nothing_is_drawn_outside() {
    each_map(|_, map, what| {
        for shape in map.groups.iter().flat_map(|group| &group.shapes) {
            let Some([left, top, right, bottom]) = covers(&shape.form) else {
                continue;
            };
            let inside = left >= 0 && top >= 0 && right <= map.width && bottom <= map.height;
            assert!(
                inside,
                "{shape:?} is outside of {}x{}: {what}",
                map.width, map.height
            );
        }
    });
}

#[test]
fn boxes_stand_side_by_side() {
    each_map(|_, map, what| {
        let boxes = shapes(map, "hook").chain(shapes(map, "end"));
        let boxes: Vec<[i32; 4]> = boxes.filter_map(|(_, form)| covers(form)).collect();
        for (at, one) in boxes.iter().enumerate() {
            for other in &boxes[at + 1..] {
                let apart = one[2] <= other[0]
                    || other[2] <= one[0]
                    || one[3] <= other[1]
                    || other[3] <= one[1];
                assert!(apart, "{one:?} and {other:?} overlap: {what}");
            }
        }
    });
}

#[test]
fn every_packet_has_one_place_and_one_end() {
    each_map(|sheet, map, what| {
        for lane in 0..sheet.lanes.len() {
            let of = |class| {
                shapes(map, class)
                    .filter(|(group, _)| group.lane == Some(lane))
                    .count()
            };
            assert_eq!(of("token"), 1, "letters of {lane}: {what}");
        }
        let ends = shapes(map, "end").count();
        assert!(
            (1..=sheet.lanes.len()).contains(&ends),
            "{ends} ends: {what}"
        );
    });
}

#[test]
fn what_can_be_clicked_has_a_name_and_leads_to_a_step() {
    each_map(|sheet, map, what| {
        let steps = sheet
            .lanes
            .iter()
            .map(|lane| lane.path.steps.len())
            .max()
            .unwrap_or(0);
        for group in &map.groups {
            let Some(go) = group.go else { continue };
            assert!(!group.name.is_empty(), "{group:?} has no name: {what}");
            assert!(
                matches!(go, ClickTarget::Step(step) if step < steps.max(1)),
                "{go:?} of {steps} steps: {what}"
            );
        }
    });
}

/// The stations of the opened table, including folded ones, contain each of its steps once.
#[test]
fn every_step_of_the_opened_table_has_a_station() {
    each_map(|sheet, map, what| {
        let lane = &sheet.lanes[sheet.followed];
        let Some(here) = lane.path.steps.get(sheet.cursor) else {
            return;
        };
        let copied = |step: usize| lane.path.views[lane.path.steps.at(step).view as usize].copied;
        if copied(sheet.cursor) && sheet.width < 500 {
            return;
        }
        let wanted: BTreeSet<usize> = (0..lane.path.steps.len())
            .filter(|step: &usize| {
                let at = lane.path.steps.at(*step);
                (
                    at.hook,
                    at.place.at.ruleset,
                    at.place.at.table,
                    copied(*step),
                ) == (
                    here.hook,
                    here.place.at.ruleset,
                    here.place.at.table,
                    copied(sheet.cursor),
                )
            })
            .collect();
        let starts: BTreeSet<usize> = map
            .groups
            .iter()
            .filter(|group| {
                group.name.contains(&format!("{}: ", lane.letter))
                    && !group.stop
                    && group.fate.is_none()
            })
            .filter_map(|group| {
                if let Some(ClickTarget::Step(step)) = group.go {
                    Some(step)
                } else {
                    None
                }
            })
            .collect();
        assert!(
            starts.contains(wanted.first().expect("the cursor's")),
            "the first step has none: {what}"
        );
        assert!(
            starts.contains(&sheet.cursor),
            "the cursor's step has none, but {starts:?}: {what}"
        );
        assert!(
            map.groups.iter().any(|group| group.current && !group.stop),
            "nothing is marked: {what}"
        );
    });
}

fn sidecar(keys: [&str; 2]) -> (Vec<Ruleset>, [Trace; 2]) {
    let parsed = parse(include_str!("walks/sidecar.rules"));
    let host = Host::pod();
    let mesh = parsed
        .rulesets
        .iter()
        .find_map(chainwalk_core::mesh::recognise);
    let all = scenario::list(&host, mesh.as_ref());
    let find = |key: &str| {
        all.iter()
            .find(|scenario| scenario.key == key)
            .expect("a scenario")
            .packet
            .clone()
    };
    let traces = keys.map(|key| walk(&parsed.rulesets, None, &host, &find(key)));
    (parsed.rulesets, traces)
}

#[test]
fn the_app_turns_where_uid_1337_goes_on() {
    let (rulesets, traces) = sidecar(["internet", "as-proxy"]);
    let part = compare::part(traces[0].shown(), traces[1].shown()).expect("they part");
    let map = map::draw(&sheet(&rulesets, &traces, part, 576));
    assert!(map.says.contains("routed again to lo"), "{}", map.says);
    assert!(
        map.says
            .contains("out by lo and in again, PREROUTING, INPUT, delivered, captured."),
        "{}",
        map.says
    );
    assert!(
        map.says.ends_with("POSTROUTING with nat, sent, direct."),
        "{}",
        map.says
    );
    let texts = texts(&map);
    for text in [
        "→ 93.184.216.34:443",
        "→ 127.0.0.1:15001",
        "lo",
        "OUTPUT",
        "ISTIO_OUTPUT",
        "policy ACCEPT",
        "● delivered",
    ] {
        assert!(texts.contains(&text), "{text:?} is not among {texts:?}");
    }
    // OUTPUT is shared by both, POSTROUTING is not. nat is not evaluated when the packet returns.
    let names = |name: &str| texts.iter().filter(|text| **text == name).count();
    assert_eq!(
        [names("POSTROUTING"), names("PREROUTING"), names("INPUT")],
        [2, 1, 1]
    );
    assert_eq!(shapes(&map, "skipped").count(), 2);
    // Both letters are at the table where the paths separate.
    let places: Vec<_> = shapes(&map, "token")
        .filter_map(|(_, form)| covers(form))
        .map(|place| place[0])
        .collect();
    assert_eq!(places[0], places[1]);
}

#[test]
fn a_chain_of_forty_rules_folds_around_the_cursor() {
    let mut text = String::from("*filter\n:OUTPUT ACCEPT [0:0]\n");
    for port in 1..=40 {
        text.push_str(&format!("-A OUTPUT -p udp -m udp --dport {port} -j DROP\n"));
    }
    text.push_str("-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n");
    let parsed = parse(text);
    let host = Host::pod();
    let packet = packets(&parsed.rulesets, &host).remove(0);
    let traces = [walk(&parsed.rulesets, None, &host, &packet)];
    let numbers = |cursor: usize, width: i32| {
        let map = map::draw(&sheet(&parsed.rulesets, &traces, cursor, width));
        let numbers = shapes(&map, "number").map(|(_, form)| {
            if let MapForm::Text(.., text) = form {
                text.clone()
            } else {
                String::new()
            }
        });
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(numbers(40, 576), ["1–40", "41"]);
    assert_eq!(numbers(9, 576), ["1–9", "10", "11–40", "41"]);
    assert_eq!(numbers(9, 1068).len(), 4);
    assert_eq!(numbers(40, 376), ["OUTPUT 1–40  no match", "41  ACCEPT"]);
}

#[test]
fn a_walk_of_many_matches_shows_what_is_around_the_cursor() {
    let mut text = String::from("*filter\n:OUTPUT ACCEPT [0:0]\n");
    text.push_str(&"-A OUTPUT -p tcp\n".repeat(1_000));
    text.push_str("COMMIT\n");
    let parsed = parse(text);
    let host = Host::pod();
    let packet = packets(&parsed.rulesets, &host).remove(0);
    let traces = [walk(&parsed.rulesets, None, &host, &packet)];
    for width in WIDTHS {
        let map = map::draw(&sheet(&parsed.rulesets, &traces, 500, width));
        let texts = texts(&map);
        let starts = |with: &str| {
            texts
                .iter()
                .filter(|text| text.trim_start_matches("OUTPUT ").starts_with(with))
                .count()
        };
        assert_eq!([starts("501"), starts("1–")], [1, 1], "{texts:?}");
        assert!(map.height < 1_000, "{}", map.height);
    }
}

#[test]
fn an_uncertain_walk_shows_where_else_it_could_end() {
    let parsed =
        parse("*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 3/hour -j DROP\nCOMMIT\n");
    let host = Host::pod();
    let packet = packets(&parsed.rulesets, &host).remove(0);
    let traces = [walk(&parsed.rulesets, None, &host, &packet)];
    for width in WIDTHS {
        let map = map::draw(&sheet(&parsed.rulesets, &traces, 0, width));
        let other = map
            .groups
            .iter()
            .find(|group| group.name.contains("or ○ sent"))
            .expect("another end");
        assert!(
            other.name.contains(", if OUTPUT 1 does not match"),
            "{}",
            other.name
        );
        assert_eq!(other.go, Some(ClickTarget::Step(0)));
    }
}
