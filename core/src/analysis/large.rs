//! Generated large rule sets. They show how the page and the walk handle a node's rules without a
//! node.

use std::fmt::Write;

/// The number of endpoints of each service of [`kube_proxy`].
const ENDPOINTS: u32 = 3;

/// The rules of kube-proxy for a number of services with three endpoints each. A service has eleven
/// rules and four chains. One of the rules is in the chain that every packet meets (kubernetes,
/// pkg/proxy/iptables/proxier.go).
pub fn kube_proxy(services: u32) -> String {
    kube_proxy_of(services, ENDPOINTS)
}

/// Like [`kube_proxy`], with another number of endpoints.
pub fn kube_proxy_of(services: u32, endpoints: u32) -> String {
    let mut chains = String::new();
    let mut entries = String::new();
    let mut rules = String::new();
    for service in 0..services {
        let (own, ip) = (chain("SVC", service, 0), address(10, 96, service));
        let name = format!(
            "team-{}/{}-{service}:http",
            service % 40,
            ROLES[service as usize % ROLES.len()]
        );
        let to = format!(
            "-d {ip}/32 -p tcp -m comment --comment \"{name} cluster IP\" -m tcp --dport 80"
        );
        line(&mut chains, format_args!(":{own} - [0:0]"));
        line(&mut entries, format_args!("-A KUBE-SERVICES {to} -j {own}"));
        line(
            &mut rules,
            format_args!("-A {own} ! -s 10.244.0.0/16 {to} -j KUBE-MARK-MASQ"),
        );
        let mut ends = String::new();
        for endpoint in 0..endpoints {
            let (sep, ip) = (
                chain("SEP", service, endpoint),
                address(10, 244, service * endpoints + endpoint),
            );
            // kube-proxy prints ten digits. The kernel stores a fraction of 2^31, and iptables
            // prints that.
            let chance = match endpoints - endpoint {
                1 => String::new(),
                left => format!(
                    " -m statistic --mode random --probability {}",
                    probability(left)
                ),
            };
            line(&mut chains, format_args!(":{sep} - [0:0]"));
            line(
                &mut rules,
                format_args!(
                    "-A {own} -m comment --comment \"{name} -> {ip}:8080\"{chance} -j {sep}"
                ),
            );
            line(
                &mut ends,
                format_args!(
                    "-A {sep} -s {ip}/32 -m comment --comment \"{name}\" -j KUBE-MARK-MASQ"
                ),
            );
            line(
                &mut ends,
                format_args!(
                    "-A {sep} -p tcp -m comment --comment \"{name}\" -m tcp -j DNAT --to-destination {ip}:8080"
                ),
            );
        }
        rules += &ends;
    }
    format!(
        "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
         :KUBE-MARK-MASQ - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-POSTROUTING - [0:0]\n:KUBE-SERVICES - [0:0]\n{chains}\
         -A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
         -A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
         -A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING\n\
         -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n\
         -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n\
         -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n\
         -A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully\n\
         {entries}\
         -A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this \
         chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n{rules}COMMIT\n"
    )
}

/// One chain of table filter. `rule` makes its rules from their numbers. They can be chosen so that
/// no ordinary packet matches.
pub fn flat(rules: u32, rule: impl Fn(u32) -> String) -> String {
    let mut text =
        String::from("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    for number in 0..rules {
        line(
            &mut text,
            format_args!("-A OUTPUT {} -j DROP", rule(number)),
        );
    }
    text + "COMMIT\n"
}

/// A rule of [`flat`] that matches one address of 10.0.0.0/8.
pub fn blocked(number: u32) -> String {
    format!("-d {}/32", address(10, 0, number))
}

const ROLES: [&str; 5] = [
    "frontend",
    "checkout-service",
    "cart",
    "recommendation-api",
    "payments",
];

fn line(text: &mut String, line: std::fmt::Arguments) {
    writeln!(text, "{line}").expect("a String takes all that is written");
}

/// The address with this number after the first two octets, modulo the available range.
pub fn address(first: u8, second: u8, number: u32) -> std::net::Ipv4Addr {
    (u32::from_be_bytes([first, second, 0, 0]) + number).into()
}

/// The probability 1/`left`, as iptables prints it: eleven digits of a fraction of 2^31.
fn probability(left: u32) -> String {
    let of = u64::from(left);
    let kept = ((1_u64 << 31) * 2 + of) / (2 * of);
    let digits = (u128::from(kept) * 100_000_000_000 + (1 << 30)) >> 31;
    format!("0.{digits:011}")
}

/// A chain name in kube-proxy's style: sixteen characters of a hash.
fn chain(kind: &str, service: u32, endpoint: u32) -> String {
    let mut hash = (u64::from(service) << 16 | u64::from(endpoint))
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut name = format!("KUBE-{kind}-");
    for _ in 0..16 {
        name.push(char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(hash >> 59) as usize],
        ));
        hash = hash
            .wrapping_mul(0xd129_0f9b_4f2b_6a4d)
            .wrapping_add(0x2545_f491_4f6c_dd1d);
    }
    name
}
