//! The rule list: search, folding, references, editing, copying.

use std::fmt::Write as _;

use crate::{Way, each_way, one_way};

#[test]
fn a_rule_is_switched_off_moved_changed_and_taken_back() {
    each_way(|page| {
        page.click("[data-rule='nat/ISTIO_OUTPUT/4']");
        page.click("[data-edit='Switch off']");
        page.reads(
            "#verdict",
            "Captured. Rule 8 of ISTIO_OUTPUT sends uid 1337",
        );
        page.reads(".row.off", "--uid-owner 1337");
        page.click("#export-commands");
        page.holds(
            "document.getElementById('export').value == 'iptables -t nat -D ISTIO_OUTPUT 4\\n'",
        );
        page.click("#export-copy");
        page.reads("p.export", "Copied.");
        assert_eq!(
            page.run("return navigator.clipboard.readText()", ()),
            "iptables -t nat -D ISTIO_OUTPUT 4\n"
        );
        page.click("#undo");
        page.reads("#verdict", "Not captured. Rule 4 of ISTIO_OUTPUT");
        page.click("#redo");
        page.reads("#verdict", "Captured. Rule 8");
        page.click(".row.off button");
        page.reads("#verdict", "Not captured. Rule 4");

        // Ctrl+Z outside a field undoes all changes.
        page.run("document.activeElement.blur()", ());
        page.press_with_control('z');
        page.reads("#verdict", "Captured. Rule 8");
        page.press_with_control('z');
        page.reads("#verdict", "Not captured. Rule 4");
        page.press_with_control('y');
        page.reads("#verdict", "Captured. Rule 8");
        page.press_with_control('z');

        page.click("[data-rule='nat/ISTIO_OUTPUT/4']");
        page.click("[data-edit='Move up']");
        page.reads("#verdict", "Rule 3 of ISTIO_OUTPUT lets uid 1337 out");
        page.click("[data-edit='Delete']");
        page.reads("#verdict", "Captured. Rule 8");
    });
}

#[test]
fn the_words_of_a_rule_are_typed_and_a_mistake_is_shown_where_it_is() {
    each_way(|page| {
        page.click("[data-rule='nat/ISTIO_OUTPUT/4']");
        page.click("[data-edit='Change']");
        page.holds(
            "document.getElementById('rule-words').value == '-m owner --uid-owner 1337 -j RETURN'",
        );
        page.holds("document.activeElement.id == 'rule-words'");
        page.fill("#rule-words", "-m owner --uid-owner x -j RETURN");
        page.click("#rule-done");
        page.reads("#rule-wrong", "column 22");
        page.reads("#verdict", "Not captured. Rule 4");
        page.fill("#rule-words", "-m owner --uid-owner 1000 -j RETURN");
        page.press(thirtyfour::Key::Enter);
        page.reads("#verdict", "Captured.");
        page.reads("#verdict-other", "not captured");
        // In a field, Ctrl+Z is the browser's own.
        page.click("[data-edit='Add below']");
        page.holds("document.activeElement.id == 'rule-words'");
        page.press_with_control('z');
        page.reads("#verdict", "Captured.");
        page.fill("#rule-words", "-d 93.184.216.34/32 -j RETURN");
        page.press(thirtyfour::Key::Enter);
        page.reads("#verdict", "Not captured. Rule 5 of ISTIO_OUTPUT");
        page.click("#export-save");
        page.holds("document.getElementById('export').value.includes('-A ISTIO_OUTPUT -d 93.184.216.34/32 -j RETURN')");
    });
}

