//! Texts with a missing or damaged part: a walk may be certain only if no missing part can act.
//!
//! `CHAINWALK_PARTIAL=20000` tries more damaged texts. `CHAINWALK_SEED=2` tries others.

use std::collections::BTreeMap;
use std::fmt;

use chainwalk_core::analysis::scenario::{self, Scenario};
use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Packet, Protocol};
use chainwalk_core::walk::trace::{Trace, Verdict};
use chainwalk_core::walk::walk;

mod partial {
    pub(crate) mod damage;
    pub(crate) mod dump;
    pub(crate) mod random;
}

use partial::damage::{self, Damage};
use partial::dump::{Dump, Form};
use partial::random::Random;

const HEAD: &str = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n";

fn inbound(port: u16) -> Packet {
    let json = format!(
        r#"{{"origin": "inbound", "in_interface": "eth0", "protocol": "tcp", "src": "10.244.1.9", "dst": "10.244.1.5", "sport": 40000, "dport": {port}}}"#
    );
    Packet::from_json(&json).expect("it is a packet")
}

fn outbound(uid: u32) -> Packet {
    let json = format!(
        r#"{{"origin": "local", "protocol": "tcp", "src": "10.244.1.5", "dst": "198.51.100.7", "sport": 40000, "dport": 443, "uid": {uid}, "gid": {uid}}}"#
    );
    Packet::from_json(&json).expect("it is a packet")
}

fn trace(text: &str, packet: &Packet) -> Trace {
    walk(&parse(text).rulesets, None, &Host::pod(), packet)
}

/// Checks the certain outcome of a packet, such as `delivered 22`; `unknown` if the text does not
/// determine it.
#[track_caller]
fn ends(text: &str, packet: &Packet, want: &str) {
    let trace = trace(text, packet);
    let end = match trace.verdict() {
        None => "unknown".to_owned(),
        Some(Verdict { kind, port, .. }) => {
            let port = port.map(|port| format!(" {port}")).unwrap_or_default();
            format!("{kind:?}{port}").to_lowercase()
        }
    };
    assert_eq!(end, want, "{text}\n{:?}", trace.assumes);
}

#[test]
fn lines_that_stand_for_rules_leave_the_walk_undetermined() {
    for elision in [
        "...",
        "[...]",
        "…",
        "[snip]",
        "(more ACCEPT lines, cut for length)",
        "# ...",
    ] {
        let text = format!(
            "{HEAD}-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n{elision}\n-A INPUT -p tcp -j DROP\nCOMMIT\n"
        );
        ends(&text, &inbound(22), "delivered 22");
        ends(&text, &inbound(25), "unknown");
    }
}

/// A text of `core/tests/pastes`.
fn paste(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pastes")
        .join(name);
    std::fs::read_to_string(path).expect("the paste is there")
}

#[test]
fn rows_without_the_head_of_their_chain_may_belong_to_any() {
    for name in ["rows-without-head.txt", "markdown-table.txt"] {
        ends(&paste(name), &outbound(1000), "unknown");
    }
}

#[test]
fn an_error_on_the_second_line_of_a_wrapped_rule_belongs_to_the_rule() {
    let text = format!(
        "{HEAD}-A INPUT -p tcp -m tcp --dport 25\n  --sport 1 --sport 2 -j ACCEPT\nCOMMIT\n"
    );
    ends(&text, &inbound(25), "unknown");
}

#[test]
fn native_nftables_leave_the_walk_undetermined_where_they_act() {
    ends(&paste("native-nft.txt"), &outbound(1000), "unknown");
    let beside = format!(
        "{HEAD}-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n{}",
        paste("native-nft.txt")
    );
    ends(&beside, &inbound(22), "delivered 22");
    ends(&beside, &outbound(1000), "unknown");
}

