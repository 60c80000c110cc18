//! Untrusted values and names: printed rules parse back unchanged, and no command or script
//! contains a word that the rules do not contain.

use chainwalk_core::analysis::scenario;
use chainwalk_core::input::edit::{Edit, edit};
use chainwalk_core::input::parse::{self, Parsed};
use chainwalk_core::iptables::extension::kind::{Kind, quote_always};
use chainwalk_core::iptables::extension::{Id, Role};
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::host::Host;
use chainwalk_core::share::commands::commands;
use chainwalk_core::share::replay;
use chainwalk_core::text::diagnostic::{Diagnostic, Severity};
use chainwalk_core::walk::walk;
use proptest::prelude::*;

/// Rules with a free text value, by table and chain. `%` is the value.
const TEMPLATES: [(&str, &str, &str); 34] = [
    ("filter", "INPUT", "-i % -j ACCEPT"),
    (
        "filter",
        "INPUT",
        "! -i % -p tcp -m tcp --dport 80 -j ACCEPT",
    ),
    ("filter", "OUTPUT", "-o % -j ACCEPT"),
    ("filter", "FORWARD", "-m physdev --physdev-in % -j DROP"),
    ("filter", "FORWARD", "-m physdev ! --physdev-out % -j DROP"),
    (
        "filter",
        "INPUT",
        "-m recent --set --name % --mask 255.255.255.255 --rsource",
    ),
    ("filter", "INPUT", "-m set --match-set % src,dst -j DROP"),
    ("filter", "INPUT", "-j SET --add-set % src --exist"),
    ("filter", "INPUT", "-j SET --del-set % src"),
    ("mangle", "FORWARD", "-j SET --map-set % src --map-mark"),
    (
        "filter",
        "INPUT",
        "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name %",
    ),
    ("filter", "INPUT", "-m bpf --object-pinned % -j DROP"),
    (
        "filter",
        "INPUT",
        "-m rateest --rateest % --rateest-lt --rateest-bps 1000bit -j DROP",
    ),
    (
        "filter",
        "INPUT",
        "-m rateest --rateest1 a --rateest-lt --rateest-bps --rateest2 % -j DROP",
    ),
    (
        "filter",
        "INPUT",
        "-j RATEEST --rateest-name % --rateest-interval 250ms --rateest-ewmalog 500ms",
    ),
    ("filter", "INPUT", "-p tcp -m osf --genre % --ttl 0 -j DROP"),
    ("filter", "INPUT", "-j IDLETIMER --timeout 5 --label %"),
    ("raw", "PREROUTING", "-p tcp -j CT --helper %"),
    ("raw", "PREROUTING", "-p tcp -j CT --timeout %"),
    ("mangle", "INPUT", "-j SECMARK --selctx %"),
    ("mangle", "PREROUTING", "-j TEE --gateway 192.0.2.1 --oif %"),
    ("filter", "INPUT", "-m comment --comment % -j DROP"),
    ("filter", "INPUT", "-j LOG --log-prefix %"),
    ("filter", "INPUT", "-j NFLOG --nflog-prefix %"),
    ("filter", "INPUT", "-j ULOG --ulog-prefix %"),
    ("filter", "INPUT", "-j LED --led-trigger-id %"),
    ("filter", "INPUT", "-m cgroup --path % -j DROP"),
    ("filter", "INPUT", "-m nfacct --nfacct-name %"),
    ("filter", "INPUT", "-m helper --helper % -j DROP"),
    ("filter", "INPUT", "-m connlabel --label % -j DROP"),
    ("filter", "INPUT", "-m string --string % --algo bm -j DROP"),
    (
        "filter",
        "INPUT",
        "-m unlisted --source-name % --destination-name % --words %",
    ),
    ("filter", "INPUT", "-j %"),
    ("filter", "INPUT", "-g %"),
];

/// A dump with one rule. Each `%` of the template becomes the value in quotes.
fn dump((table, chain, template): (&str, &str, &str), value: &str) -> String {
    let mut quoted = String::new();
    quote_always(value, &mut quoted);
    format!(
        "*{table}\n:{chain} ACCEPT [0:0]\n-A {chain} {}\nCOMMIT\n",
        template.replace('%', &quoted)
    )
}

