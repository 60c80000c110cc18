//! The kinds of diagnostics.

use strum::{Display, EnumIter, EnumMessage, IntoStaticStr};

use super::Severity;

/// The stable name of a kind of diagnostic.
///
/// Messages may change, codes do not: programs and tests compare codes. The documentation of a
/// variant is its entry in `docs/diagnostics.md`, which a test keeps up to date.
#[derive(
    Clone,
    Copy,
    Debug,
    Display,
    EnumIter,
    EnumMessage,
    Eq,
    Hash,
    IntoStaticStr,
    Ord,
    PartialEq,
    PartialOrd,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    // The input as a whole.
    /// The text contains no rules of iptables. The message names what it contains instead, where
    /// that is known.
    NoRules,
    /// The text is empty: the command printed no rules.
    EmptyInput,
    /// The text contains native nftables rules, which the reader does not support. An error where
    /// it contains no other rules.
    NativeNftables,
    /// A message of a tool, next to the rules, reports a failure: the dump may be incomplete. An
    /// error where the text contains no rules.
    ToolFailed,
    /// A message of a tool, next to the rules, reports rules of the other backend, which this dump
    /// does not contain. An error where the text contains no rules.
    OtherBackend,
    /// The dump shows the filter table only, while a mesh redirects traffic in the nat table.
    FilterTableOnly,
    /// A rule or a command exceeds a limit of the reader, such as the number of words. The reader
    /// skips the rest.
    LimitExceeded,
    /// A part of the text is not read, because the text exceeds a limit of the reader, such as the
    /// number of lines. Every chain may have more rules.
    PartNotRead,
    /// The reader repaired the text, for example rejoined wrapped lines.
    RepairedText,
    /// A command of the text changes the host, such as `ip rule add`. A warning where the command
    /// is not understood.
    HostCommand,
    /// The reader reports at most 100 diagnostics of each severity.
    MoreDiagnostics,
    /// A link or a file cannot be opened.
    UnreadableInput,

    // A capture.
    /// The text is JSON, but not the JSON of a capture.
    InvalidCapture,
    /// A newer version of the helper wrote the capture.
    NewerCapture,
    /// The capture contains no rules.
    EmptyCapture,

    // Tables and chains.
    /// A line names a table that iptables does not have.
    UnknownTable,
    /// A table has no `COMMIT` line: the dump may be truncated.
    MissingCommit,
    /// The line that names a table is missing, and the chains fit one table only.
    MissingTableLine,
    /// A line is outside any table.
    OutsideTable,
    /// A listing does not name its table, and its chains and targets fit one table only.
    InferredTable,
    /// A listing does not name its table, and the reader assumes the most likely one.
    AssumedTable,
    /// The input shows a table twice, with the same rules.
    DuplicateTable,
    /// The input shows a table twice, with different rules.
    ConflictingTable,
    /// Lines or addresses of a table are missing, and other parts of the input restore them.
    DamagedTable,
    /// A chain is declared twice, or created although it exists.
    DuplicateChain,
    /// A rule belongs to a chain that its table does not declare.
    UndeclaredChain,
    /// A chain is declared after its rules.
    LateChain,
    /// A command names a chain that does not exist.
    UnknownChain,
    /// iptables refuses the name of a chain: it begins with `-` or `!`, contains a blank, or is too
    /// long.
    InvalidChainName,
    /// The name of a chain is longer than iptables accepts. nf_tables has such chains, and no
    /// iptables command can name them.
    LongChainName,
    /// A rule or a command uses a built-in chain as if it were a user-defined one.
    BuiltInChain,
    /// A command deletes a chain that is built in, not empty, or still in use.
    ChainInUse,
    /// The policy of a built-in chain is missing or not valid.
    InvalidPolicy,
    /// A user-defined chain has a policy.
    PolicyOnUserChain,
    /// Counters are not two numbers.
    InvalidCounters,
    /// A rule jumps to a chain or target that does not exist.
    UnknownTarget,
    /// Jumps form a loop, which the kernel refuses.
    ChainLoop,
    /// Chains are nested deeper than iptables-nft allows.
    DeepNesting,
    /// Chains are nested deeper than iptables-nft allows, and the backend is unknown.
    PossiblyDeepNesting,

    // Lines and commands.
    /// A line is not part of the format around it. The reader skips it.
    UnknownLine,
    /// A line does not begin as a rule does.
    NotARule,
    /// A command lacks an argument, such as the name of a chain.
    MissingArgument,
    /// A line contains more than one command.
    SeveralCommands,
    /// The number of a rule is not valid in its chain.
    InvalidRuleNumber,
    /// A command deletes or checks a rule that the chain does not have.
    NoSuchRule,
    /// The text of a script does not determine whether a command runs, or with which input; or
    /// nothing calls a function.
    ConditionalCommand,
    /// Commands are not carried out, because a later dump shows their result.
    SupersededCommands,
    /// A quotation mark is not closed.
    UnclosedQuote,

    // Options of a rule.
    /// No match or target of the rule has this option.
    UnknownOption,
    /// A word is neither an option nor the value of one.
    UnexpectedWord,
    /// An abbreviation fits several options or values.
    AmbiguousName,
    /// An option or a target occurs twice.
    DuplicateOption,
    /// A match or target lacks an option that it needs.
    MissingOption,
    /// A match or target needs `-p` with a certain protocol.
    MissingProtocol,
    /// Two options exclude each other.
    ConflictingOptions,
    /// Nothing follows a `!`, or another `!`.
    MisplacedNegation,
    /// The option cannot be negated.
    NotNegatable,

    // Values.
    /// An option lacks its value.
    MissingValue,
    /// An option lacks its address: somebody may have removed it from the dump.
    LostAddress,
    /// A value is only known when the script runs.
    UnknownVariable,
    /// An option that takes no value has one.
    UnexpectedValue,
    /// A value is not valid for its option.
    InvalidValue,
    /// No interface of the kernel has this name: it contains a blank, a `/` or a control character.
    InvalidInterface,
    /// An option names the label of an address, such as `eth0:1`, in place of an interface. No
    /// interface has this name.
    InterfaceLabel,
    /// The first number of a range is larger than the last.
    ReversedRange,
    /// Several values are valid one by one, but iptables or the kernel refuses them together.
    RefusedCombination,
    /// A list of addresses is used where only one address is allowed.
    SeveralAddresses,

    // Matches and targets.
    /// The match depends on facts outside the rules, such as the contents of a set.
    UndeterminedMatch,
    /// The match is not supported: whether it matches is unknown.
    UnsupportedMatch,
    /// The target is not supported: its effect is unknown.
    UnsupportedTarget,
    /// An address, option, match or target belongs to the other address family.
    OtherFamily,
    /// This backend or kernel does not have the target.
    UnavailableTarget,
    /// A match or target is not allowed in this table.
    WrongTable,
    /// A match, target or interface option is not allowed at a hook that leads to the rule.
    WrongHook,

    // Details that a listing lacks.
    /// A listing without `-v` does not show interfaces.
    UnlistedInterfaces,
    /// A listing without `-n` shows names in place of addresses.
    NamedAddresses,
    /// A listing without `-n` shows names in place of ports.
    NamedPorts,
    /// A listing without `-x` rounds counters.
    RoundedCounters,
    /// An address is missing in a listing: somebody may have removed it.
    RemovedAddress,
    /// Words of a listing are not understood: whether the condition holds is unknown.
    UnknownWords,
    /// A row of a listing does not fit its columns: its conditions and effects are unknown.
    DamagedRow,
    /// The numbers of a listing's rules have a gap: rules are not shown.
    MissingRules,
    /// A row of a listing precedes the line that names its chain.
    OutsideChain,
}

impl Code {
    /// The severity of its diagnostics.
    pub const fn severity(self) -> Severity {
        match self {
            Self::DuplicateTable
            | Self::HostCommand
            | Self::InferredTable
            | Self::MoreDiagnostics
            | Self::NamedPorts
            | Self::RepairedText
            | Self::RoundedCounters
            | Self::SupersededCommands
            | Self::UndeterminedMatch => Severity::Note,
            Self::AssumedTable
            | Self::ConditionalCommand
            | Self::ConflictingTable
            | Self::DamagedTable
            | Self::EmptyCapture
            | Self::FilterTableOnly
            | Self::InterfaceLabel
            | Self::LateChain
            | Self::LongChainName
            | Self::MissingCommit
            | Self::MissingRules
            | Self::MissingTableLine
            | Self::NamedAddresses
            | Self::NativeNftables
            | Self::NewerCapture
            | Self::OtherBackend
            | Self::PossiblyDeepNesting
            | Self::ToolFailed
            | Self::UnknownLine
            | Self::UnknownVariable
            | Self::UnknownWords
            | Self::UnlistedInterfaces
            | Self::UnsupportedMatch
            | Self::UnsupportedTarget => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The text of the code, such as `unknown-table`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
