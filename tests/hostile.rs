//! Scripts and commands of random hostile dumps, run in temporary namespaces. `/proc` is hidden, so
//! that iptables tries to load a module. iptables must get only the words of the rules, no table
//! may be flushed, and no program that a dump names may run. Requires root, iptables and iproute2.
//!
//! `CHAINWALK_HOSTILE=5000` tries more dumps. `CHAINWALK_SEED=2` tries others.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use chainwalk_core::analysis::scenario;
use chainwalk_core::input::parse;
use chainwalk_core::iptables::extension::kind::quote_always;
use chainwalk_core::iptables::print;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::Family;
use chainwalk_core::packet::host::Host;
use chainwalk_core::share::commands::commands;
use chainwalk_core::share::replay;
use chainwalk_core::walk::walk;
use chainwalk_tests::namespace::{Namespace, require};
use chainwalk_tests::random::{number, runner};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::Config;

/// The default number of dumps of a run.
const DUMPS: u64 = 60;
const SEED: u64 = 1;
/// A program that leaves a mark when it runs. The path is short, because an interface name has at
/// most 15 bytes.
const CANARY: &str = "/run/cwe";
const MARK: &str = "/run/cwe.mark";
/// Rules that must not change.
const SENTINEL: &str = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:SENTINEL - [0:0]\n\
                        -A SENTINEL -j DROP\nCOMMIT\n";

/// Values that an attacker may choose.
fn value() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "eth0",
        " ",
        "  ",
        "\t",
        "-M/run/cwe",
        "-M /run/cwe",
        "--modprobe=/run/cwe",
        "-F",
        "!",
        "\"",
        "'",
        "\\",
    ];
    let more = [
        "$(/run/cwe)",
        "`/run/cwe`",
        ";/run/cwe;",
        "|/run/cwe",
        "#",
        "*",
        "é",
        "COMMIT",
        "CHAINWALK",
        "=",
        "%",
        "-",
    ];
    let all: Vec<&str> = pieces.into_iter().chain(more).collect();
    prop::collection::vec(select(all), 1..4).prop_map(|pieces| pieces.concat())
}

/// A rule of a dump, with values in quotes or without.
fn rule() -> impl Strategy<Value = String> {
    let templates = select(vec![
        "-i %",
        "! -i % -p tcp -m tcp --dport 80 -j ACCEPT",
        "-m physdev --physdev-in % -j DROP",
        "-m recent --set --name % --mask 255.255.255.255 --rsource",
        "-m set --match-set % src -j DROP",
        "-j SET --add-set % src",
        "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name %",
        "-m bpf --object-pinned % -j DROP",
        "-m rateest --rateest % --rateest-lt --rateest-bps 1000bit",
        "-j RATEEST --rateest-name % --rateest-interval 250ms --rateest-ewmalog 500ms",
        "-p tcp -m osf --genre % --ttl 0",
        "-j IDLETIMER --timeout 5 --label %",
        "-m comment --comment % -j ACCEPT",
        "-m comment --comment % -p udp -m udp --dport 53",
        "-j LOG --log-prefix %",
        "-m string --string % --algo bm",
        "-m helper --helper % -j DROP",
        "-p tcp -m tcp --dport %",
        "-s %",
        "-m foo --bar %",
        "-j FOO --bar %",
        "-j %",
        "-g %",
        "% -j ACCEPT",
    ]);
    (templates, value(), 0..10_u8).prop_map(|(template, value, raw)| {
        let mut quoted = String::new();
        quote_always(&value, &mut quoted);
        template.replace('%', if raw == 0 { &value } else { &quoted })
    })
}

/// A dump or a script.
fn dump() -> impl Strategy<Value = String> {
    let name = prop_oneof![9 => Just("A".to_owned()), 1 => value()];
    (name, prop::collection::vec((any::<bool>(), rule()), 1..3), 0..6_u8).prop_map(|(name, rules, kind)| {
        let chain = |own: bool| if own { &*name } else { "INPUT" };
        let mut out = String::new();
        if kind == 0 {
            // A shell quotes words in its own way.
            let shell = |text: &str| text.replace('\'', "'\\''").replace('"', "'");
            let _ = writeln!(out, "iptables -N '{}'", shell(&name));
            for (own, rule) in &rules {
                let _ = writeln!(out, "iptables -A {} {}", chain(*own), shell(rule));
            }
            return out;
        }
        let _ =
            write!(out, "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:{name} - [0:0]\n");
        for (own, rule) in &rules {
            let _ = writeln!(out, "-A {} {rule}", chain(*own));
        }
        out + "COMMIT\n"
    })
}

