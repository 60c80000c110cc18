//! Links the static helper without the code that unwinds a stack.
//!
//! In its profile, a panic prints a message and aborts. Nothing unwinds the stack except a
//! backtrace, which is useless without symbols. But the standard library contains the code for it,
//! and every function has unwind tables. Together they are a fifth of the program.

/// The unwinder (`libunwind`, and the personality function that it calls). The replacement aborts
/// on every call.
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
    // A program without unwind tables aborts in any case: `.cargo/config.toml` omits its own
    // tables.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "musl") {
        println!(
            "cargo::rustc-link-arg-bins=-T{}/tables.ld",
            env!("CARGO_MANIFEST_DIR")
        );
        for name in UNWINDING {
            println!("cargo::rustc-link-arg-bins=--defsym=_Unwind_{name}=abort");
        }
        // Functions with identical code are stored once.
        println!("cargo::rustc-link-arg-bins=--icf=all");
    }
}
