//! The types of values (nft(8), "DATA TYPES"). A type determines the names of its values, and how
//! numbers print.

/// How a number without a name prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `80`
    Decimal,
    /// `0x02`, without leading zeros.
    Hexadecimal,
    /// `0x0000002a`, with this number of digits.
    Padded(u8),
}

/// The form of a type's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataForm {
    /// A number, possibly with a name.
    Number(Notation),
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A hardware address of six bytes.
    Mac,
    /// A text, printed in quotes.
    Text,
    /// Any word, kept as written.
    Word,
}

/// The number of elements that `nft list` prints in one line of a named set (`calculate_delim` in
/// nftables' `src/expression.c`; measured).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerLine {
    /// One.
    One,
    /// Two.
    Two,
    /// Five.
    Five,
}

/// A type.
#[derive(Debug)]
pub struct DataType {
    /// Its name, as `type` of a set states it.
    pub name: &'static str,
    /// The form of its values.
    pub form: DataForm,
    /// Names of values, in the order in which nft prints a list of flags.
    pub names: &'static [(&'static str, u32)],
    /// Whether nft prints these names. It only reads those of ICMP codes, because they belong to one
    /// ICMP type each.
    pub prints_names: bool,
    /// Whether a value is a set of bits: `new,established`.
    pub is_bitmask: bool,
    /// The number of elements in a line of a set.
    pub per_line: PerLine,
}

impl PartialEq for DataType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for DataType {}

impl DataType {
    /// The type with this name, as a set declares it.
    pub fn from_name(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|known| known.name == name)
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<u32> {
        let found = self.names.iter().find(|(known, _)| *known == name)?;
        Some(found.1)
    }

    /// Whether a name is not the one that nft prints for its number.
    pub fn is_alias(&self, name: &str) -> bool {
        let number = self.number(name);
        number.is_some_and(|number| self.name_of(number.into()) != Some(name))
    }

    /// The name of a number.
    pub fn name_of(&self, number: u64) -> Option<&'static str> {
        if !self.prints_names {
            return None;
        }
        let found = self
            .names
            .iter()
            .find(|(_, known)| u64::from(*known) == number)?;
        Some(found.0)
    }
}

const fn plain(name: &'static str, form: DataForm, per_line: PerLine) -> DataType {
    named(name, form, &[], per_line)
}

const fn named(
    name: &'static str,
    form: DataForm,
    names: &'static [(&'static str, u32)],
    per_line: PerLine,
) -> DataType {
    DataType {
        name,
        form,
        names,
        prints_names: true,
        is_bitmask: false,
        per_line,
    }
}

const fn bitmask(
    name: &'static str,
    form: DataForm,
    names: &'static [(&'static str, u32)],
    per_line: PerLine,
) -> DataType {
    DataType {
        name,
        form,
        names,
        prints_names: true,
        is_bitmask: true,
        per_line,
    }
}

const DECIMAL: DataForm = DataForm::Number(Notation::Decimal);
const HEXADECIMAL: DataForm = DataForm::Number(Notation::Hexadecimal);
const HEX8: DataForm = DataForm::Number(Notation::Padded(8));
const HEX4: DataForm = DataForm::Number(Notation::Padded(4));
const HEX2: DataForm = DataForm::Number(Notation::Padded(2));