/// Programs that replace iptables and record their arguments.
struct Watch {
    bin: PathBuf,
    log: PathBuf,
    script: PathBuf,
}

impl Watch {
    fn new() -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("hostile-{}", std::process::id()));
        let watch = Self {
            bin: directory.join("bin"),
            log: directory.join("log"),
            script: directory.join("script.sh"),
        };
        fs::create_dir_all(&watch.bin).expect("a directory for programs");
        let program = |path: &Path, text: &str| {
            fs::write(path, text).expect("a program can be written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
                .expect("it can be made one");
        };
        program(
            Path::new(CANARY),
            &format!("#!/bin/sh\necho \"$0 $*\" >> {MARK}\n"),
        );
        let _ = fs::remove_file(MARK);
        // Each word ends with a zero byte, and each call with an empty line.
        let note = "for word in \"${0##*/}\" \"$@\"; do printf '%s\\0' \"$word\"; done >> \"$LOG\"; printf '\\n\\0' >> \"$LOG\"\n";
        let hidden = "exec unshare -m sh -c 'mount -t tmpfs none /proc; exec \"$@\"' sh";
        for name in ["iptables", "iptables-legacy", "iptables-nft"] {
            program(
                &watch.bin.join(name),
                &format!("#!/bin/sh\n{note}{hidden} /usr/sbin/{name} \"$@\"\n"),
            );
            let restore = format!("{name}-restore");
            let keep = "cat > \"$LOG.rules\"\n";
            let run = format!("{hidden} /usr/sbin/{restore} \"$@\" < \"$LOG.rules\"\n");
            program(&watch.bin.join(restore), &format!("#!/bin/sh\n{keep}{run}"));
            let save = format!("{name}-save");
            program(
                &watch.bin.join(&save),
                &format!("#!/bin/sh\n/usr/sbin/{save} \"$@\" | tee \"$LOG.saved\"\n"),
            );
        }
        // Only the arguments of iptables matter here.
        program(
            &watch.bin.join("python3"),
            "#!/bin/sh\ncase \"$1\" in *listen.py) echo ready; cat > /dev/null;; esac\n",
        );
        program(&watch.bin.join("sleep"), "#!/bin/sh\n");
        watch
    }

    /// Runs a script in a namespace, or outside of any. Its output is ignored.
    fn run(&self, namespace: Option<&Namespace>, script: &str) {
        for suffix in ["", ".rules", ".saved"] {
            let _ = fs::remove_file(format!("{}{suffix}", self.log.display()));
        }
        fs::write(&self.script, script).expect("a script can be written");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.bin.display());
        let run = || {
            let mut command = Command::new("sh");
            command
                .arg(&self.script)
                .env("PATH", &path)
                .env("LOG", &self.log);
            command.env("XTABLES_LOCKFILE", format!("{}.lock", self.log.display()));
            let status = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            status.expect("there is a shell")
        };
        match namespace {
            Some(namespace) => namespace.inside(run),
            None => run(),
        };
    }

    /// The calls of the last run.
    fn calls(&self) -> Vec<Vec<String>> {
        let log = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let calls = log.split("\n\0").filter(|call| !call.is_empty());
        calls
            .map(|call| {
                call.trim_end_matches('\0')
                    .split('\0')
                    .map(str::to_owned)
                    .collect()
            })
            .collect()
    }

    fn kept(&self, suffix: &str) -> String {
        fs::read_to_string(format!("{}.{suffix}", self.log.display())).unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for path in [Path::new(CANARY), Path::new(MARK)] {
            let _ = fs::remove_file(path);
        }
        let _ = self.bin.parent().map(fs::remove_dir_all);
    }
}

/// The words of a line as `iptables-restore` 1.8.9 splits it (`add_param_to_argv` in xshared.c).
fn restore_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open) = (Vec::new(), String::new(), false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if open => word.extend(chars.next()),
            '"' => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = !open;
            }
            ' ' | '\t' if !open => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)))
            }
            c => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// All words that iptables may get for these rules.
fn intended(rulesets: &[Ruleset]) -> BTreeSet<Vec<String>> {
    let mut intended = BTreeSet::new();
    for set in rulesets {
        for table in &set.tables {
            let lead = [print::program(set), "-t".into(), table.name.to_string()];
            let call =
                |more: Vec<String>| lead.iter().cloned().chain(more).collect::<Vec<String>>();
            for chain in &table.chains {
                intended.insert(call(vec!["-N".into(), chain.name.to_string()]));
                for rule in &chain.rules {
                    let words = restore_words(&print::rule(set, table, rule));
                    intended.insert(call(
                        ["-A".into(), chain.name.to_string()]
                            .into_iter()
                            .chain(words)
                            .collect(),
                    ));
                }
            }
        }
    }
    intended
}

