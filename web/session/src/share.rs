//! The work in the formats to share it: link, file, embedded page, ticket, trace, script; and back.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::report;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::share::link::{self, Settled, Shared};
use chainwalk_core::share::redact::{self, Changed};
use chainwalk_core::share::{replay, ticket};

use crate::paste::{MAX_EDITED_BYTES, Paste};
use crate::phrases::format_count;
use crate::rows::Order;
use crate::side::Side;
use crate::state::{RuleView, State};

/// A format of the shared work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareFormat {
    /// A link that holds everything.
    Link,
    /// The same data as a file, without a limit.
    File,
    /// HTML that embeds the page in another one.
    Embed,
    /// A ticket in Markdown.
    Ticket,
    /// The public JSON of the walks, one per line.
    Trace,
    /// A script that replays the lead's walk.
    Script,
}

impl ShareFormat {
    /// All formats, in the order of the dialog.
    pub const ALL: [Self; 6] = [
        Self::Link,
        Self::File,
        Self::Embed,
        Self::Ticket,
        Self::Trace,
        Self::Script,
    ];

    /// Its key, its name, and its purpose.
    pub fn says(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Link => (
                "link",
                "Link",
                "Opens this page with these rules and packets, at this step. No server sees it.",
            ),
            Self::File => (
                "file",
                "File",
                "The same as a file: drop it on this page, or paste what it holds.",
            ),
            Self::Embed => (
                "embed",
                "Wiki",
                "HTML for a wiki: readers can step through the walk, but not change it.",
            ),
            Self::Ticket => (
                "ticket",
                "Markdown",
                "For a ticket: the answer, every step, and the assumptions.",
            ),
            Self::Trace => (
                "trace",
                "Trace",
                "The walks as JSON, one a line, for programs.",
            ),
            Self::Script => (
                "script",
                "Script",
                "Replays the packet of the large answer on a real kernel, and compares the counters.",
            ),
        }
    }

    /// The name of its file, and the file's media type.
    pub fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Link => ("chainwalk-link.txt", "text/plain"),
            Self::File => ("chainwalk.json", "application/json"),
            Self::Embed => ("chainwalk-embed.html", "text/html"),
            Self::Ticket => ("chainwalk.md", "text/markdown"),
            Self::Trace => ("chainwalk-trace.jsonl", "application/json"),
            Self::Script => ("chainwalk-replay.sh", "text/x-shellscript"),
        }
    }
}

/// The work to share, and its anonymized copy.
#[derive(Clone, Debug)]
pub struct SharedWork {
    /// The work itself.
    real: Shared,
    /// The anonymized copy with the number of replacements, or the reason why it is refused.
    neutral: Result<(Shared, Changed), String>,
    /// The address of the page.
    page: String,
}

impl SharedWork {
    /// The work of this state, on the page of this address.
    pub fn new(state: &State, page: &str, secret: [u8; 16]) -> Self {
        let real = shared(state);
        let paste = state.paste();
        let neutral = redact::shared(
            &real,
            &paste.parsed,
            (&paste.host, paste.host_known),
            secret,
        );
        let neutral = neutral.map_err(|refusal| format!("Anonymization is refused: {refusal}."));
        Self {
            real,
            neutral,
            page: page.split('#').next().unwrap_or_default().to_owned(),
        }
    }

    /// Whether the page is a local file, so that a link to it fails on another computer.
    pub fn is_of_a_file(&self) -> bool {
        self.page.starts_with("file:")
    }

    /// The amount of shared data, in words.
    pub fn summary(&self, state: &State, neutral: bool) -> String {
        let rules = state.paste().rulesets().iter().map(Ruleset::rules).sum();
        let rules = format_count(rules, "rule");
        let packets = format_count(self.real.packets.len(), "packet");
        let identifying = self.changed().map_or_else(String::new, |changed| {
            let counts = [
                format_plural(changed.addresses, "address"),
                format_plural(changed.names, "name"),
                format_plural(changed.comments, "comment"),
            ];
            let counts = counts.join(", ");
            if neutral {
                format!(" Anonymized: {counts}.")
            } else {
                format!(" It contains {counts} that could identify somebody.")
            }
        });
        format!("Shared: the whole text with {rules} and {packets}.{identifying}")
    }