#[test]
fn commands_that_change_the_host_count() {
    let parsed = parse(paste("host-commands.txt"));
    let packet = Packet::from_json(
        r#"{"origin": "inbound", "in_interface": "eth0", "protocol": "udp", "src": "10.244.1.9", "dst": "198.51.100.7", "sport": 40000, "dport": 5353}"#,
    );
    let trace = walk(
        &parsed.rulesets,
        None,
        &parsed.usual_host(None),
        &packet.expect("it is a packet"),
    );
    assert_eq!(
        trace.verdict().and_then(|verdict| verdict.port),
        Some(17000),
        "{:?}",
        trace.verdict()
    );
}

#[test]
fn what_iptables_could_not_print_matters_only_where_its_rule_may_match() {
    let text = "$ iptables -t nat -S\n-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT\n\
                -A PREROUTING -p tcp -m tcp --dport 80 -j DNAT [unsupported revision]\n";
    ends(text, &inbound(81), "delivered 81");
    ends(text, &inbound(80), "unknown");
}

#[test]
fn forms_that_lose_nothing_stay_certain() {
    ends(&paste("wrapped-json.txt"), &outbound(1337), "sent");
    ends(
        &paste("wrapped-json.txt"),
        &outbound(1000),
        "delivered 15001",
    );
    ends(
        &paste("notes-on-declarations.txt"),
        &outbound(1000),
        "delivered 15001",
    );
    ends(&paste("lost-stars.txt"), &outbound(1000), "delivered 15001");
    ends(
        &paste("log-with-failures.txt"),
        &inbound(80),
        "delivered 15006",
    );
}

#[test]
fn prose_among_rules_hides_none() {
    let text = format!(
        "{HEAD}-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nhere I added the next one\n-A INPUT -p tcp -j DROP\nCOMMIT\n"
    );
    ends(&text, &inbound(25), "dropped");
}

#[test]
fn a_rule_with_an_error_decides_nothing() {
    for rule in [
        "-A INPUT -p tcp -j",
        "-A INPUT -p tcp -m tcp --dport 25x -j ACCEPT",
        "-A INPUT -i eth0 -i eth1 -j ACCEPT",
        "-A INPUT -m tcp --dport 25 -j ACCEPT",
        "-A INPUT -p tcp -j DNAT --to-destination 10.0.0.1",
        "-A INPTU -p tcp -j ACCEPT",
        "A INPUT -p tcp -j ACCEPT",
        "-A INPUT -p tcp -m comment --comment \"a -j ACCEPT",
    ] {
        let text = format!("{HEAD}-A INPUT -p udp -j ACCEPT\n{rule}\nCOMMIT\n");
        ends(&text, &inbound(25), "unknown");
    }
}

#[test]
fn a_text_that_ends_within_a_table_may_go_on() {
    let text = format!(
        "{HEAD}-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 8"
    );
    ends(&text, &inbound(22), "delivered 22");
    ends(&text, &inbound(80), "unknown");
    let nat = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:X - [0:0]\n-A OUTPUT -m owner --uid-owner 1337 -j ACCEPT\n-A OUTPUT -p tcp -j X\n";
    ends(nat, &outbound(1337), "sent");
    ends(nat, &outbound(1000), "unknown");
}

const COLUMNS: &str =
    " pkts bytes target     prot opt in     out     source               destination\n";

#[test]
fn chains_listed_one_by_one_are_one_table() {
    let output = format!(
        "Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n{COLUMNS}    1    60 X          6    --  *      *       0.0.0.0/0            0.0.0.0/0\n"
    );
    let x = format!(
        "Chain X (1 references)\n{COLUMNS}    1    60 RETURN     0    --  *      *       0.0.0.0/0            0.0.0.0/0            owner UID match 1337\n    1    60 REDIRECT   6    --  *      *       0.0.0.0/0            0.0.0.0/0            redir ports 15001\n"
    );
    for text in [
        format!("$ iptables -t nat -nvL OUTPUT\n{output}$ iptables -t nat -nvL X\n{x}"),
        format!("# iptables -t nat -nvL X\n{x}# iptables -t nat -nvL OUTPUT\n{output}"),
        format!("$ iptables -t nat -nvL OUTPUT\n{output}\nit calls this one:\n\n{x}"),
        "$ iptables -t nat -S OUTPUT\n-P OUTPUT ACCEPT\n-A OUTPUT -p tcp -j X\n$ iptables -t nat -S X\n-N X\n-A X -m owner --uid-owner 1337 -j RETURN\n-A X -p tcp -j REDIRECT --to-ports 15001\n"
            .to_owned(),

    ] {
        ends(&text, &outbound(1000), "delivered 15001");
        ends(&text, &outbound(1337), "sent");
        // The text does not show PREROUTING of nat, which may contain a redirect.
        ends(&text, &inbound(80), "unknown");
    }
}

