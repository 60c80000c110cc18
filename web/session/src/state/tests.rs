//! The state as a reader would change it.

use super::*;
use crate::analysis_queue::{AnalysisQueue, Turn};
use crate::cursor::Move;
use crate::editing::{EditAction, EditForm, Export};
use crate::lesson::Stage;
use crate::packet_analysis::PacketAnalysis;
use crate::paste::Origin;
use crate::rows::{Row, RuleListAction};
use crate::saved_packets::SavedPacketAction;
use crate::side::FieldTarget;
use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::journey::Choices;
use chainwalk_core::analysis::large;
use chainwalk_core::input::edit::Edit;
use chainwalk_core::lesson::At;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::share::link;
use chainwalk_core::text::diagnostic::Code;
use chainwalk_core::text::diagnostic::Diagnostic;

fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    actions.into_iter().fold(Rc::default(), State::reduce)
}

/// The same once the idle queue is empty.
fn analyzed(mut state: Rc<State>) -> Rc<State> {
    let mut queue = AnalysisQueue::default();
    loop {
        match queue.run_turn(&state.evaluation) {
            Turn::Idle => return state,
            Turn::Unfinished => {}
            Turn::Finished(computed) => {
                state = state.reduce(Action::Computed(Rc::new(computed)));
            }
        }
    }
}

/// The analysis of the lead's packet.
fn analysis(state: &State) -> &PacketAnalysis {
    let analysis = state.results().analysis.as_ref();
    analysis.expect("the packet is complete")
}

fn fates(state: &State) -> Vec<Fate> {
    state
        .evaluation
        .walks()
        .map(|(_, walked)| walked.headline.fate)
        .collect()
}

#[test]
fn it_opens_with_the_app_and_uid_1337_compared_where_they_part() {
    let state = State::default();
    assert_eq!(fates(&state), [Fate::Captured, Fate::Direct]);
    assert_eq!(
        (
            state.results().divergence,
            state.view.cursor,
            state.evaluation.steps()
        ),
        (Some(4), 4, 12)
    );
    assert_eq!(state.evaluation.differences(), [PacketField::Uid]);
    assert_eq!(
        (
            state.evaluation.name(Side::A),
            state.evaluation.name(Side::B)
        ),
        ("uid 1000".into(), "uid 1337".into())
    );
}

#[test]
fn a_rule_that_cannot_be_told_is_settled_and_left_open_again() {
    let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit -j DROP\nCOMMIT\n";
    let open = after([Action::Paste(rules.into())]);
    assert_eq!(fates(&open), [Fate::Unknown; 2]);
    let place = open
        .evaluation
        .walked(Side::A)
        .and_then(|walked| walked.first_doubt())
        .expect("rule 1 is undetermined");
    let settled = Rc::clone(&open).reduce(Action::Settle(place, Some(true)));
    assert_eq!(fates(&settled), [Fate::Dropped; 2]);
    let other = settled.reduce(Action::Settle(place, Some(false)));
    assert_eq!(fates(&other), [Fate::Direct; 2]);
    let again = Rc::clone(&other).reduce(Action::Settle(place, None));
    assert_eq!(fates(&again), [Fate::Unknown; 2]);
    assert_eq!(
        other
            .reduce(Action::Paste(rules.into()))
            .workspace()
            .settled,
        []
    );
}

