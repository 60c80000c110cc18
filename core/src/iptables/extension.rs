//! The extensions of iptables: one file each, most of it a table.
//!
//! An [`Extension`] lists its options. An [`Opt`] defines how its value is written ([`Kind`]) and
//! which [`Field`] of the packet it compares. Parsing, canonical printing, validation and sentences
//! all use these tables. To support a new match, add a file here and a line in `ALL`.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::iptables::table_name::TableName;
use crate::netfilter::condition::{Field, Parameters, Subject};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Clause, Rule, Ruleset, Table, Target, Value};
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

/// Every extension. An [`Id`] is a position in this list.
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
    // Matches on the headers and the link layer.
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

/// The extensions by their names and aliases. Extensions with one name are in the order of the
/// list.
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
    /// The conditions on the IP header. They need no `-m`.
    pub const HEADER: Self = Self(0);
    /// A match that is not understood. It is kept as written.
    pub const OPAQUE_MATCH: Self = Self(1);
    /// A target that is not understood. It is kept as written.
    pub const OPAQUE_TARGET: Self = Self(2);
    /// Words that belong to no match. They are kept as written.
    pub const STRAY: Self = Self(3);
    /// A condition that a listing does not show.
    pub const UNLISTED: Self = Self(4);

    /// The extension.
    pub fn get(self) -> &'static Extension {
        ALL[usize::from(self.0)]
    }

    /// Whether the extension has required options, or options that need or exclude others. Few
    /// extensions have such options.
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

    /// The position in the list.
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// All extensions.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self).take(ALL.len())
    }

    /// The match or target with this name. `family` chooses between two with one name.
    pub fn named(name: &str, role: Role, family: Option<Family>) -> Option<Self> {
        NAMES.get(name)?.iter().copied().find(|id: &Id| {
            let extension = id.get();
            extension.role == role
                && family.is_none_or(|f| extension.family.is_none_or(|own| own == f))
        })
    }

    /// The family that has a match or target with this name, if the other family has none.
    pub fn only_family(name: &str, role: Role) -> Option<Family> {
        let mut named = NAMES
            .get(name)?
            .iter()
            .map(|id| id.get())
            .filter(|known| known.role == role);
        named.next()?.family.filter(|_| named.next().is_none())
    }

    /// Whether iptables has a target with this name, in either family.
    pub fn is_target(name: &str) -> bool {
        Self::named(name, Role::Target, None).is_some()
    }

    /// The match that `-p` loads in a family, such as `tcp` for `-p tcp`.
    pub fn implied_by(protocol: Protocol, family: Family) -> Option<Self> {
        let fits = |extension: &Extension| extension.family.is_none_or(|own| own == family);
        Self::all().find(|id| id.get().implied_by == Some(protocol) && fits(id.get()))
    }
}

impl Clause {
    /// The `option` of a match without options, or of a match that is not understood.
    pub const BARE: u8 = u8::MAX;

    /// The extension that the clause belongs to.
    pub fn extension(&self) -> &'static Extension {
        self.extension.get()
    }

    /// The option of the clause, if any.
    pub fn opt(&self) -> Option<&'static Opt> {
        self.extension().options.get(usize::from(self.option))
    }

    /// The subject of the clause, if it is a condition with an option.
    pub fn subject(&self) -> Option<Subject> {
        Some(self.opt()?.field?.subject)
    }
}

/// The action of a rule in one word: the name of the target or of the chain; `None` for a rule that
/// only counts.
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
    /// Conditions on the IP header.
    Header,
    /// `-m`.
    Match,
    /// `-j`.
    Target,
}

/// Lowers the options of a target to its effect. If an invalid rule lacks a required option, the
/// effect is neutral (an empty range, a mask of 0), so that its
/// [`Behavior`](crate::netfilter::effect::Behavior) is still that of the target. If a target has
/// effects of two behaviors, as `-j SET` has, the options decide.
pub type Lower = fn(&Options) -> Effect;

