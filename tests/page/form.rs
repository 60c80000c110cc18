//! The packet's fields.

use chainwalk_core::analysis::large;
use thirtyfour::Key;

use crate::each_way;

#[test]
fn a_field_changes_the_verdict_at_once() {
    each_way(|page| {
        page.fill("#b-uid", "1000");
        page.reads(
            "#verdict",
            "Captured. Rule 9 of ISTIO_OUTPUT sends uid 1000",
        );
        page.fill("#b-uid", "1337");
        page.reads(
            "#verdict",
            "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
        );
        // A field that both packets share.
        page.fill("#both-protocol", "udp");
        page.reads("#verdict-other", "not captured");
    });
}

#[test]
fn a_service_is_shown_as_its_endpoints() {
    each_way(|page| {
        page.paste(&large::kube_proxy_of(2, 20));
        page.reads("#samples", "Your paste");
        page.fill("#both-dport", "80");
        page.fill("#both-dst", "10.96.0.1");
        page.reads(
            "#pane-packet",
            "Chance chooses among 20 destinations of KUBE-SVC-",
        );
        page.reads("#pane-packet", ", 5 % each. The first is shown.");
        let listed = page.reads("#spread", "10.244.0.20:8080 5 %");
        assert_eq!(listed.matches(":8080 5 %").count(), 12, "{listed}");
        page.reads("#pane-packet", "8 more, the last of them 10.244.0.39:8080.");
    });
}