/// The words of a line as `iptables-restore` 1.8.9 splits it (`add_param_to_argv` in xshared.c).
/// This is a second implementation for the test.
fn restore_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open, mut quoted) = (Vec::new(), String::new(), false, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if open => word.extend(chars.next()),
            '"' if open => {
                words.push(std::mem::take(&mut word));
                (open, quoted) = (false, false);
            }
            '"' => (open, quoted) = (true, true),
            ' ' | '\t' if !open => {
                if !word.is_empty() || quoted {
                    words.push(std::mem::take(&mut word));
                }
                quoted = false;
            }
            c => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// The words of a command as a POSIX shell splits it. The only allowed quotes are `'…'` and `\'`.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let word = words.last_mut().expect("there is one");
        match c {
            '\'' => word.extend(chars.by_ref().take_while(|c| *c != '\'')),
            '\\' => word.extend(chars.next()),
            ' ' => words.push(String::new()),
            c if c.is_ascii_alphanumeric() || "-_./:,+@=!".contains(c) => word.push(c),
            c => panic!("{c:?} is not quoted in {line}"),
        }
    }
    words
}

fn errors(parsed: &Parsed) -> Vec<&Diagnostic> {
    parsed
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .collect()
}

fn script(rulesets: &[Ruleset]) -> Result<String, String> {
    let host = Host::pod();
    let packet = &scenario::list(&host, None)[0].packet;
    replay::script(rulesets, &walk(rulesets, None, &host, packet))
}

/// Checks that a rule set gives neither commands nor a script, but a reason.
#[track_caller]
fn is_refused(text: &str, why: &str) {
    let parsed = parse::parse(text);
    let said: Vec<&str> = errors(&parsed).iter().map(|one| &*one.message).collect();
    assert!(
        said.iter().any(|message| message.contains(why)),
        "{text}: {said:?}"
    );
    let written = commands(&[], &parsed.rulesets);
    assert!(written.is_err(), "{text}: {written:?}");
    assert!(script(&parsed.rulesets).is_err(), "{text}");
}

#[test]
fn every_option_with_text_has_a_template() {
    for extension in Id::all()
        .map(Id::get)
        .filter(|extension| extension.role != Role::Header)
    {
        for opt in extension.options {
            let is_text = matches!(
                opt.kind,
                Kind::Text(_) | Kind::Cut(_) | Kind::Line(_) | Kind::Word(_) | Kind::Interface
            );
            assert!(
                !is_text
                    || TEMPLATES.iter().any(|(_, _, rule): &(&str, &str, &str)| {
                        let words: Vec<&str> = rule.split(' ').collect();
                        let named = words.contains(&extension.name);
                        named
                            && words
                                .windows(2)
                                .any(|pair| opt.flags().any(|flag| pair == [flag, "%"]))
                    }),
                "{} {}",
                extension.name,
                opt.flag
            );
        }
    }
}

#[test]
fn an_interface_with_a_blank_is_an_error_and_no_part_of_a_command() {
    let rule = "-A INPUT -i \"a -M /tmp/e\" -p tcp -m tcp --dport 80 -j ACCEPT";
    let text = format!("*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n");
    is_refused(&text, "invalid interface name `a -M /tmp/e`");
    let parsed = parse::parse(text.clone());
    assert_eq!(print::save(&parsed.rulesets[0], false), text);
    for name in ["a b", "a/b", ".", "..", "a\tb", "a\u{1}b", "à", "a b+"] {
        for option in [
            "-i",
            "! -i",
            "-m physdev --physdev-in",
            "-m physdev ! --physdev-in",
        ] {
            is_refused(
                &format!(
                    "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {option} \"{name}\" -j DROP\nCOMMIT\n"
                ),
                "invalid interface name",
            );
        }
    }
    let long = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i sixteencharacter -j DROP\nCOMMIT\n";
    is_refused(long, "sixteencharacter");
    for fine in ["a'b", "a\\\"b", "-x", "eth0:1"] {
        let text =
            format!("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i \"{fine}\" -j DROP\nCOMMIT\n");
        let parsed = parse::parse(text);
        assert_eq!(errors(&parsed), [] as [&Diagnostic; 0]);
        let [written] = &commands(&[], &parsed.rulesets).expect("a kernel has such interfaces")[..]
        else {
            panic!("one command makes the rule")
        };
        assert_eq!(shell_words(written)[6], fine.replace("\\\"", "\""));
    }
}