#[test]
fn a_nodes_rules_are_walked_in_a_node_until_the_reader_says_a_pod() {
    let rules = "*filter\n:FORWARD ACCEPT [0:0]\n:cali-FORWARD - [0:0]\n-A FORWARD -j cali-FORWARD\n-A cali-FORWARD -i cni0 -j DROP\n";
    let node = after([Action::Paste(rules.into())]);
    assert_eq!(
        node.workspace()
            .packets
            .each_ref()
            .map(|slot| slot.scenario),
        [Some("internet"), Some("pod-internet")]
    );
    assert_eq!(fates(&node), [Fate::Direct, Fate::Dropped]);
    let given = node.paste().given();
    assert!(
        given[0].contains("a usual node") && given[1].contains("no COMMIT: assumed to be complete"),
        "{given:?}"
    );
    let pod = Rc::clone(&node).reduce(Action::Place { node: false });
    assert_eq!(
        pod.workspace().packets.each_ref().map(|slot| slot.scenario),
        [Some("internet"), Some("as-proxy")]
    );
    assert!(pod.paste().given()[0].contains("a usual pod"));
    // An edit and a link keep the choice.
    let text = format!("{rules}COMMIT\n");
    let edited = Rc::clone(&pod).reduce(Action::Edit(text));
    assert_eq!(
        (edited.paste().host.clone(), edited.paste().given().len()),
        (pod.paste().host.clone(), 1)
    );
    for before in [&node, &pod, &edited] {
        let again = after([Action::Link(crate::share::shared(before).fragment())]);
        assert_eq!(
            (again.paste().host.clone(), again.paste().given()),
            (before.paste().host.clone(), before.paste().given())
        );
        assert_eq!(fates(&again), fates(before));
    }
    assert_eq!(
        pod.reduce(Action::Undo { redo: false }).paste().host,
        node.paste().host
    );
}

#[test]
fn a_rule_that_no_packet_was_found_for_says_so_until_it_is_left() {
    let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n-A a -j DROP\nCOMMIT\n";
    let open = after([Action::Paste(rules.into())]);
    let at = chainwalk_core::netfilter::place::ChainPlace {
        ruleset: 0,
        table: 0,
        chain: 1,
    };
    let place = chainwalk_core::netfilter::place::Place { at, rule: Some(0) };
    let tried = open.reduce(Action::Try(place));
    assert_eq!(
        (tried.view.unmet, tried.view.untried),
        (Some(place), Some(place))
    );
    let looked = Rc::clone(&tried).reduce(Action::GoTo(place));
    assert_eq!(
        (looked.view.unmet, looked.view.untried),
        (Some(place), None)
    );
    let other = tried.reduce(Action::Paste(rules.into()));
    assert_eq!(other.reduce(Action::GoTo(place)).view.untried, None);
}

#[test]
fn a_field_walks_again_at_once_and_stays_two_while_it_is_typed_in() {
    let write =
        |text: &str| Action::Write(FieldTarget::One(Side::B), PacketField::Uid, text.into());
    let state = after([write("1000")]);
    assert_eq!(fates(&state), [Fate::Captured, Fate::Captured]);
    assert!(
        state.results().divergence.is_none()
            && state
                .evaluation
                .differs(PacketField::Uid, &state.view.split)
    );
    let state = after([write("x")]);
    assert_eq!(
        fates(&state),
        [Fate::Captured],
        "B is incomplete, A still walks"
    );
    let state = after([Action::Write(
        FieldTarget::Both,
        PacketField::Protocol,
        "udp".into(),
    )]);
    assert_eq!(fates(&state), [Fate::Direct, Fate::Direct]);
}

#[test]
fn a_link_is_opened_and_a_broken_one_said() {
    let text = "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
    let state = after([Action::Link(link::fragment(text))]);
    assert_eq!(
        (state.paste().editable(), &state.view.refused[..]),
        (Some(text), &[][..])
    );
    assert_eq!(
        after([Action::Link(String::new())]).paste().origin,
        Origin::Sample(0)
    );
    for broken in ["#1damaged", "#9", "#pane-rules"] {
        let state = after([Action::Link(broken.into())]);
        assert_eq!(
            (state.view.refused.len(), &state.paste().origin),
            (1, &Origin::Sample(0)),
            "{broken}"
        );
    }
}

#[test]
fn a_useless_paste_is_said_and_keeps_the_rules() {
    for text in ["", "hello", "{", "{}"] {
        let state = after([Action::Paste(text.into())]);
        assert!(!state.view.refused.is_empty(), "{text}");
        let reasons = state
            .view
            .refused
            .iter()
            .any(|remark| remark.code == Code::EmptyInput);
        assert_eq!(reasons, text.is_empty(), "{text}");
        assert_eq!(fates(&state), [Fate::Captured, Fate::Direct], "{text}");
    }
    assert_eq!(
        after([Action::Paste("x".into()), Action::Sample(1)])
            .view
            .refused,
        []
    );
}

