//! `docs/extensions.md` states for every extension and option whether it is parsed, printed and
//! evaluated. It is made from the tables:
//! `UPDATE_EXPECT=1 cargo test -p chainwalk-core --test support` writes it.

use std::fmt::Write;

use chainwalk_core::iptables::extension::{Extension, Id, Opt, Options, Role};
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::effect::Behavior;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::hook::Hook;
use chainwalk_core::packet::{Family, Protocol};
use expect_test::expect_file;

const HEAD: &str = "\
# Supported extensions

This page is made from the tables in `core/src/iptables/extension/`, which follow iptables 1.8.9. Every option is parsed in each of its
spellings, validated as iptables does, printed as `iptables-save` does, and described in sentences. *Evaluated* means that packet, host
and the first packet of a connection determine the answer. Otherwise the column gives the reason why the walk reports \"depends\".
";

/// The extensions for text that is kept as written.
const KEPT: [Id; 4] = [Id::OPAQUE_MATCH, Id::OPAQUE_TARGET, Id::STRAY, Id::UNLISTED];

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> String) -> String {
    all.iter()
        .map(|one| name(*one))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The tables, hooks and protocols that allow the extension.
fn limits(extension: &Extension) -> String {
    let mut limits = Vec::new();
    limits.extend(extension.family.map(|family| format!("{family} only")));
    if !extension.protocols.is_empty() {
        limits.push(format!(
            "with -p {}",
            names(extension.protocols, |protocol: Protocol| protocol
                .to_string())
        ));
    }
    if !extension.tables.is_empty() {
        limits.push(format!(
            "in {}",
            names(extension.tables, |table: TableName| table.to_string())
        ));
    }
    if !extension.hooks.is_empty() {
        limits.push(format!(
            "from {}",
            names(extension.hooks, |hook: Hook| hook.to_string())
        ));
    }
    if limits.is_empty() {
        "anywhere".into()
    } else {
        limits.join("; ")
    }
}

/// The evaluation by a walk.
fn evaluated(extension: &Extension) -> String {
    match (extension.role, extension.unknowable) {
        (_, Some(reason)) => format!("depends: {reason}"),
        (Role::Target, None) => {
            let lower = extension.lower.expect("a target has an effect");
            // The behavior of a target's effect without options is that of all its rules: see
            // `Lower`.
            let ruleset = Ruleset::new(Family::Ipv4, None);
            match lower(&Options {
                parts: &[],
                ruleset: &ruleset,
            })
            .behavior()
            {
                Behavior::Passive => "continues, changes nothing".into(),
                Behavior::Continue => "continues".into(),
                Behavior::Return => "returns to the calling chain".into(),
                Behavior::Terminal => "ends the table".into(),
                Behavior::Redirect => "ends the table, sets the destination".into(),
            }
        }
        _ => "evaluated".into(),
    }
}

fn option(opt: &Opt) -> String {
    let mut text = format!("`{}{}", if opt.negatable { "[!] " } else { "" }, opt.flag);
    let form = opt.kind.form();
    if !form.is_empty() {
        let _ = write!(text, " {form}");
    }
    text.push('`');
    if !opt.aliases.is_empty() {
        let _ = write!(
            text,
            " (also {})",
            names(opt.aliases, |alias| format!("`{alias}`"))
        );
    }
    if let Some(canonical) = opt.stored_as {
        let _ = write!(text, " (printed as `{canonical}`)");
    }
    text.replace('|', "\\|")
}

fn table(role: Role, title: &str) -> String {
    let mut out = format!(
        "\n## {title}\n\n| name | purpose | allowed | options | in a walk \
        |\n|---|---|---|---|---|\n"
    );
    let mut all: Vec<&Extension> = Id::all()
        .filter(|id| !KEPT.contains(id))
        .map(Id::get)
        .filter(|extension| extension.role == role)
        .collect();
    all.sort_by_key(|extension| extension.name);
    for extension in all {
        let options = extension
            .options
            .iter()
            .map(option)
            .collect::<Vec<_>>()
            .join("<br>");
        let (name, summary) = (extension.name, extension.summary);
        let (limits, evaluated) = (limits(extension), evaluated(extension));
        writeln!(
            out,
            "| {name} | {summary} | {limits} | {options} | {evaluated} |"
        )
        .expect("a string takes all");
    }
    out
}

#[test]
fn the_document_says_what_the_tables_say() {
    let want = [
        HEAD.to_owned(),
        table(Role::Header, "Without `-m`"),
        table(Role::Match, "Matches, `-m`"),
        table(Role::Target, "Targets, `-j`"),
    ]
    .concat();
    expect_file!["../../docs/extensions.md"].assert_eq(&want);
}
