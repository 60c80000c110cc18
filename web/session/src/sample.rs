//! The samples of the page. The files in `static/samples` are dumps of each mesh's rules; large
//! samples are generated when chosen.

use chainwalk_core::analysis::large;
use chainwalk_core::packet::host::Host;

/// A sample.
#[derive(Debug)]
pub struct Sample {
    /// Its name in lessons.
    pub key: &'static str,
    /// Its name in the menu.
    pub name: &'static str,
    /// The dump.
    pub text: Text,
    /// The namespace as the public JSON, if it is not the default pod.
    pub host: Option<&'static str>,
}

impl Sample {
    /// Whether a sample from a file has this text and host. A generated sample would have to be
    /// generated first, so it is not compared.
    pub(crate) fn is(&self, text: &str, host: &Option<Host>) -> bool {
        matches!(self.text, Text::Written(own) if own == text)
            && self.host.and_then(|json| Host::from_json(json).ok()) == *host
    }
}

/// A sample's text.
#[derive(Debug)]
pub enum Text {
    /// The content of a file.
    Written(&'static str),
    /// The function that generates it.
    Made(fn() -> String),
}

impl Text {
    /// The text.
    pub(crate) fn get(&self) -> String {
        match self {
            Self::Written(text) => (*text).into(),
            Self::Made(make) => make(),
        }
    }
}

const fn made(key: &'static str, name: &'static str, make: fn() -> String) -> Sample {
    Sample {
        key,
        name,
        text: Text::Made(make),
        host: None,
    }
}

macro_rules! sample {
    ($name:literal, $file:literal) => {
        Sample {
            key: $file,
            name: $name,
            text: Text::Written(include_str!(concat!(
                "../../../static/samples/",
                $file,
                ".txt"
            ))),
            host: None,
        }
    };
    ($name:literal, $file:literal, with host) => {
        Sample {
            host: Some(include_str!(concat!(
                "../../../static/samples/",
                $file,
                ".host.json"
            ))),
            ..sample!($name, $file)
        }
    };
}

/// All samples; the page opens with the first.
pub const SAMPLES: [Sample; 9] = [
    sample!("Istio sidecar, 1.25 and later", "istio-sidecar"),
    sample!("Istio sidecar with DNS capture", "istio-sidecar-dns"),
    sample!("Istio sidecar with TPROXY", "istio-sidecar-tproxy", with host),
    sample!("Istio sidecar of 1.5", "istio-sidecar-1.5"),
    sample!("Istio ambient", "istio-ambient", with host),
    sample!("Linkerd", "linkerd"),
    made("node-6000", "kube-proxy, 6,000 rules", || {
        large::kube_proxy(545)
    }),
    made("node-110000", "kube-proxy, 110,000 rules", || {
        large::kube_proxy(10_000)
    }),
    made("chain-110000", "One chain of 110,000 rules", || {
        large::flat(110_000, large::blocked)
    }),
];

/// The text and the host of the sample with this key, if it is a file.
pub(crate) fn written(key: &str) -> Option<(&'static str, Option<&'static str>)> {
    let sample = SAMPLES.iter().find(|sample| sample.key == key)?;
    match sample.text {
        Text::Written(text) => Some((text, sample.host)),
        Text::Made(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainwalk_core::input::parse;
    use chainwalk_core::iptables::print;
    use chainwalk_core::mesh;

    #[test]
    fn every_sample_reads_without_a_remark_and_prints_as_it_is() {
        for sample in &SAMPLES {
            let Text::Written(text) = sample.text else {
                continue;
            };
            let parsed = parse::parse(text);
            assert_eq!(parsed.diagnostics, [], "{}", sample.name);
            let rules: String = text
                .lines()
                .filter(|line| !line.starts_with('#'))
                .flat_map(|l| [l, "\n"])
                .collect();
            assert_eq!(
                print::save(&parsed.rulesets[0], false),
                rules,
                "{}",
                sample.name
            );
            assert!(
                mesh::recognise(&parsed.rulesets[0]).is_some(),
                "{}",
                sample.name
            );
            if let Some(host) = sample.host {
                Host::from_json(host).unwrap();
            }
        }
    }
}
