//! The extensions of iptables: one file each, most of it a table.
//!
//! An [`Extension`] lists its options; an [`Opt`] says how its value is written ([`Kind`]) and
//! which [`Field`] of the packet it asks. Reading, canonical printing, refusals and the plain words
//! all come from these tables. To support a new match, add a file here and a line in `ALL`.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::iptables::table_name::TableName;
use crate::netfilter::condition::{Field, Parameters, Subject};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Part, Rule, Ruleset, Table, Target, Value};
use crate::packet::fields::SearchWord;
use crate::packet::hook::Hook;
use crate::packet::{Family, Protocol};
use crate::text::diagnostic::Problem;

pub use crate::netfilter::ruleset::ExtensionId as Id;

pub mod addrtype;
pub mod ah;
pub mod bpf;
pub mod cgroup;
pub mod cluster;
pub mod comment;
pub mod connbytes;
pub mod connlabel;
pub mod connlimit;
pub mod connmark;
pub mod conntrack;
pub mod cpu;
pub mod dccp;
pub mod devgroup;
pub mod dscp;
pub mod ecn;
pub mod esp;
pub mod eui64;
pub mod frag;
pub mod hashlimit;
pub mod hbh;
pub mod header;
pub mod helper;
pub mod icmp;
pub mod icmp6;
pub mod ipcomp;
pub mod iprange;
pub mod ipv6header;
pub mod ipvs;
pub mod kind;
pub mod length;
pub mod limit;
pub mod lower;
pub mod mac;
pub mod mark;
pub mod mh;
pub mod multiport;
pub mod nfacct;
pub mod opaque;
pub mod osf;
pub mod owner;
pub mod physdev;
pub mod pkttype;
pub mod policy;
pub mod quota;
mod rate;
pub mod rateest;
pub mod realm;
pub mod recent;
pub mod rpfilter;
pub mod rt;
pub mod sctp;
pub mod set;
pub mod socket;
mod spi;
pub mod srh;
pub mod state;
pub mod statistic;
pub mod string;
pub mod target;
pub mod tcp;
pub mod tcpmss;
pub mod time;
pub mod tos;
pub mod transport;
pub mod ttl;
pub mod u32;
pub mod udp;
pub mod unlisted;
mod version_bugs;

pub use kind::Kind;