/// A match or target of iptables.
pub struct Extension {
    /// The name after `-m` or `-j`.
    pub name: &'static str,
    /// Older names with the same meaning.
    pub aliases: &'static [&'static str],
    /// Whether it tests or acts.
    pub role: Role,
    /// The subject, in a few words.
    pub summary: &'static str,
    /// The family, if the extension exists for one family only.
    pub family: Option<Family>,
    /// The protocol whose `-p` loads the extension.
    pub implied_by: Option<Protocol>,
    /// The protocols of which the rule must require one with `-p`. Empty: no protocol is required
    /// (`xt_check_match` in x_tables.c).
    pub protocols: &'static [Protocol],
    /// The tables that allow the extension. Empty: all.
    pub tables: &'static [TableName],
    /// The hooks that allow the extension. Empty: all.
    pub hooks: &'static [Hook],
    /// The hooks that allow the extension with these options, if that depends on the options.
    /// Empty: all.
    pub hooks_for: Option<fn(&Options) -> &'static [Hook]>,
    /// The options, in the order in which `iptables-save` prints them.
    pub options: &'static [Opt],
    /// Options that iptables adds and prints if a rule omits them.
    pub implied: &'static [Implied],
    /// Whether a rule must give at least one of the options.
    pub asks: bool,
    /// Further checks of iptables or the kernel.
    pub check: fn(&Given) -> Result<(), Problem>,
    /// The first test of every use of the match, with or without options: whether the packet has
    /// the part that the match reads. A number other than 0 means yes.
    pub asks_first: Option<&'static Field>,
    /// For a match without options: the reason why its answer is undetermined, if it is.
    pub bare: fn(&Clause, &Ruleset) -> Option<Cow<'static, str>>,
    /// The reason why no dump determines the answer, independent of the options.
    pub unknowable: Option<&'static str>,
    /// Reads the options that change how the match's fields are read; `None` if there are no such
    /// options.
    pub parameters: Option<fn(&Options) -> Parameters>,
    /// The condition of the match as a whole, if its options only change how it is evaluated. Its
    /// phrase is a `Says`.
    pub whole: Option<&'static Field>,
    /// The probability that a clause holds, from 0 to 1, if only chance decides.
    pub chance: Option<fn(&Clause) -> Option<f64>>,
    /// Prints the options, if the order and the spellings of the table are not enough.
    pub print: Option<fn(&Options, &mut String)>,
    /// Whether the order of the options has a meaning, so that it is kept as written.
    pub ordered: bool,
    /// The form that `iptables -L` prints.
    pub listed: ListingForm,
    /// Whether a rule with the extension turns connection tracking on (measured).
    pub tracks: bool,
    /// Lowers the options of a target to its effect; `None` for matches.
    pub lower: Option<Lower>,
    /// The effect of the target as a verb phrase ("redirect it to port 15001"), or the meaning of
    /// all options of a match together ("at most 3 packets a second get through"). `None` for a
    /// match that words each option by itself.
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
            listed: ListingForm::new("", &[]),
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

    /// A target that changes nothing which a rule, a route or the outcome depends on.
    pub const fn observing(
        name: &'static str,
        summary: &'static str,
        options: &'static [Opt],
        words: fn(&Options) -> String,
    ) -> Self {
        Self::acting(name, summary, options, |_| Effect::Passive, words)
    }

    /// Sets the form that `iptables -L` prints: see [`ListingForm`].
    pub const fn listed(
        self,
        lead: &'static str,
        rows: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            listed: ListingForm::new(lead, rows),
            ..self
        }
    }

    /// Requires at least one of the options, as iptables does.
    pub const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    /// The option of a flag (`--dport`), with its position.
    pub fn option(&self, flag: &str) -> Option<(u8, &'static Opt)> {
        let options: &'static [Opt] = self.options;
        (0..)
            .zip(options)
            .find(|(_, opt)| opt.flag == flag || opt.aliases.contains(&flag))
    }
}

/// The form in which `iptables -L` prints a use of an extension: the text before its options, and
/// the patterns of its options. An option without a row is printed as its flag without dashes,
/// followed by its value.
///
/// A row is a pattern and the words that it is translated to. In a pattern, `%` is a value. The
/// words contain the values in the same order. `!` is the position of an optional `!`, `^` is
/// exactly one blank, and a blank is one or more blanks. A row that begins with `?` applies only if
/// its option can have such a value.
#[derive(Clone, Copy)]
pub struct ListingForm {
    /// The text before the options, such as `tcp`. Empty: none.
    pub lead: &'static str,
    /// Pattern and words, such as `("!owner UID match %", "--uid-owner %")`. The first pattern that
    /// fits applies.
    pub rows: &'static [(&'static str, &'static str)],
    /// Translates a value from the form of a listing to the form that the option takes; `None` for
    /// an invalid value. For a row that names no option, the translated value is a list of options.
    pub value: Option<fn(flag: &str, value: &str) -> Option<String>>,
}

