//! Random commands of iptables, made from the tables of the extensions. iptables accepts most of
//! them.

use std::fmt;

use chainwalk_core::iptables::extension::kind::{Kind, MarkForm};
use chainwalk_core::iptables::extension::{Extension, Id, Opt, Role};
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::packet::hook::Hook;
use chainwalk_core::packet::{Family, Protocol};
use proptest::prelude::*;
use proptest::sample::select;

/// A rule to append, as the words after the program's name.
#[derive(Clone, Debug)]
pub struct Command {
    /// The table after `-t`.
    pub table: TableName,
    /// The built-in chain of the rule.
    pub chain: Hook,
    /// The rule.
    pub words: Vec<String>,
    /// The extensions that it uses.
    pub uses: Vec<&'static str>,
}

/// Prints the command as a user types it in a shell.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-t {} -A {}", self.table, self.chain)?;
        for word in &self.words {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+%@".contains(c);
            match !word.is_empty() && word.chars().all(plain) {
                true => write!(f, " {word}")?,
                false => write!(f, " '{}'", word.replace('\'', "'\\''"))?,
            }
        }
        Ok(())
    }
}

/// Valid and invalid values of a kind of option.
fn values(kind: &'static Kind, family: Family) -> (Vec<String>, Vec<String>) {
    let own = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let wrong = |words: &[&str]| own(&[words, &["wrong!", "-1", ""]].concat());
    let v4 = family == Family::Ipv4;
    let both = |ok: &[&str], bad: &[&str]| (own(ok), wrong(bad));
    match kind {
        Kind::Flag | Kind::Always(..) => (vec![String::new()], Vec::new()),
        Kind::Network if v4 => both(
            &[
                "10.0.0.0/8",
                "10.1.2.3",
                "10.0.0.1/255.0.0.255",
                "10.1/16",
                "0x0a.1.2.3/24",
                "0.0.0.0/0",
                "1.2.3.4/32",
            ],
            &[
                "10.0.0.0/33",
                "10.0.0.256",
                "1.2.3.4.5",
                "::1",
                "10.0.0.0/255.0.0.256",
            ],
        ),
        Kind::Network => both(
            &[
                "fd00::/8",
                "::1",
                "::/0",
                "2001:db8::1/64",
                "fe80::1/ffff::",
                "::ffff:1.2.3.4",
                "::1.2.3.4/128",
            ],
            &["fd00::/129", "fd00::g", "1.2.3.4", "1::2::3"],
        ),
        Kind::Address if v4 => both(
            &["10.1.2.3", "0.0.0.0", "127.0.0.1"],
            &["10.1.2.3/8", "::1", "300.1.1.1"],
        ),
        Kind::Address => both(&["fd00::1", "::", "::1"], &["fd00::1/64", "1.2.3.4", "g::"]),
        Kind::AddressSpan if v4 => both(
            &["10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.1", "10.0.0.1"],
            &[
                "10.0.0.9-10.0.0.1",
                "10.0.0.1-",
                "::1-::2",
                "10.0.0.1-10.0.0.2-10.0.0.3",
            ],
        ),
        Kind::AddressSpan => both(
            &["fd00::1-fd00::9", "::1"],
            &["fd00::9-fd00::1", "1.2.3.4-1.2.3.5"],
        ),
        Kind::Interface => (
            own(&["lo", "eth0", "eth+", "a.b-c_d"]),
            own(&["sixteencharacter", ""]),
        ),
        Kind::Protocol => both(
            &["tcp", "17", "ICMP", "all", "gre", "253", "0", "sctp"],
            &["256", "tcpp", "0x100"],
        ),
        Kind::Port | Kind::AnyPort => both(
            &[
                "80",
                "0",
                "65535",
                "1024:2048",
                ":1023",
                "1024:",
                "ssh",
                "http:https",
                "0x50",
                "7:7",
            ],
            &["65536", "80:90:100", "http-nonsense", "90:80", "80,90"],
        ),
        Kind::Ports => both(
            &[
                "80",
                "80,443",
                "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                "1:2,80,1000:65535",
                "ssh,http",
            ],
            &[
                "80,",
                "65536",
                "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
                "9:8",
                "80,,90",
                "7:7",
            ],
        ),
        Kind::Ids => both(
            &["0", "1337", "1000-1999", "4294967294", "7-7"],
            &["4294967295", "9-1", "1-2-3", "nobody-here"],
        ),
        Kind::Mark | Kind::SetMark(MarkForm::Xor | MarkForm::Set) => both(
            &[
                "0x539",
                "1337",
                "0x539/0xfff",
                "010/0xff",
                "0",
                "0xffffffff/0xffffffff",
                "0x1/0",
                "0x12/0x2",
            ],
            &["0x100000000", "1/", "1/2/3", "0x1/0x100000000"],
        ),
        Kind::SetMark(_) => both(
            &["0x539", "0", "0xffffffff", "7"],
            &["0x1/0xff", "0x100000000"],
        ),
        Kind::Mask => both(
            &["0xffffffff", "0xff", "0", "255"],
            &["0x100000000", "0xfg"],
        ),
        Kind::Bits(names) => {
            let mut ok: Vec<String> = names.iter().map(|(name, _)| (*name).to_owned()).collect();
            ok.extend(
                ok.first()
                    .zip(ok.last())
                    .map(|(first, last)| format!("{first},{last}")),
            );
            ok.push(ok[0].to_lowercase());
            (ok, wrong(&["A,B", ","]))
        }
        Kind::TcpFlags => (
            own(&[
                "SYN SYN",
                "ALL NONE",
                "SYN,ACK,FIN,RST SYN",
                "fin fin",
                "NONE NONE",
                "PSH,URG ALL",
                "SYN RST",
            ]),
            own(&["SYN", "SYN WRONG", "ECE ECE", "SYN,,ACK SYN"]),
        ),
        Kind::IcmpType(names) => {
            let mut ok: Vec<String> = names.iter().map(|(name, ..)| (*name).to_owned()).collect();
            ok.extend(own(&["8", "3/1", "255/255", "any", "0/0"]));
            (ok, wrong(&["256", "3/256", "3/", "echo-nonsense"]))
        }
        Kind::OneOf(names) => (
            names.iter().map(|(name, _)| (*name).to_owned()).collect(),
            wrong(&["WRONG"]),
        ),
        Kind::Number(high) | Kind::Below(high) | Kind::Above(high) => (
            vec!["0".into(), "1".into(), high.to_string(), "0x1".into()],
            above(*high),
        ),
        Kind::NumberOr(names, high) => {
            let mut ok: Vec<String> = names.iter().map(|(name, _)| (*name).to_owned()).collect();
            ok.extend(["0".to_owned(), high.to_string()]);
            (ok, above(*high))
        }
        Kind::Between(low, high) => {
            let mut bad = above(*high);
            bad.extend(low.checked_sub(1).map(|below| below.to_string()));
            (vec![low.to_string(), high.to_string()], bad)
        }
        Kind::NumberRange(high) => {
            let ok = vec![
                "0".into(),
                "1:2".into(),
                ":3".into(),
                "4:".into(),
                ":".into(),
                format!("0:{high}"),
                "5:5".into(),
            ];
            let mut bad = above(*high);
            bad.extend(own(&["1:2:3", "1-2", "9:8"]));
            (ok, bad)
        }
        Kind::Wide => both(
            &["0", "1", "18446744073709551615", "0x10"],
            &["18446744073709551616", "1.5"],
        ),
        Kind::Mac => both(
            &["02:00:00:00:00:05", "2:0:0:0:0:5", "AA:bb:CC:dd:EE:ff"],
            &["02:00:00:00:00", "02:00:00:00:00:05:06"],
        ),
        Kind::Text(most) | Kind::Cut(most) | Kind::Line(most) | Kind::Word(most) => {
            let ok = vec![
                "a".into(),
                "a-b_c".into(),
                "x".repeat((*most).min(20)),
                "it's \"a\\b\"".into(),
                "a b".into(),
            ];
            (ok, vec!["x".repeat(most + 1)])
        }
        Kind::Own(form) | Kind::Maybe(form) => (
            own(form.examples),
            wrong(&["wrong", "99999999999999999999", "/", "a,b", ":"]),
        ),
    }
}

