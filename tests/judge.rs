//! Runs iptables itself with random rules, in a namespace for each backend and family, all four at
//! the same time.

use std::process;
use std::thread;

use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;

use crate::namespace::{Namespace, program};

/// iptables in a namespace of its own. Its lock file is separate, because other tests use iptables
/// at the same time.
#[derive(Debug)]
pub struct Judge {
    /// The backend.
    pub backend: Backend,
    /// Of IPv4 or of IPv6.
    pub family: Family,
    lock: String,
}

impl Judge {
    /// The name of a program: iptables without a `task`, or its `-save`.
    pub fn program(&self, task: &str) -> String {
        format!(
            "{}{task}",
            program(self.backend, self.family, "").trim_end_matches('-')
        )
    }

    /// Runs the program and returns its output or its error.
    pub fn run(&self, task: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = process::Command::new(self.program(task));
        command.args(arguments).env("XTABLES_LOCKFILE", &self.lock);
        let output = command.output().expect("iptables is installed");
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }
}

/// Runs some work in the namespace of each judge, and returns the results.
pub fn each<T: Send>(name: &str, work: impl Fn(&Judge) -> T + Sync) -> Vec<T> {
    let kinds = [Backend::Legacy, Backend::Nft]
        .map(|backend| [Family::Ipv4, Family::Ipv6].map(|of| (backend, of)));
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = kinds
            .into_iter()
            .flatten()
            .map(|(backend, family)| {
                scope.spawn(move || {
                    let namespace = Namespace::new(name);
                    let judge = Judge {
                        backend,
                        family,
                        lock: format!("/run/{}.lock", namespace.name()),
                    };
                    let outcome = namespace.inside(|| work(&judge));
                    // iptables creates the file if it can.
                    let _ = std::fs::remove_file(&judge.lock);
                    outcome
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread panics"))
            .collect()
    })
}