#[test]
fn rules_are_found_closed_and_referred_to() {
    each_way(|page| {
        page.fill("#search", "uid 1337");
        page.reads(".tools", "3 hits");
        page.holds("document.querySelectorAll('[data-rule]').length == 3");
        page.fill("#search", "nowhere");
        page.reads("#pane-rules .list", "No rule was found.");
        page.fill("#search", "");
        page.click("#view-saved");
        page.click("[data-chain='nat/ISTIO_OUTPUT'] .opens");
        page.holds("!document.querySelector('[data-rule=\"nat/ISTIO_OUTPUT/4\"]')");
        page.click("[data-chain='nat/ISTIO_OUTPUT'] .opens");
        page.reads("[data-rule='nat/ISTIO_OUTPUT/4']", "1337");
        page.click("[data-table='nat']");
        page.holds("document.querySelectorAll('[data-rule]').length == 0");
        page.click("[data-table='nat']");
        // The callers of a chain: a click goes there, even if no packet does.
        page.click("[data-chain='nat/ISTIO_INBOUND'] .link");
        page.reads("[data-chosen] .unmet-why", "does not pass PREROUTING");
        page.click("#met");
        page.holds("!document.querySelector('[data-rule^=\"nat/ISTIO_INBOUND\"]')");
        page.reads("[data-rule='nat/ISTIO_OUTPUT/4']", "1337");
    });
}

#[test]
fn counters_are_shown_where_a_dump_has_them() {
    one_way(Way::File, |page| {
        page.holds("!document.querySelector('.hits')");
        page.paste("*nat\n:OUTPUT ACCEPT [0:0]\n[5:300] -A OUTPUT -o lo -j RETURN\n[12345:9] -A OUTPUT -d 10.0.0.0/8 -j RETURN\nCOMMIT\n");
        page.click("#view-saved");
        page.reads("[data-rule='nat/OUTPUT/2'] .heat-4", "12k");
        page.reads("[data-rule='nat/OUTPUT/1'] .hits", "5");
    });
}

#[test]
fn a_long_run_opens_at_its_first_rule() {
    let rules: String = (0..600)
        .map(|rule| format!("-A many -d 10.9.{}.{}/32 -j DROP\n", rule / 250, rule % 250))
        .collect();
    one_way(Way::File, |page| {
        page.paste(&format!(
            "*filter\n:OUTPUT ACCEPT [0:0]\n:many - [0:0]\n-A OUTPUT -j many\n{rules}-A many -j RETURN\nCOMMIT\n"
        ));
        page.click("[data-chain='filter/many'] ~ .fold");
        page.holds("document.activeElement.dataset.rule == 'filter/many/1'");
        page.holds(
            "(() => { const list = document.querySelector('.list').getBoundingClientRect();
            const row = document.activeElement.getBoundingClientRect();
            return row.top > list.top && row.bottom < list.bottom })()",
        );
        // The cursor stays, and a step returns to it.
        page.press(",");
        page.holds("document.querySelector('[data-current]')");
    });
}

#[test]
fn a_long_list_is_found_and_scrolled() {
    let mut dump =
        String::from("*filter\n:OUTPUT ACCEPT [0:0]\n:LONG - [0:0]\n-A OUTPUT -p udp -j LONG\n");
    for rule in 0..110_000_u32 {
        let [_, two, three, four] = rule.to_be_bytes();
        writeln!(
            dump,
            "-A LONG -d 10.{two}.{three}.{four}/32 -p tcp -m tcp --dport {} -j DROP",
            rule % 60_000 + 1
        )
        .expect("a string takes all");
    }
    dump.push_str("COMMIT\n");
    one_way(Way::Http, |page| {
        page.run(
            "const data = new DataTransfer();
            data.setData('text/plain', arguments[0]);
            document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))",
            &dump,
        );
        page.reads("#diagnostics", "110001 rules");
        page.click("#view-saved");
        page.reads("[data-rule='filter/LONG/1']", "10.0.0.0");
        page.fill("#search", "10.1.2.3");
        page.reads(".tools", "1 hit");
        page.fill("#search", "");
        // After scrolling to the middle and to the end, there are rows.
        page.run(
            "const list = document.querySelector('.list'); list.scrollTop = list.scrollHeight / 2",
            (),
        );
        page.holds(
            "(() => { const list = document.querySelector('.list').getBoundingClientRect();
            const row = document.elementFromPoint(list.left + 100, list.top + list.height / 2)?.closest('[data-rule]');
            return row && Number(row.dataset.rule.split('/')[2]) > 30000 })()",
        );
        page.run(
            "const list = document.querySelector('.list'); list.scrollTop = list.scrollHeight",
            (),
        );
        page.holds("document.querySelector('[data-rule=\"filter/LONG/110000\"]')");
        page.holds("document.querySelectorAll('[data-rule]').length < 400");
    });
}