#[test]
fn a_rule_with_such_an_interface_leaves_the_walk_undetermined() {
    let text = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -o \"a b\" -j DROP\n-A OUTPUT ! -o \"a b\" -j REJECT\nCOMMIT\n";
    let rulesets = parse::parse(text).rulesets;
    let trace = walk(
        &rulesets,
        None,
        &Host::pod(),
        &scenario::list(&Host::pod(), None)[0].packet,
    );
    assert!(!trace.certain && trace.verdict().is_none());
    // In the kernel, no interface has the name.
    let decided = trace
        .shown()
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.decided_by)
        .and_then(|place| place.rule);
    assert_eq!(decided, Some(1));
}

#[test]
fn names_of_chains_that_are_options_are_errors_wherever_they_are_read() {
    let head = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n";
    for name in ["-v", "-F", "!x", "-"] {
        is_refused(
            &format!("{head}:{name} - [0:0]\nCOMMIT\n"),
            &format!("invalid chain name `{name}`"),
        );
        is_refused(
            &format!("{head}:{name} - [0:0]\n-A INPUT -j {name}\nCOMMIT\n"),
            "invalid chain name",
        );
        is_refused(
            &format!("{head}-A INPUT -j {name}\nCOMMIT\n"),
            "invalid chain name",
        );
        is_refused(
            &format!("{head}-A INPUT -g \"{name}\"\nCOMMIT\n"),
            "invalid chain name",
        );
        // `-F -v` names no chain, so iptables flushes all of them.
        for line in [
            "-N %",
            "-P % ACCEPT",
            "-A % -j ACCEPT",
            "-I % -j ACCEPT",
            "-E INPUT %",
            "-D % 1",
        ] {
            let parsed = parse::parse(format!(
                "iptables -N a\niptables {}\n",
                line.replace('%', &format!("'{name}'"))
            ));
            assert!(!errors(&parsed).is_empty(), "{line} {name}");
            let written = commands(&[], &parsed.rulesets).unwrap_or_default();
            assert!(
                written
                    .iter()
                    .all(|command| !shell_words(command).contains(&name.to_owned())),
                "{written:?}"
            );
        }
        let listing = format!(
            "Chain INPUT (policy ACCEPT)\ntarget     prot opt source               destination\n\n\
             Chain {name} (1 references)\ntarget     prot opt source               destination\n"
        );
        is_refused(&listing, "invalid chain name");
        is_refused(
            &format!(
                "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n-N {name}\n-A {name} -j DROP\n"
            ),
            "invalid chain name",
        );
    }
    for text in [
        "-A \"a b\" -j ACCEPT",
        "-A INPUT -j \"a b\"",
        ":a\u{a0}b - [0:0]",
        "-A \"\" -j ACCEPT",
        ":a\u{1} - [0:0]",
    ] {
        let parsed = parse::parse(format!("{head}{text}\nCOMMIT\n"));
        assert!(
            errors(&parsed)
                .iter()
                .any(|one| one.message.contains("chain name")),
            "{text}: {:?}",
            parsed.diagnostics
        );
    }
}

#[test]
fn no_edit_makes_a_rule_for_a_chain_with_such_a_name() {
    let text = "*filter\n:INPUT ACCEPT [0:0]\n:-v - [0:0]\n:a - [0:0]\n-A INPUT -j DROP\nCOMMIT\n";
    let parsed = parse::parse(text);
    let at = |chain| ChainPlace {
        ruleset: 0,
        table: 0,
        chain,
    };
    for (chain, words) in [
        (1, "-j DROP"),
        (0, "-j -v"),
        (0, "-g \"-v\""),
        (2, "-j \"a b\""),
        (0, "-i \"a b\" -j DROP"),
    ] {
        let refused = edit(&parsed, &Edit::Add(at(chain), 0, words.into())).expect_err(words);
        assert!(
            refused.message.contains("invalid"),
            "{words}: {}",
            refused.message
        );
    }
    // The other edits are possible.
    edit(&parsed, &Edit::Add(at(0), 0, "-j a".into())).expect("the chain has a name that is fine");
    let gone = edit(
        &parsed,
        &Edit::Delete(Place {
            at: at(0),
            rule: Some(0),
        }),
    )
    .expect("a rule can go");
    assert!(commands(&parsed.rulesets, &gone.rulesets).is_err());
}

