//! Commands of a text that change the host: `ip rule add`, `ip route add`, `sysctl -w`. Scripts for
//! TPROXY contain them.

use serde_json::{Map, Value, json};

use crate::packet::host::{Host, Route, RoutingRule};

/// A change of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostCommand {
    /// `ip rule add fwmark 9 table 109`
    Rule(RoutingRule),
    /// `ip route add local default dev lo table 109`
    Route(Route),
    /// `sysctl -w net.ipv4.ip_forward=1`
    Sysctl(String, String),
}

/// The maximum number of commands of a text.
const MAX_COMMANDS: usize = 200;

/// The maximum length of a line with a command.
const MAX_LINE_LENGTH: usize = 400;

impl HostCommand {
    /// The commands of a text that change the host, each with its line from 1; `None` for a command
    /// that is not understood.
    pub(crate) fn find(text: &str) -> Vec<(u32, Option<Self>)> {
        let lines = (1..).zip(text.lines());
        lines
            .filter_map(|(number, line)| Some((number, Self::parse(line)?)))
            .take(MAX_COMMANDS)
            .collect()
    }

    /// The command of a line, also after a prompt `$ ` or the `+ ` of `sh -x`. `Some(None)` for a
    /// command that is not understood.
    fn parse(line: &str) -> Option<Option<Self>> {
        let may_be = line.len() < MAX_LINE_LENGTH
            && ["ip ", "sysctl ", "/proc/sys/"]
                .iter()
                .any(|word| line.contains(word));
        if !may_be {
            return None;
        }
        let command = line
            .split(" #")
            .next()
            .unwrap_or_default()
            .split("||")
            .next()
            .unwrap_or_default();
        let command = command
            .split("2>")
            .next()
            .unwrap_or_default()
            .trim_end_matches([';', ' ', '&']);
        let mut words: Vec<&str> = command.split_whitespace().collect();
        while words
            .first()
            .is_some_and(|word| ["$", "+", "++", "sudo"].contains(word))
        {
            words.remove(0);
        }
        match &words[..] {
            ["ip" | "/sbin/ip" | "/usr/sbin/ip", rest @ ..] => parse_ip(rest),
            ["sysctl", "-w", name, "=", value] => Some(Some(sysctl(name, value))),
            ["sysctl", rest @ ..] => {
                let (name, value) = rest
                    .iter()
                    .find(|word| !word.starts_with('-'))?
                    .split_once('=')?;
                Some(Some(sysctl(name, value)))
            }
            ["echo", value, ">", path] => {
                let name = path.strip_prefix("/proc/sys/")?.replace('/', ".");
                Some(Some(sysctl(&name, value)))
            }
            _ => None,
        }
    }

    /// Makes the change.
    pub fn apply(&self, host: &mut Host) {
        match self {
            Self::Rule(rule) => host.rules.push(rule.clone()),
            Self::Route(route) => host.routes.push(route.clone()),
            Self::Sysctl(name, value) => drop(host.sysctls.insert(name.clone(), value.clone())),
        }
    }
}

fn sysctl(name: &str, value: &str) -> HostCommand {
    HostCommand::Sysctl(name.to_owned(), value.trim_matches(['"', '\'']).to_owned())
}

/// The words after `ip`.
fn parse_ip(words: &[&str]) -> Option<Option<HostCommand>> {
    let (family, words) = match words {
        ["-6" | "-family" | "--6", rest @ ..] => ("ipv6", rest),
        ["-4", rest @ ..] => ("ipv4", rest),
        rest => ("ipv4", rest),
    };
    match words {
        ["rule", "add", rest @ ..] => Some(parse_rule(rest, family)),
        ["route" | "ro" | "r", "add" | "replace", rest @ ..] => Some(parse_route(rest, family)),
        _ => None,
    }
}

/// A routing table by number, or by a name that every host has (rt_tables).
fn table(word: &str) -> Value {
    match word {
        "local" => json!(255),
        "main" => json!(254),
        "default" => json!(253),
        _ => json!(word),
    }
}