/// The chains of several tables, in any order, and more chains than a small text has.
#[test]
fn chains_of_several_tables_are_joined_in_any_order() {
    let mut text = String::new();
    let mut show = |table: &str, chain: &str, rules: &str| {
        let begin = match chain {
            "X" => "-N X".to_owned(),
            _ if chain.starts_with("KUBE") => format!("-N {chain}"),
            _ => format!("-P {chain} ACCEPT"),
        };
        text += &format!("$ iptables -t {table} -S {chain}\n{begin}\n{rules}");
    };
    show("raw", "OUTPUT", "-A OUTPUT -j X\n");
    show("mangle", "OUTPUT", "");
    show("nat", "X", "-A X -p tcp -j REDIRECT --to-ports 15001\n");
    show("raw", "X", "-A X -p udp -j DROP\n");
    for chain in ["PREROUTING", "INPUT", "POSTROUTING"] {
        show("mangle", chain, "");
    }
    show("raw", "PREROUTING", "");
    show("nat", "INPUT", "");
    for number in 0..40 {
        show("nat", &format!("KUBE-{number}"), "");
        show("raw", &format!("KUBE-{number}"), "");
    }
    show("nat", "OUTPUT", "-A OUTPUT -j X\n");
    show("nat", "POSTROUTING", "");
    let parsed = parse(&*text);
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(parsed.rulesets.len(), 1);
    ends(&text, &outbound(1000), "delivered 15001");
    let datagram = Packet {
        protocol: Protocol::UDP,
        ..outbound(1000)
    };
    ends(&text, &datagram, "dropped");
}

/// The columns of a row begin with blanks: the next row may be missing, and an assumption says so.
#[test]
fn blanks_at_the_end_of_a_listing_are_part_of_a_row() {
    let listing = format!(
        "$ iptables -nvL\nChain INPUT (policy DROP 0 packets, 0 bytes)\n{COLUMNS}    1    60 DROP       6    --  *      *       0.0.0.0/0            0.0.0.0/0            state INVALID\n"
    );
    for (end, assumes) in [("", false), ("    ", true)] {
        let trace = trace(&format!("{listing}{end}"), &inbound(22));
        let says = trace.assumes.iter().any(|one| one.contains("chain INPUT"));
        assert_eq!(says, assumes, "{end:?} {:?}", trace.assumes);
    }
}

#[test]
fn gaps_in_rule_numbers_are_rules_that_are_not_shown() {
    let head = "$ iptables -nvL INPUT --line-numbers\nChain INPUT (policy ACCEPT 0 packets, 0 bytes)\nnum   pkts bytes target     prot opt in     out     source               destination\n";
    let row = |number: u32, words: &str| format!("{number}        5   300 {words}\n");
    let first = row(
        1,
        "ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:22",
    );
    let last = row(
        4,
        "DROP       0    --  *      *       0.0.0.0/0            0.0.0.0/0",
    );
    let text = format!("{head}{first}{last}");
    ends(&text, &inbound(22), "delivered 22");
    ends(&text, &inbound(25), "unknown");
    assert_eq!(parse(&*text).rulesets[0].rules(), 4);
}