/// `integer`
pub static INTEGER: DataType = plain("integer", DECIMAL, PerLine::Five);
/// The bits of a header at any position.
pub static BITS: DataType = plain("integer", HEXADECIMAL, PerLine::Five);
/// `string`
pub static STRING: DataType = plain("string", DataForm::Text, PerLine::One);
/// `mark`
pub static MARK: DataType = plain("mark", HEX8, PerLine::Five);
/// `ipv4_addr`
pub static IPV4_ADDR: DataType = plain("ipv4_addr", DataForm::Ipv4, PerLine::Two);
/// `ipv6_addr`
pub static IPV6_ADDR: DataType = plain("ipv6_addr", DataForm::Ipv6, PerLine::One);
/// `ether_addr`
pub static ETHER_ADDR: DataType = plain("ether_addr", DataForm::Mac, PerLine::One);
/// `ifname`
pub static IFNAME: DataType = plain("ifname", DataForm::Text, PerLine::One);
/// `iface_index`: a number, or the name of an interface.
pub static IFACE_INDEX: DataType = plain("iface_index", DataForm::Text, PerLine::Five);
/// `inet_service`
pub static INET_SERVICE: DataType = plain("inet_service", DECIMAL, PerLine::Five);
/// `uid`
pub static UID: DataType = plain("uid", DECIMAL, PerLine::Five);
/// `gid`
pub static GID: DataType = plain("gid", DECIMAL, PerLine::Five);
/// `realm`
pub static REALM: DataType = plain("realm", DECIMAL, PerLine::One);
/// `devgroup`
pub static DEVGROUP: DataType = named("devgroup", DECIMAL, &[("default", 0)], PerLine::One);
/// `classid`
pub static CLASSID: DataType = plain("classid", DataForm::Word, PerLine::Five);
/// `cgroupsv2`
pub static CGROUPSV2: DataType = plain("cgroupsv2", DataForm::Text, PerLine::One);
/// `ct_label`
pub static CT_LABEL: DataType = plain("ct_label", DataForm::Word, PerLine::One);
/// `time`: seconds, as a duration such as `1h30m`.
pub static TIME: DataType = plain("time", DataForm::Word, PerLine::One);
/// `hour`
pub static HOUR: DataType = plain("hour", DataForm::Text, PerLine::One);
/// `day`
pub static DAY: DataType = plain("day", DataForm::Word, PerLine::One);
/// A value that the input does not give a type, kept as written.
pub static UNKNOWN: DataType = plain("unknown", DataForm::Word, PerLine::One);

/// `boolean`: the result of a test of existence.
pub static BOOLEAN: DataType = named(
    "boolean",
    DECIMAL,
    &[("exists", 1), ("missing", 0)],
    PerLine::One,
);

/// `inet_proto`, with the names of `/etc/protocols` that nft prints.
pub static INET_PROTO: DataType = named(
    "inet_proto",
    DECIMAL,
    &[
        ("ip", 0),
        ("icmp", 1),
        ("igmp", 2),
        ("ggp", 3),
        ("ipencap", 4),
        ("st", 5),
        ("tcp", 6),
        ("egp", 8),
        ("igp", 9),
        ("pup", 12),
        ("udp", 17),
        ("hmp", 20),
        ("xns-idp", 22),
        ("rdp", 27),
        ("iso-tp4", 29),
        ("dccp", 33),
        ("xtp", 36),
        ("ddp", 37),
        ("idpr-cmtp", 38),
        ("ipv6", 41),
        ("ipv6-route", 43),
        ("ipv6-frag", 44),
        ("idrp", 45),
        ("rsvp", 46),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("skip", 57),
        ("ipv6-icmp", 58),
        ("icmpv6", 58),
        ("ipv6-nonxt", 59),
        ("ipv6-opts", 60),
        ("rspf", 73),
        ("vmtp", 81),
        ("eigrp", 88),
        ("ospf", 89),
        ("ax.25", 93),
        ("ipip", 94),
        ("etherip", 97),
        ("encap", 98),
        ("pim", 103),
        ("ipcomp", 108),
        ("comp", 108),
        ("vrrp", 112),
        ("l2tp", 115),
        ("isis", 124),
        ("sctp", 132),
        ("fc", 133),
        ("mobility-header", 135),
        ("udplite", 136),
        ("mpls-in-ip", 137),
        ("manet", 138),
        ("hip", 139),
        ("shim6", 140),
        ("wesp", 141),
        ("rohc", 142),
    ],
    PerLine::Five,
);

/// `nf_proto`
pub static NF_PROTO: DataType = named(
    "nf_proto",
    DECIMAL,
    &[("ipv4", 2), ("ipv6", 10)],
    PerLine::Five,
);

/// `ether_type`
pub static ETHER_TYPE: DataType = named(
    "ether_type",
    HEX4,
    &[
        ("ip", 0x0800),
        ("arp", 0x0806),
        ("ip6", 0x86dd),
        ("8021q", 0x8100),
        ("8021ad", 0x88a8),
        ("vlan", 0x8100),
    ],
    PerLine::One,
);