#[test]
fn a_dump_without_a_table_is_an_answer() {
    let text = "# Generated by iptables-save v1.8.9 on Mon Nov 23 07:00:00 2026\n";
    let state = after([Action::Paste(text.into())]);
    assert_eq!(state.view.refused, []);
    assert_eq!(fates(&state), [Fate::Direct; 2]);
}

#[test]
fn an_edit_that_a_remark_offers_is_made_in_the_text_it_is_about() {
    let fix = |remarks: &[Diagnostic], refused| {
        let fix = remarks.iter().find_map(|remark| remark.fixes.first());
        Action::Fix(fix.expect("an edit is offered").clone(), refused)
    };
    // Their table is unknown, so the text is rejected.
    let state = after([Action::Paste("-A OUTPUT -p tcp -j DROP\nCOMMIT\n".into())]);
    let state = Rc::clone(&state).reduce(fix(&state.view.refused, true));
    assert_eq!(
        (state.paste().editable(), &state.view.refused[..]),
        (Some("*raw\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n"), &[][..])
    );
    let state = Rc::clone(&state).reduce(fix(&state.paste().parsed.diagnostics, false));
    assert_eq!(state.paste().parsed.diagnostics, []);
    assert_eq!(fates(&state), [Fate::Dropped; 2]);
}

#[test]
fn an_own_paste_fills_scenarios_in_again() {
    let dump = "*nat\n:OUTPUT ACCEPT [0:0]\n:PROXY_INIT_REDIRECT - [0:0]\n\
                -A OUTPUT -m owner --uid-owner 2102 -j RETURN\n-A OUTPUT -p tcp -j REDIRECT --to-ports 4140\nCOMMIT\n";
    let state = after([Action::Paste(dump.into())]);
    assert_eq!(
        state.workspace().slot(Side::B).form.get(PacketField::Uid),
        "2102"
    );
    assert_eq!(fates(&state), [Fate::Captured, Fate::Direct]);
}

#[test]
fn a_flip_can_be_applied_and_does_what_it_says() {
    let state = analyzed(Rc::default());
    let flips = analysis(&state).flips.clone();
    let found = flips.flatten().expect("its end is certain");
    let flips = |change: &chainwalk_core::analysis::counterfactual::Alteration| match change {
        chainwalk_core::analysis::counterfactual::Alteration::Field(_, packet) => {
            Some(Action::Load(packet.clone()))
        }
        chainwalk_core::analysis::counterfactual::Alteration::Gone(place) => Some(Action::Rule(
            EditAction::Edit(chainwalk_core::input::edit::Edit::Delete(*place)),
        )),
        chainwalk_core::analysis::counterfactual::Alteration::Value(..) => None,
    };
    let actions: Vec<(Action, _)> = found
        .offered
        .iter()
        .filter_map(|flip| Some((flips(&flip.change)?, flip.verdict.clone())))
        .collect();
    assert!(
        actions
            .iter()
            .any(|(action, _)| matches!(action, Action::Rule(_))),
        "{actions:?}"
    );
    for (action, verdict) in actions {
        let state = after([action.clone()]);
        let walked = state.evaluation.walked(Side::B).expect("it is complete");
        let end = walked
            .path()
            .verdict
            .as_ref()
            .map(|end| (end.kind, end.port));
        assert_eq!(end, Some((verdict.kind, verdict.port)), "{action:?}");
    }
}

#[test]
fn nothing_is_said_to_change_an_end_that_is_not_known() {
    let dump =
        "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m set --match-set blocked dst -j DROP\nCOMMIT\n";
    let state = analyzed(after([Action::Paste(dump.into())]));
    assert!(matches!(analysis(&state).flips, Some(None)));
}