impl ListingForm {
    /// A form in which values are printed as the options take them.
    pub const fn new(lead: &'static str, rows: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            lead,
            rows,
            value: None,
        }
    }

    /// A form in which values are printed differently.
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
    /// The flag with its dashes, as `iptables-save` prints it.
    pub flag: &'static str,
    /// Other spellings that are parsed.
    pub aliases: &'static [&'static str],
    /// The written form of its value.
    pub kind: Kind,
    /// Whether `!` can negate it.
    pub negatable: bool,
    /// The field that it compares; `None` if it modifies other options or belongs to a target.
    pub field: Option<&'static Field>,
    /// A search word that finds the option's value, besides the search word of its field.
    pub search: Option<SearchWord>,
    /// Whether the packet alone determines the value of the field, independent of other options of
    /// the rule.
    pub alone: bool,
    /// The option that stores this one in canonical form (`--syn`, `--set-mark`).
    pub stored_as: Option<&'static str>,
    /// The value that `iptables-save` does not print: the default, or the range from 0 to this
    /// value, also if it is negated.
    pub unprinted: Option<u32>,
    /// Whether a rule with the extension must give it.
    pub required: bool,
    /// Whether a rule may give it more than once.
    pub repeatable: bool,
    /// Options of the same extension that a rule cannot give together with it.
    pub excludes: &'static [&'static str],
    /// Options of the same extension that a rule must give together with it.
    pub needs: &'static [&'static str],
    /// An option of the same extension that must precede it.
    pub behind: Option<&'static str>,
}

/// An option that a rule has although it is not written.
#[derive(Debug)]
pub struct Implied {
    /// The option that it requires; `None`: it is always added.
    pub with: Option<&'static str>,
    /// The options that suppress it.
    pub without: &'static [&'static str],
    /// The option.
    pub flag: &'static str,
    /// Its value as text.
    pub value: &'static str,
}

impl Implied {
    /// An option that is always added.
    pub const fn new(flag: &'static str, value: &'static str) -> Self {
        Self {
            with: None,
            without: &[],
            flag,
            value,
        }
    }

    /// Added only together with another option.
    pub const fn with(self, other: &'static str) -> Self {
        Self {
            with: Some(other),
            ..self
        }
    }

    /// Not added together with these options.
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

    /// An option of a target, or one that modifies other options.
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

    /// An option that compares a field and can be negated.
    pub const fn tests(flag: &'static str, kind: Kind, field: &'static Field) -> Self {
        Self {
            negatable: true,
            field: Some(field),
            ..Self::new(flag, kind)
        }
    }

    /// Declares that the packet alone determines the value of the field. The walk then reads it
    /// once for all rules of a chain.
    pub const fn alone(self) -> Self {
        Self {
            alone: true,
            ..self
        }
    }

    /// Lets a search find the value by this word, as `port 15001` finds `--to-ports 15001`.
    pub const fn found_by(self, word: SearchWord) -> Self {
        Self {
            search: Some(word),
            ..self
        }
    }

    /// Adds other spellings.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Sets the value that is not printed.
    pub const fn unprinted(self, default: u32) -> Self {
        Self {
            unprinted: Some(default),
            ..self
        }
    }

    /// Forbids `!`, although the option compares a field.
    pub const fn positive(self) -> Self {
        Self {
            negatable: false,
            ..self
        }
    }

    /// Allows `!`.
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

    /// Requires another option before it.
    pub const fn behind(self, other: &'static str) -> Self {
        Self {
            behind: Some(other),
            ..self
        }
    }

    /// Stores it as another option.
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
    /// The options of this use.
    pub options: Options<'a>,
    /// The rule set's family.
    pub family: Family,
    /// The rule's table.
    pub table: TableName,
    /// The protocol that the rule requires without `!`.
    pub protocol: Option<Protocol>,
    /// All conditions of the rule.
    pub matches: &'a [Clause],
}

/// The options of one match or target in a rule.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The clauses of one `-m` or `-j`.
    pub parts: &'a [Clause],
    /// The rule set that stores their texts.
    pub ruleset: &'a Ruleset,
}

impl<'a> Options<'a> {
    /// The value of an option, if the rule gives it.
    pub fn value(&self, flag: &str) -> Option<&'a Value> {
        self.parts
            .iter()
            .find(|part| part.opt().is_some_and(|opt| opt.flag == flag))
            .map(|part| &part.value)
    }

    /// Whether the rule gives an option.
    pub fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    /// Whether the rule gives an option after `!`.
    pub fn negates(&self, flag: &str) -> bool {
        self.parts
            .iter()
            .any(|part| part.negated && part.opt().is_some_and(|opt| opt.flag == flag))
    }

    /// The number of an option.
    pub fn number(&self, flag: &str) -> Option<u32> {
        match self.value(flag)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value and mask of an option.
    pub fn masked(&self, flag: &str) -> Option<(u32, u32)> {
        match self.value(flag)? {
            Value::Masked { value, mask } => Some((*value, *mask)),
            _ => None,
        }
    }

    /// The text of an option.
    pub fn text(&self, flag: &str) -> Option<&'a str> {
        match self.value(flag)? {
            Value::Text(text) => Some(self.ruleset.text(*text)),
            _ => None,
        }
    }

    /// The value of an option as `iptables-save` prints it.
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