/// A listing of table filter: INPUT jumps to X, whose head counts the references.
fn counted_listing(references: u32, rows: &[&str]) -> String {
    let head =
        "num   pkts bytes target     prot opt in     out     source               destination\n";
    let numbered: String = (1..)
        .zip(rows)
        .map(|(number, row)| format!("{number}        5   300 {row}\n"))
        .collect();
    format!(
        "$ iptables -nvL --line-numbers\nChain INPUT (policy ACCEPT 0 packets, 0 bytes)\n{head}{numbered}\n\
         Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n{head}\n\
         Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n{head}\n\
         Chain X ({references} references)\n{head}\
         1        5   300 DROP       6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:25\n"
    )
}

#[test]
fn references_that_a_listing_counts_and_does_not_show_are_rules_that_are_missing() {
    let accept =
        "ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:22";
    let jump = "X          0    --  *      *       0.0.0.0/0            0.0.0.0/0           ";
    let goto =
        "X          0    --  *      *       0.0.0.0/0            0.0.0.0/0           [goto] ";
    ends(
        &counted_listing(1, &[accept, jump]),
        &inbound(25),
        "dropped",
    );
    ends(
        &counted_listing(2, &[accept, goto, jump]),
        &inbound(80),
        "delivered 80",
    );
    ends(&counted_listing(0, &[accept]), &inbound(25), "delivered 25");
    // The rules have numbers: the jump is after the last one of a chain.
    let text = counted_listing(1, &[accept]);
    ends(&text, &inbound(22), "delivered 22");
    ends(&text, &inbound(25), "unknown");
    ends(&text, &outbound(0), "unknown");
    // Without numbers it may be anywhere.
    let text = text
        .replace("num   pkts", " pkts")
        .replace("1        5", "    5");
    ends(&text, &inbound(22), "unknown");
}

#[test]
fn a_chain_that_is_not_shown_explains_a_missing_reference() {
    let accept =
        "ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:22";
    let text = counted_listing(1, &[accept]);
    let (before, after) = text.split_once("Chain OUTPUT").expect("it lists OUTPUT");
    let text = format!(
        "{before}{}",
        &after[after.find("Chain X").expect("and X")..]
    );
    ends(&text, &inbound(25), "delivered 25");
    ends(&text, &outbound(0), "unknown");
    // A rule that is not shown may be the jump.
    let text = counted_listing(1, &[accept, accept]).replacen("\n2        5", "\n3        5", 1);
    ends(&text, &inbound(25), "unknown");
    ends(&text, &outbound(0), "sent");
}

#[test]
fn wrapped_lines_belong_to_their_rule() {
    let save = format!(
        "{HEAD}-A INPUT -p tcp -m tcp\n    --dport 22 -m comment --comment \"ssh from the\n    office\" -j ACCEPT\n-A INPUT -p tcp\n-j REJECT\nCOMMIT\n"
    );
    ends(&save, &inbound(22), "delivered 22");
    ends(&save, &inbound(25), "rejected");
    let listing = format!(
        "$ iptables -nvL\nChain INPUT (policy DROP 0 packets, 0 bytes)\n{COLUMNS}    5   300 ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0\ntcp dpt:22\n"
    );
    ends(&listing, &inbound(22), "delivered 22");
    ends(&listing, &inbound(25), "dropped");
}

#[test]
fn commands_that_may_not_have_run_leave_their_chain_undetermined() {
    for script in [
        "if [ \"$1\" = open ]; then\n  iptables -A INPUT -p tcp --dport 25 -j ACCEPT\nfi\niptables -A INPUT -p tcp --dport 23 -j DROP\n",
        "case \"$1\" in\n  start)\n    iptables -A INPUT -p tcp --dport 25 -j ACCEPT\n    ;;\nesac\niptables -P INPUT DROP\n",
        "[ -n \"$ADMIN\" ] && iptables -A INPUT -p tcp --dport 25 -j ACCEPT\niptables -P INPUT DROP\n",
        "if [ \"$1\" = x ]; then iptables -A INPUT -p tcp --dport 25 -j DROP; fi\n",
    ] {
        ends(script, &inbound(25), "unknown");
    }
    ends(
        "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 25 -j ACCEPT\n",
        &inbound(25),
        "delivered 25",
    );
}

