//! `-m ipvs` (xt_ipvs.c): connections of the load balancer in the kernel.

use super::conntrack::{DIRECTION, PROTOCOL};
use super::kind::ValueForm;
use super::kind::host::HOST;
use super::kind::read::{port, problem, whole};
use super::{Extension, Given, Kind, Opt};
use crate::netfilter::ruleset::Value;
use crate::packet::fields::SearchWord;
use crate::text::diagnostic::{Code, Problem};

/// The number of a port, or the name of its service.
static PORT: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match whole(port, words[0]) {
        Some(port) => Ok(Value::Number(port.into())),
        None => Err(problem("port", words[0], "443")),
    },
    write: PROTOCOL.write,
    examples: &["443", "http"],
};

/// The forwarding method of the load balancer.
static METHOD: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        let known = ["GATE", "IPIP", "MASQ"]
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(words[0]));
        known
            .map(|name| Value::Text(ruleset.keep(name)))
            .ok_or_else(|| problem("method", words[0], "GATE, IPIP or MASQ"))
    },
    write: DIRECTION.write,
    examples: &["GATE", "masq"],
};

/// The condition "not handled by IPVS" excludes all other options.
fn check(given: &Given) -> Result<(), Problem> {
    match given.options.negates("--ipvs") && given.options.parts.len() > 1 {
        true => Err(Problem::new(
            Code::ConflictingOptions,
            "! --ipvs excludes all other options of -m ipvs",
        )),
        false => Ok(()),
    }
}

/// `-m ipvs`. With any other option, `--ipvs` has no effect and is not printed.
pub static IPVS: Extension = Extension {
    unknowable: Some("it depends on the load balancer"),
    check,
    print: Some(|options, out| {
        let parts = options
            .parts
            .iter()
            .filter_map(|part| Some((part, part.opt()?)));
        for (part, opt) in parts.filter(|(_, opt)| opt.flag != "--ipvs" || options.parts.len() == 1)
        {
            out.push_str(if part.negated { " ! " } else { " " });
            out.push_str(opt.flag);
            opt.kind.print(&part.value, options.ruleset, out);
        }
    }),
    ..Extension::matching(
        "ipvs",
        "connections of the load balancer in the kernel",
        &[
            Opt::new("--ipvs", Kind::Flag).negatable(),
            Opt::new("--vproto", Kind::Own(&PROTOCOL)).negatable(),
            Opt::new("--vaddr", Kind::Own(&HOST)).negatable(),
            Opt::new("--vport", Kind::Own(&PORT))
                .found_by(SearchWord::Port)
                .negatable(),
            Opt::new("--vdir", Kind::Own(&DIRECTION)),
            Opt::new("--vmethod", Kind::Own(&METHOD)).negatable(),
            Opt::new("--vportctl", Kind::Own(&PORT))
                .found_by(SearchWord::Port)
                .negatable(),
        ],
    )
    .asking()
};