    /// The data to share.
    ///
    /// # Errors
    /// The rule that prevents an anonymized copy.
    fn shared(&self, neutral: bool) -> Result<&Shared, String> {
        if neutral {
            self.neutral
                .as_ref()
                .map(|(shared, _)| shared)
                .map_err(Clone::clone)
        } else {
            Ok(&self.real)
        }
    }

    /// The number of replacements, if there is an anonymized copy.
    fn changed(&self) -> Option<Changed> {
        self.neutral.as_ref().ok().map(|(_, changed)| *changed)
    }

    /// The text in a format.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn text(&self, state: &State, form: ShareFormat, neutral: bool) -> Result<String, String> {
        let shared = self.shared(neutral)?;
        let other;
        let state = if neutral {
            other = state.clone().with(shared);
            // The copy is verified, because a few rare matches compute with addresses.
            if ends(&other) != ends(state) {
                return Err(
                    "With anonymized addresses these packets would have other outcomes, so there is no anonymized copy.".into()
                );
            }
            &other
        } else {
            state
        };
        match form {
            ShareFormat::Link => self.link(shared),
            ShareFormat::File => Ok(shared.json()),
            ShareFormat::Embed => {
                let link = self.link(&Shared {
                    embed: true,
                    ..shared.clone()
                })?;
                Ok(format!(
                    "<iframe src=\"{link}\" title=\"A packet's walk through iptables rules\" width=\"100%\" height=\"640\" \
                     loading=\"lazy\" style=\"border:1px solid #888\"></iframe>"
                ))
            }
            ShareFormat::Ticket => Ok(ticket(state, self.link(shared).ok().as_deref())),
            ShareFormat::Trace => {
                let rulesets = state.paste().rulesets();
                let walks = state.evaluation.walks();
                Ok(walks
                    .map(|(_, walked)| report::json(rulesets, &walked.trace) + "\n")
                    .collect())
            }
            ShareFormat::Script => {
                let lead = state
                    .evaluation
                    .walked(state.workspace().lead)
                    .ok_or("The packet is not complete.")?;
                replay::script(state.paste().rulesets(), &lead.trace)
                    .map_err(|why| format!("This walk cannot be replayed: {why}."))
            }
        }
    }

    fn link(&self, shared: &Shared) -> Result<String, String> {
        if shared.text.len() > MAX_EDITED_BYTES {
            return Err("A link cannot hold that many rules. Save them as a file: it can be dropped on this page.".into());
        }
        let fragment = shared.fragment();
        let long = self.page.len() + 1 + fragment.len();
        link::to(&self.page, &fragment).ok_or_else(|| {
            format!(
                "The link would have {long} characters; mail and chats cut those above {}. \
                 Save it as a file instead: it can be dropped on this page.",
                link::MAX_LINK_CHARACTERS
            )
        })
    }
}

fn format_plural(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "address") => format!("{count} addresses"),
        _ => format_count(count, noun),
    }
}

/// The number of steps of each walk, and its end.
fn ends(state: &State) -> Vec<(usize, Fate)> {
    state
        .evaluation
        .walks()
        .map(|(_, walked)| (walked.path().steps.len(), walked.headline.fate))
        .collect()
}

fn ticket(state: &State, link: Option<&str>) -> String {
    let walks: Vec<_> = state
        .evaluation
        .lead_first()
        .map(|(side, walked)| (state.evaluation.name(side), &walked.trace))
        .collect();
    let paste = state.paste();
    ticket::markdown(
        paste.rulesets(),
        paste.mesh.as_ref(),
        &paste.given(),
        &walks,
        link,
    )
}

/// The work as data.
pub fn shared(state: &State) -> Shared {
    let paste = state.paste();
    let workspace = state.workspace();
    let packets = workspace
        .sides()
        .iter()
        .filter_map(|side| workspace.slot(*side).form.packet().ok());
    // A host that the page assumes by default is omitted.
    let stated = paste.host != paste.parsed.usual_host(paste.mesh.as_ref());
    Shared {
        host: (stated && paste.parsed.capture.is_none()).then(|| paste.host.clone()),
        usual: stated && !paste.host_known,
        neutral: paste.neutral,
        packets: packets.collect(),
        lead: (workspace.lead == Side::A && workspace.compare).then_some(0),
        step: Some(state.view.cursor),
        view: match state.view.rules {
            RuleView::Rows(Order::Walked) | RuleView::Edit => String::new(),
            RuleView::Rows(Order::Saved) => "saved".into(),
            RuleView::Text => "text".into(),
        },
        settled: workspace
            .settled
            .iter()
            .filter_map(|settled| Settled::from_place(paste.rulesets(), *settled))
            .collect(),
        ..Shared::of_text(text(paste))
    }
}

