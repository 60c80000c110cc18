//! Shared code of the fuzz targets: checks that hold for any text, and all calls of the page to
//! core.

use arbitrary::Arbitrary;
use chainwalk_core::analysis::compare;
use chainwalk_core::analysis::constants::Constants;
use chainwalk_core::analysis::explain::{self, Fate};
use chainwalk_core::analysis::findings;
use chainwalk_core::analysis::journey::{self, Choices};
use chainwalk_core::analysis::search::Search;
use chainwalk_core::analysis::{
    bypass_explanation, counter_analysis, counterfactual, example_packet, intended_bypass, report,
    scenario, senders,
};
use chainwalk_core::input::parse::{self, Format, Parsed};
use chainwalk_core::iptables::print;
use chainwalk_core::map::{self, Layout, Track, TrackLeg};
use chainwalk_core::mesh::{self, Mesh};
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::share::commands;
use chainwalk_core::share::link::{self, Settled, Shared};
use chainwalk_core::share::{redact, replay, ticket};
use chainwalk_core::text::diagnostic::{Code, Severity, Span};
use chainwalk_core::walk::trace::{Outcome, Trace};
use chainwalk_core::walk::{Known, walk, walk_with};

/// The rule sets of the page, by their names in lessons.
pub const SAMPLES: [(&str, &str, Option<&str>); 6] = [
    (
        "istio-sidecar",
        include_str!("../../static/samples/istio-sidecar.txt"),
        None,
    ),
    (
        "istio-sidecar-dns",
        include_str!("../../static/samples/istio-sidecar-dns.txt"),
        None,
    ),
    (
        "istio-sidecar-tproxy",
        include_str!("../../static/samples/istio-sidecar-tproxy.txt"),
        Some(include_str!(
            "../../static/samples/istio-sidecar-tproxy.host.json"
        )),
    ),
    (
        "istio-sidecar-1.5",
        include_str!("../../static/samples/istio-sidecar-1.5.txt"),
        None,
    ),
    (
        "istio-ambient",
        include_str!("../../static/samples/istio-ambient.txt"),
        Some(include_str!("../../static/samples/istio-ambient.host.json")),
    ),
    (
        "linkerd",
        include_str!("../../static/samples/linkerd.txt"),
        None,
    ),
];

/// The text and the namespace of a sample.
pub fn sample(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    SAMPLES
        .iter()
        .find(|sample| sample.0 == name)
        .map(|sample| (sample.1, sample.2))
}

fn lies_in(source: &str, span: Span) {
    assert!(
        source.get(span.start as usize..span.end as usize).is_some(),
        "{span:?} exceeds the text"
    );
}

/// Checks that every position is within its text.
pub fn check_places(parsed: &Parsed) {
    for diagnostic in &parsed.diagnostics {
        let source = &parsed.sources[diagnostic.source as usize];
        lies_in(source, diagnostic.span);
        for fix in &diagnostic.fixes {
            lies_in(source, fix.span);
        }
    }
    for section in &parsed.sections {
        lies_in(&parsed.sources[section.source as usize], section.span);
        assert!(
            section
                .ruleset
                .is_none_or(|place| (place as usize) < parsed.rulesets.len())
        );
        let _ = section.to_string();
    }
    for ruleset in &parsed.rulesets {
        let source = &parsed.sources[ruleset.source as usize];
        for rule in ruleset
            .tables
            .iter()
            .flat_map(|table| &table.chains)
            .flat_map(|chain| &chain.rules)
        {
            lies_in(source, rule.span);
            let line = source[..rule.span.start as usize]
                .bytes()
                .filter(|byte| *byte == b'\n')
                .count()
                + 1;
            assert_eq!(line, rule.line as usize);
        }
        for off in &ruleset.off {
            lies_in(source, off.span);
        }
    }
}