/// A command that depends on an argument of the script.
fn perhaps(command: &str) -> String {
    format!("if [ \"$1\" = x ]; then\n  iptables {command}\nfi\n")
}

#[test]
fn a_command_that_may_not_have_run_concerns_the_packets_of_its_rule() {
    let script = format!(
        "{}iptables -A INPUT -p tcp --dport 25 -j DROP\n",
        perhaps("-A INPUT -p tcp --dport 23 -j DROP")
    );
    ends(&script, &inbound(23), "unknown");
    ends(&script, &inbound(25), "dropped");
    ends(&script, &inbound(80), "delivered 80");
    // An earlier rule decides first, and a later inserted rule is before it.
    let script = format!(
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n{}iptables -I INPUT -p tcp --dport 25 -j DROP\niptables -D INPUT 1\niptables -I INPUT -p tcp --dport 26 -j DROP\n",
        perhaps("-A INPUT -p tcp -j DROP")
    );
    ends(&script, &inbound(22), "delivered 22");
    ends(&script, &inbound(25), "unknown");
    ends(&script, &inbound(26), "dropped");
}

#[test]
fn a_change_that_may_not_have_happened_concerns_what_it_changes() {
    let rule = "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n";
    let policy = format!("{}{rule}", perhaps("-P INPUT DROP"));
    ends(&policy, &inbound(22), "delivered 22");
    ends(&policy, &inbound(25), "unknown");
    ends(
        &format!("{policy}iptables -P INPUT DROP\n"),
        &inbound(25),
        "dropped",
    );
    ends(
        &format!("{}{rule}", perhaps("-P OUTPUT DROP")),
        &inbound(25),
        "delivered 25",
    );

    let drop = "iptables -A INPUT -p tcp --dport 25 -j DROP\n";
    for change in [
        "-F INPUT",
        "-F",
        "-D INPUT -p tcp --dport 25 -j DROP",
        "-D INPUT 1",
        "-R INPUT 1 -p tcp -j ACCEPT",
    ] {
        ends(
            &format!("{drop}{}", perhaps(change)),
            &inbound(25),
            "unknown",
        );
        // The chain does not yet have a rule that the command could change.
        ends(
            &format!("{}{drop}", perhaps(change)),
            &inbound(25),
            "dropped",
        );
    }
    ends(
        &format!("{drop}{}iptables -F INPUT\n", perhaps("-D INPUT 1")),
        &inbound(25),
        "delivered 25",
    );
    // A rule number that counts rules which may not exist.
    let script = format!(
        "{drop}{}iptables -D INPUT 2\n{rule}",
        perhaps("-I INPUT -p udp -j DROP")
    );
    ends(&script, &inbound(25), "unknown");
    // One of the two rules is deleted.
    let script = format!(
        "{drop}{}iptables -D INPUT -p tcp --dport 25 -j DROP\n",
        perhaps("-I INPUT -p tcp --dport 25 -j DROP")
    );
    ends(&script, &inbound(25), "unknown");
}

#[test]
fn a_chain_that_may_not_exist_leaves_the_packets_undetermined_that_come_to_it() {
    let rules = "iptables -A X -p tcp -j DROP\niptables -A INPUT -p tcp --dport 25 -j X\n";
    let script = format!("{}{rules}", perhaps("-N X"));
    ends(&script, &inbound(25), "unknown");
    ends(&script, &inbound(22), "delivered 22");
    ends(
        &format!("{}iptables -N X\n{rules}", perhaps("-N X")),
        &inbound(25),
        "dropped",
    );
    ends(
        &format!("iptables -N X\n{}{rules}", perhaps("-X X")),
        &inbound(25),
        "unknown",
    );
    ends(
        &format!("iptables -N X\n{rules}{}", perhaps("-X X")),
        &inbound(25),
        "dropped",
    );
    ends(
        &format!("iptables -N X\n{rules}{}", perhaps("-E X Y")),
        &inbound(25),
        "unknown",
    );
}