/// `pkt_type`
pub static PKT_TYPE: DataType = named(
    "pkt_type",
    DECIMAL,
    &[
        ("host", 0),
        ("unicast", 0),
        ("broadcast", 1),
        ("multicast", 2),
        ("other", 3),
    ],
    PerLine::Five,
);

/// `ct_state`
pub static CT_STATE: DataType = bitmask(
    "ct_state",
    HEX8,
    &[
        ("invalid", 1),
        ("established", 2),
        ("related", 4),
        ("new", 8),
        ("untracked", 64),
    ],
    PerLine::Two,
);

/// `ct_status`
pub static CT_STATUS: DataType = bitmask(
    "ct_status",
    HEX8,
    &[
        ("expected", 1),
        ("seen-reply", 2),
        ("assured", 4),
        ("confirmed", 8),
        ("snat", 16),
        ("dnat", 32),
        ("dying", 512),
    ],
    PerLine::Five,
);

/// `ct_dir`
pub static CT_DIR: DataType = named(
    "ct_dir",
    DECIMAL,
    &[("original", 0), ("reply", 1)],
    PerLine::Five,
);

/// `ct_event`
pub static CT_EVENT: DataType = bitmask(
    "ct_event",
    HEX8,
    &[
        ("new", 1),
        ("related", 2),
        ("destroy", 4),
        ("reply", 8),
        ("assured", 16),
        ("protoinfo", 32),
        ("helper", 64),
        ("mark", 128),
        ("seqadj", 256),
        ("secmark", 512),
        ("label", 1024),
    ],
    PerLine::One,
);

/// `fib_addrtype`
pub static FIB_ADDRTYPE: DataType = named(
    "fib_addrtype",
    DECIMAL,
    &[
        ("unspec", 0),
        ("unicast", 1),
        ("local", 2),
        ("broadcast", 3),
        ("anycast", 4),
        ("multicast", 5),
        ("blackhole", 6),
        ("unreachable", 7),
        ("prohibit", 8),
        ("throw", 9),
        ("nat", 10),
        ("xresolve", 11),
    ],
    PerLine::One,
);

/// `tcp_flag`
pub static TCP_FLAG: DataType = bitmask(
    "tcp_flag",
    HEXADECIMAL,
    &[
        ("fin", 1),
        ("syn", 2),
        ("rst", 4),
        ("psh", 8),
        ("ack", 16),
        ("urg", 32),
        ("ecn", 64),
        ("cwr", 128),
    ],
    PerLine::Five,
);

/// `icmp_type`
pub static ICMP_TYPE: DataType = named(
    "icmp_type",
    DECIMAL,
    &[
        ("echo-reply", 0),
        ("destination-unreachable", 3),
        ("source-quench", 4),
        ("redirect", 5),
        ("echo-request", 8),
        ("router-advertisement", 9),
        ("router-solicitation", 10),
        ("time-exceeded", 11),
        ("parameter-problem", 12),
        ("timestamp-request", 13),
        ("timestamp-reply", 14),
        ("info-request", 15),
        ("info-reply", 16),
        ("address-mask-request", 17),
        ("address-mask-reply", 18),
    ],
    PerLine::One,
);

/// `icmp_code`
pub static ICMP_CODE: DataType = ICMP_CODE_NAMES;

const ICMP_CODE_NAMES: DataType = named(
    "icmp_code",
    DECIMAL,
    &[
        ("net-unreachable", 0),
        ("host-unreachable", 1),
        ("prot-unreachable", 2),
        ("port-unreachable", 3),
        ("frag-needed", 4),
        ("net-prohibited", 9),
        ("host-prohibited", 10),
        ("admin-prohibited", 13),
    ],
    PerLine::One,
);

/// The code of an ICMP message to compare with.
pub static ICMP_CODE_NUMBER: DataType = DataType {
    prints_names: false,
    ..ICMP_CODE_NAMES
};