fn above(high: u32) -> Vec<String> {
    ["wrong", "-1", "", "1 2", &(u64::from(high) + 1).to_string()]
        .map(str::to_owned)
        .into()
}

/// Addresses for translations, in addition to the ports in the examples of the form.
fn translations(family: Family) -> (Vec<String>, Vec<String>) {
    let (ok, bad) = match family {
        Family::Ipv4 => (
            [
                "10.0.0.1",
                "10.0.0.1:80",
                "10.0.0.1-10.0.0.9",
                "10.0.0.1-10.0.0.9:80-90",
                ":80-90",
                "10.0.0.1:80-80",
            ],
            [
                "10.0.0.1:",
                "10.0.0.1:65536",
                ":90-80",
                "::1",
                "10.0.0.1:80:90",
                "10.0.0.1/24",
                "10.0.0.1:0",
            ],
        ),
        Family::Ipv6 => (
            [
                "fd00::1",
                "[fd00::1]:80",
                "fd00::1-fd00::9",
                "[fd00::1]:80-90",
                "[fd00::1-fd00::9]:80",
                "[fd00::1]",
            ],
            [
                "[fd00::1",
                "[fd00::1]:65536",
                "1.2.3.4",
                "[fd00::1]:90-80",
                "fd00::g",
                "[]:80",
                "[fd00::1]80",
            ],
        ),
    };
    (ok.map(str::to_owned).into(), bad.map(str::to_owned).into())
}

