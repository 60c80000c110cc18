//! The state as a reader would change it.

use super::*;
use crate::lesson::Stage;
use crate::paste::Origin;
use crate::side::Target;
use crate::{editing, shelf};
use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::input::edit::Edit;
use chainwalk_core::lesson::At;
use chainwalk_core::share::link;
use chainwalk_core::text::diagnostic::Code;

fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    actions.into_iter().fold(Rc::default(), State::reduce)
}

/// What is said of the lead's packet, worked out.
fn told(state: &State) -> &crate::told::Told {
    while state.owes() {
        state.work();
    }
    state.told.as_ref().expect("the packet is complete")
}

fn fates(state: &State) -> Vec<Fate> {
    state
        .walks()
        .map(|(_, walked)| walked.headline.fate)
        .collect()
}

#[test]
fn it_opens_with_the_app_and_uid_1337_compared_where_they_part() {
    let state = State::default();
    assert_eq!(fates(&state), [Fate::Captured, Fate::Direct]);
    assert_eq!((state.part, state.cursor, state.steps()), (Some(4), 4, 12));
    assert_eq!(state.differences(), [PacketField::Uid]);
    assert_eq!(
        (state.name(Side::A), state.name(Side::B)),
        ("uid 1000".into(), "uid 1337".into())
    );
}

#[test]
fn a_rule_that_cannot_be_told_is_settled_and_left_open_again() {
    let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit -j DROP\nCOMMIT\n";
    let open = after([Action::Paste(rules.into())]);
    assert_eq!(fates(&open), [Fate::Unknown; 2]);
    let place = open
        .walked(Side::A)
        .and_then(|walked| walked.first_doubt())
        .expect("rule 1 cannot be told");
    let settled = Rc::clone(&open).reduce(Action::Settle(place, Some(true)));
    assert_eq!(fates(&settled), [Fate::Dropped; 2]);
    let other = settled.reduce(Action::Settle(place, Some(false)));
    assert_eq!(fates(&other), [Fate::Direct; 2]);
    let again = Rc::clone(&other).reduce(Action::Settle(place, None));
    assert_eq!(fates(&again), [Fate::Unknown; 2]);
    assert_eq!(other.reduce(Action::Paste(rules.into())).settled, []);
}