/// The pasted text; for a capture, its JSON.
fn text(paste: &Paste) -> String {
    let host = paste.host_known.then_some(&paste.host);
    match paste.parsed.whole(host) {
        Some(capture) => serde_json::to_string(&capture).expect("a capture is JSON"),
        // The texts of a capture precede the text that contained it.
        None => paste.parsed.sources.last().cloned().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use chainwalk_core::text::visible;

    use super::*;
    use crate::paste::Origin;
    use crate::state::Action;
    use chainwalk_core::analysis::findings::lint;
    use chainwalk_core::packet::Packet;
    use std::rc::Rc;

    fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
        actions.into_iter().fold(Rc::default(), State::reduce)
    }

    #[test]
    fn a_link_brings_back_what_is_shown() {
        let limit = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit -j DROP\nCOMMIT\n";
        let open = after([Action::Paste(limit.into())]);
        let place = open
            .evaluation
            .walked(Side::A)
            .and_then(|walked| walked.first_doubt())
            .expect("rule 1 is undetermined");
        for before in [
            after([Action::Sample(2), Action::View(RuleView::Text)]),
            after([Action::Compare, Action::Go(crate::cursor::Move::Last)]),
            Rc::clone(&open).reduce(Action::Settle(place, Some(true))),
        ] {
            let shared = shared(&before);
            let again = after([Action::Link(shared.fragment())]);
            assert_eq!(super::shared(&again), shared);
            let origin = if before.paste().origin == Origin::Own {
                Origin::Shared
            } else {
                before.paste().origin.clone()
            };
            assert_eq!(
                (again.paste().origin.clone(), ends(&again)),
                (origin, ends(&before))
            );
            assert_eq!(
                (
                    again.workspace().compare,
                    again.view.cursor,
                    again.view.rules
                ),
                (
                    before.workspace().compare,
                    before.view.cursor,
                    before.view.rules
                )
            );
            // The file has the same content, and the page accepts it as a paste, like a pasted
            // link.
            let link = link::to("https://example.org/", &shared.fragment()).expect("it fits");
            for text in [shared.json(), link] {
                assert_eq!(super::shared(&after([Action::Paste(text)])), shared);
            }
        }
    }

    #[test]
    fn nothing_invisible_is_given_away() {
        let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m comment --comment \"a\u{202e}b\u{200b}\u{e0041}\" -j DROP\nCOMMIT\n";
        let state = after([Action::Paste(rules.into())]);
        let work = SharedWork::new(&state, "https://example.org/", [7; 16]);
        for form in ShareFormat::ALL {
            let text = work.text(&state, form, false);
            if form == ShareFormat::Script {
                assert!(text.is_err_and(|why| why.contains("invisible character")));
                continue;
            }
            let text = text.expect("it has one");
            assert_eq!(visible::escape_lines(&text), text, "{form:?}");
            if form == ShareFormat::File {
                assert_eq!(shared(&after([Action::Paste(text)])), work.real);
            }
        }
        use crate::editing::{EditAction, Export};
        let edited = after([
            Action::Paste("*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".into()),
            Action::Edit(rules.into()),
        ]);
        let shown = edited.reduce(Action::Rule(EditAction::Export(Some(Export::Save))));
        let text = shown
            .view
            .editing
            .export
            .as_ref()
            .map(|export| export.1.clone());
        assert!(
            matches!(&text, Some(Ok(text)) if text.contains("a<U+202E>b<U+200B>")),
            "{text:?}"
        );
    }

    #[test]
    fn a_capture_stays_one() {
        let capture = include_str!("../../../core/tests/capture.json");
        let before = after([Action::Paste(capture.into())]);
        let again = after([Action::Link(shared(&before).fragment())]);
        assert!(again.paste().parsed.capture.is_some());
        assert_eq!(
            (&again.paste().host, again.paste().host_known),
            (&before.paste().host, before.paste().host_known)
        );
    }

    #[test]
    fn every_form_has_a_neutral_one_that_ends_alike() {
        let state = after([]);
        let work = SharedWork::new(&state, "https://example.org/#old", [3; 16]);
        for form in ShareFormat::ALL {
            let [real, neutral] =
                [false, true].map(|neutral| work.text(&state, form, neutral).expect("it has one"));
            assert!(!neutral.contains("93.184.216.34"), "{form:?}: {neutral}");
            assert!(real != neutral, "{form:?}");
        }
        let neutral = after([Action::Link(
            work.shared(true).expect("it has one").fragment(),
        )]);
        assert_eq!(ends(&neutral), ends(&state));
        assert!(neutral.paste().neutral && shared(&neutral).neutral && !state.paste().neutral);
        assert!(
            work.changed().is_some_and(|changed| changed.addresses > 0),
            "{:?}",
            work.changed()
        );
        // An assumption remains an assumption in the copy.
        let findings = |state: &State| {
            let all = lint(
                state.paste().rulesets(),
                &state.paste().host,
                state.paste().host_known,
            );
            all.into_iter().map(|one| one.says).collect::<Vec<_>>()
        };
        assert_eq!(
            (neutral.paste().host_known, findings(&neutral)),
            (state.paste().host_known, findings(&state))
        );
    }

    #[test]
    fn a_rule_that_would_keep_addresses_is_named_and_nothing_is_shared() {
        let rules =
            "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j NETMAP --to 10.0.0.0/8\nCOMMIT\n";
        let state = after([Action::Paste(rules.into())]);
        let work = SharedWork::new(&state, "https://example.org/", [0; 16]);
        assert!(work.changed().is_none());
        for form in ShareFormat::ALL {
            let refusal = work
                .text(&state, form, true)
                .expect_err("the rule keeps all addresses");
            assert!(
                refusal.contains("rule 1 of PREROUTING in table nat"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn what_is_too_long_for_a_link_is_refused_and_fits_a_file() {
        let rules: String = (0..5000)
            .map(|number: u32| {
                let [a, b, c, _] = number.wrapping_mul(2_654_435_761).to_be_bytes();
                format!("-A OUTPUT -d 10.{a}.{b}.{c}/32 -j DROP\n")
            })
            .collect();
        let state = after([Action::Paste(format!(
            "*filter\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"
        ))]);
        let work = SharedWork::new(&state, "https://example.org/", [0; 16]);
        let refusal = work
            .text(&state, ShareFormat::Link, false)
            .expect_err("it is too long");
        assert!(
            refusal.contains("above 16384") && refusal.contains("file"),
            "{refusal}"
        );
        let file = work
            .text(&state, ShareFormat::File, false)
            .expect("a file has no limit");
        assert_eq!(
            after([Action::Paste(file)]).paste().rulesets()[0].rules(),
            5000
        );
    }

    #[test]
    fn an_embedded_page_is_stepped_and_not_changed() {
        let embedded = Shared {
            embed: true,
            ..shared(&State::default())
        };
        let state = after([Action::Link(embedded.fragment())]);
        assert!(state.view.embed.is_some());
        let text = "*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n".to_owned();
        for action in [
            Action::Paste(text.clone()),
            Action::Edit(text),
            Action::Sample(3),
            Action::Compare,
        ] {
            let after = Rc::clone(&state).reduce(action);
            assert_eq!(ends(&after), ends(&state));
        }
        let stepped = Rc::clone(&state).reduce(Action::Go(crate::cursor::Move::First));
        assert_eq!(stepped.view.cursor, 0);
    }

    #[test]
    fn hostile_links_open_or_are_refused() {
        let shared = shared(&State::default());
        let packet = Packet {
            tcp_flags: None,
            ..shared.packets[0].clone()
        };
        for hostile in [
            Shared {
                step: Some(usize::MAX),
                ..shared.clone()
            },
            Shared {
                packets: vec![packet; 500],
                ..shared.clone()
            },
            Shared {
                view: "none".into(),
                ..shared.clone()
            },
            Shared {
                text: String::new(),
                ..shared.clone()
            },
            Shared {
                settled: vec![Settled {
                    ruleset: 9,
                    table: "nat".into(),
                    chain: "x".into(),
                    rule: 0,
                    matches: true,
                }],
                ..shared
            },
        ] {
            let state = after([Action::Link(hostile.fragment())]);
            assert!(
                state.evaluation.walks().count() == 2
                    && state.view.cursor <= state.evaluation.steps(),
                "{hostile:?}"
            );
        }
    }
}
