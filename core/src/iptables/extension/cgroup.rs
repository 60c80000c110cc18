//! `-m cgroup` (xt_cgroup.c): the control group of the process that owns the socket.

use super::{Extension, Given, Kind, ListingForm, Opt};
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, Problem};

fn one_group(given: &Given) -> Result<(), Problem> {
    match given.options.has("--path") || given.options.has("--cgroup") {
        true => Ok(()),
        false => Err(Problem::new(
            Code::MissingOption,
            "-m cgroup needs --path or --cgroup",
        )),
    }
}

/// `-m cgroup`.
pub static CGROUP: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[("?cgroup !%", "--cgroup %"), ("cgroup !%", "--path %")],
    ),
    hooks: &[Hook::Input, Hook::Output, Hook::Postrouting],
    unknowable: Some("a dump does not show the control group of a process"),
    check: one_group,
    words: Some(|options| {
        let not = if options.parts.iter().any(|part| part.negated) {
            "not "
        } else {
            ""
        };
        match options.text("--path") {
            Some(path) => format!("its process is {not}in the control group “{path}”"),
            None => {
                let class = options.number("--cgroup").unwrap_or_default();
                format!("its process is {not}in the control group of class {class}")
            }
        }
    }),
    ..Extension::matching(
        "cgroup",
        "the control group of the process that owns the socket",
        &[
            Opt::new("--path", Kind::Text(511))
                .negatable()
                .excludes(&["--cgroup"]),
            Opt::new("--cgroup", Kind::Number(u32::MAX)).negatable(),
        ],
    )
};
