//! What a text was understood to be: rule sets, sections, diagnostics.

use crate::input::capture::Capture;
use crate::input::host_commands::HostCommand;
use crate::input::section::Section;
use crate::mesh::{self, Mesh};
use crate::netfilter::ruleset::Ruleset;
use crate::packet::host::Host;
use crate::text::diagnostic::{Code, Diagnostic, Severity};

/// What a text was understood to be.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The texts that rules, lines and spans refer to: the pasted one, or those inside a capture.
    pub sources: Vec<String>,
    /// The rule sets found, in the order of the text.
    pub rulesets: Vec<Ruleset>,
    /// The parts of the texts that hold rules, and what each was taken for, in their order.
    pub sections: Vec<Section>,
    /// Lines that are neither rules nor blank.
    pub other_lines: usize,
    /// Remarks, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The namespace, where the text is a capture that describes it.
    pub host: Option<Host>,
    /// The capture's other contents, where the text is one.
    pub capture: Option<Box<Capture>>,
    /// The commands of the text that change the host, in order.
    pub host_commands: Vec<HostCommand>,
}

impl Parsed {
    /// Whether any remark is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The host that packets are walked in where the input does not show it: a node's for a node's
    /// rules, else a pod's, with the changes that commands of the text make. `mesh`: whose
    /// rules they are.
    pub fn usual_host(&self, mesh: Option<&Mesh>) -> Host {
        self.with_host_commands(mesh::usual_host(&self.rulesets, mesh))
    }

    /// A host with the changes that commands of the text make.
    pub fn with_host_commands(&self, mut host: Host) -> Host {
        self.host_commands
            .iter()
            .for_each(|command| command.apply(&mut host));
        host
    }

    /// The tables of which the end is missing: the remark on each.
    pub fn cut_off(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code == Code::MissingCommit)
    }

    /// The capture with its texts in it again, and with this host, where the text is one and holds
    /// nothing else.
    pub fn whole(&self, host: Option<&Host>) -> Option<Capture> {
        let mut capture = (**self.capture.as_ref()?).clone();
        if self.sources.len() > capture.rulesets.len() {
            return None;
        }
        for (rules, text) in capture.rulesets.iter_mut().zip(&self.sources) {
            rules.text.clone_from(text);
        }
        capture.host = host.cloned().unwrap_or_default();
        Some(capture)
    }
}
