//! Dumps that come with the page: files of `static/samples`, made by loading each mesh's rules and saving them.

/// One of them.
#[derive(Debug)]
pub(crate) struct Sample {
    /// What lessons call it.
    pub(crate) key: &'static str,
    /// What the menu calls it.
    pub(crate) name: &'static str,
    /// The dump.
    pub(crate) text: &'static str,
    /// The namespace around it as the public JSON, where the default pod is not enough.
    pub(crate) host: Option<&'static str>,
}

macro_rules! sample {
    ($name:literal, $file:literal) => {
        Sample {
            key: $file,
            name: $name,
            text: include_str!(concat!("../../static/samples/", $file, ".txt")),
            host: None,
        }
    };
    ($name:literal, $file:literal, with host) => {
        Sample {
            host: Some(include_str!(concat!("../../static/samples/", $file, ".host.json"))),
            ..sample!($name, $file)
        }
    };
}

/// All of them; the page opens with the first.
pub(crate) const SAMPLES: [Sample; 6] = [
    sample!("Istio sidecar, 1.25 and later", "istio-sidecar"),
    sample!("Istio sidecar with DNS capture", "istio-sidecar-dns"),
    sample!("Istio sidecar with TPROXY", "istio-sidecar-tproxy", with host),
    sample!("Istio sidecar of 1.5", "istio-sidecar-1.5"),
    sample!("Istio ambient", "istio-ambient", with host),
    sample!("Linkerd", "linkerd"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use chainwalk_core::{host::Host, mesh, parse, print};

    #[test]
    fn every_sample_reads_without_a_remark_and_prints_as_it_is() {
        for sample in &SAMPLES {
            let parsed = parse::parse(sample.text);
            assert_eq!(parsed.diagnostics, [], "{}", sample.name);
            let rules: String =
                sample.text.lines().filter(|line| !line.starts_with('#')).flat_map(|l| [l, "\n"]).collect();
            assert_eq!(print::save(&parsed.rulesets[0], false), rules, "{}", sample.name);
            assert!(mesh::recognise(&parsed.rulesets[0]).is_some(), "{}", sample.name);
            if let Some(host) = sample.host {
                Host::from_json(host).unwrap();
            }
        }
    }
}
