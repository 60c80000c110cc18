//! Intended bypasses: traffic that bypasses the proxy by the mesh's own design.

use crate::analysis::explain::Fate;
use crate::analysis::scenario::Scenario;
use crate::mesh::{Mesh, Purpose};
use crate::netfilter::ruleset::Ruleset;
use crate::walk::trace::Verdict;

/// Scenarios that a sidecar does not handle, with the reason, by the keys of
/// [`crate::analysis::scenario`].
const MEANT: [(&str, &[&str]); 3] = [
    (
        "the proxy itself",
        &[
            "proxy",
            "proxy-dns",
            "proxy-own-pod",
            "proxy-localhost",
            "proxy-app",
            "proxy-tunnel",
        ],
    ),
    (
        "inside the pod",
        &[
            "localhost",
            "localhost-2",
            "own-pod",
            "own-pod-v6",
            "gid-localhost",
            "dns-localhost",
            "dns-own-pod",
        ],
    ),
    (
        "the proxy's own port",
        &[
            "inbound-out",
            "inbound-in",
            "inbound-tunnel",
            "inbound-agent",
            "inbound-health",
            "inbound-stats",
        ],
    ),
];

/// The reason why the packet of a scenario is meant to bypass the proxy, if it does and is meant
/// to: its sender, its destination on this host, or an option that a user set.
pub fn intended_bypass(
    mesh: &Mesh,
    rulesets: &[Ruleset],
    scenario: &Scenario,
    verdict: &Verdict,
) -> Option<&'static str> {
    if Fate::from_verdict(Some(verdict)) != Fate::Direct {
        return None;
    }
    if let Some((why, _)) = MEANT
        .into_iter()
        .find(|(_, keys)| keys.contains(&scenario.key))
    {
        return Some(why);
    }
    let place = verdict.decided_by?;
    let (ruleset, table, chain) = place.at.find(rulesets);
    let purpose = mesh.purpose_of(ruleset, table, chain, place.rule(rulesets)?);
    matches!(purpose, Some(Purpose::Option(_))).then_some("an option")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::scenario;
    use crate::input::parse;
    use crate::mesh;
    use crate::packet::host::Host;
    use crate::walk;

    #[test]
    fn what_is_meant_to_be_direct_is_told_from_what_gets_past() {
        let dump = include_str!("../../../static/samples/istio-sidecar.txt").replace(
            "-A ISTIO_INBOUND -p tcp -m tcp --dport 15090",
            "-A ISTIO_INBOUND -p tcp -m tcp --dport 9999 -j RETURN\n-A ISTIO_INBOUND -p tcp -m tcp --dport 15090",
        );
        let rulesets = parse::parse(dump).rulesets;
        let mesh = mesh::recognise(&rulesets[0]).expect("it is Istio's");
        let host = Host::pod();
        let scenarios = scenario::list(&host, Some(&mesh));
        let told = |key: &str| {
            let scenario = scenarios
                .iter()
                .find(|one| one.key == key)
                .expect("it is listed");
            let trace = walk::walk(&rulesets, None, &host, &scenario.packet);
            intended_bypass(
                &mesh,
                &rulesets,
                scenario,
                trace.verdict().expect("it is certain"),
            )
        };
        assert_eq!(told("internet"), None, "it is captured");
        assert_eq!(told("as-proxy"), None, "it gets past");
        assert_eq!(told("udp"), None, "it gets past");
        assert_eq!(told("became-app"), None, "it gets past");
        assert_eq!(told("proxy"), Some("the proxy itself"));
        assert_eq!(told("localhost"), Some("inside the pod"));
        assert_eq!(told("inbound-health"), Some("the proxy's own port"));
        assert_eq!(told("inbound-closed"), Some("an option"));
        // Every key must belong to a scenario.
        for key in MEANT.iter().flat_map(|(_, keys)| *keys) {
            assert!(scenarios.iter().any(|one| one.key == *key), "{key}");
        }
    }
}
