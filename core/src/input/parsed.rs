//! The result of reading a text: rule sets, sections, diagnostics.

use crate::input::capture::Capture;
use crate::input::host_commands::HostCommand;
use crate::input::section::Section;
use crate::mesh::{self, Mesh};
use crate::netfilter::ruleset::Ruleset;
use crate::nftables::table::NativeTable;
use crate::packet::host::Host;
use crate::text::diagnostic::{Code, Diagnostic, Severity};

/// The result of reading a text.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The texts that rules, lines and spans refer to: the pasted text, or the texts in a capture.
    pub sources: Vec<String>,
    /// The rule sets, in the order of the text.
    pub rulesets: Vec<Ruleset>,
    /// The tables of native nftables, in the order of the text. A walk does not evaluate their rules
    /// yet: each of their base chains is a gap.
    pub native_tables: Vec<NativeTable>,
    /// The parts of the texts that contain rules, with their formats, in order.
    pub sections: Vec<Section>,
    /// Lines that are neither rules nor blank.
    pub other_lines: usize,
    /// The diagnostics, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The namespace, if the text is a capture that describes it.
    pub host: Option<Host>,
    /// The other contents of the capture, if the text is one.
    pub capture: Option<Box<Capture>>,
    /// The commands of the text that change the host, in order.
    pub host_commands: Vec<HostCommand>,
}

impl Parsed {
    /// Whether any diagnostic is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The host to assume if the input does not show it: a node for the rules of a node, otherwise
    /// a pod, changed by the commands of the text. `mesh` is the mesh that made the rules.
    pub fn usual_host(&self, mesh: Option<&Mesh>) -> Host {
        self.with_host_commands(mesh::usual_host(&self.rulesets, mesh))
    }

    /// A host after the commands of the text.
    pub fn with_host_commands(&self, mut host: Host) -> Host {
        self.host_commands
            .iter()
            .for_each(|command| command.apply(&mut host));
        host
    }

    /// The diagnostics about tables whose end is missing.
    pub fn cut_off(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code == Code::MissingCommit)
    }

    /// The complete capture with its texts and this host, if the text is a capture and contains
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