/// Every extension. An [`Id`] is a place in this list.
static ALL: &[&Extension] = &[
    &header::HEADER,
    &opaque::MATCH,
    &opaque::TARGET,
    &opaque::STRAY,
    &unlisted::UNLISTED,
    &addrtype::ADDRTYPE,
    &comment::COMMENT,
    &connmark::CONNMARK,
    &conntrack::CONNTRACK,
    &icmp::ICMP,
    &icmp6::ICMP6,
    &mark::MARK,
    &multiport::MULTIPORT,
    &owner::OWNER,
    &state::STATE,
    &tcp::TCP,
    &udp::UDP,
    &target::verdict::ACCEPT,
    &target::verdict::DROP,
    &target::verdict::QUEUE,
    &target::verdict::RETURN,
    &target::connmark::CONNMARK,
    &target::ct::CT,
    &target::ct::NOTRACK,
    &target::dnat::DNAT,
    &target::log::LOG,
    &target::mark::MARK,
    &target::masquerade::MASQUERADE,
    &target::netmap::NETMAP,
    &target::nflog::NFLOG,
    &target::redirect::REDIRECT,
    &target::reject::REJECT4,
    &target::reject::REJECT6,
    &target::snat::SNAT,
    &target::tproxy::TPROXY,
    // Matches of the headers and the link.
    &dscp::DSCP,
    &tos::TOS,
    &ah::AH4,
    &ah::AH6,
    &cpu::CPU,
    &dccp::DCCP,
    &devgroup::DEVGROUP,
    &ecn::ECN,
    &esp::ESP,
    &eui64::EUI64,
    &frag::FRAG,
    &hbh::HBH,
    &hbh::DST,
    &ipcomp::IPCOMP,
    &iprange::IPRANGE,
    &ipv6header::IPV6HEADER,
    &length::LENGTH,
    &mac::MAC,
    &mh::MH,
    &physdev::PHYSDEV,
    &pkttype::PKTTYPE,
    &realm::REALM,
    &rt::RT,
    &sctp::SCTP,
    &srh::SRH,
    &tcpmss::TCPMSS,
    &ttl::TTL,
    &ttl::HL,
    &target::audit::AUDIT,
    &target::checksum::CHECKSUM,
    &target::classify::CLASSIFY,
    &target::clusterip::CLUSTERIP,
    &target::connsecmark::CONNSECMARK,
    &target::npt::DNPT,
    &target::dscp::DSCP,
    &target::ecn::ECN,
    &target::ttl::HL,
    &target::hmark::HMARK,
    &target::idletimer::IDLETIMER,
    &target::led::LED,
    &target::nfqueue::NFQUEUE,
    &target::rateest::RATEEST,
    &target::secmark::SECMARK,
    &target::set::SET,
    &target::npt::SNPT,
    &target::synproxy::SYNPROXY,
    &target::tcpmss::TCPMSS,
    &target::tcpoptstrip::TCPOPTSTRIP,
    &target::tee::TEE,
    &target::tos::TOS,
    &target::trace::TRACE,
    &target::ttl::TTL,
    &target::ulog::ULOG,
    &bpf::BPF,
    &cgroup::CGROUP,
    &cluster::CLUSTER,
    &connbytes::CONNBYTES,
    &connlabel::CONNLABEL,
    &connlimit::CONNLIMIT,
    &hashlimit::HASHLIMIT,
    &helper::HELPER_MATCH,
    &ipvs::IPVS,
    &limit::LIMIT,
    &nfacct::NFACCT,
    &osf::OSF,
    &policy::POLICY,
    &quota::QUOTA,
    &rateest::RATEEST,
    &recent::RECENT4,
    &recent::RECENT6,
    &rpfilter::RPFILTER,
    &set::SET_MATCH,
    &socket::SOCKET,
    &statistic::STATISTIC,
    &string::STRING,
    &time::TIME,
    &u32::U32,
];

/// The extensions by their names and aliases, those of one name in the order of the list.
static NAMES: LazyLock<HashMap<&str, Vec<Id>>> = LazyLock::new(|| {
    let mut names: HashMap<&str, Vec<Id>> = HashMap::new();
    for id in Id::all() {
        let extension = id.get();
        for name in [extension.name].iter().chain(extension.aliases) {
            names.entry(name).or_default().push(id);
        }
    }
    names
});

impl Id {
    /// The conditions on the IP header, which need no `-m`.
    pub const HEADER: Self = Self(0);
    /// A match that is kept as written.
    pub const OPAQUE_MATCH: Self = Self(1);
    /// A target that is kept as written.
    pub const OPAQUE_TARGET: Self = Self(2);
    /// Words that belong to no match, kept as written.
    pub const STRAY: Self = Self(3);
    /// What a listing does not show.
    pub const UNLISTED: Self = Self(4);