#[test]
fn a_lesson_gives_back_the_rules_that_were_there() {
    let own = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n";
    let stage = |text: &str| {
        let packets = vec![
            State::default()
                .workspace()
                .slot(Side::A)
                .form
                .packet()
                .expect("it is whole"),
        ];
        Action::Stage(Box::new(Stage {
            text: text.into(),
            host: None,
            packets,
            at: At::Start,
            whole: false,
        }))
    };
    let before = after([Action::Paste(own.into()), Action::Scenario("udp")]);
    let steps = [
        stage("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"),
        stage("*raw\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"),
    ];
    let learned = steps.into_iter().fold(Rc::clone(&before), State::reduce);
    assert_eq!(learned.paste().origin, Origin::Lesson);
    let left = Rc::clone(&learned).reduce(Action::Leave);
    assert_eq!(
        (
            &left.paste().origin,
            left.workspace().slot(Side::B).scenario
        ),
        (&Origin::Own, Some("udp"))
    );
    assert!(Rc::ptr_eq(left.paste(), before.paste()));
    // What came in since the lesson stays.
    let pasted = learned
        .reduce(Action::Paste(own.into()))
        .reduce(Action::Leave);
    assert!(pasted.paste().origin == Origin::Own && !Rc::ptr_eq(pasted.paste(), before.paste()));
}

#[test]
fn a_packet_of_another_namespace_gives_way() {
    let mut shared = crate::share::shared(&State::default());
    shared.text = "*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n".into();
    for packet in &mut shared.packets {
        packet.src = Some([10, 9, 9, 9].into());
    }
    let linked = after([Action::Link(shared.fragment())]);
    assert_eq!(
        linked.workspace().slot(Side::A).form.get(PacketField::Src),
        "10.9.9.9",
        "a link is shown as it is"
    );
    let own =
        Rc::clone(&linked).reduce(Action::Paste("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".into()));
    assert_eq!(
        own.workspace().slot(Side::A).form.get(PacketField::Src),
        "10.244.1.5"
    );
    // Typing in the text does not change the packet.
    let typed = linked.reduce(Action::Edit("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".into()));
    assert_eq!(
        typed.workspace().slot(Side::A).form.get(PacketField::Src),
        "10.9.9.9"
    );
}

#[test]
fn the_answer_in_large_is_that_of_the_packet_last_touched() {
    let state = State::default();
    assert_eq!(state.workspace().lead, Side::B);
    let state = after([Action::Write(
        FieldTarget::One(Side::A),
        PacketField::Uid,
        "999".into(),
    )]);
    assert_eq!(
        (state.workspace().lead, &*state.evaluation.name(Side::A)),
        (Side::A, "uid 999")
    );
    let state = state.reduce(Action::Scenario("udp"));
    assert_eq!(
        (
            state.workspace().slot(Side::A).scenario,
            state.workspace().slot(Side::B).scenario
        ),
        (Some("udp"), Some("as-proxy"))
    );
    // Alone, it is the one that stays; and a link brings it back.
    let alone = Rc::clone(&state).reduce(Action::Compare);
    assert_eq!(alone.workspace().sides(), [Side::A]);
    assert_eq!(
        after([Action::Link(crate::share::shared(&state).fragment())])
            .workspace()
            .lead,
        Side::A
    );
    assert_eq!(
        state
            .reduce(Action::Lead(Side::B))
            .reduce(Action::Compare)
            .workspace()
            .sides(),
        [Side::B]
    );
}

#[test]
fn a_finding_shows_its_rule_and_a_packet() {
    let state = analyzed(after([]));
    let findings = state.results().findings.as_ref();
    let findings = findings.expect("they are known");
    let which = |part: &str| {
        findings
            .iter()
            .position(|one| one.says.contains(part))
            .expect("it is found")
    };
    let udp = Rc::clone(&state).reduce(Action::Finding(which("UDP is not captured")));
    assert_eq!(
        udp.workspace()
            .slot(Side::B)
            .form
            .get(PacketField::Protocol),
        "udp"
    );
    let dead = Rc::clone(&state).reduce(Action::Finding(which("It can never match")));
    assert_eq!(
        dead.workspace().slot(Side::B).form.get(PacketField::Gid),
        "1337"
    );
    assert_eq!(
        dead.view.editing.place.and_then(|place| place.rule),
        Some(4)
    );
}

#[test]
fn the_journey_follows_the_choice() {
    let own = Choices {
        endpoint: Some(([10, 244, 1, 5].into(), 443)),
    };
    let state = after([Action::Lead(Side::A)]);
    assert_eq!(analysis(&state).journey.legs.len(), 2);
    let state = Rc::clone(&state).reduce(Action::Choose(own));
    assert_eq!(analysis(&state).journey.legs.len(), 3);
}