fn parse_rule(words: &[&str], family: &str) -> Option<HostCommand> {
    let mut fields = Map::from_iter([("family".to_owned(), json!(family))]);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "not" {
            fields.insert("not".into(), json!(true));
            continue;
        }
        let value = *words.next()?;
        match *word {
            "from" | "to" if value == "all" => {}
            "from" | "to" | "iif" => drop(fields.insert((*word).into(), json!(value))),
            "fwmark" => {
                let (mark, mask) = value
                    .split_once('/')
                    .map_or((value, None), |(mark, mask)| (mark, Some(mask)));
                fields.insert("fwmark".into(), json!(mark));
                fields.extend(mask.map(|mask| ("mask".to_owned(), json!(mask))));
            }
            "table" | "lookup" => drop(fields.insert("table".into(), table(value))),
            "priority" | "prio" | "pref" | "preference" | "order" => {
                drop(fields.insert("priority".into(), json!(value)))
            }
            // A condition that is not understood must not be dropped.
            _ => return None,
        }
    }
    fields.contains_key("table").then_some(())?;
    serde_json::from_value(Value::Object(fields))
        .ok()
        .map(HostCommand::Rule)
}

fn parse_route(words: &[&str], family: &str) -> Option<HostCommand> {
    let mut fields = Map::new();
    let words = match words {
        [
            kind @ ("local" | "blackhole" | "unreachable" | "prohibit" | "throw"),
            rest @ ..,
        ] => {
            fields.insert("type".into(), json!(kind));
            rest
        }
        ["unicast", rest @ ..] => rest,
        rest => rest,
    };
    let (dst, rest) = words.split_first()?;
    let any = if family == "ipv6" {
        "::/0"
    } else {
        "0.0.0.0/0"
    };
    fields.insert(
        "dst".into(),
        json!(if *dst == "default" || *dst == "0/0" {
            any
        } else {
            dst
        }),
    );
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let value = *words.next()?;
        match *word {
            "via" | "dev" | "src" | "metric" => drop(fields.insert((*word).into(), json!(value))),
            "table" => drop(fields.insert("table".into(), table(value))),
            "proto" | "scope" | "mtu" | "advmss" => {}
            _ => return None,
        }
    }
    serde_json::from_value(Value::Object(fields))
        .ok()
        .map(HostCommand::Route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(text: &str) -> Value {
        let mut host = Host::default();
        HostCommand::find(text)
            .iter()
            .filter_map(|(_, command)| command.as_ref())
            .for_each(|command| command.apply(&mut host));
        serde_json::to_value(host).expect("a host is JSON")
    }

    #[test]
    fn commands_change_the_host() {
        let text = "ip rule add fwmark 0x539/0xffff lookup 133 pref 100\n$ sudo ip -6 rule add from fd00::/8 table main\n\
                    + ip route add local default dev lo table 133\nip -6 route replace default via fd00::1 dev eth0 # up\n\
                    sysctl -w net.ipv4.ip_forward=1\necho 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet\n";
        let expected = json!({
            "routes": [
                {"dst": "0.0.0.0/0", "dev": "lo", "type": "local", "table": 133},
                {"dst": "::/0", "via": "fd00::1", "dev": "eth0"},
            ],
            "rules": [
                {"family": "ipv4", "fwmark": 0x539, "mask": 0xffff, "table": 133, "priority": 100},
                {"family": "ipv6", "from": "fd00::/8", "table": 254},
            ],
            "sysctls": {"net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.route_localnet": "1"},
        });
        assert_eq!(host_of(text), expected);
    }

    #[test]
    fn other_lines_change_nothing() {
        for line in [
            "# ip rule add fwmark 1 table 2",
            "ip rule show",
            "ip rule add fwmark 1 uidrange 1-2 table 3",
            "we ran ip rule add",
            "ip rule add table x",
        ] {
            assert_eq!(host_of(line), json!({}), "{line}");
        }
    }
}