    /// The extension.
    pub fn get(self) -> &'static Extension {
        ALL[usize::from(self.0)]
    }

    /// Whether an option of it must be given, or goes with others or without them: few have such.
    pub(crate) fn demands(self) -> bool {
        static DEMANDS: [bool; ALL.len()] = {
            let mut demands = [false; ALL.len()];
            let mut place = 0;
            while place < ALL.len() {
                let options = ALL[place].options;
                let mut option = 0;
                while option < options.len() {
                    let opt = &options[option];
                    demands[place] |=
                        opt.required || !opt.excludes.is_empty() || !opt.needs.is_empty();
                    option += 1;
                }
                place += 1;
            }
            demands
        };
        DEMANDS[self.place()]
    }

    /// Its place in the list.
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self).take(ALL.len())
    }

    /// The match or target of that name. `family` decides between two of one name.
    pub fn named(name: &str, role: Role, family: Option<Family>) -> Option<Self> {
        let fits = |id: &Id| {
            let extension = id.get();
            extension.role == role
                && family.is_none_or(|f| extension.family.is_none_or(|own| own == f))
        };
        NAMES.get(name)?.iter().copied().find(fits)
    }

    /// The family that alone has a match or target of that name.
    pub fn only_family(name: &str, role: Role) -> Option<Family> {
        let mut named = NAMES
            .get(name)?
            .iter()
            .map(|id| id.get())
            .filter(|known| known.role == role);
        named.next()?.family.filter(|_| named.next().is_none())
    }

    /// Whether iptables has a target of that name, of either family.
    pub fn is_target(name: &str) -> bool {
        Self::named(name, Role::Target, None).is_some()
    }

    /// The match that `-p` brings along in a family, such as `tcp` for `-p tcp`.
    pub fn implied_by(protocol: Protocol, family: Family) -> Option<Self> {
        let fits = |extension: &Extension| extension.family.is_none_or(|own| own == family);
        Self::all().find(|id| id.get().implied_by == Some(protocol) && fits(id.get()))
    }
}

impl Part {
    /// The `option` of a match without options, or of one that is not understood.
    pub const BARE: u8 = u8::MAX;

    /// The extension it belongs to.
    pub fn extension(&self) -> &'static Extension {
        self.extension.get()
    }

    /// The option it states, if any.
    pub fn opt(&self) -> Option<&'static Opt> {
        self.extension().options.get(usize::from(self.option))
    }

    /// Its subject, if it is a condition with an option.
    pub fn subject(&self) -> Option<Subject> {
        Some(self.opt()?.field?.subject)
    }
}

/// What a rule does, in a word: the target's or the chain's name; `None` for a rule that only
/// counts.
pub fn action<'a>(ruleset: &'a Ruleset, table: &'a Table, rule: &Rule) -> Option<&'a str> {
    match rule.target {
        Target::None => None,
        Target::Jump(chain) | Target::Goto(chain) => Some(&table.chains[chain as usize].name),
        Target::Extension(Id::OPAQUE_TARGET) => {
            match ruleset.parameters(rule).first().map(|part| &part.value) {
                Some(&Value::Text(text)) => ruleset.text(text).split_whitespace().next(),
                _ => None,
            }
        }
        Target::Extension(id) => Some(id.get().name),
        Target::Missing { name, .. } => Some(ruleset.missing(name)),
    }
}

/// Whether an extension tests packets or acts on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The IP header's own conditions.
    Header,
    /// `-m`.
    Match,
    /// `-j`.
    Target,
}

/// Translates the options of a target to its effect. A required option that a refused rule lacks
/// leaves the effect neutral (an empty range, a mask of 0), so that its
/// [`Behavior`](crate::netfilter::effect::Behavior) is that of the target in any case. Where one
/// target has effects of two behaviors, as `-j SET` has, the options decide.
pub type Lower = fn(&Options) -> Effect;