/// An option of an extension in words.
fn option(opt: &'static Opt, family: Family) -> BoxedStrategy<Vec<String>> {
    let (mut ok, mut bad) = values(&opt.kind, family);
    if ["--to-destination", "--to-source"].contains(&opt.flag) {
        let (more_ok, more_bad) = translations(family);
        ok.extend(more_ok);
        bad.extend(more_bad);
    }
    // A form without examples represents things outside the rules, which do not exist here.
    let right = select(if ok.is_empty() {
        vec!["nothing".to_owned()]
    } else {
        ok
    });
    let value = match bad.is_empty() {
        true => right.boxed(),
        false => prop_oneof![24 => right, 1 => select(bad)].boxed(),
    };
    let flags: Vec<&'static str> = opt.flags().collect();
    let negated = prop::bool::weighted(if opt.negatable { 0.25 } else { 0.01 });
    (negated, select(flags), value)
        .prop_map(move |(negated, flag, value)| {
            let mut words = Vec::new();
            words.extend(negated.then(|| "!".to_owned()));
            words.push(flag.to_owned());
            match opt.kind.word_count() {
                0 => {}
                1 => words.push(value),
                _ => words.extend(value.split(' ').map(str::to_owned)),
            }
            words
        })
        .boxed()
}

/// One use of an extension: `-m NAME` or `-j NAME` with some of its options.
fn used(extension: &'static Extension, family: Family) -> BoxedStrategy<Vec<String>> {
    let lead = match extension.role {
        Role::Target => "-j",
        Role::Header | Role::Match => "-m",
    };
    let often = match extension.options.len() {
        0..=2 => 0.6,
        3..=6 => 0.35,
        _ => 0.2,
    };
    let options = extension.options.iter().map(|opt| {
        let often = if opt.required { 0.96 } else { often };
        (prop::bool::weighted(often), option(opt, family))
            .prop_map(|(given, words)| given.then_some(words))
    });
    let options: Vec<_> = options.collect();
    let head = match extension.role {
        Role::Header => Vec::new(),
        _ => vec![lead.to_owned(), extension.name.to_owned()],
    };
    (options, prop::bool::weighted(0.01))
        .prop_map(move |(options, twice)| {
            let mut given: Vec<Vec<String>> = options.into_iter().flatten().collect();
            if twice {
                given.extend(given.last().cloned());
            }
            head.iter()
                .cloned()
                .chain(given.into_iter().flatten())
                .collect()
        })
        .boxed()
}

