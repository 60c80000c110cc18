//! `-m time` (xt_time.c): times of the day, days and dates.

use std::fmt::Write;

use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::ruleset::Value;
use crate::text::diagnostic::{Code, Problem};

const DAY: i64 = 86_400;
/// The last second of a day, and the last date that a signed number of 32 bits holds.
const LAST_SECOND: u32 = 86_399;
const LAST_DATE: u32 = i32::MAX as u32;
const ALL_MONTHDAYS: u32 = 0xffff_fffe;
const ALL_WEEKDAYS: u32 = 0xfe;
const WEEKDAYS: [&str; 8] = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Parses numbers with a separator after each, in the given order. A missing number is 0, as in
/// strtoul (libxt_time.c), so iptables accepts `8:` and `:`.
fn numbers(text: &str, separators: &[char]) -> Option<Vec<u32>> {
    let mut out = Vec::new();
    let mut rest = text;
    for separator in separators.iter().map(Some).chain([None]) {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        out.push(if digits == 0 {
            0
        } else {
            rest[..digits].parse().ok()?
        });
        rest = &rest[digits..];
        if rest.is_empty() {
            return Some(out);
        }
        rest = rest.strip_prefix(*separator?)?;
    }
    None
}

/// The days from 1970 to the first of a month (a well-known formula over eras of 400 years).
fn days(year: i64, month: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let of_year = (153 * month + 2) / 5;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

/// The year, month and day of a day since 1970.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let year = year_of_era + day.div_euclid(146_097) * 400;
    let first = of_year - (153 * month + 2) / 5 + 1;
    if month < 10 {
        (year, month + 3, first)
    } else {
        (year + 1, month - 9, first)
    }
}

/// `2030-01-31T12:00:00`, or an initial part of it.
static DATE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let wrong = || problem("date", words[0], "2030-01-31T12:00:00");
        let given = numbers(words[0], &['-', '-', 'T', ':', ':']).ok_or_else(wrong)?;
        let part = |place: usize, default: u32| given.get(place).copied().unwrap_or(default);
        let (year, month, day) = (part(0, 0), part(1, 1), part(2, 1));
        let (hour, minute, second) = (part(3, 0), part(4, 0), part(5, 0));
        if !(1970..=2038).contains(&year)
            || month > 12
            || day > 31
            || hour > 23
            || minute > 59
            || second > 59
        {
            return Err(wrong());
        }
        // A month or day of 0 is the one before the first.
        let (year, month) = if month == 0 {
            (year - 1, 12)
        } else {
            (year, month)
        };
        let days = days(year.into(), month.into()) + i64::from(day) - 1;
        let seconds = days * DAY + i64::from(hour * 3_600 + minute * 60 + second);
        u32::try_from(seconds)
            .map(Value::Number)
            .map_err(|_| wrong())
    },
    write: |value, _, out| {
        let Value::Number(seconds) = value else {
            return;
        };
        let seconds = i64::from(*seconds);
        let (year, month, day) = civil(seconds / DAY);
        // Writing to a string cannot fail.
        let _ = write!(out, "{year:04}-{month:02}-{day:02}T");
        write_clock(seconds % DAY, out);
    },
    examples: &["2030", "2030-02-28", "2030-12-31T23:59:59"],
};

fn write_clock(seconds: i64, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
}

/// `08:30` or `08:30:15`.
static CLOCK: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let wrong = || problem("time", words[0], "08:30 or 08:30:15");
        let given = numbers(words[0], &[':', ':']).ok_or_else(wrong)?;
        match given[..] {
            [hour, minute] if hour < 24 && minute < 60 => {
                Ok(Value::Number(hour * 3_600 + minute * 60))
            }
            [hour, minute, second] if hour < 24 && minute < 60 && second < 60 => {
                Ok(Value::Number(hour * 3_600 + minute * 60 + second))
            }
            _ => Err(wrong()),
        }
    },
    write: |value, _, out| {
        if let Value::Number(seconds) = value {
            write_clock((*seconds).into(), out);
        }
    },
    examples: &["08:30", "00:00:01"],
};

/// Days of a month, one bit each.
static MONTHDAYS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let wrong = || problem("list of days", words[0], "1,15,31");
        words[0]
            .split_terminator(',')
            .try_fold(Value::Bits(0), |all, word| {
                match (all, crate::text::number::parse_u32(word)) {
                    (Value::Bits(bits), Some(day)) if day <= 31 => Ok(Value::Bits(bits | 1 << day)),
                    _ => Err(wrong()),
                }
            })
    },
    write: |value, _, out| {
        let Value::Bits(bits) = value else { return };
        let days: Vec<String> = (1..=31)
            .filter(|day| bits & 1 << day != 0)
            .map(|day| day.to_string())
            .collect();
        out.push_str(&days.join(","));
    },
    examples: &["1", "1,15,31"],
};

/// Days of a week, one bit each. They are written as numbers or as the first two letters.
static WEEKDAYS_LIST: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let wrong = || problem("list of days of the week", words[0], "Mon,Tue or 6,7");
        let day = |word: &str| match crate::text::number::parse_u32(word) {
            Some(day) => Some(day).filter(|day| (1..8).contains(day)),
            None => (1..8)
                .find(|day| word.len() >= 2 && word.get(..2) == WEEKDAYS[*day as usize].get(..2)),
        };
        words[0]
            .split_terminator(',')
            .try_fold(Value::Bits(0), |all, word| match (all, day(word)) {
                (Value::Bits(bits), Some(day)) => Ok(Value::Bits(bits | 1 << day)),
                _ => Err(wrong()),
            })
    },
    write: |value, _, out| {
        let Value::Bits(bits) = value else { return };
        let days: Vec<&str> = (1..8)
            .filter(|day| bits & 1 << day != 0)
            .map(|day| WEEKDAYS[day])
            .collect();
        out.push_str(&days.join(","));
    },
    examples: &["Mon,Tue", "6,7"],
};