#[test]
fn longer_names_are_those_of_nft() {
    let name = "abcdefghijklmnopqrstuvwxyz1234567890";
    let rules = format!(
        "*filter\n:OUTPUT ACCEPT [0:0]\n:{name} - [0:0]\n-A OUTPUT -j {name}\n-A {name} -j DROP\nCOMMIT\n"
    );
    let nft = format!("# Generated by iptables-nft-save v1.8.9 (nf_tables)\n{rules}");
    let parsed = parse::parse(nft);
    let said: Vec<_> = parsed
        .diagnostics
        .iter()
        .map(|one| (one.severity, one.line))
        .collect();
    assert_eq!(said, [(Severity::Warning, 4)]);
    assert_eq!(print::save(&parsed.rulesets[0], false), rules);
    let trace = walk(
        &parsed.rulesets,
        None,
        &Host::pod(),
        &scenario::list(&Host::pod(), None)[0].packet,
    );
    assert!(trace.certain && trace.path.steps.len() == 2);
    let why = commands(&[], &parsed.rulesets).expect_err("no command names it");
    assert!(why.contains("36 bytes"), "{why}");
    assert!(script(&parsed.rulesets).is_err());
    // A change that does not name it is possible.
    let at = ChainPlace {
        ruleset: 0,
        table: 0,
        chain: 0,
    };
    let more = edit(&parsed, &Edit::Add(at, 0, "-o lo -j ACCEPT".into())).expect("another rule");
    let written = commands(&parsed.rulesets, &more.rulesets).expect("it names OUTPUT only");
    assert_eq!(
        written,
        ["iptables-nft -t filter -I OUTPUT 1 -o lo -j ACCEPT"]
    );
    let own = ChainPlace { chain: 1, ..at };
    let more = edit(&parsed, &Edit::Add(own, 0, "-o lo -j ACCEPT".into()))
        .expect("another rule of the chain");
    assert!(commands(&parsed.rulesets, &more.rulesets).is_err());
    for other in [
        rules.clone(),
        format!("# Generated by iptables-legacy-save v1.8.9\n{rules}"),
        format!("iptables-nft -N {name}\niptables-nft -A OUTPUT -j {name}\n"),
    ] {
        is_refused(&other, "it has 36 bytes");
    }
    let printed = format!("$ iptables-nft -S\n-P OUTPUT ACCEPT\n-N {name}\n-A OUTPUT -j {name}\n");
    assert_eq!(errors(&parse::parse(printed)), [] as [&Diagnostic; 0]);
    let longest = "x".repeat(255);
    let listed = format!(
        "$ iptables-nft -L -n\nChain OUTPUT (policy ACCEPT)\ntarget     prot opt source               destination\n\
         {longest}  all  --  0.0.0.0/0            0.0.0.0/0\n\nChain {longest} (1 references)\n\
         target     prot opt source               destination\n"
    );
    let parsed = parse::parse(listed);
    assert_eq!(errors(&parsed), [] as [&Diagnostic; 0]);
    assert!(parsed.rulesets[0].tables[0].chain(&longest).is_some());
}

