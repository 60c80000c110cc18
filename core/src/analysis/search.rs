//! Finds rules by a user's query: words of their text, names of chains, or values that their
//! conditions cover.

use std::net::IpAddr;

use crate::netfilter::ruleset::{Chain, Clause, Rule, Ruleset, Value};
use crate::packet::fields::SearchWord;

/// One part of the query. A rule must meet all parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    /// A part of the rule's text or of its chain's name, in any case.
    Text(String),
    /// The rule contains this address, or a network around it.
    Address(IpAddr),
    /// The rule contains this number, or a range around it, as a port, a user, a group or a mark.
    Number(SearchWord, u32),
}

impl Search {
    /// Parses a query: words, addresses, `port 443`, `uid 1337`, `gid 1337`, `mark 0x539`; `None`
    /// if it is blank.
    pub fn new(query: &str) -> Option<Self> {
        let mut terms = Vec::new();
        let mut words = query.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let number = words
                .peek()
                .and_then(|next| crate::text::number::parse_u32(next));
            terms.push(match (word.parse(), number, word.parse()) {
                (Ok(kind), Some(number), _) => {
                    words.next();
                    Term::Number(kind, number)
                }
                (_, _, Ok(address)) => Term::Address(address),
                _ => Term::Text(word.to_ascii_lowercase()),
            });
        }
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// Whether the query finds a rule. `text` is the source that its rule set was parsed from.
    pub fn finds(&self, ruleset: &Ruleset, chain: &Chain, rule: &Rule, text: &str) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Text(word) => {
                contains(rule.span.slice(text), word) || contains(&chain.name, word)
            }
            Term::Address(address) => parts(ruleset, rule).any(|part| names(&part.value, *address)),
            Term::Number(kind, number) => {
                parts(ruleset, rule).any(|part| is_of(part, *kind) && covers(&part.value, *number))
            }
        })
    }

    /// Whether the query finds a text that is not a rule, such as a rule that is switched off.
    pub fn finds_text(&self, text: &str) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Text(word) => contains(text, word),
            Term::Address(address) => contains(text, &address.to_string()),
            Term::Number(_, number) => contains(text, &number.to_string()),
        })
    }

    /// Whether the query consists only of the chain's name. Then it also finds the policy.
    pub fn finds_chain(&self, chain: &Chain) -> bool {
        self.terms
            .iter()
            .all(|term| matches!(term, Term::Text(word) if contains(&chain.name, word)))
    }
}

fn parts<'a>(ruleset: &'a Ruleset, rule: &Rule) -> impl Iterator<Item = &'a Clause> {
    ruleset.matches(rule).iter().chain(ruleset.parameters(rule))
}

/// Whether an option concerns ports, user ids and so on: because of the field that it compares, or
/// because its row says so, as for `--to-ports`.
fn is_of(part: &Clause, kind: SearchWord) -> bool {
    let Some(opt) = part.opt() else { return false };
    let subject = opt.field.map(|field| field.subject);
    let compares = subject.is_some_and(|subject| {
        subject
            .fields()
            .iter()
            .any(|field| field.row().search == Some(kind))
    });
    let nat = kind == SearchWord::Port && matches!(part.value, Value::Nat(_));
    compares || nat || opt.search == Some(kind)
}

fn covers(value: &Value, number: u32) -> bool {
    let within = |(low, high): (u32, u32)| low <= number && number <= high;
    match value {
        Value::Number(own) => *own == number,
        Value::Range(low, high) => within((*low, *high)),
        Value::List(ranges) => ranges.iter().copied().any(within),
        Value::Masked { value, mask } => number & mask == *value,
        Value::Nat(range) => range
            .ports
            .is_some_and(|(low, high)| within((low.into(), high.into()))),
        _ => false,
    }
}

fn names(value: &Value, address: IpAddr) -> bool {
    match (value, address) {
        (Value::Net4(net, mask), IpAddr::V4(address)) => {
            address.to_bits() & mask.to_bits() == net.to_bits()
        }
        (Value::Net6(net), IpAddr::V6(address)) => {
            address.to_bits() & net.1.to_bits() == net.0.to_bits()
        }
        (Value::Addresses(ends), _) => ends.0 <= address && address <= ends.1,
        (Value::Nat(range), _) => range
            .addresses
            .is_some_and(|(low, high)| low <= address && address <= high),
        _ => false,
    }
}

/// Whether a text contains a word in lower case, ignoring case.
fn contains(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(&first) = word.first() else {
        return true;
    };
    let last = text.len().saturating_sub(word.len() - 1);
    memchr::memchr2_iter(
        first,
        first.to_ascii_uppercase(),
        &text[..last.min(text.len())],
    )
    .any(|at| text[at..at + word.len()].eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "*nat\n:OUTPUT ACCEPT [0:0]\n:OUT - [0:0]\n-A OUTPUT -p tcp -j OUT\n\
        -A OUT -d 10.0.0.0/8 -j RETURN\n-A OUT -m owner --uid-owner 1337 -j RETURN\n\
        -A OUT -p tcp -m multiport --dports 80,400:500 -j RETURN\n-A OUT -p tcp -j DNAT --to-destination 192.0.2.7:15001\n\
        -A OUT -m mark --mark 0x539/0xfff -m comment --comment \"Port 443\" -j RETURN\nCOMMIT\n";

    fn found(query: &str) -> Vec<u32> {
        let parsed = crate::input::parse::parse(DUMP);
        let set = &parsed.rulesets[0];
        let search = Search::new(query).expect("not blank");
        let chains = set.tables[0].chains.iter();
        let rules = chains.flat_map(|chain| chain.rules.iter().map(move |rule| (chain, rule)));
        let found =
            rules.filter(|(chain, rule)| search.finds(set, chain, rule, &parsed.sources[0]));
        found.map(|(_, rule)| rule.line).collect()
    }

    #[test]
    fn by_text_chain_and_value() {
        assert_eq!(found("output"), [4]);
        assert_eq!(found("OUT"), [4, 5, 6, 7, 8, 9]);
        assert_eq!(found("multiport return"), [7]);
        assert_eq!(found("port 443"), [7], "a range covers it");
        assert_eq!(found("443"), [9], "a bare number is text");
        assert_eq!(found("port 15001"), [8]);
        assert_eq!(found("uid 1337"), [6]);
        assert_eq!(found("uid 1338"), [0; 0]);
        assert_eq!(found("mark 0x539"), [9]);
        assert_eq!(found("10.1.2.3"), [5]);
        assert_eq!(found("192.0.2.7"), [8]);
        assert_eq!(found("port"), [7, 9], "a word without a number is text");
        assert_eq!(Search::new("  "), None);
    }
}