/// The words of rules, independent of the quotes of iptables-save and of the number of blanks in an
/// unquoted name.
fn flat(text: &str) -> Vec<String> {
    let rules = text
        .lines()
        .filter_map(|line| line.find("-A ").map(|at| &line[at..]));
    let one_blank = |words: String| words.split_whitespace().collect::<Vec<_>>().join(" ");
    rules
        .map(|rule| one_blank(restore_words(rule).join(" ")))
        .collect()
}

#[test]
fn a_hostile_dump_yields_no_word_and_no_program_of_its_own() {
    require(&[
        "ip",
        "nft",
        "unshare",
        "iptables-legacy-restore",
        "iptables-nft-restore",
    ]);
    let (seed, count) = (
        number("CHAINWALK_SEED", SEED),
        number("CHAINWALK_HOSTILE", DUMPS),
    );
    let (started, watch, dumps) = (Instant::now(), Watch::new(), dump());
    let namespace = Namespace::new("hostile");
    let host = Host::pod();
    let packet = &scenario::list(&host, None)[0].packet;
    let mut runner = runner(seed, Config::default());

    // Checks that the trap works: a word of its own runs the program.
    watch.run(
        Some(&namespace),
        &format!("iptables-legacy -A INPUT -i a -M {CANARY} -p tcp -m tcp --dport 80\n"),
    );
    assert!(
        fs::remove_file(MARK).is_ok(),
        "iptables-legacy tries to load a module where /proc is hidden"
    );

    let (mut written, mut calls, mut scripts, mut loaded) = (0, 0, 0, 0);
    for place in 0..count {
        let backend = if place % 2 == 0 {
            Backend::Legacy
        } else {
            Backend::Nft
        };
        let text = dumps
            .new_tree(&mut runner)
            .expect("no dump is rejected")
            .current();
        let name = if backend == Backend::Legacy {
            "iptables-legacy"
        } else {
            "iptables-nft"
        };
        let text = match text.starts_with('*') {
            true => format!("# Generated by {name}-save v1.8.9\n{text}"),
            false => text.replace("iptables ", &format!("{name} ")),
        };
        let rulesets = parse::parse(text.clone()).rulesets;
        if let Ok(commands) = commands(&[], &rulesets) {
            namespace.load(backend, Family::Ipv4, SENTINEL);
            watch.run(Some(&namespace), &commands.join("\n"));
            let (made, intended) = (watch.calls(), intended(&rulesets));
            assert_eq!(
                made.len(),
                commands.len(),
                "{text}\n{commands:#?}\n{made:#?}"
            );
            let other = made.iter().find(|call| !intended.contains(*call));
            assert!(other.is_none(), "{text}\n{commands:#?}\n{other:?}");
            let saved = namespace.save(backend, Family::Ipv4);
            assert!(
                saved.contains("-A SENTINEL -j DROP\n"),
                "{text}\n{commands:#?}\n{saved}"
            );
            (written, calls) = (written + 1, calls + made.len());
        }
        if let Ok(script) = replay::script(&rulesets, &walk(&rulesets, None, &host, packet)) {
            watch.run(None, &script);
            let (given, saved) = (watch.kept("rules"), watch.kept("saved"));
            let printed: String = rulesets.iter().map(|set| print::save(set, false)).collect();
            assert_eq!(given, printed, "{text}");
            // iptables-save does not quote everything, so its quotes do not always delimit words.
            if !saved.is_empty() && !printed.contains('\\') {
                assert_eq!(flat(&saved), flat(&printed), "{text}");
                loaded += 1;
            }
            scripts += 1;
        }
        assert!(
            !Path::new(MARK).exists(),
            "{text}\nran {}",
            fs::read_to_string(MARK).unwrap_or_default()
        );
    }
    // Written directly to standard error, because the test runner hides the output of successful
    // tests.
    writeln!(
        std::io::stderr(),
        "hostile: {count} dumps, of {written} commands ({calls} calls), of {scripts} scripts ({loaded} loaded and compared)\n  \
         seed {seed}, {} s",
        started.elapsed().as_secs()
    )
    .expect("it can be said");
    assert!(
        written > 0 && scripts > 0 && loaded > 0,
        "some of the dumps yield commands and scripts"
    );
}
