//! What is shown, as something that can be given away: a link, a file, a ticket, a trace, a script;
//! and back.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::report;
use chainwalk_core::share::link::{self, Settled, Shared};
use chainwalk_core::share::redact::{self, Changed};
use chainwalk_core::share::{replay, ticket};

use crate::paste::{MOST_EDITED, Paste};
use crate::rows::Order;
use crate::side::Side;
use crate::state::{State, View};

/// A way to give it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A link that holds everything.
    Link,
    /// The same as a file, without a limit.
    File,
    /// HTML that shows it within another page.
    Embed,
    /// Markdown.
    Ticket,
    /// The public JSON of the walks, one a line.
    Trace,
    /// A script that replays the lead's walk.
    Script,
}

impl Form {
    /// All, in the order of the dialog.
    pub(crate) const ALL: [Self; 6] = [
        Self::Link,
        Self::File,
        Self::Embed,
        Self::Ticket,
        Self::Trace,
        Self::Script,
    ];

    /// Its key, its name, and what it is good for.
    pub(crate) fn says(self) -> (&'static str, &'static str, &'static str) {
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
                "HTML for a wiki: the rules and the walk, to be stepped through and not changed.",
            ),
            Self::Ticket => (
                "ticket",
                "Markdown",
                "For a ticket: the answer, every step, and what is taken for granted.",
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
    pub(crate) fn file(self) -> (&'static str, &'static str) {
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

/// What is given away, and what of it would become neutral.
#[derive(Clone, Debug)]
pub(crate) struct Gift {
    /// As it is.
    real: Shared,
    /// With neutral addresses, names and comments, and how many those are; or the reason for which
    /// that is refused.
    neutral: Result<(Shared, Changed), String>,
    /// Where the page is.
    page: String,
}

impl Gift {
    /// What is shown, on the page of this address.
    pub(crate) fn of(state: &State, page: &str, secret: [u8; 16]) -> Self {
        let real = shared(state);
        let paste = &state.paste;
        let neutral = redact::shared(
            &real,
            &paste.parsed,
            (&paste.host, paste.host_known),
            secret,
        );
        let neutral = neutral.map_err(|refusal| format!("A neutral copy is refused: {refusal}."));
        Self {
            real,
            neutral,
            page: page.split('#').next().unwrap_or_default().to_owned(),
        }
    }

    /// Whether the page is a file on this computer: a link to it leads nowhere from another.
    pub(crate) fn is_of_a_file(&self) -> bool {
        self.page.starts_with("file:")
    }

    /// What is given away.
    ///
    /// # Errors
    /// The rule that forbids a neutral copy.
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

    /// How many packets it holds.
    pub(crate) fn packets(&self) -> usize {
        self.real.packets.len()
    }

    /// How much of it would become neutral, where there is a neutral copy.
    pub(crate) fn changed(&self) -> Option<Changed> {
        self.neutral.as_ref().ok().map(|(_, changed)| *changed)
    }

    /// The text of a form.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn text(&self, state: &State, form: Form, neutral: bool) -> Result<String, String> {
        let shared = self.shared(neutral)?;
        let other;
        let state = if neutral {
            other = state.clone().with(shared);
            // Checked, not promised: a few rare matches compute with addresses.
            if ends(&other) != ends(state) {
                return Err(
                    "With neutral addresses these packets would end otherwise: there is no neutral copy.".into()
                );
            }
            &other
        } else {
            state
        };
        match form {
            Form::Link => self.link(shared),
            Form::File => Ok(shared.json()),
            Form::Embed => {
                let link = self.link(&Shared {
                    embed: true,
                    ..shared.clone()
                })?;
                Ok(format!(
                    "<iframe src=\"{link}\" title=\"A packet's walk through iptables rules\" width=\"100%\" height=\"640\" \
                     loading=\"lazy\" style=\"border:1px solid #888\"></iframe>"
                ))
            }
            Form::Ticket => Ok(ticket(state, self.link(shared).ok().as_deref())),
            Form::Trace => {
                let line = |trace| report::json(state.paste.rulesets(), trace) + "\n";
                Ok(state
                    .walks()
                    .map(|(_, walked)| line(&walked.trace))
                    .collect())
            }
            Form::Script => {
                let lead = state
                    .walked(state.lead)
                    .ok_or("The packet is not complete.")?;
                replay::script(state.paste.rulesets(), &lead.trace)
                    .map_err(|why| format!("This walk cannot be replayed: {why}."))
            }
        }
    }

    fn link(&self, shared: &Shared) -> Result<String, String> {
        if shared.text.len() > MOST_EDITED {
            return Err("So many rules fit into no link. Save them as a file: it can be dropped on this page.".into());
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

/// How many steps each walk takes, and where it ends.
fn ends(state: &State) -> Vec<(usize, Fate)> {
    state
        .walks()
        .map(|(_, walked)| (walked.path().steps.len(), walked.headline.fate))
        .collect()
}

fn ticket(state: &State, link: Option<&str>) -> String {
    let walks: Vec<_> = state
        .lead_first()
        .map(|(side, walked)| (state.name(side), &walked.trace))
        .collect();
    let paste = &state.paste;
    ticket::markdown(
        paste.rulesets(),
        paste.mesh.as_ref(),
        &paste.given(),
        &walks,
        link,
    )
}

/// What is shown, as data.
pub(crate) fn shared(state: &State) -> Shared {
    let paste = &state.paste;
    let packets = state
        .sides()
        .iter()
        .filter_map(|side| state.lane(*side).draft.packet().ok());
    // What whoever reads it takes by itself need not be said.
    let told = paste.host != paste.parsed.usual_host(paste.mesh.as_ref());
    Shared {
        host: (told && paste.parsed.capture.is_none()).then(|| paste.host.clone()),
        usual: told && !paste.host_known,
        neutral: paste.neutral,
        packets: packets.collect(),
        lead: (state.lead == Side::A && state.compare).then_some(0),
        step: Some(state.cursor),
        view: match state.view {
            View::Rows(Order::Walked) | View::Edit => String::new(),
            View::Rows(Order::Saved) => "saved".into(),
            View::Text => "text".into(),
        },
        settled: state
            .settled
            .iter()
            .filter_map(|settled| Settled::from_place(paste.rulesets(), *settled))
            .collect(),
        ..Shared::of_text(text(paste))
    }
}

/// The text, as it was pasted; of a capture, the capture's JSON.
fn text(paste: &Paste) -> String {
    let host = paste.host_known.then_some(&paste.host);
    match paste.parsed.whole(host) {
        Some(capture) => serde_json::to_string(&capture).expect("a capture is JSON"),
        // Behind the texts of a capture stands the one that it was found in.
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
    use yew::Reducible;

    fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
        actions.into_iter().fold(Rc::default(), State::reduce)
    }

    #[test]
    fn a_link_brings_back_what_is_shown() {
        let limit = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit -j DROP\nCOMMIT\n";
        let open = after([Action::Paste(limit.into())]);
        let place = open
            .walked(Side::A)
            .and_then(|walked| walked.first_doubt())
            .expect("rule 1 cannot be told");
        for before in [
            after([Action::Sample(2), Action::View(View::Text)]),
            after([Action::Compare, Action::Go(crate::cursor::Move::Last)]),
            Rc::clone(&open).reduce(Action::Settle(place, Some(true))),
        ] {
            let shared = shared(&before);
            let again = after([Action::Link(shared.fragment())]);
            assert_eq!(super::shared(&again), shared);
            let origin = if before.paste.origin == Origin::Own {
                Origin::Shared
            } else {
                before.paste.origin.clone()
            };
            assert_eq!(
                (again.paste.origin.clone(), ends(&again)),
                (origin, ends(&before))
            );
            assert_eq!(
                (again.compare, again.cursor, again.view),
                (before.compare, before.cursor, before.view)
            );
            // The file holds the same, and is taken by a paste; so is a link that is pasted.
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
        let gift = Gift::of(&state, "https://example.org/", [7; 16]);
        for form in Form::ALL {
            let text = gift.text(&state, form, false);
            if form == Form::Script {
                assert!(text.is_err_and(|why| why.contains("invisible character")));
                continue;
            }
            let text = text.expect("it has one");
            assert_eq!(visible::escape_lines(&text), text, "{form:?}");
            if form == Form::File {
                assert_eq!(shared(&after([Action::Paste(text)])), gift.real);
            }
        }
        use crate::editing::{Do, Export};
        let edited = after([
            Action::Paste("*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n".into()),
            Action::Edit(rules.into()),
        ]);
        let shown = edited.reduce(Action::Rule(Do::Export(Some(Export::Save))));
        let text = shown.editing.export.as_ref().map(|export| export.1.clone());
        assert!(
            matches!(&text, Some(Ok(text)) if text.contains("a<U+202E>b<U+200B>")),
            "{text:?}"
        );
    }

    #[test]
    fn a_capture_stays_one() {
        let capture = include_str!("../../core/tests/capture.json");
        let before = after([Action::Paste(capture.into())]);
        let again = after([Action::Link(shared(&before).fragment())]);
        assert!(again.paste.parsed.capture.is_some());
        assert_eq!(
            (&again.paste.host, again.paste.host_known),
            (&before.paste.host, before.paste.host_known)
        );
    }

    #[test]
    fn every_form_has_a_neutral_one_that_ends_alike() {
        let state = after([]);
        let gift = Gift::of(&state, "https://example.org/#old", [3; 16]);
        for form in Form::ALL {
            let [real, neutral] =
                [false, true].map(|neutral| gift.text(&state, form, neutral).expect("it has one"));
            assert!(!neutral.contains("93.184.216.34"), "{form:?}: {neutral}");
            assert!(real != neutral, "{form:?}");
        }
        let neutral = after([Action::Link(
            gift.shared(true).expect("it has one").fragment(),
        )]);
        assert_eq!(ends(&neutral), ends(&state));
        assert!(neutral.paste.neutral && shared(&neutral).neutral && !state.paste.neutral);
        assert!(
            gift.changed().is_some_and(|changed| changed.addresses > 0),
            "{:?}",
            gift.changed()
        );
        // What was taken for granted is no fact in the copy.
        let findings = |state: &State| {
            let all = lint(
                state.paste.rulesets(),
                &state.paste.host,
                state.paste.host_known,
            );
            all.into_iter().map(|one| one.says).collect::<Vec<_>>()
        };
        assert_eq!(
            (neutral.paste.host_known, findings(&neutral)),
            (state.paste.host_known, findings(&state))
        );
    }

    #[test]
    fn a_rule_that_would_keep_addresses_is_named_and_nothing_is_shared() {
        let rules =
            "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j NETMAP --to 10.0.0.0/8\nCOMMIT\n";
        let state = after([Action::Paste(rules.into())]);
        let gift = Gift::of(&state, "https://example.org/", [0; 16]);
        assert!(gift.changed().is_none());
        for form in Form::ALL {
            let refusal = gift
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
        let rule = |number: u32| {
            let [a, b, c, _] = number.wrapping_mul(2_654_435_761).to_be_bytes();
            format!("-A OUTPUT -d 10.{a}.{b}.{c}/32 -j DROP\n")
        };
        let rules: String = (0..5000).map(rule).collect();
        let state = after([Action::Paste(format!(
            "*filter\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"
        ))]);
        let gift = Gift::of(&state, "https://example.org/", [0; 16]);
        let refusal = gift
            .text(&state, Form::Link, false)
            .expect_err("it is too long");
        assert!(
            refusal.contains("above 16384") && refusal.contains("file"),
            "{refusal}"
        );
        let file = gift
            .text(&state, Form::File, false)
            .expect("a file has no limit");
        assert_eq!(
            after([Action::Paste(file)]).paste.rulesets()[0].rules(),
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
        assert!(state.embed.is_some());
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
        assert_eq!(stepped.cursor, 0);
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
                state.walks().count() == 2 && state.cursor <= state.steps(),
                "{hostile:?}"
            );
        }
    }
}