#[test]
fn words_that_a_shell_keeps_together_stay_together() {
    let script = "iptables -A INPUT -p tcp -m tcp --dport 'x -M /tmp/e' -j ACCEPT\n";
    is_refused(script, "`x -M /tmp/e`");
    let printed = print::save(&parse::parse(script).rulesets[0], false);
    assert!(printed.contains("--dport \"x -M /tmp/e\""), "{printed}");
    for (rule, why) in [
        (
            "-A INPUT -m foo --modprobe=/tmp/e -j ACCEPT",
            "--modprobe=/tmp/e",
        ),
        ("-A INPUT -m foo --modpro /tmp/e -j ACCEPT", "--modpro"),
        ("-A INPUT -m foo -M/tmp/e -j ACCEPT", "-M/tmp/e"),
        ("-A INPUT -m foo \"-M\" /tmp/e -j ACCEPT", "-M"),
        ("-A INPUT -j FOO --table=nat", "--table=nat"),
        ("-A INPUT -m ../../tmp/e --x", "../../tmp/e"),
        ("-A INPUT -j ../../tmp/e", "../../tmp/e"),
    ] {
        let parsed = parse::parse(format!("*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"));
        let refused = commands(&[], &parsed.rulesets).expect_err(rule);
        assert!(refused.contains(why), "{rule}: {refused}");
    }
    // Another version may know a match that is unknown here.
    let parsed = parse::parse(
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m geoip --source-country \"a b\" -j ACCEPT\nCOMMIT\n",
    );
    let written = commands(&[], &parsed.rulesets).expect("its options are its own");
    assert_eq!(
        written,
        ["iptables -t filter -A INPUT -m geoip --source-country 'a b' -j ACCEPT"]
    );
}

/// Values that an attacker may choose.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        " ",
        "\t",
        "\"",
        "'",
        "\\",
        "-M",
        "/tmp/e",
        "!",
        "--modprobe=/tmp/e",
        "a",
        "eth0",
        "é",
        "à",
        "$(id)",
        "`id`",
        ";",
        "|",
        "#",
        "*",
        "[0:0]",
        "COMMIT",
        "-j",
        "\u{1}",
        "\u{7f}",
        "\u{a0}",
        "\u{202e}",
        "=",
        "-",
        "--",
        "+",
        "%",
        "\u{b}",
    ]);
    prop_oneof![4 => prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat()), 1 => "\\PC{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn what_is_printed_reads_back_as_the_same_words(template in prop::sample::select(&TEMPLATES[..]), value in hostile()) {
        // iptables does not print the interface pattern `+`.
        prop_assume!(value != "+");
        let printed = |value: &str| {
            let parsed = parse::parse(dump(template, value));
            (print::save(&parsed.rulesets[0], false), parsed)
        };
        let words = |text: &str| restore_words(text.lines().find(|line| line.starts_with("-A ")).unwrap_or_default());
        let (plain, (printed, parsed)) = (words(&printed("x0").0), printed(&value));
        let [ruleset] = &parsed.rulesets[..] else { panic!("{printed}") };
        let read = words(&printed);
        let meant: Vec<String> = plain.into_iter().map(|word| if word == "x0" { value.clone() } else { word }).collect();
        let cut = ["--comment", "-prefix", "--helper"].iter().any(|flag| template.2.contains(flag));
        let bytes = read.contains(&"--hex-string".to_owned());
        // The reader cleans invalid text from the additions of terminals and editors.
        prop_assert!(read == meant || cut || bytes || parsed.has_errors(), "{:?}\n{}", value, printed);
        let again = parse::parse(print::dump([ruleset]));
        if !parsed.has_errors() {
            prop_assert_eq!(print::save(&again.rulesets[0], false), printed.clone());
        }

        // A value with a typographic quote makes the line an error, and the rule is gone.
        if !parsed.has_errors() && let Ok(written) = commands(&[], &parsed.rulesets) {
            let rule = written.iter().find(|command| command.contains(" -A ")).expect("the rule");
            let (_, chain, _) = template;
            let mut want = vec!["iptables".to_owned(), "-t".into(), template.0.into()];
            want.extend(read);
            prop_assert_eq!(&want[4], chain);
            prop_assert_eq!(shell_words(rule), want);
        }
        if let Ok(script) = script(&parsed.rulesets) {
            prop_assert!(script.contains(&format!("CHAINWALK'\n{printed}CHAINWALK\n")), "{}", script);
        }
    }
}

#[test]
fn a_command_that_goes_on_on_the_next_line_is_one_command() {
    let parsed = parse::parse("iptables -A INPUT -m comment --comment \\\niptables -j ACCEPT\n");
    assert_eq!(errors(&parsed), [] as [&Diagnostic; 0]);
    let ruleset = &parsed.rulesets[0];
    assert_eq!(
        print::rule(
            ruleset,
            &ruleset.tables[0],
            &ruleset.tables[0].chains[0].rules[0]
        ),
        "-m comment --comment iptables -j ACCEPT"
    );
}