#[test]
fn a_nodes_rules_are_walked_in_a_node_until_the_reader_says_a_pod() {
    let rules = "*filter\n:FORWARD ACCEPT [0:0]\n:cali-FORWARD - [0:0]\n-A FORWARD -j cali-FORWARD\n-A cali-FORWARD -i cni0 -j DROP\n";
    let node = after([Action::Paste(rules.into())]);
    assert_eq!(
        node.lanes.each_ref().map(|lane| lane.scenario),
        [Some("internet"), Some("pod-internet")]
    );
    assert_eq!(fates(&node), [Fate::Direct, Fate::Dropped]);
    let given = node.paste.given();
    assert!(
        given[0].contains("a usual node") && given[1].contains("no COMMIT: taken as whole"),
        "{given:?}"
    );
    let pod = Rc::clone(&node).reduce(Action::Place { node: false });
    assert_eq!(
        pod.lanes.each_ref().map(|lane| lane.scenario),
        [Some("internet"), Some("as-proxy")]
    );
    assert!(pod.paste.given()[0].contains("a usual pod"));
    // An edit keeps what was said, and so does a link.
    let text = format!("{rules}COMMIT\n");
    let edited = Rc::clone(&pod).reduce(Action::Edit(text));
    assert_eq!(
        (edited.paste.host.clone(), edited.paste.given().len()),
        (pod.paste.host.clone(), 1)
    );
    for before in [&node, &pod, &edited] {
        let again = after([Action::Link(crate::share::shared(before).fragment())]);
        assert_eq!(
            (again.paste.host.clone(), again.paste.given()),
            (before.paste.host.clone(), before.paste.given())
        );
        assert_eq!(fates(&again), fates(before));
    }
    assert_eq!(
        pod.reduce(Action::Undo { redo: false }).paste.host,
        node.paste.host
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
    assert_eq!((tried.unmet, tried.untried), (Some(place), Some(place)));
    let looked = Rc::clone(&tried).reduce(Action::GoTo(place));
    assert_eq!((looked.unmet, looked.untried), (Some(place), None));
    let other = tried.reduce(Action::Paste(rules.into()));
    assert_eq!(other.reduce(Action::GoTo(place)).untried, None);
}

#[test]
fn a_field_walks_again_at_once_and_stays_two_while_it_is_typed_in() {
    let write = |text: &str| Action::Write(Target::One(Side::B), PacketField::Uid, text.into());
    let state = after([write("1000")]);
    assert_eq!(fates(&state), [Fate::Captured, Fate::Captured]);
    assert!(state.part.is_none() && state.differs(PacketField::Uid));
    let state = after([write("x")]);
    assert_eq!(
        fates(&state),
        [Fate::Captured],
        "B is incomplete, A still walks"
    );
    let state = after([Action::Write(
        Target::Both,
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
        (state.paste.editable(), &state.refused[..]),
        (Some(text), &[][..])
    );
    assert_eq!(
        after([Action::Link(String::new())]).paste.origin,
        Origin::Sample(0)
    );
    for broken in ["#1damaged", "#9", "#pane-rules"] {
        let state = after([Action::Link(broken.into())]);
        assert_eq!(
            (state.refused.len(), &state.paste.origin),
            (1, &Origin::Sample(0)),
            "{broken}"
        );
    }
}

#[test]
fn a_useless_paste_is_said_and_keeps_the_rules() {
    for text in ["", "hello", "{", "{}"] {
        let state = after([Action::Paste(text.into())]);
        assert!(!state.refused.is_empty(), "{text}");
        let reasons = state
            .refused
            .iter()
            .any(|remark| remark.code == Code::EmptyInput);
        assert_eq!(reasons, text.is_empty(), "{text}");
        assert_eq!(fates(&state), [Fate::Captured, Fate::Direct], "{text}");
    }
    assert_eq!(
        after([Action::Paste("x".into()), Action::Sample(1)]).refused,
        []
    );
}

#[test]
fn a_dump_without_a_table_is_an_answer() {
    let text = "# Generated by iptables-save v1.8.9 on Mon Nov 23 07:00:00 2026\n";
    let state = after([Action::Paste(text.into())]);
    assert_eq!(state.refused, []);
    assert_eq!(fates(&state), [Fate::Direct; 2]);
}

#[test]
fn an_edit_that_a_remark_offers_is_made_in_the_text_it_is_about() {
    let fix = |remarks: &[Diagnostic], refused| {
        let fix = remarks.iter().find_map(|remark| remark.fixes.first());
        Action::Fix(fix.expect("an edit is offered").clone(), refused)
    };
    // Which table these are of cannot be told, so the text is not taken.
    let state = after([Action::Paste("-A OUTPUT -p tcp -j DROP\nCOMMIT\n".into())]);
    let state = Rc::clone(&state).reduce(fix(&state.refused, true));
    assert_eq!(
        (state.paste.editable(), &state.refused[..]),
        (Some("*raw\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n"), &[][..])
    );
    let state = Rc::clone(&state).reduce(fix(&state.paste.parsed.diagnostics, false));
    assert_eq!(state.paste.parsed.diagnostics, []);
    assert_eq!(fates(&state), [Fate::Dropped; 2]);
}

#[test]
fn an_own_paste_fills_scenarios_in_again() {
    let dump = "*nat\n:OUTPUT ACCEPT [0:0]\n:PROXY_INIT_REDIRECT - [0:0]\n\
                -A OUTPUT -m owner --uid-owner 2102 -j RETURN\n-A OUTPUT -p tcp -j REDIRECT --to-ports 4140\nCOMMIT\n";
    let state = after([Action::Paste(dump.into())]);
    assert_eq!(state.lane(Side::B).draft.get(PacketField::Uid), "2102");
    assert_eq!(fates(&state), [Fate::Captured, Fate::Direct]);
}

#[test]
fn a_flip_can_be_applied_and_does_what_it_says() {
    let state = State::default();
    let found = told(&state).flips().flatten().expect("its end is certain");
    let flips = |change: &chainwalk_core::analysis::counterfactual::Change| match change {
        chainwalk_core::analysis::counterfactual::Change::Field(_, packet) => {
            Some(Action::Load(packet.clone()))
        }
        chainwalk_core::analysis::counterfactual::Change::Gone(place) => Some(Action::Rule(
            editing::Do::Edit(chainwalk_core::input::edit::Edit::Delete(*place)),
        )),
        chainwalk_core::analysis::counterfactual::Change::Value(..) => None,
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
        let walked = state.walked(Side::B).expect("it is complete");
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
    let state = after([Action::Paste(dump.into())]);
    assert_eq!(told(&state).flips(), Some(None));
}

#[test]
fn a_lesson_gives_back_the_rules_that_were_there() {
    let own = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n";
    let stage = |text: &str| {
        let packets = vec![
            State::default()
                .lane(Side::A)
                .draft
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
    assert_eq!(learned.paste.origin, Origin::Lesson);
    let left = Rc::clone(&learned).reduce(Action::Leave);
    assert_eq!(
        (&left.paste.origin, left.lane(Side::B).scenario),
        (&Origin::Own, Some("udp"))
    );
    assert!(Rc::ptr_eq(&left.paste, &before.paste));
    // What came in since the lesson stays.
    let pasted = learned
        .reduce(Action::Paste(own.into()))
        .reduce(Action::Leave);
    assert!(pasted.paste.origin == Origin::Own && !Rc::ptr_eq(&pasted.paste, &before.paste));
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
        linked.lane(Side::A).draft.get(PacketField::Src),
        "10.9.9.9",
        "a link is shown as it is"
    );
    let own =
        Rc::clone(&linked).reduce(Action::Paste("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".into()));
    assert_eq!(own.lane(Side::A).draft.get(PacketField::Src), "10.244.1.5");
    // While the text is typed in, a packet stays what it is.
    let typed = linked.reduce(Action::Edit("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".into()));
    assert_eq!(typed.lane(Side::A).draft.get(PacketField::Src), "10.9.9.9");
}

#[test]
fn the_answer_in_large_is_that_of_the_packet_last_touched() {
    let state = State::default();
    assert_eq!(state.lead, Side::B);
    let state = after([Action::Write(
        Target::One(Side::A),
        PacketField::Uid,
        "999".into(),
    )]);
    assert_eq!((state.lead, &*state.name(Side::A)), (Side::A, "uid 999"));
    let state = state.reduce(Action::Scenario("udp"));
    assert_eq!(
        (state.lane(Side::A).scenario, state.lane(Side::B).scenario),
        (Some("udp"), Some("as-proxy"))
    );
    // Alone, it is the one that stays; and a link brings it back.
    let alone = Rc::clone(&state).reduce(Action::Compare);
    assert_eq!(alone.sides(), [Side::A]);
    assert_eq!(
        after([Action::Link(crate::share::shared(&state).fragment())]).lead,
        Side::A
    );
    assert_eq!(
        state
            .reduce(Action::Lead(Side::B))
            .reduce(Action::Compare)
            .sides(),
        [Side::B]
    );
}

#[test]
fn a_finding_shows_its_rule_and_a_packet() {
    let state = after([]);
    told(&state);
    let findings = state.paste.findings().expect("they are known");
    let which = |part: &str| {
        findings
            .iter()
            .position(|one| one.says.contains(part))
            .expect("it is found")
    };
    let udp = Rc::clone(&state).reduce(Action::Finding(which("UDP is not captured")));
    assert_eq!(udp.lane(Side::B).draft.get(PacketField::Protocol), "udp");
    let dead = Rc::clone(&state).reduce(Action::Finding(which("It can never match")));
    assert_eq!(dead.lane(Side::B).draft.get(PacketField::Gid), "1337");
    assert_eq!(dead.editing.place.and_then(|place| place.rule), Some(4));
}

#[test]
fn the_journey_follows_the_choice() {
    let own = Choices {
        endpoint: Some(([10, 244, 1, 5].into(), 443)),
    };
    let state = after([Action::Lead(Side::A)]);
    assert_eq!(told(&state).journey.legs.len(), 2);
    let state = Rc::clone(&state).reduce(Action::Choose(own));
    assert_eq!(told(&state).journey.legs.len(), 3);
}

#[test]
fn a_rule_leads_to_its_step_or_is_said_to_be_unmet() {
    let state = State::default();
    let place = |rule| Place {
        rule: Some(rule),
        ..state.current()[0].1
    };
    let state = after([Action::GoTo(place(8))]);
    assert_eq!((state.cursor, state.unmet), (9, None));
    let alone = [Action::Compare, Action::GoTo(place(8))];
    let state = after(alone);
    assert_eq!(
        (state.unmet, state.cursor),
        (Some(place(8)), 4),
        "uid 1337 alone never meets rule 9"
    );
}

#[test]
fn a_rule_is_changed_in_place_and_the_way_back_is_kept() {
    let state = State::default();
    let at = state.current()[0].1.at;
    let rule = |rule| Place {
        at,
        rule: Some(rule),
    };
    let edit = |edit| Action::Rule(editing::Do::Edit(edit));
    let off = after([edit(Edit::Off(rule(3)))]);
    // Rule 7 lets group 1337 out only, so uid 1337 is captured now.
    assert_eq!(fates(&off), [Fate::Captured, Fate::Captured]);
    assert!(off.is_edited() && off.paste.host_known == state.paste.host_known);
    assert!(off.rows.iter().any(|row| matches!(row, Row::Off(..))));
    let back = Rc::clone(&off).reduce(Action::Undo { redo: false });
    assert_eq!(fates(&back), [Fate::Captured, Fate::Direct]);
    assert!(!back.is_edited() && !back.history.can(false) && back.history.can(true));
    let again = back.reduce(Action::Undo { redo: true });
    assert_eq!(fates(&again), [Fate::Captured, Fate::Captured]);
    let on = again.reduce(edit(Edit::On(0, 0)));
    assert_eq!(fates(&on), [Fate::Captured, Fate::Direct]);
    assert_eq!(on.paste.parsed.sources, state.paste.parsed.sources);

    let choose = |place| Action::Rule(editing::Do::Choose(Some(place)));
    let form = |form| Action::Rule(editing::Do::Open(Some(form)));
    let words = |words: &str| Action::Rule(editing::Do::Words(words.into()));
    let changed = after([
        choose(rule(3)),
        form(editing::Form::Change),
        words("-m owner --uid-owner 1000 -j RETURN"),
    ]);
    assert_eq!(fates(&changed), [Fate::Direct, Fate::Captured]);
    let refused = after([
        choose(rule(3)),
        form(editing::Form::Below),
        words("-j NOWHERE"),
    ]);
    assert!(
        refused.editing.refused.is_some() && refused.editing.form.is_some() && !refused.is_edited()
    );
    let export = |kind| Action::Rule(editing::Do::Export(Some(kind)));
    let written = Rc::clone(&changed)
        .reduce(export(editing::Export::Commands))
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
        .reduce(export(editing::Export::Save))
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
    let hostile = hostile.reduce(export(editing::Export::Commands));
    let (_, written) = hostile.editing.export.clone().expect("asked for");
    assert!(written.is_err_and(|why| why.contains("invalid chain name `-v`")));
}

#[test]
fn typing_is_one_step_back_and_another_field_another() {
    let write = |field, text: &str| Action::Write(Target::One(Side::B), field, text.into());
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
        let draft = &state.lane(Side::B).draft;
        seen.push((
            draft.get(PacketField::Uid).to_owned(),
            draft.get(PacketField::Gid).to_owned(),
        ));
    }
    let pair = |uid: &str, gid: &str| (uid.to_owned(), gid.to_owned());
    assert_eq!(
        seen,
        [pair("10", "7"), pair("10", "1000"), pair("1337", "1000")]
    );
    assert_eq!(state.lane(Side::B).scenario, Some("as-proxy"));
}

#[test]
fn a_line_and_the_fields_keep_step() {
    let say = |text: &str| Action::Say(Side::B, Some(text.into()));
    let state = after([say("tcp > 1.1.1.1:443 uid 5 out")]);
    let lane = state.lane(Side::B);
    assert_eq!(
        (
            lane.draft.get(PacketField::Uid),
            lane.draft.get(PacketField::Gid)
        ),
        ("5", "5")
    );
    assert_eq!(
        lane.says(),
        "tcp > 1.1.1.1:443 uid 5 out",
        "as typed, while it is typed"
    );
    let left = Rc::clone(&state).reduce(Action::Say(Side::B, None));
    assert_eq!(
        left.lane(Side::B).says(),
        "tcp > 1.1.1.1:443 uid 5 gid 5 out"
    );
    let wrote = state.reduce(Action::Write(
        Target::One(Side::B),
        PacketField::Dport,
        "80".into(),
    ));
    assert_eq!(
        wrote.lane(Side::B).says(),
        "tcp > 1.1.1.1:80 uid 5 gid 5 out"
    );
    let wrong = wrote.reduce(say("tcp > 1.1.1.1:80 uid"));
    assert!(wrong.walked(Side::B).is_none() && wrong.lane(Side::B).mistake.is_some());
    let stays = wrong.reduce(Action::Say(Side::B, None));
    assert_eq!(stays.lane(Side::B).says(), "tcp > 1.1.1.1:80 uid");
    assert!(
        stays
            .reduce(say("tcp > 1.1.1.1:80 uid 7"))
            .walked(Side::B)
            .is_some()
    );
}

#[test]
fn packets_are_set_aside_and_follow_the_rules() {
    let put = |what| Action::Shelf(what);
    let state = after([
        put(shelf::Do::Add(Side::A)),
        put(shelf::Do::Add(Side::B)),
        put(shelf::Do::Add(Side::B)),
    ]);
    let fates = |state: &State| state.shelf.iter().map(|kept| kept.fate).collect::<Vec<_>>();
    assert_eq!(fates(&state), [Fate::Captured, Fate::Direct], "each once");
    let other = Rc::clone(&state).reduce(Action::Paste(
        "*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n".into(),
    ));
    assert_eq!(fates(&other), [Fate::Dropped, Fate::Dropped]);
    let loaded = Rc::clone(&state).reduce(put(shelf::Do::Load(1, Side::A)));
    assert_eq!(loaded.differences(), []);
    let gone = loaded.reduce(put(shelf::Do::Remove(0)));
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
        (playing.cursor, playing.playing),
        (0, true),
        "from the start again"
    );
    let end = (0..11).fold(Rc::clone(&playing), |state, _| state.reduce(Action::Tick));
    assert_eq!((end.cursor, end.playing), (11, false));
    let moved = playing.reduce(Action::Go(Move::Forward));
    assert_eq!((moved.cursor, moved.playing), (1, false));
}

#[test]
fn every_sample_walks_every_scenario() {
    // Those of a mesh: a node's rules take minutes where nothing is optimized.
    for sample in 0..6 {
        let state = after([Action::Sample(sample)]);
        for past in state.paste.past() {
            let state = Rc::clone(&state).reduce(Action::Scenario(past.scenario.key));
            assert_eq!(state.walks().count(), 2, "{sample}: {}", past.scenario.key);
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
            Action::Rule(editing::Do::Choose(Some(place))),
            Action::Rule(editing::Do::Edit(Edit::Delete(place))),
            Action::List(crate::rows::Do::Unfold(place)),
        ] {
            let shown = Rc::clone(&rules).reduce(action);
            assert_eq!(shown.settled, []);
            assert!(shown.walked(Side::A).is_some());
        }
    }
}

#[test]
fn what_a_link_holds_too_much_of_is_left_out_and_said() {
    use chainwalk_core::share::link::Shared;
    let text = "*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
    let route = |at: u32| format!("{{\"dst\": \"0.0.0.0/0\", \"dev\": \"eth0\", \"table\": {at}}}");
    let routes = (0..60_000).map(route).collect::<Vec<_>>().join(",");
    let file =
        format!("{{\"chainwalk\": 2, \"text\": {text:?}, \"host\": {{\"routes\": [{routes}]}}}}");
    let shown = after([Action::Link(
        Shared::from_file(&file)
            .expect("a file")
            .expect("it is whole")
            .fragment(),
    )]);
    // Packed again it holds what is used.
    assert_eq!(
        (shown.paste.dropped.len(), shown.paste.host.routes.len()),
        (0, 50_000)
    );
    let shown = after([Action::Paste(file)]);
    assert_eq!(
        shown.paste.dropped,
        ["60000 routes: the first 50000 are used"]
    );
    assert!(
        shown
            .paste
            .given()
            .iter()
            .any(|given| given.contains("60000 routes")),
        "{:?}",
        shown.paste.given()
    );
    assert!(
        shown
            .paste
            .parsed
            .diagnostics
            .iter()
            .any(|remark| remark.message.contains("60000 routes"))
    );
}