/// Checks that printed rules parse back unchanged.
pub fn check_printed(parsed: &Parsed) {
    // The reader keeps unknown words of a listing as written. The format of iptables-save cannot
    // represent them.
    let unread = parsed
        .sections
        .iter()
        .any(|section| section.format == Format::Listing)
        && parsed
            .diagnostics
            .iter()
            .any(|remark| remark.severity == Severity::Warning);
    // A variable without a value is kept as written, and may not be a valid value.
    let has_variable = parsed
        .diagnostics
        .iter()
        .any(|remark| remark.code == Code::UnknownVariable);
    for ruleset in &parsed.rulesets {
        let printed = print::save(ruleset, true);
        if !parsed.has_errors() && !unread && !has_variable {
            let again = parse::parse(printed.clone());
            // Without a header, the reader infers the family from the rules.
            if again
                .rulesets
                .iter()
                .all(|other| other.family == ruleset.family)
            {
                assert_eq!(
                    again
                        .rulesets
                        .iter()
                        .map(|set| print::save(set, true))
                        .collect::<String>(),
                    printed
                );
            }
        }
    }
}

/// The positions of the first rules of every chain, and of its policy.
pub fn places(parsed: &Parsed, most: usize) -> Vec<Place> {
    use chainwalk_core::netfilter::place::ChainPlace;
    let mut found = Vec::new();
    for (ruleset, set) in (0..).zip(&parsed.rulesets) {
        for (place, table) in (0..).zip(&set.tables) {
            for (chain, rules) in (0..).zip(&table.chains) {
                let at = ChainPlace {
                    ruleset,
                    table: place,
                    chain,
                };
                found.push(Place { at, rule: None });
                found.extend((0..rules.rules.len() as u32).take(8).map(|rule| Place {
                    at,
                    rule: Some(rule),
                }));
            }
        }
    }
    found.truncate(most);
    found
}

/// Parameters of the calls.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Wishes {
    /// The scenario of the second packet.
    pub other: u8,
    /// The shown step.
    pub cursor: u16,
    /// The width of the map.
    pub width: u16,
    /// The answered rules.
    pub settled: u32,
    /// The secret of the neutral copy.
    pub secret: u8,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            other: 1,
            cursor: 2,
            width: 700,
            settled: 5,
            secret: 7,
        }
    }
}

/// Makes all calls of the page to core after a text was parsed, for the packets of a link or the
/// usual ones.
pub fn ask_everything(parsed: &Parsed, host: &Host, packets: &[Packet], wishes: Wishes) {
    let rulesets = &parsed.rulesets;
    let mesh = rulesets.iter().find_map(mesh::recognise);
    let mesh = mesh.as_ref();
    let usual = scenario::list(host, mesh);
    let packet = packets.first().unwrap_or(&usual[0].packet).clone();
    let other = packets
        .get(1)
        .unwrap_or(&usual[wishes.other as usize % usual.len()].packet)
        .clone();
    let all_places = places(parsed, 200);
    let settled: Vec<(Place, bool)> = (0..32)
        .filter(|bit| wishes.settled >> bit & 1 == 1)
        .filter_map(|bit| Some((*all_places.get(bit)?, wishes.settled & 1 == 1)))
        .collect();
    let one = walk_with(
        rulesets,
        None,
        host,
        &packet,
        Known {
            answers: &settled,
            ..Known::default()
        },
    );
    let two = walk(rulesets, None, host, &other);
    for trace in [&one, &two] {
        ask_trace(parsed, mesh, trace);
    }
    let _ = compare::part(one.shown(), two.shown());
    draw(parsed, host, mesh, [&one, &two], wishes);

    let constants = Constants::collect(rulesets, packet.family());
    for found in scenario::of_constants(&constants, rulesets, host, mesh)
        .iter()
        .take(12)
    {
        let trace = walk(rulesets, None, host, &found.packet);
        if let (Some(mesh), Some(end)) = (mesh, trace.verdict()) {
            let _ = intended_bypass::intended_bypass(mesh, rulesets, found, end);
        }
    }
    for class in senders::classes(rulesets, &constants, host, &packet) {
        let _ = (class.who(), class.sample(&packet));
    }
    if one.verdict().is_some() {
        for flip in counterfactual::find(rulesets, &constants, host, &one).offered {
            let _ = flip.sentence(rulesets, &packet, mesh);
        }
    }
    for finding in findings::lint(rulesets, host, wishes.settled & 1 == 1) {
        let _ = finding.packet(rulesets, host, mesh);
    }
    if let Some(mesh) = mesh {
        let _ = (
            mesh.facts(),
            bypass_explanation::bypassing_processes(host, mesh),
            bypass_explanation::explain_bypass(bypass_explanation::BYPASS_EXPLANATION[0], mesh),
        );
        rulesets
            .iter()
            .for_each(|ruleset| _ = counter_analysis::analyze_counters(mesh, ruleset));
        all_places
            .iter()
            .for_each(|place| _ = mesh.purpose(rulesets, *place));
    }
    for place in all_places.iter().take(20) {
        let (ruleset, table, _) = place.at.find(rulesets);
        let _ = explain::place(rulesets, *place);
        if let Some(rule) = place.rule(rulesets) {
            let _ = (
                explain::rule(ruleset, table, rule),
                explain::action(ruleset, table, rule),
            );
            let _ = print::rule(ruleset, table, rule);
            let _ = example_packet::find_example_packet(rulesets, host, mesh, *place);
        }
        let _ = Settled::from_place(rulesets, (*place, true))
            .and_then(|settled| settled.place(rulesets));
    }
    let _ = mesh::usual_host(rulesets, mesh);
    share(parsed, host, &[packet, other], wishes);
}