#[test]
fn a_command_whose_chain_or_table_is_not_in_the_text_may_change_any() {
    let rule = "iptables -A INPUT -p tcp --dport 25 -j DROP\n";
    for command in [
        "-I $CHAIN -p tcp -j ACCEPT",
        "-t $TABLE -A X -j ACCEPT",
        "$ACTION INPUT -p tcp -j ACCEPT",
        "-D INPUT $NUMBER",
    ] {
        ends(
            &format!("{rule}iptables {command}\n"),
            &inbound(25),
            "unknown",
        );
    }
    ends(
        &format!("{rule}iptables -P INPUT $POLICY\n"),
        &inbound(25),
        "dropped",
    );
    ends(
        &format!("{rule}iptables -P INPUT $POLICY\n"),
        &inbound(22),
        "unknown",
    );
    ends(
        &format!("iptables -N $CHAIN\n{rule}iptables -A $CHAIN -j DROP\n"),
        &inbound(25),
        "dropped",
    );
}

#[test]
fn notes_of_iptables_name_what_is_not_shown() {
    let filter = format!("{HEAD}-A INPUT -p tcp -j ACCEPT\nCOMMIT\n");
    ends(
        &format!("{filter}# Table `nat' is incompatible, use 'nft' tool.\n"),
        &outbound(1000),
        "unknown",
    );
    let legacy = format!(
        "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n{filter}"
    );
    assert!(
        trace(&legacy, &inbound(22))
            .assumes
            .iter()
            .any(|says| says.contains("legacy"))
    );
}

/// The dumps to damage, each with a listing of the same rules by iptables 1.8.9: of meshes, and of a
/// host with its own rules.
const DUMPS: [(&str, &str); 5] = [
    (
        include_str!("../../static/samples/istio-sidecar.txt"),
        include_str!("partial/listings/istio-sidecar.txt"),
    ),
    (
        include_str!("../../static/samples/istio-sidecar-dns.txt"),
        include_str!("partial/listings/istio-sidecar-dns.txt"),
    ),
    (
        include_str!("../../static/samples/istio-ambient.txt"),
        include_str!("partial/listings/istio-ambient.txt"),
    ),
    (
        include_str!("../../static/samples/linkerd.txt"),
        include_str!("partial/listings/linkerd.txt"),
    ),
    (
        include_str!("walks/chains.rules"),
        include_str!("partial/listings/chains.txt"),
    ),
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("it is a number"))
}

/// A dump with the traces of its packets.
struct WholeDump {
    dump: Dump,
    parsed: Parsed,
    traces: Vec<(Scenario, Trace)>,
}

impl WholeDump {
    fn new(dump: Dump) -> Self {
        let parsed = parse(dump.text());
        let host = Host::pod();
        let scenarios = scenario::list(&host, None).into_iter();
        let traces = scenarios.map(|scenario| {
            let trace = walk(&parsed.rulesets, None, &host, &scenario.packet);
            (scenario, trace)
        });
        Self {
            traces: traces.collect(),
            dump,
            parsed,
        }
    }

    /// Whether a packet comes to a chain that the damaged text lost rules of.
    fn passes(&self, trace: &Trace, damage: &Damage) -> bool {
        let branches = trace.branches.iter().map(|branch| &branch.path);
        let mut steps = std::iter::once(&trace.path)
            .chain(branches)
            .flat_map(|path| path.steps.iter());
        steps.any(|step| {
            let (_, table, chain) = step.place.at.find(&self.parsed.rulesets);
            damage.lost.iter().any(|lost| {
                let is_chain = lost
                    .chain
                    .as_deref()
                    .is_none_or(|name| *name == *chain.name);
                *table.name == *lost.table && is_chain
            })
        })
    }
}

/// Whether the trace of a damaged text is permitted, given the trace of the whole text.
fn is_honest(damaged: &Trace, whole: &Trace, damage: &Damage) -> bool {
    let Some(verdict) = damaged.verdict() else {
        return true;
    };
    let same = whole.verdict().is_none_or(|known| known.same_end(verdict));
    same || damage.lost.iter().any(|lost| {
        damaged
            .assumes
            .iter()
            .any(|assumption| assumption.contains(&lost.table))
    })
}