/// A match or target of iptables.
pub struct Extension {
    /// As behind `-m` or `-j`.
    pub name: &'static str,
    /// Older names that mean the same.
    pub aliases: &'static [&'static str],
    /// Tests or acts.
    pub role: Role,
    /// What it is about, in a few words.
    pub summary: &'static str,
    /// The only family it exists for.
    pub family: Option<Family>,
    /// The protocol whose `-p` loads it by itself.
    pub implied_by: Option<Protocol>,
    /// The rule must ask for one of these protocols by `-p`; empty: it need not (`xt_check_match`
    /// in x_tables.c).
    pub protocols: &'static [Protocol],
    /// The only tables it may stand in; empty: all.
    pub tables: &'static [TableName],
    /// The only hooks it may be reached from; empty: all.
    pub hooks: &'static [Hook],
    /// The only hooks for a use with these options, where that depends on them; empty: all.
    pub hooks_for: Option<fn(&Options) -> &'static [Hook]>,
    /// Its options, in the order in which `iptables-save` prints them.
    pub options: &'static [Opt],
    /// Options that stand by themselves where a rule leaves them out: iptables prints them.
    pub implied: &'static [Implied],
    /// Whether a rule must give at least one of its options.
    pub asks: bool,
    /// What else iptables or the kernel refuses.
    pub check: fn(&Given) -> Result<(), Problem>,
    /// What every use of the match asks, with or without options: whether the packet has what it
    /// looks at. A number other than 0 says yes.
    pub asks_first: Option<&'static Field>,
    /// For a match that stands without options: why it cannot be answered, if so.
    pub bare: fn(&Part, &Ruleset) -> Option<Cow<'static, str>>,
    /// Why no dump can tell whether the match holds, whatever its options say.
    pub unknowable: Option<&'static str>,
    /// Reads the options that change how the match's fields are read; `None` where none does.
    pub parameters: Option<fn(&Options) -> Parameters>,
    /// What the match as a whole asks, whatever its options, if they only change how it is asked;
    /// a `Says`.
    pub whole: Option<&'static Field>,
    /// How likely a part holds that only chance decides, from 0 to 1.
    pub chance: Option<fn(&Part) -> Option<f64>>,
    /// Prints its options where the table's order and spellings do not do it.
    pub print: Option<fn(&Options, &mut String)>,
    /// Whether its options stand in the order in which they are written: their order says
    /// something.
    pub ordered: bool,
    /// How `iptables -L` prints it.
    pub listed: Listed,
    /// Whether a rule with it makes the kernel track connections (measured).
    pub tracks: bool,
    /// Translates the options of a target to its effect; `None` for matches.
    pub lower: Option<Lower>,
    /// What the target does, as a verb phrase ("redirect it to port 15001"), or what all options
    /// of a match ask together ("at most 3 packets a second get through"); `None` for a match
    /// whose options speak one by one.
    pub words: Option<fn(&Options) -> String>,
}

impl std::fmt::Debug for Extension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Extension {
    /// A match with these options and no restrictions.
    pub const fn matching(
        name: &'static str,
        summary: &'static str,
        options: &'static [Opt],
    ) -> Self {
        Self {
            name,
            aliases: &[],
            role: Role::Match,
            summary,
            family: None,
            implied_by: None,
            protocols: &[],
            tables: &[],
            hooks: &[],
            hooks_for: None,
            options,
            implied: &[],
            asks: false,
            check: |_| Ok(()),
            asks_first: None,
            bare: |_, _| None,
            unknowable: None,
            parameters: None,
            whole: None,
            chance: None,
            print: None,
            ordered: false,
            listed: Listed::new("", &[]),
            tracks: false,
            lower: None,
            words: None,
        }
    }

    /// A target with these options and no restrictions.
    pub const fn acting(
        name: &'static str,
        summary: &'static str,
        options: &'static [Opt],
        lower: Lower,
        words: fn(&Options) -> String,
    ) -> Self {
        Self {
            role: Role::Target,
            lower: Some(lower),
            words: Some(words),
            ..Self::matching(name, summary, options)
        }
    }

    /// A target that changes nothing which a rule, a route or the packet's end depends on.
    pub const fn observing(
        name: &'static str,
        summary: &'static str,
        options: &'static [Opt],
        words: fn(&Options) -> String,
    ) -> Self {
        Self::acting(name, summary, options, |_| Effect::Passive, words)
    }

    /// The same, printed by `iptables -L` in a way of its own: see [`Listed`].
    pub const fn listed(
        self,
        lead: &'static str,
        rows: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            listed: Listed::new(lead, rows),
            ..self
        }
    }

    /// The same, refused by iptables without any of its options.
    pub const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    /// The option that a flag (`--dport`) names, with its place.
    pub fn option(&self, flag: &str) -> Option<(u8, &'static Opt)> {
        let options: &'static [Opt] = self.options;
        (0..)
            .zip(options)
            .find(|(_, opt)| opt.flag == flag || opt.aliases.contains(&flag))
    }
}

