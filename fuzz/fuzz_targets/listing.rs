//! Text made from pieces of `iptables -L` causes no panic, and its printed rules parse back
//! unchanged.

#![no_main]

use chainwalk_core::input::parse;
use chainwalk_fuzz::{Wishes, Woven, ask_everything, check_places, check_printed, weave};
use libfuzzer_sys::fuzz_target;

const KNOWN: &[&str] = &[
    "Chain ",
    "Chain  ",
    "Chain INPUT (policy ACCEPT)\n",
    "Chain OUTPUT (policy DROP 12K packets, 720M bytes)\n",
    "Chain PREROUTING (policy ACCEPT 1 packets, 2 bytes)\n",
    "Chain X (2 references)\n",
    "Chain ISTIO_OUTPUT (1 references)\n",
    " (policy ACCEPT)",
    " (1 references)",
    "target     prot opt source               destination         \n",
    " pkts bytes target     prot opt in     out     source               destination         \n",
    "num   pkts bytes target     prot opt in     out     source               destination\n",
    "num  target     prot opt source               destination\n",
    "ACCEPT     all  --  anywhere             anywhere            ",
    "DROP       tcp  --  0.0.0.0/0            0.0.0.0/0           ",
    "    1    60 RETURN     all  --  *      lo      127.0.0.6            0.0.0.0/0            ",
    "1        0     0 REDIRECT   tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            ",
    "X          all  --  !10.0.0.0/8          anywhere             ",
    "           0    --  anywhere  anywhere ",
    "2  ISTIO_REDIRECT  tcp  --  anywhere  !localhost  ",
    "    0     0            all      *      *       ::/0                 ::/0                 ",
    "tcp dpt:",
    "tcp dpts:1:2",
    "udp spt:domain",
    "multiport dports ",
    "80,443",
    "! owner UID match ",
    "owner GID match 1337",
    "mark match 0x539",
    "mark match ! 0x1/0xff",
    "redir ports 15001",
    "to:10.0.0.1:80",
    "TPROXY redirect 0.0.0.0:15006 mark 0x539/0xffffffff",
    "/* ",
    " */",
    "LOG flags 0 level 4 prefix \"",
    "\"",
    "\\",
    "reject-with icmp-port-unreachable",
    "limit: avg 1/sec burst 5",
    "ctstate RELATED,ESTABLISHED",
    "ctstate INVALID",
    "CONNMARK save",
    "MARK set 0x539",
    "MARK and 0x0",
    "match-set x dst",
    "ADDRTYPE match dst-type LOCAL",
    "recent: CHECK seconds: 1 name: x side: source mask: 255.255.255.255",
    "statistic mode random probability 0.5",
    "STRING match  \"x\" ALGO name bm",
    "u32 \"0x0=0x1\"",
    "policy match dir in pol ipsec",
    "[goto] ",
    "!",
    "--",
    "-f",
    "*",
    "0x",
    "é",
    "\u{a0}",
    "icmptype 8",
    "icmp !type 8 code 0",
    "length 1:2",
    "TTL match TTL == 1",
    "tcp flags:0x17/0x02",
    "# Warning: iptables-legacy tables present\n",
    "$ iptables -t nat -L -n -v\n",
    "| ",
    "> ",
    "\t",
    "99999999999999999999",
    "\r\n",
];

fuzz_target!(|input: (Wishes, Vec<Woven>)| {
    let (wishes, pieces) = input;
    let text = weave(&pieces, KNOWN);
    let parsed = parse::parse(text);
    check_places(&parsed);
    check_printed(&parsed);
    let host = chainwalk_core::packet::host::Host::pod();
    ask_everything(&parsed, &host, &[], wishes);
});