#[test]
fn a_rule_leads_to_its_step_or_is_said_to_be_unmet() {
    let state = State::default();
    let place = |rule| Place {
        rule: Some(rule),
        ..state.evaluation.current(4)[0].1
    };
    let state = after([Action::GoTo(place(8))]);
    assert_eq!((state.view.cursor, state.view.unmet), (9, None));
    let alone = [Action::Compare, Action::GoTo(place(8))];
    let state = after(alone);
    assert_eq!(
        (state.view.unmet, state.view.cursor),
        (Some(place(8)), 4),
        "uid 1337 alone never meets rule 9"
    );
}

#[test]
fn a_rule_is_changed_in_place_and_the_way_back_is_kept() {
    let state = State::default();
    let at = state.evaluation.current(4)[0].1.at;
    let rule = |rule| Place {
        at,
        rule: Some(rule),
    };
    let edit = |edit| Action::Rule(EditAction::Edit(edit));
    let off = after([edit(Edit::Off(rule(3)))]);
    // Rule 7 lets group 1337 out only, so uid 1337 is captured now.
    assert_eq!(fates(&off), [Fate::Captured, Fate::Captured]);
    assert!(off.workspace().is_edited() && off.paste().host_known == state.paste().host_known);
    assert!(
        off.results()
            .rows
            .iter()
            .any(|row| matches!(row, Row::Off(..)))
    );
    let back = Rc::clone(&off).reduce(Action::Undo { redo: false });
    assert_eq!(fates(&back), [Fate::Captured, Fate::Direct]);
    assert!(!back.workspace().is_edited() && !back.history.can(false) && back.history.can(true));
    let again = back.reduce(Action::Undo { redo: true });
    assert_eq!(fates(&again), [Fate::Captured, Fate::Captured]);
    let on = again.reduce(edit(Edit::On(0, 0)));
    assert_eq!(fates(&on), [Fate::Captured, Fate::Direct]);
    assert_eq!(on.paste().parsed.sources, state.paste().parsed.sources);

    let choose = |place| Action::Rule(EditAction::Choose(Some(place)));
    let form = |form| Action::Rule(EditAction::Open(Some(form)));
    let words = |words: &str| Action::Rule(EditAction::Words(words.into()));
    let changed = after([
        choose(rule(3)),
        form(EditForm::Change),
        words("-m owner --uid-owner 1000 -j RETURN"),
    ]);
    assert_eq!(fates(&changed), [Fate::Direct, Fate::Captured]);
    let refused = after([choose(rule(3)), form(EditForm::Below), words("-j NOWHERE")]);
    assert!(
        refused.view.editing.refused.is_some()
            && refused.view.editing.form.is_some()
            && !refused.workspace().is_edited()
    );
    let export = |kind| Action::Rule(EditAction::Export(Some(kind)));
    let written = Rc::clone(&changed)
        .reduce(export(Export::Commands))
        .view
        .editing
        .export
        .clone()
        .expect("asked for");
    let written = written.1.expect("they can be written");
    assert_eq!(
        &*written,
        "iptables -t nat -R ISTIO_OUTPUT 4 -m owner --uid-owner 1000 -j RETURN\n"
    );
    let save = changed
        .reduce(export(Export::Save))
        .view
        .editing
        .export
        .clone()
        .expect("asked for");
    let save = save.1.expect("a dump can be written");
    assert!(
        save.contains("\n-A ISTIO_OUTPUT -m owner --uid-owner 1000 -j RETURN\n"),
        "{save}"
    );

    let hostile = after([Action::Paste(
        "*filter\n:INPUT ACCEPT [0:0]\n:-v - [0:0]\nCOMMIT\n".into(),
    )]);
    let hostile = hostile.reduce(export(Export::Commands));
    let (_, written) = hostile.view.editing.export.clone().expect("asked for");
    assert!(written.is_err_and(|why| why.contains("invalid chain name `-v`")));
}