/// How `iptables -L` prints a use of an extension: what leads it, and the forms of its options. An
/// option without a row is printed as its flag without dashes, with its value behind it.
///
/// A row is a pattern and the words that it stands for. In a pattern, `%` is a value, which stands
/// in the words in the same order; `!` is where a `!` may stand; `^` is one blank, and a blank is
/// one or more. A row that begins with `?` is only taken where its option can have such a value.
#[derive(Clone, Copy)]
pub struct Listed {
    /// What stands before its options, such as `tcp`; empty: nothing does.
    pub lead: &'static str,
    /// Pattern and words, such as `("!owner UID match %", "--uid-owner %")`; of two that fit, the
    /// first is taken.
    pub rows: &'static [(&'static str, &'static str)],
    /// Turns a value of an option from what a listing prints to what the option takes; `None` is
    /// no such value. The value of a row that names no option becomes options.
    pub value: Option<fn(flag: &str, value: &str) -> Option<String>>,
}

impl Listed {
    /// Values are printed as the options take them.
    pub const fn new(lead: &'static str, rows: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            lead,
            rows,
            value: None,
        }
    }

    /// Values are printed in another way.
    pub const fn values(self, value: fn(flag: &str, value: &str) -> Option<String>) -> Self {
        Self {
            value: Some(value),
            ..self
        }
    }
}

/// One option of an extension.
#[derive(Debug)]
pub struct Opt {
    /// With its dashes, as `iptables-save` prints it.
    pub flag: &'static str,
    /// Other spellings that are read.
    pub aliases: &'static [&'static str],
    /// How its value is written.
    pub kind: Kind,
    /// Whether `!` may stand before it.
    pub negatable: bool,
    /// The field it asks; `None` where it changes its neighbours or belongs to a target.
    pub field: Option<&'static Field>,
    /// The word of a search that the option's value is found by, apart from that of its field.
    pub search: Option<SearchWord>,
    /// Whether the packet alone decides what that field shows, and no other option of the rule.
    pub alone: bool,
    /// Another option of the same extension that says the same in canonical form (`--syn`,
    /// `--set-mark`).
    pub stored_as: Option<&'static str>,
    /// What `iptables-save` leaves out: the default, or the range from 0 to there, also where it
    /// is negated.
    pub unprinted: Option<u32>,
    /// Whether a rule that has the extension must give it.
    pub required: bool,
    /// Whether a rule may give it more than once.
    pub repeatable: bool,
    /// Options of the same extension that a rule cannot give together with it.
    pub excludes: &'static [&'static str],
    /// Options of the same extension that a rule must give together with it.
    pub needs: &'static [&'static str],
    /// An option of the same extension that must stand before it.
    pub behind: Option<&'static str>,
}

/// An option that is there although nobody wrote it.
#[derive(Debug)]
pub struct Implied {
    /// Only together with this one; `None`: always.
    pub with: Option<&'static str>,
    /// Not together with any of these.
    pub without: &'static [&'static str],
    /// The option.
    pub flag: &'static str,
    /// Its value as text.
    pub value: &'static str,
}

impl Implied {
    /// Always there.
    pub const fn new(flag: &'static str, value: &'static str) -> Self {
        Self {
            with: None,
            without: &[],
            flag,
            value,
        }
    }

    /// There together with another option.
    pub const fn with(self, other: &'static str) -> Self {
        Self {
            with: Some(other),
            ..self
        }
    }

    /// Not there together with others.
    pub const fn without(self, others: &'static [&'static str]) -> Self {
        Self {
            without: others,
            ..self
        }
    }
}

