//! `-j IDLETIMER` (xt_IDLETIMER.c, `idletimer_tg_helper`): restarts a timer that reports idle
//! interfaces.

use crate::iptables::extension::{Extension, Kind, Opt};

/// `-j IDLETIMER`.
pub static IDLETIMER: Extension = Extension::observing(
    "IDLETIMER",
    "restarts a timer",
    &[
        // The kernel counts in milliseconds (`idletimer_tg_helper`).
        Opt::new("--timeout", Kind::Between(1, 2_147_482)).required(),
        Opt::new("--label", Kind::Word(27)).required(),
        Opt::new("--alarm", Kind::Flag),
    ],
    |options| {
        let seconds = options.number("--timeout").unwrap_or(0);
        format!(
            "start the timer {} of {seconds} seconds again and go on",
            options.text("--label").unwrap_or_default()
        )
    },
)
.listed(
    "",
    &[("timeout:%", "--timeout %"), ("label:%", "--label %")],
);