#[test]
fn typing_is_one_step_back_and_another_field_another() {
    let write = |field, text: &str| Action::Write(FieldTarget::One(Side::B), field, text.into());
    let state = after([
        write(PacketField::Uid, "1"),
        write(PacketField::Uid, "10"),
        write(PacketField::Gid, "7"),
        Action::Compare,
    ]);
    let mut seen = Vec::new();
    let mut state = state;
    while state.history.can(false) {
        state = state.reduce(Action::Undo { redo: false });
        let form = &state.workspace().slot(Side::B).form;
        seen.push((
            form.get(PacketField::Uid).to_owned(),
            form.get(PacketField::Gid).to_owned(),
        ));
    }
    let pair = |uid: &str, gid: &str| (uid.to_owned(), gid.to_owned());
    assert_eq!(
        seen,
        [pair("10", "7"), pair("10", "1000"), pair("1337", "1000")]
    );
    assert_eq!(state.workspace().slot(Side::B).scenario, Some("as-proxy"));
}

#[test]
fn a_line_and_the_fields_keep_step() {
    let say = |text: &str| Action::TypeLine(Side::B, Some(text.into()));
    let state = after([say("tcp > 1.1.1.1:443 uid 5 out")]);
    let slot = state.workspace().slot(Side::B);
    assert_eq!(
        (
            slot.form.get(PacketField::Uid),
            slot.form.get(PacketField::Gid)
        ),
        ("5", "5")
    );
    assert_eq!(
        slot.line_text(),
        "tcp > 1.1.1.1:443 uid 5 out",
        "as typed, while it is typed"
    );
    let left = Rc::clone(&state).reduce(Action::TypeLine(Side::B, None));
    assert_eq!(
        left.workspace().slot(Side::B).line_text(),
        "tcp > 1.1.1.1:443 uid 5 gid 5 out"
    );
    let wrote = state.reduce(Action::Write(
        FieldTarget::One(Side::B),
        PacketField::Dport,
        "80".into(),
    ));
    assert_eq!(
        wrote.workspace().slot(Side::B).line_text(),
        "tcp > 1.1.1.1:80 uid 5 gid 5 out"
    );
    let wrong = wrote.reduce(say("tcp > 1.1.1.1:80 uid"));
    assert!(
        wrong.evaluation.walked(Side::B).is_none()
            && wrong.workspace().slot(Side::B).line_error.is_some()
    );
    let stays = wrong.reduce(Action::TypeLine(Side::B, None));
    assert_eq!(
        stays.workspace().slot(Side::B).line_text(),
        "tcp > 1.1.1.1:80 uid"
    );
    assert!(
        stays
            .reduce(say("tcp > 1.1.1.1:80 uid 7"))
            .evaluation
            .walked(Side::B)
            .is_some()
    );
}

#[test]
fn packets_are_set_aside_and_follow_the_rules() {
    let put = |what| Action::SavedPacket(what);
    let state = after([
        put(SavedPacketAction::Add(Side::A)),
        put(SavedPacketAction::Add(Side::B)),
        put(SavedPacketAction::Add(Side::B)),
    ]);
    let fates = |state: &State| {
        state
            .results()
            .saved_packets
            .iter()
            .map(|saved| saved.fate)
            .collect::<Vec<_>>()
    };
    assert_eq!(fates(&state), [Fate::Captured, Fate::Direct], "each once");
    let other = Rc::clone(&state).reduce(Action::Paste(
        "*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n".into(),
    ));
    assert_eq!(fates(&other), [Fate::Dropped, Fate::Dropped]);
    let loaded = Rc::clone(&state).reduce(put(SavedPacketAction::Load(1, Side::A)));
    assert_eq!(loaded.evaluation.differences(), []);
    let gone = loaded.reduce(put(SavedPacketAction::Remove(0)));
    assert_eq!(fates(&gone), [Fate::Direct]);
    assert_eq!(
        fates(&gone.reduce(Action::Undo { redo: false })),
        [Fate::Captured, Fate::Direct]
    );
}

