//! The checks of iptables and the kernel for one match or target, independent of the rest of the
//! table.

use crate::iptables::extension::{Extension, Given, Id, Role};
use crate::iptables::table_name::TableName;
use crate::text::diagnostic::{Code, Problem, ProblemSink, Span};

/// Checks one use of an extension. `span` is its name in the text.
pub(super) fn group(id: Id, given: Given, span: Span, say: &mut ProblemSink) {
    let extension = id.get();
    // An unreadable option has already been reported. It may be the one that seems to be missing.
    let unread = given.matches.iter().any(|part| part.extension == Id::STRAY);
    let options = if unread {
        None
    } else {
        options(id, given).or_else(|| (extension.check)(&given).err())
    };
    let problems = [options, place(extension, given)];
    for problem in problems.into_iter().flatten() {
        say(span, problem);
    }
}

/// The name as people write it: `-m owner`, `-j MARK`.
fn name(extension: &Extension) -> String {
    match extension.role {
        Role::Header => "the rule".into(),
        Role::Match => format!("-m {}", extension.name),
        Role::Target => format!("-j {}", extension.name),
    }
}

/// Missing options, and options that exclude each other (`xtables_options_fcheck` in xtoptions.c).
fn options(id: Id, given: Given) -> Option<Problem> {
    let extension = id.get();
    let parts = given.options.parts;
    if extension.asks && parts.iter().all(|part| part.opt().is_none()) {
        let flags: Vec<&str> = extension
            .options
            .iter()
            .map(|opt| opt.flag)
            .take(4)
            .collect();
        let problem = Problem::new(
            Code::MissingOption,
            format!("{} needs an option", name(extension)),
        );
        return Some(problem.hint(format!("such as {}", flags.join(", "))));
    }
    if !id.demands() {
        return None;
    }
    let has = |flag: &str| given.options.has(flag);
    for (place, opt) in (0..).zip(extension.options) {
        if !opt.required && opt.excludes.is_empty() && opt.needs.is_empty() {
            continue;
        }
        if !parts.iter().any(|part| part.option == place) {
            if opt.required {
                return Some(Problem::new(
                    Code::MissingOption,
                    format!("{} needs {}", name(extension), opt.flag),
                ));
            }
            continue;
        }
        if let Some(other) = opt.excludes.iter().find(|other| has(other)) {
            return Some(Problem::new(
                Code::ConflictingOptions,
                format!("{} and {other} exclude each other", opt.flag),
            ));
        }
        if let Some(other) = opt.needs.iter().find(|other| !has(other)) {
            return Some(Problem::new(
                Code::MissingOption,
                format!("{} needs {other} as well", opt.flag),
            ));
        }
    }
    None
}

/// The tables, hooks and protocols of an extension (`xt_check_match` and `xt_check_target` in
/// x_tables.c).
fn place(extension: &Extension, given: Given) -> Option<Problem> {
    if !extension.tables.is_empty() && !extension.tables.contains(&given.table) {
        let tables: Vec<&str> = extension
            .tables
            .iter()
            .copied()
            .map(TableName::name)
            .collect();
        let problem = Problem::new(
            Code::WrongTable,
            format!(
                "{} is not allowed in table {}",
                name(extension),
                given.table
            ),
        );
        return Some(problem.hint(format!("use it in {}", tables.join(", "))));
    }
    let asked = given
        .protocol
        .is_some_and(|protocol| extension.protocols.contains(&protocol));
    if extension.protocols.is_empty() || asked {
        return None;
    }
    let protocols: Vec<String> = extension
        .protocols
        .iter()
        .map(|protocol| format!("-p {protocol}"))
        .collect();
    let problem = Problem::new(
        Code::MissingProtocol,
        format!("{} needs {}", name(extension), protocols.join(" or ")),
    );
    Some(problem.hint("add it: the kernel requires it"))
}
