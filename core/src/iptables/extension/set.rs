//! `-m set` (xt_set.c): whether a set of `ipset`, which is stored outside the rules, contains the
//! packet.

use super::kind::read::problem;
use super::kind::{ValueForm, quote_always, quote_if_needed};
use super::{Extension, Kind, Opt, Options};
use crate::netfilter::ruleset::Value;
use crate::text::diagnostic::{Code, Problem};

/// The maximum number of parts of a set's elements (`IPSET_DIM_MAX`).
const MAX_DIMENSIONS: usize = 6;

/// The name of a set, and for each part of an element the end of the packet that it is compared
/// with.
static SET: ValueForm = ValueForm {
    words: 2,
    read: |words, ruleset| {
        let [name, ends] = words else {
            return Err(Problem::new(
                Code::InvalidValue,
                "a set needs a name and its ends",
            ));
        };
        if name.len() > 31 {
            return Err(
                Problem::new(Code::InvalidValue, format!("the name `{name}` is too long"))
                    .hint("use at most 31 bytes"),
            );
        }
        let wrong = || problem("list of ends", ends, "src, dst or src,dst");
        // Text after the three letters is ignored.
        let end = |text: &str| ["src", "dst"].into_iter().find(|end| text.starts_with(end));
        let ends: Option<Vec<&str>> = ends.split(',').map(end).collect();
        let ends = ends
            .filter(|ends| ends.len() <= MAX_DIMENSIONS)
            .ok_or_else(wrong)?;
        Ok(Value::Text(
            ruleset.keep(&format!("{name} {}", ends.join(","))),
        ))
    },
    write: |value, ruleset, out| {
        if let Value::Text(text) = value {
            write_set(ruleset.text(*text), out);
        }
    },
    examples: &[],
};

/// Prints a set and its ends, which are stored as one text.
pub(super) fn write_set(kept: &str, out: &mut String) {
    let (name, ends) = kept.rsplit_once(' ').unwrap_or((kept, ""));
    // The option takes two words. The first is quoted if it looks like another option.
    match name.starts_with('-') {
        true => quote_always(name, out),
        false => quote_if_needed(name, out),
    }
    out.push(' ');
    out.push_str(ends);
}

fn describe(options: &Options) -> String {
    let set = options.text("--match-set").unwrap_or_default();
    let (name, ends) = set.rsplit_once(' ').unwrap_or((set, ""));
    let not = if options.negates("--match-set") {
        "not "
    } else {
        ""
    };
    let ends = ends
        .replace("src", "source")
        .replace("dst", "destination")
        .replace(',', " and ");
    format!("its {ends} is {not}in the set “{name}”")
}

/// These options have an effect only in their negated forms.
fn print(options: &Options, out: &mut String) {
    let parts = options
        .parts
        .iter()
        .filter_map(|part| Some((part, part.opt()?)));
    for (part, opt) in
        parts.filter(|(part, opt)| part.negated || !opt.flag.starts_with("--update-"))
    {
        out.push_str(if part.negated { " ! " } else { " " });
        out.push_str(opt.flag);
        opt.kind.print(&part.value, options.ruleset, out);
    }
}

/// `-m set`.
pub static SET_MATCH: Extension = Extension {
    unknowable: Some("a dump does not contain the elements of sets"),
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "set",
        "whether the packet is in a set outside the rules",
        &[
            Opt::new("--match-set", Kind::Own(&SET))
                .or(&["--set"])
                .negatable()
                .required(),
            Opt::new("--return-nomatch", Kind::Flag),
            Opt::new("--update-counters", Kind::Flag)
                .negatable()
                .repeatable(),
            Opt::new("--update-subcounters", Kind::Flag)
                .negatable()
                .repeatable(),
            Opt::new("--packets-eq", Kind::Wide)
                .negatable()
                .excludes(&["--packets-lt", "--packets-gt"]),
            Opt::new("--packets-lt", Kind::Wide).excludes(&["--packets-gt"]),
            Opt::new("--packets-gt", Kind::Wide),
            Opt::new("--bytes-eq", Kind::Wide)
                .negatable()
                .excludes(&["--bytes-lt", "--bytes-gt"]),
            Opt::new("--bytes-lt", Kind::Wide).excludes(&["--bytes-gt"]),
            Opt::new("--bytes-gt", Kind::Wide),
        ],
    )
};
