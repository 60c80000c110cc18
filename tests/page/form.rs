//! The packet's fields.

use crate::each_way;

#[test]
fn a_field_changes_the_verdict_at_once() {
    each_way(|page| {
        page.fill("#b-uid", "1000");
        page.reads("#verdict", "Captured. Rule 9 of ISTIO_OUTPUT sends uid 1000");
        page.fill("#b-uid", "1337");
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.");
        // One that both packets share.
        page.fill("#both-protocol", "udp");
        page.reads("#verdict-other", "not captured");
    });
}

#[test]
fn a_value_that_cannot_be_is_said_to_be_wrong() {
    each_way(|page| {
        page.fill("#b-uid", "13x");
        page.reads("#b-uid-wrong", "");
        page.holds("document.getElementById('b-uid').ariaInvalid == 'true'");
        let described = "document.getElementById('b-uid').getAttribute('aria-describedby') == 'b-uid-wrong'";
        page.holds(described);
        page.reads("#verdict", "B is not complete.");
        // The other packet is still walked.
        page.reads("#verdict-other", "captured");

        page.fill("#b-uid", "1337");
        page.reads("#verdict", "Not captured.");
        assert_eq!(page.text("#b-uid-wrong"), None);

        for (field, wrong) in [("dport", "65536"), ("dst", "10.0.0.256"), ("dst", ""), ("protocol", "ipx")] {
            let was = page.run("return document.getElementById(arguments[0]).value", format!("both-{field}"));
            page.fill(&format!("#both-{field}"), wrong);
            let message = page.reads(&format!("#both-{field}-wrong"), "");
            assert!(!message.is_empty(), "{field} {wrong:?}: no words");
            page.fill(&format!("#both-{field}"), was.as_str().expect("a text"));
            page.reads("#verdict", "Not captured.");
        }
    });
}

#[test]
fn a_shared_field_becomes_two() {
    each_way(|page| {
        page.click("[aria-label='Give A and B a to port each']");
        page.fill("#a-dport", "15008");
        page.reads("#pane-packet .head", "2 fields differ");
        assert_eq!(page.run("return document.getElementById('b-dport').value", ()), "443");
    });
}

#[test]
fn the_table_of_who_gets_past_loads_its_packets() {
    each_way(|page| {
        page.click("[data-past='own-pod']");
        page.reads("#verdict", "Rule 3 of ISTIO_OUTPUT");
        page.reads("tr.held:has([data-past='own-pod'])", "B");
        page.click("#compare");
        page.reads("#verdict", "Rule 9 of ISTIO_OUTPUT");
    });
}

#[test]
fn a_flip_is_applied_and_the_connection_follows() {
    each_way(|page| {
        page.reads(
            "#flips",
            "Had the uid been 1000 and not 1337, rule 9 of ISTIO_OUTPUT would have sent it to Envoy on 15001.",
        );
        page.click("#flips .flip");
        page.reads("#verdict", "Captured. Rule 9 of ISTIO_OUTPUT sends uid 1000");
        page.reads("#journey", "Envoy learns from SO_ORIGINAL_DST that it was for 93.184.216.34:443");
        page.reads("#owners", "uid 1337: eth0, by ISTIO_OUTPUT 4");
        page.reads("#findings", "ISTIO_OUTPUT 5: It can never match");
    });
}