/// How many walks are as certain as those of the whole text.
#[derive(Clone, Copy, Default)]
struct Share {
    certain: u32,
    walks: u32,
}

impl Share {
    fn add(&mut self, is_certain: bool) {
        self.certain += u32::from(is_certain);
        self.walks += 1;
    }

    fn is_at_least(self, percent: u32) -> bool {
        self.certain * 100 >= self.walks * percent
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.certain, self.walks)
    }
}

#[test]
fn what_is_certain_of_a_damaged_text_is_so() {
    let (count, seed) = (
        number("CHAINWALK_PARTIAL", 400),
        number("CHAINWALK_SEED", 1),
    );
    let mut random = Random::new(seed);
    let dumps: Vec<WholeDump> = DUMPS
        .iter()
        .flat_map(|(save, listing): &(&str, &str)| {
            [
                Dump::save(save),
                Dump::rules_of(save),
                Dump::listing(listing, true),
                Dump::listing(listing, false),
            ]
        })
        .map(WholeDump::new)
        .collect();
    let (mut lossless, mut elsewhere) = (Share::default(), Share::default());
    // The walks that no lost rule concerns, and the others.
    let mut kinds: BTreeMap<(&str, Form), [Share; 2]> = BTreeMap::new();
    let mut violations = Vec::new();
    for _ in 0..count {
        let whole = random.pick(&dumps);
        let damage = damage::apply(&whole.dump, &mut random);
        let read = parse(&*damage.text);
        for (scenario, known) in &whole.traces {
            let found = walk(&read.rulesets, None, &Host::pod(), &scenario.packet);
            if !is_honest(&found, known, &damage) {
                violations.push(format!(
                    "{}: {}\n{}\n{:?}\n{:?}\n{:?}",
                    damage.kind,
                    scenario.key,
                    damage.text,
                    found.assumes,
                    known.verdict(),
                    found.verdict()
                ));
            }
            let is_certain = found.verdict().is_some() == known.verdict().is_some();
            let is_concerned = whole.passes(known, &damage);
            if damage.lost.is_empty() {
                lossless.add(is_certain);
            } else if !is_concerned {
                elsewhere.add(is_certain);
            }
            kinds.entry((damage.kind, whole.dump.form)).or_default()[usize::from(is_concerned)]
                .add(is_certain);
        }
    }
    println!(
        "as certain as of the whole text: {lossless} where nothing is lost, {elsewhere} where the \
         lost rules are elsewhere"
    );
    for ((kind, form), [others, concerned]) in kinds {
        println!("{kind}, {form:?}: {others}; where a lost rule is on the way: {concerned}");
    }
    for violation in violations
        .iter()
        .take(number("CHAINWALK_SHOWN", 3) as usize)
    {
        println!("{violation}\n");
    }
    assert!(
        violations.is_empty(),
        "{} violations, CHAINWALK_SEED={seed}",
        violations.len()
    );
    assert!(lossless.is_at_least(90), "{lossless} where nothing is lost");
    assert!(
        elsewhere.is_at_least(70),
        "{elsewhere} where it is elsewhere"
    );
}

/// Found by fuzzing: the text has a table as a dump and as a listing, with unreadable lines among
/// the rows.
#[test]
fn a_gap_is_within_its_chain() {
    let parsed = parse(include_str!("partial/mixed-forms.txt"));
    let chains = parsed
        .rulesets
        .iter()
        .flat_map(|set| &set.tables)
        .flat_map(|table| &table.chains);
    for chain in chains {
        assert!(
            chain
                .gaps
                .iter()
                .all(|gap| gap.before as usize <= chain.rules.len()),
            "{chain:?}"
        );
    }
    for scenario in scenario::list(&Host::pod(), None) {
        walk(&parsed.rulesets, None, &Host::pod(), &scenario.packet);
    }
}