/// The days that remain after an option. `!` inverts them and is not printed.
fn days_of(options: &Options, flag: &str, all: u32) -> u32 {
    match options.value(flag) {
        Some(Value::Bits(bits)) if options.negates(flag) => bits ^ all,
        Some(Value::Bits(bits)) => *bits,
        _ => all,
    }
}

/// The conditions one by one: an option and its value.
fn clauses(options: &Options) -> Vec<(&'static str, String)> {
    let text = |form: &ValueForm, value: Value| {
        let mut out = String::new();
        (form.write)(&value, options.ruleset, &mut out);
        out
    };
    let start = options.number("--timestart").unwrap_or(0);
    let stop = options.number("--timestop").unwrap_or(LAST_SECOND);
    let mut out = Vec::new();
    if (start, stop) != (0, LAST_SECOND) {
        out.push(("--timestart", text(&CLOCK, Value::Number(start))));
        out.push(("--timestop", text(&CLOCK, Value::Number(stop))));
    }
    let month = days_of(options, "--monthdays", ALL_MONTHDAYS);
    if month != ALL_MONTHDAYS {
        out.push(("--monthdays", text(&MONTHDAYS, Value::Bits(month))));
    }
    let week = days_of(options, "--weekdays", ALL_WEEKDAYS);
    if week != ALL_WEEKDAYS {
        out.push(("--weekdays", text(&WEEKDAYS_LIST, Value::Bits(week))));
    }
    if let Some(date) = options.number("--datestart").filter(|date| *date != 0) {
        out.push(("--datestart", text(&DATE, Value::Number(date))));
    }
    let last = options.number("--datestop").unwrap_or(LAST_DATE);
    if last != 0 {
        out.push(("--datestop", text(&DATE, Value::Number(last))));
    }
    out
}

fn print(options: &Options, out: &mut String) {
    for (flag, value) in clauses(options) {
        out.extend([" ", flag, " ", &value]);
    }
    out.push_str(if options.has("--kerneltz") {
        " --kerneltz"
    } else {
        ""
    });
    out.push_str(if options.has("--contiguous") {
        " --contiguous"
    } else {
        ""
    });
}

fn describe(options: &Options) -> String {
    let said: Vec<String> = clauses(options)
        .into_iter()
        .filter(|(flag, _)| *flag != "--datestop" || options.has(flag))
        .map(|(flag, value)| match flag {
            "--timestart" => format!("from {value}"),
            "--timestop" => format!("to {value}"),
            "--monthdays" => format!("on day {}", value.replace(',', " or ")),
            "--weekdays" => format!("on {}", value.replace(',', " or ")),
            "--datestart" => format!("since {value}"),
            _ => format!("until {value}"),
        })
        .collect();
    let zone = if options.has("--kerneltz") {
        "in the kernel's time zone"
    } else {
        "UTC"
    };
    if said.is_empty() {
        "it is any time".into()
    } else {
        format!("it is the time {} ({zone})", said.join(" "))
    }
}

fn check(given: &Given) -> Result<(), Problem> {
    let start = given.options.number("--timestart").unwrap_or(0);
    let stop = given.options.number("--timestop").unwrap_or(LAST_SECOND);
    match given.options.has("--contiguous") && start < stop {
        true => Err(Problem::new(
            Code::RefusedCombination,
            "--contiguous is for a time that runs past midnight",
        )),
        false => Ok(()),
    }
}

/// Translates a value of a listing (`time_print` in libxt_time.c): `1st,22nd` for days of the
/// month.
fn listed_value(flag: &str, value: &str) -> Option<String> {
    let is_day = |byte: char| byte.is_ascii_digit() || byte == ',';
    Some(if flag == "--monthdays" {
        value.chars().filter(|sign| is_day(*sign)).collect()
    } else {
        value.to_owned()
    })
}

/// `-m time`.
pub static TIME: Extension = Extension {
    unknowable: Some("it depends on the time"),
    listed: ListingForm {
        lead: "TIME",
        rows: &[
            ("from % to %", "--timestart % --timestop %"),
            ("?on %", "--weekdays %"),
            ("?on %", "--monthdays %"),
            ("starting from % %", "--datestart %T%"),
            ("until date % %", "--datestop %T%"),
            ("UTC", "--utc"),
            ("contiguous", "--contiguous"),
        ],
        value: Some(listed_value),
    },
    check,
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "time",
        "times of the day, days and dates",
        &[
            Opt::new("--timestart", Kind::Own(&CLOCK)),
            Opt::new("--timestop", Kind::Own(&CLOCK)),
            Opt::new("--monthdays", Kind::Own(&MONTHDAYS)).negatable(),
            Opt::new("--weekdays", Kind::Own(&WEEKDAYS_LIST)).negatable(),
            Opt::new("--datestart", Kind::Own(&DATE)),
            Opt::new("--datestop", Kind::Own(&DATE)),
            Opt::new("--kerneltz", Kind::Flag)
                .repeatable()
                .excludes(&["--utc"]),
            Opt::new("--localtz", Kind::Flag)
                .repeatable()
                .stored_as("--kerneltz"),
            Opt::new("--utc", Kind::Flag),
            Opt::new("--contiguous", Kind::Flag),
        ],
    )
};