impl Opt {
    /// All its spellings.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.flag).chain(self.aliases.iter().copied())
    }

    /// An option of a target, or one that changes its neighbours.
    pub const fn new(flag: &'static str, kind: Kind) -> Self {
        Self {
            flag,
            aliases: &[],
            kind,
            negatable: false,
            field: None,
            search: None,
            alone: false,
            stored_as: None,
            unprinted: None,
            required: false,
            repeatable: false,
            excludes: &[],
            needs: &[],
            behind: None,
        }
    }

    /// An option that asks a field, and may be negated.
    pub const fn tests(flag: &'static str, kind: Kind, field: &'static Field) -> Self {
        Self {
            negatable: true,
            field: Some(field),
            ..Self::new(flag, kind)
        }
    }

    /// The packet alone decides what its field shows: so the walk reads it once for all rules of a
    /// chain.
    pub const fn alone(self) -> Self {
        Self {
            alone: true,
            ..self
        }
    }

    /// A search finds its value by that word, as `--to-ports 15001` by `port 15001`.
    pub const fn found_by(self, word: SearchWord) -> Self {
        Self {
            search: Some(word),
            ..self
        }
    }

    /// Other spellings.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Left out of print where it has this value.
    pub const fn unprinted(self, default: u32) -> Self {
        Self {
            unprinted: Some(default),
            ..self
        }
    }

    /// `!` may not stand before it, although it asks a field.
    pub const fn positive(self) -> Self {
        Self {
            negatable: false,
            ..self
        }
    }

    /// `!` may stand before it.
    pub const fn negatable(self) -> Self {
        Self {
            negatable: true,
            ..self
        }
    }

    /// A rule that has the extension must give it.
    pub const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// A rule may give it more than once.
    pub const fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }

    /// A rule cannot give it together with any of these.
    pub const fn excludes(self, others: &'static [&'static str]) -> Self {
        Self {
            excludes: others,
            ..self
        }
    }

    /// A rule must give all of these together with it.
    pub const fn needs(self, others: &'static [&'static str]) -> Self {
        Self {
            needs: others,
            ..self
        }
    }

    /// Another option must stand before it.
    pub const fn behind(self, other: &'static str) -> Self {
        Self {
            behind: Some(other),
            ..self
        }
    }

    /// Kept as another option.
    pub const fn stored_as(self, flag: &'static str) -> Self {
        Self {
            stored_as: Some(flag),
            ..self
        }
    }
}

/// One use of an extension in a rule, for [`Extension::check`].
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// What the rule gives it.
    pub options: Options<'a>,
    /// The rule set's family.
    pub family: Family,
    /// The rule's table.
    pub table: TableName,
    /// The protocol that the rule asks for, other than by `!`.
    pub protocol: Option<Protocol>,
    /// All conditions of the rule.
    pub matches: &'a [Part],
}

/// The options that one rule gives one of its matches or its target.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The parts of one `-m` or `-j`.
    pub parts: &'a [Part],
    /// Where their texts are.
    pub ruleset: &'a Ruleset,
}

impl<'a> Options<'a> {
    /// The value of an option, where given.
    pub fn value(&self, flag: &str) -> Option<&'a Value> {
        self.parts
            .iter()
            .find(|part| part.opt().is_some_and(|opt| opt.flag == flag))
            .map(|part| &part.value)
    }

    /// Whether an option is given.
    pub fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    /// Whether an option is given behind `!`.
    pub fn negates(&self, flag: &str) -> bool {
        self.parts
            .iter()
            .any(|part| part.negated && part.opt().is_some_and(|opt| opt.flag == flag))
    }

    /// A number that an option is given.
    pub fn number(&self, flag: &str) -> Option<u32> {
        match self.value(flag)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A value and mask that an option is given.
    pub fn masked(&self, flag: &str) -> Option<(u32, u32)> {
        match self.value(flag)? {
            Value::Masked { value, mask } => Some((*value, *mask)),
            _ => None,
        }
    }

    /// A text that an option is given.
    pub fn text(&self, flag: &str) -> Option<&'a str> {
        match self.value(flag)? {
            Value::Text(text) => Some(self.ruleset.text(*text)),
            _ => None,
        }
    }

    /// An option's value as `iptables-save` prints it.
    pub fn printed(&self, flag: &str) -> Option<String> {
        let part = self
            .parts
            .iter()
            .find(|part| part.opt().is_some_and(|opt| opt.flag == flag))?;
        let mut out = String::new();
        part.opt()?.kind.print(&part.value, self.ruleset, &mut out);
        Some(out.trim_start().into())
    }
}
