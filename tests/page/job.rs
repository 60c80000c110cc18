//! The main task of the page: the answer at the start; then paste, choose a packet, step, read,
//! compare.

use thirtyfour::Key;

use crate::each_way;

/// The output of `iptables-save -c` in a pod of Istio 1.25.
const DUMP: &str = include_str!("istio-1.25.rules");

#[test]
fn it_opens_with_the_answer() {
    each_way(|page| {
        let verdict = page.reads("#verdict", "Rule 4");
        assert!(
            verdict.starts_with("Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out."),
            "{verdict}"
        );
        let other = page.reads("#verdict-other", "captured");
        assert!(
            other.contains("1000: captured") && other.contains("15001"),
            "{other}"
        );
        assert!(other.contains("Both certain"), "{other}");
        let sample = page.run(
            "return document.getElementById('samples').selectedOptions[0].label",
            (),
        );
        assert_eq!(sample, "Istio sidecar, 1.25 and later");

        // The rule at which the walks differ is under the cursor and visible.
        page.is_current("nat/ISTIO_OUTPUT/4");
        page.holds(
            "(() => {
            const row = document.querySelector('[data-rule=\"nat/ISTIO_OUTPUT/4\"]').getBoundingClientRect();
            const list = document.querySelector('#pane-rules .list').getBoundingClientRect();
            return row.top >= list.top && row.bottom <= list.bottom;
            })()",
        );
    });
}

#[test]
fn the_verdict_is_the_largest_text() {
    each_way(|page| {
        let sizes = "const sizes = {inside: 0, outside: 0};
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            for (let text; (text = texts.nextNode()); ) {
              const element = text.parentElement;
              if (!text.data.trim() || !element.checkVisibility()) continue;
              const place = element.closest('#verdict') ? 'inside' : 'outside';
              sizes[place] = Math.max(sizes[place], parseFloat(getComputedStyle(element).fontSize));
            }
            return sizes";
        let sizes = page.run(sizes, ());
        let [inside, outside] =
            ["inside", "outside"].map(|place| sizes[place].as_f64().expect("a number"));
        assert!(inside >= 1.4 * outside && outside > 0.0, "{sizes}");
    });
}

#[test]
fn a_pasted_dump_is_walked_step_by_step_and_compared() {
    each_way(|page| {
        page.paste(DUMP);
        page.reads("#samples", "Your paste");
        // The line numbers and counters come from the paste and not from the sample.
        page.reads("[data-rule='nat/ISTIO_OUTPUT/4'] .line-number", "22");
        page.reads("[data-rule='nat/OUTPUT/policy']", "[25:1500]");
        page.reads("#diagnostics", "18 rules in 8 chains");

        // A is the app, B is the same packet with the proxy's uid.
        page.click("[aria-label='Answer for A']");
        page.click("[data-scenario='internet']");
        page.click("[aria-label='Answer for B']");
        page.click("[data-scenario='as-proxy']");
        page.reads(
            "#verdict",
            "Not captured. Rule 4 of ISTIO_OUTPUT lets uid 1337 out.",
        );
        page.reads("#verdict-other", "1000: captured");

        page.press(Key::Home);
        page.is_at(1);
        page.is_current("nat/OUTPUT/1");
        for step in 2..=4 {
            page.press(Key::Right);
            page.is_at(step);
            page.is_current(&format!("nat/ISTIO_OUTPUT/{}", step - 1));
        }
        page.press(Key::Right);
        page.is_at(5);
        page.is_current("nat/ISTIO_OUTPUT/4");
        let sentence = page.reads("#sentence", "Rule 4");
        assert!(
            sentence.contains("A Rule 4 of ISTIO_OUTPUT does not match: uid 1000 is not 1337."),
            "{sentence}"
        );
        assert!(
            sentence.contains("B Rule 4 of ISTIO_OUTPUT matches: uid 1337 is 1337."),
            "{sentence}"
        );

        // The shared steps are shown once, and then there are two columns.
        page.reads(".steps .parting", "The walks diverge here");
        let shared = page.run(
            "return document.querySelector('.steps .parting').previousElementSibling.innerText",
            (),
        );
        assert!(
            shared
                .as_str()
                .is_some_and(|text| text.contains("rules 1 to 3: no match")),
            "{shared}"
        );
        let parted = page.text(".steps .parting + .pair").expect("they part");
        assert!(
            parted.contains("ISTIO_OUTPUT 4 no: uid 1000 is not 1337"),
            "{parted}"
        );
        assert!(
            parted.contains("ISTIO_OUTPUT 4 RETURN: uid 1337 is 1337"),
            "{parted}"
        );

        page.press(Key::End);
        page.is_at(12);
        page.is_current("nat/POSTROUTING/policy");
    });
}

#[test]
fn a_dump_is_pasted_into_the_text_field() {
    each_way(|page| {
        page.click("#view-paste");
        page.holds("document.activeElement.id == 'paste-area'");
        page.press_with_control('a');
        page.paste(
            "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 4140\nCOMMIT\n",
        );
        page.reads("#verdict", "Rule 1 of OUTPUT");
        page.reads("#verdict", "4140");
        page.reads("#diagnostics", "1 rule in 1 chain");
        // Typing in the field parses the text again.
        page.run(
            "document.getElementById('paste-area').setSelectionRange(0, 0)",
            (),
        );
        page.press("oops ");
        page.reads("#diagnostics", "The line that names the table is missing");
    });
}

#[test]
fn a_rule_leads_to_its_step() {
    each_way(|page| {
        page.click("[data-rule='nat/ISTIO_OUTPUT/2']");
        page.is_at(3);
        page.is_current("nat/ISTIO_OUTPUT/2");
        // A rule that no packet meets shows the reason.
        page.click("#view-saved");
        page.click("[data-rule='nat/ISTIO_INBOUND/1']");
        page.reads(".unmet-why", "Never reached");
        page.is_at(3);
    });
}

#[test]
fn a_rule_that_cannot_be_told_is_settled_by_the_reader() {
    each_way(|page| {
        page.paste(
            "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit --limit 3/hour -j DROP\nCOMMIT\n",
        );
        page.reads("#settle", "OUTPUT 1:");
        page.click("#settle button:first-of-type");
        page.reads("#verdict", "Dropped.");
        page.reads(
            "#assumptions",
            "Rule 1 of OUTPUT (table filter) matches: you settled it",
        );
        page.click(".settle button");
        page.click("#settle button:last-of-type");
        page.reads(
            "#assumptions",
            "Rule 1 of OUTPUT (table filter) does not match: you settled it",
        );
        page.click(".settle button");
        page.reads("#settle", "OUTPUT 1:");
    });
}
