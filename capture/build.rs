//! How the static helper is linked: without what unwinds a stack.
//!
//! In its profile a panic prints its message and aborts; nothing walks the stack back, except for a
//! backtrace, which tells nothing where symbols are stripped. But the standard library holds the
//! code for it, and every function the tables: a fifth of the program.

/// What unwinds (`libunwind`, and the personality that it calls): whoever calls one of these
/// aborts.
const UNWINDING: [&str; 14] = [
    "Backtrace",
    "DeleteException",
    "FindEnclosingFunction",
    "GetCFA",
    "GetDataRelBase",
    "GetIP",
    "GetIPInfo",
    "GetLanguageSpecificData",
    "GetRegionStart",
    "GetTextRelBase",
    "RaiseException",
    "Resume",
    "SetGR",
    "SetIP",
];

fn main() {
    println!("cargo::rerun-if-changed=tables.ld");
    // Such a program aborts: `.cargo/config.toml` leaves it no tables of its own.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "musl") {
        println!(
            "cargo::rustc-link-arg-bins=-T{}/tables.ld",
            env!("CARGO_MANIFEST_DIR")
        );
        for name in UNWINDING {
            println!("cargo::rustc-link-arg-bins=--defsym=_Unwind_{name}=abort");
        }
        // Functions of the same code are kept once.
        println!("cargo::rustc-link-arg-bins=--icf=all");
    }
}