fn ask_trace(parsed: &Parsed, mesh: Option<&Mesh>, trace: &Trace) {
    let rulesets = &parsed.rulesets;
    let _ = (
        explain::verdict(rulesets, trace, mesh),
        report::json(rulesets, trace),
    );
    let path = trace.shown();
    for step in path.steps.iter().take(60) {
        let _ = (
            explain::step(rulesets, trace, path, &step),
            explain::why(rulesets, trace, path, &step),
        );
        if step.outcome == Outcome::Match {
            let [before, after] = [step.view, step.after].map(|view| &path.views[view as usize]);
            let _ = explain::change(&trace.packet, before, after);
        }
    }
    let _ = replay::script(rulesets, trace);
    let given = ["the namespace is a usual pod".to_owned()];
    let _ = ticket::markdown(
        rulesets,
        mesh,
        &given,
        &[("app".into(), trace)],
        Some("https://example.org/#1"),
    );
    let line = chainwalk_core::packet::line::print(&trace.packet);
    let _ = chainwalk_core::packet::line::parse_packet_line(&line);
}

fn draw(parsed: &Parsed, host: &Host, mesh: Option<&Mesh>, traces: [&Trace; 2], wishes: Wishes) {
    let rulesets = &parsed.rulesets;
    let journey = journey::journey(rulesets, host, mesh, &traces[0].packet, &Choices::default());
    for leg in &journey.legs {
        let _ = leg.steps(rulesets);
    }
    for assumed in journey.assumes.iter().take(2) {
        for (_, choices) in assumed.others.iter().take(2) {
            let _ = journey::journey(rulesets, host, mesh, &traces[0].packet, choices);
        }
    }
    let legs = journey.legs.iter().skip(1).map(|leg| TrackLeg {
        name: format!("{} → {}", leg.from, leg.to),
        path: leg.trace.shown(),
        fate: Fate::from_verdict(leg.trace.verdict()),
        end: "an end".into(),
    });
    let legs: Vec<TrackLeg> = legs.collect();
    let lane = |(letter, trace): (&'static str, &'_ &Trace)| -> (Vec<map::Other>, &'static str) {
        (
            map::others(rulesets, trace, |_| "another end".into()),
            letter,
        )
    };
    let others: Vec<_> = ["A", "B"].into_iter().zip(&traces).map(lane).collect();
    let lanes: Vec<Track> = others
        .iter()
        .zip(traces)
        .map(|((others, letter), trace)| {
            let path = trace.shown();
            let decided = path.verdict.as_ref().and_then(|verdict| verdict.decided_by);
            Track {
                letter,
                name: "uid 1000".into(),
                path,
                fate: Fate::from_verdict(trace.verdict()),
                end: "an end".into(),
                decided: path
                    .steps
                    .iter()
                    .position(|step| Some(step.place) == decided),
                doubts: (0..path.steps.len()).step_by(3).take(5).collect(),
                others: others.clone(),
            }
        })
        .collect();
    let longest = traces
        .iter()
        .map(|trace| trace.shown().steps.len())
        .max()
        .unwrap_or(0);
    for (lanes, followed) in [
        (lanes[..1].to_vec(), 0),
        (lanes.clone(), usize::from(wishes.other) % 2),
    ] {
        for width in [i32::from(wishes.width), 340, 1200] {
            for cursor in [
                0,
                usize::from(wishes.cursor) % longest.max(1),
                longest.saturating_sub(1),
            ] {
                let sheet = Layout {
                    rulesets,
                    meshed: mesh.is_some(),
                    lanes: lanes.clone(),
                    followed,
                    legs: legs.clone(),
                    cursor,
                    width,
                };
                let _ = map::draw(&sheet);
            }
        }
    }
}

