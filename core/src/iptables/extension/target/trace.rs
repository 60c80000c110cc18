//! `-j TRACE` (xt_TRACE.c): the kernel reports every later rule that the packet meets.

use crate::iptables::extension::Extension;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::text::diagnostic::{Code, Problem};

/// `-j TRACE`. The legacy backend allows it in table raw only (measured).
pub static TRACE: Extension = Extension {
    check: |given| match given.options.ruleset.backend {
        Some(Backend::Nft) => Ok(()),
        _ if given.table == TableName::Raw => Ok(()),
        _ => Err(Problem::new(
            Code::WrongTable,
            format!("-j TRACE is not allowed in table {}", given.table),
        )
        .hint("use it in table raw")),
    },
    ..Extension::observing("TRACE", "makes the kernel trace the packet", &[], |_| {
        "report its way from here on".into()
    })
};