/// `icmpv6_type`
pub static ICMPV6_TYPE: DataType = named(
    "icmpv6_type",
    DECIMAL,
    &[
        ("destination-unreachable", 1),
        ("packet-too-big", 2),
        ("time-exceeded", 3),
        ("parameter-problem", 4),
        ("echo-request", 128),
        ("echo-reply", 129),
        ("mld-listener-query", 130),
        ("mld-listener-report", 131),
        ("mld-listener-done", 132),
        ("mld-listener-reduction", 132),
        ("nd-router-solicit", 133),
        ("nd-router-advert", 134),
        ("nd-neighbor-solicit", 135),
        ("nd-neighbor-advert", 136),
        ("nd-redirect", 137),
        ("router-renumbering", 138),
        ("ind-neighbor-solicit", 141),
        ("ind-neighbor-advert", 142),
        ("mld2-listener-report", 143),
    ],
    PerLine::One,
);

/// `icmpv6_code`
pub static ICMPV6_CODE: DataType = ICMPV6_CODE_NAMES;

const ICMPV6_CODE_NAMES: DataType = named(
    "icmpv6_code",
    DECIMAL,
    &[
        ("no-route", 0),
        ("admin-prohibited", 1),
        ("addr-unreachable", 3),
        ("port-unreachable", 4),
        ("policy-fail", 5),
        ("reject-route", 6),
    ],
    PerLine::One,
);

/// The code of an ICMPv6 message to compare with.
pub static ICMPV6_CODE_NUMBER: DataType = DataType {
    prints_names: false,
    ..ICMPV6_CODE_NAMES
};

/// `icmpx_code`
pub static ICMPX_CODE: DataType = named(
    "icmpx_code",
    DECIMAL,
    &[
        ("port-unreachable", 1),
        ("admin-prohibited", 3),
        ("no-route", 0),
        ("host-unreachable", 2),
    ],
    PerLine::One,
);

/// `dscp`
pub static DSCP: DataType = named(
    "dscp",
    HEX2,
    &[
        ("cs0", 0x00),
        ("cs1", 0x08),
        ("cs2", 0x10),
        ("cs3", 0x18),
        ("cs4", 0x20),
        ("cs5", 0x28),
        ("cs6", 0x30),
        ("cs7", 0x38),
        ("df", 0x00),
        ("be", 0x00),
        ("lephb", 0x01),
        ("af11", 0x0a),
        ("af12", 0x0c),
        ("af13", 0x0e),
        ("af21", 0x12),
        ("af22", 0x14),
        ("af23", 0x16),
        ("af31", 0x1a),
        ("af32", 0x1c),
        ("af33", 0x1e),
        ("af41", 0x22),
        ("af42", 0x24),
        ("af43", 0x26),
        ("va", 0x2c),
        ("ef", 0x2e),
    ],
    PerLine::One,
);

/// `ecn`
pub static ECN: DataType = named(
    "ecn",
    DECIMAL,
    &[("not-ect", 0), ("ect1", 1), ("ect0", 2), ("ce", 3)],
    PerLine::One,
);

/// `arp_op`
pub static ARP_OP: DataType = named(
    "arp_op",
    DECIMAL,
    &[
        ("request", 1),
        ("reply", 2),
        ("rrequest", 3),
        ("rreply", 4),
        ("inrequest", 8),
        ("inreply", 9),
        ("nak", 10),
    ],
    PerLine::Five,
);

/// The data of a map that gives verdicts.
pub static VERDICT: DataType = plain("verdict", DataForm::Word, PerLine::One);

/// All types that a set can declare.
static ALL: [&DataType; 35] = [
    &INTEGER,
    &STRING,
    &MARK,
    &IPV4_ADDR,
    &IPV6_ADDR,
    &ETHER_ADDR,
    &IFNAME,
    &IFACE_INDEX,
    &INET_SERVICE,
    &UID,
    &GID,
    &REALM,
    &DEVGROUP,
    &CLASSID,
    &CGROUPSV2,
    &CT_LABEL,
    &TIME,
    &HOUR,
    &DAY,
    &BOOLEAN,
    &INET_PROTO,
    &NF_PROTO,
    &ETHER_TYPE,
    &PKT_TYPE,
    &CT_STATE,
    &CT_STATUS,
    &CT_DIR,
    &CT_EVENT,
    &FIB_ADDRTYPE,
    &TCP_FLAG,
    &ICMP_TYPE,
    &ICMP_CODE,
    &ICMPV6_TYPE,
    &ICMPV6_CODE,
    &VERDICT,
];
