//! `-m recent` (xt_recent.c): lists of addresses of earlier packets.

use super::{Extension, Given, Implied, Kind, ListingForm, Opt, Options};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::packet::Family;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};

/// `recent_mt`: adding an address always succeeds.
static NOTED: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "its address is written down",
        "its address is written down, and so a `!` fails",
    ),
    read: |_| FieldValue::Number(1),
};

fn seen(_: &Context) -> FieldValue<'static> {
    FieldValue::Unknown("-m recent: it depends on which addresses were seen before".into())
}

static SEEN: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "its address was seen before",
        "its address was not seen before",
    ),
    read: seen,
};

fn check(given: &Given) -> Result<(), Problem> {
    let has = |flag: &&&str| given.options.has(flag);
    let Some(act) = ["--set", "--rcheck", "--update", "--remove"]
        .iter()
        .find(has)
    else {
        return Err(Problem::new(
            Code::MissingOption,
            "-m recent needs --set, --rcheck, --update or --remove",
        ));
    };
    // `recent_mt_check`, and the names of files in `xt_check_proc_name`.
    if let (&("--set" | "--remove"), Some(other)) = (
        act,
        ["--seconds", "--reap", "--hitcount"]
            .iter()
            .find(|flag| given.options.number(flag) != Some(0) && has(flag)),
    ) {
        return Err(Problem::new(
            Code::ConflictingOptions,
            format!("{act} and {other} exclude each other"),
        ));
    }
    match given.options.text("--name") {
        Some("" | "." | "..") => Err(Problem::new(
            Code::InvalidValue,
            "the name of the list must be a valid file name",
        )),
        Some(name) if name.contains('/') => Err(Problem::new(
            Code::InvalidValue,
            "the name of the list contains `/`",
        )),
        _ => Ok(()),
    }
}

fn describe(options: &Options) -> String {
    let list = options.text("--name").unwrap_or_default();
    let side = if options.has("--rdest") {
        "destination"
    } else {
        "source"
    };
    let not = |flag: &str| if options.negates(flag) { "not " } else { "" };
    let mut said = if options.has("--set") {
        return format!(
            "its {side} is {}written down in the list “{list}”",
            not("--set")
        );
    } else if options.has("--remove") {
        return format!(
            "its {side} is {}in the list “{list}”, and is now taken out",
            not("--remove")
        );
    } else if options.has("--update") {
        format!(
            "its {side}, which is then written down again, is {}in the list “{list}”",
            not("--update")
        )
    } else {
        format!("its {side} is {}in the list “{list}”", not("--rcheck"))
    };
    if let Some(count) = options.number("--hitcount").filter(|count| *count > 0) {
        said += &format!(" at least {count} times");
    }
    if let Some(seconds) = options.number("--seconds") {
        said += &format!(" within {seconds} seconds");
    }
    if options.has("--rttl") {
        said += " with the same time to live";
    }
    said
}

const OPTIONS: &[Opt] = &[
    Opt::tests("--set", Kind::Flag, &NOTED)
        .excludes(&["--rcheck", "--update", "--remove", "--rttl"]),
    Opt::tests("--rcheck", Kind::Flag, &SEEN).excludes(&["--update", "--remove"]),
    Opt::tests("--update", Kind::Flag, &SEEN).excludes(&["--remove"]),
    Opt::tests("--remove", Kind::Flag, &SEEN).excludes(&["--rttl"]),
    Opt::new("--seconds", Kind::Between(1, u32::MAX)),
    Opt::new("--reap", Kind::Flag).needs(&["--seconds"]),
    // `XT_RECENT_MAX_NSTAMPS`.
    Opt::new("--hitcount", Kind::Number(65_535)).unprinted(0),
    Opt::new("--rttl", Kind::Flag),
    Opt::new("--name", Kind::Word(199)),
    Opt::new("--mask", Kind::Address),
    Opt::new("--rsource", Kind::Flag),
    Opt::new("--rdest", Kind::Flag),
];

const LISTED: ListingForm = ListingForm::new(
    "",
    &[
        ("!recent: SET", "--set"),
        ("!recent: CHECK", "--rcheck"),
        ("!recent: UPDATE", "--update"),
        ("!recent: REMOVE", "--remove"),
        ("seconds: %", "--seconds %"),
        ("hit_count: %", "--hitcount %"),
        ("TTL-Match", "--rttl"),
        ("name: %", "--name %"),
        ("mask: %", "--mask %"),
        ("side: source", "--rsource"),
        ("side: dest", "--rdest"),
    ],
);

const fn recent(family: Family, implied: &'static [Implied]) -> Extension {
    Extension {
        family: Some(family),
        implied,
        check,
        listed: LISTED,
        words: Some(describe),
        ..Extension::matching("recent", "addresses that were seen before", OPTIONS)
    }
}

const NAME: Implied = Implied::new("--name", "DEFAULT");
const SIDE: Implied = Implied::new("--rsource", "").without(&["--rdest"]);

/// `-m recent` of iptables.
pub static RECENT4: Extension = recent(
    Family::Ipv4,
    &[NAME, Implied::new("--mask", "255.255.255.255"), SIDE],
);

/// `-m recent` of ip6tables.
pub static RECENT6: Extension = recent(
    Family::Ipv6,
    &[
        NAME,
        Implied::new("--mask", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        SIDE,
    ],
);
