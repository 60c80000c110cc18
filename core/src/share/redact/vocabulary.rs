//! The words that a redacted text keeps. All other words are replaced.

use std::collections::{HashMap, HashSet};

use crate::packet::Protocol;

/// The treatment of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// The option takes no value.
    Flag,
    /// Numbers and words of [`WORDS`] stay; anything else is replaced.
    Plain,
    /// Like `Plain`, with numbers in hexadecimal without `0x`.
    Hexadecimal,
    /// Addresses, networks and ranges, with ports.
    Address,
    /// A mask, or a number.
    Mask,
    /// A hardware address.
    Mac,
    /// The name of an interface. It is kept.
    Interface,
    /// The name of a chain. It is kept.
    Chain,
    /// The name of a match.
    Match,
    /// The name of a target or a chain.
    Target,
    /// A free name or text, which may begin like an option.
    Name(&'static str),
    /// A free text. A known option is not taken as the value.
    Text(&'static str),
    /// A number, or a name.
    NumberOrName(&'static str),
    /// A program that reads a packet's bytes. It is replaced by this one. The walk evaluates
    /// neither of them.
    Program(&'static str),
}

use ValueKind::{
    Address, Chain, Flag, Hexadecimal, Interface, Mac, Mask, Match, Name, NumberOrName, Plain,
    Program, Target, Text,
};

/// Every option of iptables and its extensions, with the treatment of its value.
#[rustfmt::skip]
const OPTIONS: [(ValueKind, &str); 29] = [
    (Match, "-m --match"),
    (Target, "-j --jump -g --goto"),
    (Chain, "-A --append -I --insert -D --delete -R --replace -C --check -N --new-chain -X --delete-chain -F --flush \
             -P --policy -E --rename-chain -Z --zero -L --list -S --list-rules"),
    (Flag, "-f --fragment -v --verbose -n --numeric -x --exact -4 --ipv4 -6 --ipv6 --interfaces --limit-iface-in \
            --limit-iface-out --socket-exists --suppl-groups --syn --save-mark --restore-mark --notrack --random \
            --persistent --random-fully --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid \
            --log-macdecode --ahres --fragres --fragfirst --fragmore --fraglast --compres --soft --physdev-is-in \
            --physdev-is-out --physdev-is-bridged --rt-0-res --rt-0-not-strict --checksum-fill --new --save --restore \
            --alarm --led-always-blink --queue-bypass --queue-cpu-fanout --exist --map-mark --map-prio --map-queue \
            --sack-perm --timestamp --ecn --clamp-mss-to-pmtu --connlimit-saddr --connlimit-daddr \
            --hashlimit-rate-match --ipvs --strict --next --rateest-delta --rateest-lt --rateest-gt --rateest-eq --set \
            --rcheck --update --remove --reap --rttl --rsource --rdest --loose --validmark --accept-local --invert \
            --return-nomatch --update-counters --update-subcounters --transparent --nowildcard --restore-skmark --icase \
            --kerneltz --localtz --utc --contiguous --ecn-tcp-remove"),
    (Plain, "-p --protocol --proto -t --table -c --set-counters -w --wait -W --wait-interval --src-type --dst-type \
             --mark --ctstate --ctproto --ctorigsrcport --ctorigdstport --ctreplsrcport --ctrepldstport --ctstatus \
             --ctexpire --ctdir --icmp-type --icmpv6-type --sports --source-ports --dports --destination-ports --ports \
             --uid-owner --gid-owner --state --sport --source-port --dport --destination-port --tcp-option --tcp-flags \
             --set-xmark --nfmask --ctmask --left-shift-mark --right-shift-mark --set-mark --and-mark --or-mark \
             --xor-mark --ctevents --expevents --zone --zone-orig --zone-reply --log-level --to-ports --to-port \
             --nflog-group --nflog-range --nflog-size --nflog-threshold --reject-with --on-port --tproxy-mark --dscp \
             --dscp-class --tos --ahspi --ahlen --cpu --dccp-types --dccp-option --src-group --dst-group --ecn-tcp-ece \
             --ecn-tcp-cwr --ecn-ip-ect --espspi --fragid --fraglen --hbh-len --hbh-opts --dst-len --dst-opts \
             --ipcompspi --header --length --mh-type --pkt-type --realm --rt-type --rt-segsleft --rt-len --chunk-types \
             --srh-next-hdr --srh-hdr-len-eq --srh-hdr-len-gt --srh-hdr-len-lt --srh-segs-left-eq --srh-segs-left-gt \
             --srh-segs-left-lt --srh-last-entry-eq --srh-last-entry-gt --srh-last-entry-lt --srh-tag --mss --ttl-eq \
             --ttl --ttl-lt --ttl-gt --hl-eq --hl --hl-lt --hl-gt --type --hashmode --total-nodes --local-node \
             --hash-init --set-dscp --set-dscp-class --hl-set --hl-dec --hl-inc --hmark-tuple --hmark-src-prefix \
             --hmark-dst-prefix --hmark-sport-mask --hmark-dport-mask --hmark-spi-mask --hmark-sport --hmark-dport \
             --hmark-spi --hmark-proto-mask --hmark-rnd --hmark-mod --hmark-offset --led-delay --queue-num \
             --queue-balance --rateest-interval --rateest-ewmalog --wscale --set-mss --strip-options --set-tos --and-tos \
             --or-tos --xor-tos --ttl-set --ttl-dec --ttl-inc --ulog-nlgroup --ulog-cprange --ulog-qthreshold --cgroup \
             --cluster-local-node --cluster-local-nodemask --cluster-total-nodes --cluster-hash-seed --connbytes \
             --connbytes-mode --connbytes-dir --connlimit-upto --connlimit-above --connlimit-mask --hashlimit-upto \
             --hashlimit --hashlimit-above --hashlimit-burst --hashlimit-mode --hashlimit-htable-size \
             --hashlimit-htable-max --hashlimit-htable-gcinterval --hashlimit-htable-expire --hashlimit-srcmask \
             --hashlimit-dstmask --hashlimit-rate-interval --vproto --vport --vdir --vmethod --vportctl --limit \
             --limit-burst --log --dir --pol --reqid --spi --mode --quota --rateest-bps1 --rateest-pps1 --rateest-bps2 \
             --rateest-bps --rateest-pps2 --rateest-pps --seconds --hitcount --packets-eq --packets-lt --packets-gt \
             --bytes-eq --bytes-lt --bytes-gt --probability --every --packet --algo --from --timestart --timestop \
             --monthdays --weekdays --datestart --datestop"),
    (Hexadecimal, "--set-class"),
    // In `-m string` it is a number.
    (Address, "-s --source --src -d --destination --dst --ctorigsrc --ctorigdst --ctreplsrc --ctrepldst \
               --to-destination --to-source --to --on-ip --src-range --dst-range --rt-0-addrs --srh-psid --srh-nsid \
               --srh-lsid --src-pfx --dst-pfx --gateway --vaddr --tunnel-dst --tunnel-src"),
    (Mask, "--mask"),
    (Mac, "--mac-source --clustermac"),
    (Interface, "-i --in-interface -o --out-interface --physdev-in --physdev-out --oif"),
    (Name("comment"), "--comment"),
    (Name("prefix"), "--log-prefix --nflog-prefix --ulog-prefix"),
    (Name("host"), "--source-name --destination-name"),
    (Name("words"), "--words"),
    (Name("helper"), "--helper"),
    (Text("set"), "--match-set --add-set --del-set --map-set"),
    (Name("list"), "--name"),
    (Name("limit"), "--hashlimit-name"),
    (Name("account"), "--nfacct-name"),
    (Name("rate"), "--rateest-name --rateest --rateest1 --rateest2"),
    (Name("genre"), "--genre"),
    (Name("trigger"), "--led-trigger-id"),
    (Name("path"), "--path --object-pinned -M --modprobe"),
    (Name("context"), "--selctx --secctx"),
    (Text("text"), "--string --hex-string"),
    (NumberOrName("timeout"), "--timeout"),
    (NumberOrName("label"), "--label"),
    (Program("0x0=0x0"), "--u32"),
    (Program("1,6 0 0 0"), "--bytecode"),
];

/// The matches of iptables.
const MATCHES: &str = "unlisted addrtype comment connmark conntrack icmp icmp6 icmpv6 ipv6-icmp mark multiport owner state \
    tcp udp dscp tos ah cpu dccp devgroup ecn esp eui64 frag hbh dst ipcomp iprange ipv6header length mac mh physdev \
    pkttype realm rt sctp srh tcpmss ttl hl bpf cgroup cluster connbytes connlabel connlimit hashlimit helper ipvs limit \
    nfacct osf policy quota rateest recent rpfilter set socket statistic string time u32";

/// Its targets.
const TARGETS: &str = "ACCEPT DROP QUEUE RETURN CONNMARK CT NOTRACK DNAT LOG MARK MASQUERADE NETMAP NFLOG REDIRECT REJECT \
    SNAT TPROXY AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNSECMARK DNPT DSCP ECN HL HMARK IDLETIMER LED NFQUEUE RATEEST SECMARK \
    SET SNPT SYNPROXY TCPMSS TCPOPTSTRIP TEE TOS TRACE TTL ULOG";

/// Words in the values of options: names of types, states, flags, units and similar words, without
/// separators.
const WORDS: &str = "src dst unspec unicast local broadcast anycast multicast otherhost host blackhole unreachable prohibit \
    throw nat xresolve invalid new related established untracked snat dnat none expected seen reply assured confirmed \
    original any all only fin syn rst psh ack urg icmp icmp6 net proto port prohibited admin adm addr tcp reset no route \
    policy fail reject destroy protoinfo helper mark natseqinfo secmark request response data dataack closereq close sync \
    syncack hop by opts ipv6 frag ah esp nonxt prot auth ct sport dport spi mss wscale sack permitted timestamp md5 accept \
    drop sourceip sourceport destport inf day hour min minute sec second s ms us msec usec b kb mb gb bit kbit mbit gbit \
    tbit kibit mibit gibit tibit bps kbps mbps gbps tbps kibps mibps gibps tibps pps mon tue wed thu fri sat sun packets \
    bytes avgpkt both in out ipsec transport tunnel random nth bm kmp srcip dstip srcport dstport gate ipip masq init \
    heartbeat abort shutdown error cookie echo ecn ecne cwr complete i re config pad asconf forward tsn raw mangle filter \
    security";

/// The characters that join numbers and words in a value.
const JOINING: &str = ",:/-.=&|@<>!+*_()";

/// Names that do not identify anybody: the list of `-m recent` without `--name`, this machine, and the
/// kernel's connection helpers.
const NAMES: &str =
    "DEFAULT localhost amanda ftp h323 irc netbios-ns pptp Q.931 RAS sane sip snmp snmp_trap tftp";

/// The comments of meshes; `#` is a list of ports. Istio's come from its scripts up to 0.7 and show
/// its version.
const MESH_COMMENTS: [&str; 21] = [
    "istio/bypass-default-outbound",
    "istio/bypass-envoy",
    "istio/bypass-explicit-loopback",
    "istio/common-output-chain",
    "istio/install-istio-output",
    "istio/install-istio-prerouting",
    "istio/redirect-common-chain",
    "istio/redirect-default-outbound",
    "istio/redirect-implicit-loopback",
    "istio/redirect-to-envoy-port",
    "kuma/mesh/transparent/proxy/redirect inbound",
    "kuma/mesh/transparent/proxy/redirect outbound",
    "proxy-init/ignore-loopback",
    "proxy-init/ignore-port-#",
    "proxy-init/ignore-proxy-user-id",
    "proxy-init/install-proxy-init-output",
    "proxy-init/install-proxy-init-prerouting",
    "proxy-init/redirect-all-incoming-to-proxy-port",
    "proxy-init/redirect-all-outgoing-to-proxy-port",
    "proxy-init/redirect-common-chain",
    "proxy-init/redirect-port-#-to-proxy-port",
];

/// The words of the messages of the capture helper, of the iptables tools and of the C library.
const PROSE: &str = "a c j t w above absolute action address addresses after again algorithms all allocate an and another answer any \
    app are argument arp as asked asking at backend bad be been before belongs below bin both bridge built busy but by \
    bytes called can cannot capabilities capability capture carry chain chains chainwalk change changed changing \
    characters check code command commands comment compatible complete component components connection contain container \
    containers contains could counts currently data date dead default denied descriptor destination device did digits dir \
    directory do does down drop empty ended enter error every exist exit failed fails failure family fatal fetch few file \
    files filter first fish for forbids format found from function generation get given has have held here hidepid hides \
    hint hold holding holds hop hops host hosts how id if implemented in incomplete incompatible inet initialize insmod \
    install installed instead interface interfaces into invalid io ip ip6 ip6tables iptables ipv ipv4 ipv6 is it its \
    itself kept kernel known large leads least left legacy less lib libraries like limit limits line lines link list \
    listing load loaded loading lock long looked looking lost lower machine mangle many may meanwhile memory mib missing \
    modprobe module modules more most mounted ms must name names namespace namespaces nat need needs net netdev netlink \
    netns network networks next nf nft nftables no node none not note nothing nor now nowhere number numbers of off ok \
    older on once one ones only open operation option or os other others out outgoing output own owned package packet packets \
    part pass path perhaps permission permissions permitted pid place pod port positive prefix present print printed \
    prints priority problem proc process processes profile program programs protocol ptrace raw read reading reason redact \
    redacted refused replaced resource rest root route routes routing rule rules ruleset rulesets run runs s same save say \
    says sbin seccomp second seconds security see sees self sent set shared short shorter show shows signal so socket \
    sockets some source started states still stopped sudo supported sys system systems table tables takes tell temporarily \
    text than that the them themselves there these they this those though time to too took tool toolbox tools tried try \
    tunnel type uid uids unable unavailable unknown upgraded use used user users usr utf value values var version walk \
    warn warning was went were what when where whether which while who why wide will with within without would write \
    written wrong xtables you your cap admin audit bpf chown chroot dac fowner mknod multi nice perfmon rawio resource \
    setgid setuid time";

/// The vocabulary in a form for fast lookups.
#[derive(Debug)]
pub(super) struct Vocabulary {
    options: HashMap<&'static str, ValueKind>,
    matches: HashSet<&'static str>,
    targets: HashSet<&'static str>,
    words: HashSet<&'static str>,
    names: HashSet<&'static str>,
    prose: HashSet<&'static str>,
}

impl Vocabulary {
    pub(super) fn new() -> Self {
        let set = |words: &'static str| words.split_ascii_whitespace().collect();
        let options = OPTIONS
            .iter()
            .flat_map(|(kind, flags)| flags.split_ascii_whitespace().map(|flag| (flag, *kind)));
        Self {
            options: options.collect(),
            matches: set(MATCHES),
            targets: set(TARGETS),
            words: set(WORDS),
            names: set(NAMES),
            prose: set(PROSE),
        }
    }

    /// A known option, and the treatment of its value.
    pub(super) fn option(&self, flag: &str) -> Option<(&'static str, ValueKind)> {
        self.options
            .get_key_value(flag)
            .map(|(flag, kind)| (*flag, *kind))
    }

    /// Whether a match or a target has this name.
    pub(super) fn is_extension(&self, name: &str, kind: ValueKind) -> bool {
        if kind == Match {
            self.matches.contains(name)
        } else {
            self.targets.contains(name)
        }
    }

    /// Whether a name identifies no one.
    pub(super) fn is_common(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a value consists of numbers and known words only.
    pub(super) fn is_plain(&self, value: &str, hexadecimal: bool) -> bool {
        // `DATA:Be`: the flags of a chunk.
        let is_flags = |before: &str, piece: &str| {
            before.ends_with(|c: char| c.is_ascii_alphabetic())
                && piece.bytes().all(|byte| b"IUBETiubet".contains(&byte))
        };
        value.chars().all(|c: char| c.is_ascii_alphanumeric() || JOINING.contains(c)) && value.split(',').all(|item: &str| {
            let mut parts = item.split(':');
            let first = parts.next().unwrap_or_default();
            let pieces = |part: &str| part.split(|c: char| c.is_ascii_punctuation()).all(|piece: &str| {
            let unit = piece.trim_start_matches(|c: char| c.is_ascii_digit());
            unit.is_empty()
                || is_hexadecimal(piece.strip_prefix("0x").unwrap_or(if hexadecimal { piece } else { "" }))
                || self.words.contains(&*piece.to_ascii_lowercase())
                || unit.len() < piece.len() && self.words.contains(&*unit.to_ascii_lowercase())
                // `2030-12-31T23:59:59`
                || unit.len() < piece.len() && unit.strip_prefix('T').is_some_and(|text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        });
            // Not an address: at most two colons, not next to each other, and at most one dot.
            item.bytes().filter(|byte| *byte == b':').count() < 3
                && !item.contains("::")
                && item.bytes().filter(|byte| *byte == b'.').count() < 2
                && pieces(first)
                && parts.all(|part| pieces(part) || is_flags(first, part))
        })
            || Protocol::from_text(value).is_some()
    }

    /// Whether a word of a message is a common one.
    pub(super) fn is_prose(&self, word: &str) -> bool {
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(word)
            || word.strip_prefix("0x").is_some_and(is_hexadecimal)
            || word
                .strip_prefix('v')
                .is_some_and(|text: &str| text.split('.').all(digits))
            || word.is_ascii()
                && word
                    .split(|c: char| "-_/='’".contains(c))
                    .all(|piece: &str| {
                        piece.is_empty() || self.prose.contains(&*piece.to_ascii_lowercase())
                    })
    }
}

fn is_hexadecimal(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a comment is exactly one of a mesh.
pub(super) fn is_mesh_comment(comment: &str) -> bool {
    MESH_COMMENTS
        .iter()
        .any(|known| match known.split_once('#') {
            None => comment == *known,
            Some((start, end)) => comment
                .strip_prefix(start)
                .and_then(|rest| rest.strip_suffix(end))
                .is_some_and(|text: &str| {
                    !text.is_empty()
                        && text
                            .bytes()
                            .all(|byte| byte.is_ascii_digit() || b",:-".contains(&byte))
                }),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iptables::extension::{Id, Kind, Role};

    /// The values of an option that this table does not contain would be lost.
    #[test]
    fn every_option_of_every_extension_is_known() {
        let vocabulary = Vocabulary::new();
        for extension in Id::all()
            .map(Id::get)
            .filter(|extension| !extension.name.starts_with('('))
        {
            let kind = if extension.role == Role::Match {
                Match
            } else {
                Target
            };
            for name in extension
                .aliases
                .iter()
                .chain([&extension.name])
                .filter(|_| extension.role != Role::Header)
            {
                assert!(vocabulary.is_extension(name, kind), "{name}");
            }
            for (flag, opt) in extension
                .options
                .iter()
                .flat_map(|opt| opt.flags().map(move |flag| (flag, opt)))
            {
                let (_, treated) = vocabulary
                    .option(flag)
                    .unwrap_or_else(|| panic!("{flag} of {}", extension.name));
                let fits = match opt.kind {
                    // In the target, these two options take a number.
                    Kind::Flag | Kind::Always(..) => {
                        treated == Flag || ["--ecn-tcp-ece", "--ecn-tcp-cwr"].contains(&flag)
                    }
                    Kind::Network | Kind::AddressSpan => treated == Address,
                    Kind::Address => matches!(treated, Address | Mask),
                    Kind::Mac => treated == Mac,
                    Kind::Interface => treated == Interface,
                    Kind::Mask => treated == Mask || treated == Plain,
                    Kind::Text(_) | Kind::Cut(_) | Kind::Line(_) | Kind::Word(_) => {
                        matches!(treated, Name(_) | NumberOrName(_))
                    }
                    // `--set` is an option of several extensions. `--to` can also be a network.
                    Kind::Own(_) if flag == "--set" => true,
                    Kind::Own(_) | Kind::Maybe(_) => treated != Flag,
                    _ => matches!(treated, Plain | NumberOrName(_)) || flag == "--to",
                };
                assert!(fits, "{flag} of {} is {treated:?}", extension.name);
            }
        }
    }

    #[test]
    fn numbers_and_known_words_are_plain() {
        let vocabulary = Vocabulary::new();
        for plain in [
            "443",
            "1024:65535",
            "!",
            "0x539/0xfff",
            "NEW,ESTABLISHED",
            "icmp-net-unreachable",
            "0.50000000000",
            "10/sec",
            "512kb/s",
            "23:59:59",
            "2030-12-31T23:59:59",
            "DATA:Be,SACK",
            "SHUTDOWN_ACK",
            "hop-by-hop,frag",
            "10Mbit",
            "250ms",
            "FIN,SYN",
            "tcp",
            "ipv6-icmp",
            "1-2",
            "0>>22&0x3C@0>>16=80",
            "vrrp",
        ] {
            assert!(vocabulary.is_plain(plain, false), "{plain}");
        }
        for other in [
            "bank",
            "10.1.2.3",
            "1:2:3:4:5:6:7:8",
            "2001::5",
            "00:11:22:33:44:55",
            "$UID",
            "12bank",
            "éé",
            "0xbank",
            "a1b2",
            "443,bank",
            "T12",
            "1Tx",
            "1.2.3",
        ] {
            assert!(!vocabulary.is_plain(other, false), "{other}");
        }
        assert!(vocabulary.is_plain("0001:ffff", true) && !vocabulary.is_plain("0001:ffff", false));
    }

    #[test]
    fn a_comment_that_only_begins_like_a_meshs_is_somebodys() {
        for own in [
            "proxy-init/ignore-port-4190,4191",
            "istio/bypass-envoy",
            "proxy-init/redirect-port-80-to-proxy-port",
        ] {
            assert!(is_mesh_comment(own), "{own}");
        }
        for other in [
            "proxy-init/bank",
            "istio/bypass-envoy bank",
            "osm-bank",
            "proxy-init/ignore-port-",
            "istio/",
        ] {
            assert!(!is_mesh_comment(other), "{other}");
        }
    }
}