#[test]
fn it_plays_to_the_end_until_something_else_is_done() {
    let playing = after([Action::Go(Move::Last), Action::Play(true)]);
    assert_eq!(
        (playing.view.cursor, playing.view.playing),
        (0, true),
        "from the start again"
    );
    let end = (0..11).fold(Rc::clone(&playing), |state, _| state.reduce(Action::Tick));
    assert_eq!((end.view.cursor, end.view.playing), (11, false));
    let moved = playing.reduce(Action::Go(Move::Forward));
    assert_eq!((moved.view.cursor, moved.view.playing), (1, false));
}

#[test]
fn every_sample_walks_every_scenario() {
    // Those of a mesh: a node's rules take minutes where nothing is optimized.
    for sample in 0..6 {
        let state = after([Action::Sample(sample)]);
        for past in state.paste().outcomes() {
            let state = Rc::clone(&state).reduce(Action::Scenario(past.scenario.key));
            assert_eq!(
                state.evaluation.walks().count(),
                2,
                "{sample}: {}",
                past.scenario.key
            );
        }
    }
}

#[test]
fn a_place_of_other_rules_is_passed_over() {
    use chainwalk_core::netfilter::place::{ChainPlace, Place};
    let rules = after([Action::Paste(
        "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j DROP\nCOMMIT\n".into(),
    )]);
    let places = [(9, 0, 0, None), (0, 1, 0, None), (0, 0, 7, None)];
    let places = places
        .into_iter()
        .chain([(0, 0, 0, Some(1)), (0, 0, 0, Some(u32::MAX))]);
    for (ruleset, table, chain, rule) in places {
        let place = Place {
            at: ChainPlace {
                ruleset,
                table,
                chain,
            },
            rule,
        };
        for action in [
            Action::GoTo(place),
            Action::Try(place),
            Action::Settle(place, Some(true)),
            Action::Rule(EditAction::Choose(Some(place))),
            Action::Rule(EditAction::Edit(Edit::Delete(place))),
            Action::List(RuleListAction::Unfold(place)),
        ] {
            let shown = Rc::clone(&rules).reduce(action);
            assert_eq!(shown.workspace().settled, []);
            assert!(shown.evaluation.walked(Side::A).is_some());
        }
    }
}

#[test]
fn what_a_link_holds_too_much_of_is_left_out_and_said() {
    use chainwalk_core::share::link::Shared;
    let text = "*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
    let routes = (0..60_000)
        .map(|at: u32| format!("{{\"dst\": \"0.0.0.0/0\", \"dev\": \"eth0\", \"table\": {at}}}"))
        .collect::<Vec<_>>()
        .join(",");
    let file =
        format!("{{\"chainwalk\": 2, \"text\": {text:?}, \"host\": {{\"routes\": [{routes}]}}}}");
    let shown = after([Action::Link(
        Shared::from_file(&file)
            .expect("a file")
            .expect("it is whole")
            .fragment(),
    )]);
    // A packed copy holds the used parts.
    assert_eq!(
        (shown.paste().dropped.len(), shown.paste().host.routes.len()),
        (0, 50_000)
    );
    let shown = after([Action::Paste(file)]);
    assert_eq!(
        shown.paste().dropped,
        ["60000 routes: the first 50000 are used"]
    );
    assert!(
        shown
            .paste()
            .given()
            .iter()
            .any(|given| given.contains("60000 routes")),
        "{:?}",
        shown.paste().given()
    );
    assert!(
        shown
            .paste()
            .parsed
            .diagnostics
            .iter()
            .any(|remark| remark.message.contains("60000 routes"))
    );
}

#[test]
fn the_queue_searches_a_large_rule_set() {
    let search = |query: &str| Action::List(RuleListAction::Search(query.into()));
    let pasted = analyzed(after([Action::Paste(large::kube_proxy(2_000))]));
    let before = Rc::clone(&pasted.results().rows);
    let searched = pasted.reduce(search("10.96.0.7"));
    assert!(searched.results().sought.is_some());
    assert!(Rc::ptr_eq(&searched.results().rows, &before));
    let found = analyzed(searched);
    assert!(found.results().sought.is_none());
    let rows = found.results().rows.iter();
    let rules = rows.filter(|row| matches!(row, Row::Rule(_)));
    assert_eq!(rules.count(), 2);
    // Without a query, the list is complete at once.
    let cleared = found.reduce(search(""));
    assert_eq!(cleared.results().rows, before);
}