#[test]
fn a_value_that_cannot_be_is_said_to_be_wrong() {
    each_way(|page| {
        page.fill("#b-uid", "13x");
        page.reads("#b-uid-wrong", "");
        page.holds("document.getElementById('b-uid').ariaInvalid == 'true'");
        let described =
            "document.getElementById('b-uid').getAttribute('aria-describedby') == 'b-uid-wrong'";
        page.holds(described);
        page.reads("#verdict", "B is incomplete.");
        // The other packet is still walked.
        page.reads("#verdict-other", "captured");

        page.fill("#b-uid", "1337");
        page.reads("#verdict", "Not captured.");
        assert_eq!(page.text("#b-uid-wrong"), None);

        for (field, wrong) in [
            ("dport", "65536"),
            ("dst", "10.0.0.256"),
            ("dst", ""),
            ("protocol", "ipx"),
        ] {
            let was = page.run(
                "return document.getElementById(arguments[0]).value",
                format!("both-{field}"),
            );
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
        page.click("[aria-label='Edit to port of A and B separately']");
        page.fill("#a-dport", "15008");
        page.reads("#pane-packet .head", "2 fields differ");
        assert_eq!(
            page.run("return document.getElementById('b-dport').value", ()),
            "443"
        );
    });
}

#[test]
fn the_keyboard_goes_through_the_fields_before_what_parts_and_joins_them() {
    each_way(|page| {
        let holds_focus = |id: &str| page.holds(&format!("document.activeElement.id == '{id}'"));
        page.click("#both-dst");
        page.press(Key::Tab);
        holds_focus("both-dport");
        page.press(Key::Tab);
        page.holds("document.activeElement.title == 'Edit to of A and B separately'");
        page.press(Key::Tab + "\u{e007}");
        holds_focus("a-dport");
        // Two fields with equal content are not a difference.
        page.reads("#pane-packet .head", "only uid differs");
        page.click("[aria-label=\"Use A's to port for both\"]");
        holds_focus("both-dport");
        page.holds("!document.getElementById('a-dport')");
        page.reads("#verdict", "Not captured.");
    });
}

#[test]
fn the_table_of_who_gets_past_shows_one_kind_and_leads_to_what_stands_below() {
    each_way(|page| {
        let rows = "document.querySelectorAll('[data-past]').length";
        let all = page.run(&format!("return {rows}"), ());
        page.click(".counts .exempt");
        page.holds(&format!(
            "{rows} == document.querySelectorAll('.exempt [data-past]').length"
        ));
        page.holds("document.querySelector('.counts .exempt').ariaPressed == 'true'");
        page.click(".counts .exempt");
        page.holds(&format!("{rows} == {all}"));
        page.click("[data-to='findings']");
        page.holds("document.activeElement.id == 'findings'");
        // They are below the answer, which stays.
        page.holds(
            "document.getElementById('findings').getBoundingClientRect().top
                >= document.querySelector('.verdict').getBoundingClientRect().bottom",
        );
    });
}

#[test]
fn what_a_dump_cannot_tell_leads_to_the_reason() {
    each_way(|page| {
        page.paste(
            "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 3/hour -j DROP\nCOMMIT\n",
        );
        page.show_as((400, 800), "light");
        page.click(".certainty .unknown");
        page.holds("document.activeElement.id == 'why' && document.getElementById('why').checkVisibility()");
        page.reads("#why", "is undetermined");
        page.holds(
            "(top => top < innerHeight - 40 && top >= document.querySelector('.verdict').getBoundingClientRect().bottom - 1)
                (document.querySelector('#why h2').getBoundingClientRect().top)",
        );
    });
}

#[test]
fn the_table_of_who_gets_past_loads_its_packets() {
    each_way(|page| {
        page.click("[data-past='own-pod']");
        page.reads("#verdict", "Rule 3 of ISTIO_OUTPUT");
        page.reads("tr.held:has([data-past='own-pod'])", "B");
        page.click("#swap");
        page.reads("#verdict", "Rule 9 of ISTIO_OUTPUT");
        page.click("[data-past='udp']");
        page.reads(
            "#verdict",
            "Not captured. No rule redirects this udp packet",
        );
        page.reads("tr.held:has([data-past='udp'])", "A");
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
        page.reads(
            "#verdict",
            "Captured. Rule 9 of ISTIO_OUTPUT sends uid 1000",
        );
        page.reads(
            "#journey",
            "Envoy learns from SO_ORIGINAL_DST that it was for 93.184.216.34:443",
        );
        page.reads("#owners", "uid 1337: eth0, by ISTIO_OUTPUT 4");
        page.reads("#findings", "ISTIO_OUTPUT 5: It can never match");
    });
}

#[test]
fn a_packet_is_written_as_a_line_and_the_fields_follow() {
    each_way(|page| {
        page.holds("document.getElementById('line-b').value.endsWith('uid 1337 gid 1000 out')");
        page.fill("#line-b", "tcp 10.244.1.5:40000 > 1.1.1.1:443 uid 1001 out");
        page.reads("#verdict", "Captured. Rule 9");
        page.holds("document.getElementById('b-dst').value == '1.1.1.1'");
        page.fill("#b-uid", "1337");
        page.reads("#verdict", "Not captured. Rule 4");
        page.holds("document.getElementById('line-b').value.includes('uid 1337 gid 1001 out')");
        page.fill("#line-b", "tcp > 1.1.1.1:99999");
        page.reads("#line-b-wrong", "column 15");
        page.reads("#verdict", "B is incomplete.");
        page.click("[data-scenario='as-proxy']");
        page.reads("#verdict", "Not captured. Rule 4");
    });
}

#[test]
fn every_field_is_there_and_checked() {
    each_way(|page| {
        page.click(".details");
        page.fill("#both-fragment", "9000");
        page.reads("#both-fragment-wrong", "0 to 8191");
        page.fill("#both-fragment", "0+");
        page.reads("#verdict", "ISTIO_OUTPUT");
        page.fill("#both-ecn", "4");
        page.reads("#both-ecn-wrong", "0 to 3");
        page.fill("#both-ecn", "3");
        page.holds("document.getElementById('line-a').value.includes('ecn 3')");
    });
}

#[test]
fn more_than_two_packets_are_compared() {
    each_way(|page| {
        page.click("#shelf-a");
        page.click("#shelf-b");
        page.reads("[data-kept='0']", ":15001");
        page.reads("[data-kept='1']", "eth0");
        page.fill("#line-b", "udp > 1.1.1.1:53 uid 7 out");
        page.click("#shelf-b");
        page.reads("[data-kept='2']", "udp > 1.1.1.1:53");
        page.click("[data-kept='0'] [aria-label^='Show as B']");
        page.reads("#verdict", "Captured. Rule 9");
        page.click("[data-kept='1'] [title='Remove']");
        page.holds("document.querySelectorAll('[data-kept]').length == 2");
        page.click("[data-kept='1'] [aria-label^='Show as A']");
        page.reads(
            "#verdict",
            "Not captured. No rule redirects this udp packet",
        );
    });
}

#[test]
fn intended_bypasses_are_counted_apart_from_others() {
    each_way(|page| {
        let counts = page.reads("#pane-past .counts", "intended bypass");
        assert_eq!(counts.matches("bypass").count(), 2, "{counts}");
        page.reads(
            "tbody.exempt:has([data-past='inbound-health'])",
            "Intended bypass",
        );
        page.holds("!document.querySelector('tbody.exempt [data-past=\"as-proxy\"]')");
        // A click loads a sender.
        page.click("#owners button");
        page.reads("#verdict", "");
        page.holds("document.getElementById('line-b').value.includes('uid')");
    });
}