fn share(parsed: &Parsed, host: &Host, packets: &[Packet], wishes: Wishes) {
    let text = parsed.sources.last().cloned().unwrap_or_default();
    let shared = Shared {
        host: Some(host.clone()),
        packets: packets.to_vec(),
        ..Shared::of_text(text)
    };
    if let Ok(Some(again)) = link::read_link(&shared.fragment()) {
        assert_eq!(again, shared);
    }
    // A rule that would keep addresses has no neutral copy.
    if let Ok((neutral, _)) = redact::shared(
        &shared,
        parsed,
        (host, wishes.settled & 2 == 2),
        [wishes.secret; 16],
    ) {
        let again = parse::parse(neutral.text);
        let _ = commands::commands(&parsed.rulesets, &again.rulesets);
    }
    if let Some(capture) = &parsed.capture {
        let _ = redact::redact(capture, [wishes.secret; 16]);
    }
    for query in ["443", "port 443", "uid 1337", "10.0.0.1 a", "é"] {
        let Some(search) = Search::new(query) else {
            continue;
        };
        for ruleset in &parsed.rulesets {
            let text = &parsed.sources[ruleset.source as usize];
            for chain in ruleset
                .tables
                .iter()
                .flat_map(|table| &table.chains)
                .take(20)
            {
                let _ = search.finds_chain(chain);
                chain
                    .rules
                    .iter()
                    .take(20)
                    .for_each(|rule| _ = search.finds(ruleset, chain, rule, text));
            }
        }
    }
}

/// Parses a text and makes all calls, as a paste would.
pub fn ask_text(text: &str, wishes: Wishes) {
    let parsed = parse::parse(text);
    check_places(&parsed);
    let host = parsed
        .host
        .clone()
        .unwrap_or_else(|| mesh::usual_host(&parsed.rulesets, None));
    ask_everything(&parsed, &host, &[], wishes);
}

/// A text made from known pieces, with anything between them.
#[derive(Arbitrary, Debug)]
pub enum Woven<'a> {
    /// A piece of a table.
    Known(u8),
    /// Any text.
    Any(&'a str),
    /// A blank.
    Blank,
    /// A line end.
    Line,
}

/// Joins the pieces to one text.
pub fn weave(pieces: &[Woven], known: &[&str]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Woven::Known(place) => known[*place as usize % known.len()],
            Woven::Any(text) => text,
            Woven::Blank => " ",
            Woven::Line => "\n",
        })
        .collect()
}