/// Tables and hooks that allow an extension, in most cases.
fn place(extension: &'static Extension) -> BoxedStrategy<(TableName, Hook)> {
    let tables = if extension.tables.is_empty() {
        TableName::ALL.to_vec()
    } else {
        extension.tables.to_vec()
    };
    let hooks = if extension.hooks.is_empty() {
        Hook::ALL.to_vec()
    } else {
        extension.hooks.to_vec()
    };
    let all = |tables: &[TableName], hooks: &[Hook]| -> Vec<(TableName, Hook)> {
        tables
            .iter()
            .flat_map(|table: &TableName| {
                table
                    .hooks()
                    .iter()
                    .map(|hook| (*table, *hook))
                    .collect::<Vec<_>>()
            })
            .filter(|(_, hook)| hooks.contains(hook))
            .collect()
    };
    prop_oneof![19 => select(all(&tables, &hooks)), 1 => select(all(&TableName::ALL, &Hook::ALL))]
        .boxed()
}

/// The `-p` that an extension requires, in most cases.
fn protocol(extension: &'static Extension) -> BoxedStrategy<Vec<String>> {
    let mut fitting: Vec<Protocol> = extension.protocols.to_vec();
    fitting.extend(extension.implied_by);
    let words = |protocol: String| vec!["-p".to_owned(), protocol];
    let any = select(vec![
        "tcp",
        "udp",
        "icmp",
        "ipv6-icmp",
        "sctp",
        "esp",
        "47",
        "all",
    ])
    .prop_map(str::to_owned);
    let any = prop_oneof![Just(Vec::new()), any.prop_map(words)];
    match fitting.is_empty() {
        true => any.boxed(),
        false => {
            prop_oneof![19 => select(fitting).prop_map(move |of| words(of.to_string())), 1 => any]
                .boxed()
        }
    }
}

/// A command about one extension, sometimes with a second one and a header.
fn about(id: Id, family: Family) -> BoxedStrategy<Command> {
    let extension = id.get();
    let others: Vec<BoxedStrategy<Vec<String>>> = known(family)
        .filter(|other| {
            other.get().role == Role::Match && other.get().protocols.is_empty() && *other != id
        })
        .map(|other| used(other.get(), family))
        .collect();
    let second = prop_oneof![4 => Just(Vec::new()), 1 => prop::strategy::Union::new(others)];
    let header = prop_oneof![5 => Just(Vec::new()), 1 => used(Id::HEADER.get(), family)];
    let verdict = match extension.role {
        Role::Target => Just(Vec::new()).boxed(),
        _ => select(vec![vec![], vec!["-j", "ACCEPT"], vec!["-j", "RETURN"]])
            .prop_map(|words: Vec<&str>| words.into_iter().map(str::to_owned).collect())
            .boxed(),
    };
    (
        place(extension),
        protocol(extension),
        used(extension, family),
        (header, second, verdict),
    )
        .prop_map(
            move |((table, chain), protocol, used, (header, second, verdict))| {
                // A header clause may state its own protocol.
                let protocol = if header.iter().any(|word| word == "-p") {
                    Vec::new()
                } else {
                    protocol
                };
                let words = [header, protocol, used, second, verdict].concat();
                Command {
                    table,
                    chain,
                    words,
                    uses: vec![extension.name],
                }
            },
        )
        .boxed()
}

/// The extensions that iptables has for a family.
fn known(family: Family) -> impl Iterator<Item = Id> {
    let kept = [
        Id::HEADER,
        Id::OPAQUE_MATCH,
        Id::OPAQUE_TARGET,
        Id::STRAY,
        Id::UNLISTED,
    ];
    Id::all()
        .filter(move |id| !kept.contains(id) && id.get().family.is_none_or(|own| own == family))
}

/// Commands about every extension of a family, with equal frequency.
pub fn commands(family: Family) -> impl Strategy<Value = Command> {
    prop::strategy::Union::new(known(family).map(|id| about(id, family)))
}
