//! What the next byte of a WebAssembly program is, and what stood before it that tells something of it.
//!
//! Nothing here has to be right: where a program is not what this takes it for, it only packs worse. Any bytes may be fed.

/// Of what kind a byte is: each kind has a tree of its own, instructions one for each that stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, which is no program at all.
    Text,
    /// Sections without code: their numbers, sizes and contents.
    Plain,
    /// The data section.
    Data,
    /// How long a function is, and its variables.
    Head,
    Op,
    /// Types of blocks, globals, tables, and what else has few values.
    Few,
    Label,
    Function,
    FunctionRest,
    Variable,
    Align,
    Offset,
    OffsetRest,
    Int,
    IntRest,
    Long,
    Float,
}

/// How many kinds there are.
pub(crate) const KINDS: usize = Kind::Float as usize + 1;

/// How many trees there are.
pub(crate) const TREES: usize = KINDS + 256;

/// A program begins with so many bytes that say that it is one.
const MAGIC: u32 = 8;

/// How many contexts each byte has.
pub(crate) const CONTEXTS: usize = 3;

/// What has been read of one piece.
pub(crate) struct Reader {
    pub(crate) kind: Kind,
    state: State,
    /// A number that is being read, and how many bits of it there are.
    number: u32,
    bits: u32,
    /// Bytes left of the section, of the function's body, of a constant; functions and groups of variables left.
    section: u32,
    body: u32,
    functions: u32,
    groups: u32,
    count: u32,
    /// What follows the instruction's first number.
    then: Option<Kind>,
    /// The last bytes, the newest lowest.
    bytes: u128,
    /// The first bytes of the last instructions, the newest lowest; and the last one with its numbers, as a hash.
    ops: u64,
    instruction: u32,
    /// The last number of each kind.
    last: [u32; KINDS],
    /// Which function this is.
    function: u32,
    /// The variable that was set last.
    set: u32,
    /// Letters since the last that is none.
    word: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Magic,
    Section,
    SectionSize,
    Content,
    FunctionCount,
    BodySize,
    Groups,
    GroupCount,
    GroupType,
    Op,
    /// A number of an instruction.
    Number,
    /// How many labels a `br_table` has.
    Labels,
    /// Which of the instructions with two bytes it is.
    Extended,
    /// The bytes of a float.
    Bytes,
}

impl Reader {
    /// At the beginning of a piece.
    pub(crate) fn new() -> Self {
        Self {
            kind: Kind::Plain,
            state: State::Magic,
            number: 0,
            bits: 0,
            section: MAGIC,
            body: 0,
            functions: 0,
            groups: 0,
            count: 0,
            then: None,
            bytes: 0,
            ops: 0,
            instruction: 0,
            last: [0; KINDS],
            function: 0,
            set: 0,
            word: 0,
        }
    }

    /// Takes the next byte.
    pub(crate) fn feed(&mut self, byte: u8) {
        self.bytes = self.bytes << 8 | u128::from(byte);
        if byte.is_ascii_alphabetic() {
            self.word = hash(self.word, u32::from(byte | 32));
        } else {
            self.word = 0;
        }
        // The first byte of a program is 0.
        if byte != 0 && self.state == State::Magic && self.section == MAGIC {
            self.kind = Kind::Text;
        }
        if self.kind == Kind::Text {
            return;
        }
        self.advance(byte);
        if self.bits > 0 {
            // A number goes on.
            self.kind = match self.kind {
                Kind::Function => Kind::FunctionRest,
                Kind::Offset => Kind::OffsetRest,
                Kind::Int => Kind::IntRest,
                other => other,
            };
        }
    }

    /// What stood before the next byte, each as a hash of more or of something else.
    pub(crate) fn contexts(&self) -> [u32; CONTEXTS] {
        match self.kind {
            Kind::Text | Kind::Plain | Kind::Data | Kind::Head | Kind::Float => self.before(),
            Kind::Op => self.before_op(),
            _ => self.before_number(),
        }
    }

    /// Which tree the next byte is found in: its kind's, and for an instruction one by the instruction before.
    pub(crate) fn tree(&self) -> usize {
        match self.kind {
            Kind::Op => KINDS + (self.ops & 0xff) as usize,
            kind => kind as usize,
        }
    }

    fn advance(&mut self, byte: u8) {
        match self.state {
            State::Magic | State::Content => {
                self.section = self.section.wrapping_sub(1);
                if self.section == 0 {
                    self.go(State::Section, Kind::Plain);
                }
            }
            State::Section => {
                self.count = u32::from(byte);
                self.state = State::SectionSize;
            }
            State::GroupType => {
                self.body = self.body.wrapping_sub(1);
                self.groups = self.groups.wrapping_sub(1);
                match self.groups {
                    0 => self.next_instruction(),
                    _ => self.state = State::GroupCount,
                }
            }
            State::Op => self.op(byte),
            State::Bytes => {
                self.body = self.body.wrapping_sub(1);
                self.count = self.count.wrapping_sub(1);
                if self.count == 0 {
                    self.next_instruction();
                }
            }
            _ => self.digit(byte),
        }
    }

    /// One byte of a number: seven bits of it.
    fn digit(&mut self, byte: u8) {
        if !matches!(self.state, State::SectionSize | State::FunctionCount | State::BodySize) {
            self.body = self.body.wrapping_sub(1);
        }
        self.number |= u32::from(byte & 127).wrapping_shl(self.bits);
        self.bits += 7;
        if byte < 128 || self.bits > 63 {
            self.bits = 0;
            let number = core::mem::take(&mut self.number);
            self.whole(number);
        }
    }

    /// A number is read.
    fn whole(&mut self, number: u32) {
        match self.state {
            State::SectionSize => {
                self.section = number;
                match self.count {
                    _ if number == 0 => self.go(State::Section, Kind::Plain),
                    10 => self.go(State::FunctionCount, Kind::Plain),
                    11 => self.go(State::Content, Kind::Data),
                    _ => self.go(State::Content, Kind::Plain),
                }
            }
            State::FunctionCount => {
                self.functions = number;
                self.next_function();
            }
            State::BodySize => {
                self.body = number;
                self.go(State::Groups, Kind::Head);
            }
            State::Groups => {
                self.groups = number;
                match number {
                    0 => self.next_instruction(),
                    _ => self.state = State::GroupCount,
                }
            }
            State::GroupCount => self.state = State::GroupType,
            State::Labels => {
                self.count = number.wrapping_add(1);
                self.go(State::Number, Kind::Label);
            }
            // Floats made numbers, of which more is not said; memory and tables copied or begun, from one to another; or else of one.
            State::Extended if number < 8 => self.next_instruction(),
            State::Extended => {
                self.count = if matches!(number, 8 | 10 | 12 | 14) { 2 } else { 1 };
                self.go(State::Number, Kind::Few);
            }
            _ => {
                let kind = self.whole_kind();
                self.last[kind as usize] = number;
                self.instruction = hash(self.instruction, number);
                self.count = self.count.saturating_sub(1);
                if kind == Kind::Variable && self.ops as u8 != 0x20 {
                    self.set = self.set << 16 | number;
                }
                match self.then.take() {
                    Some(kind) => self.go(State::Number, kind),
                    None if self.count > 0 => self.go(State::Number, kind),
                    None => self.next_instruction(),
                }
            }
        }
    }

    /// What the number is that the next byte is part of.
    fn whole_kind(&self) -> Kind {
        match self.kind {
            Kind::FunctionRest => Kind::Function,
            Kind::OffsetRest => Kind::Offset,
            Kind::IntRest => Kind::Int,
            other => other,
        }
    }

    /// An instruction begins.
    fn op(&mut self, op: u8) {
        self.body = self.body.wrapping_sub(1);
        self.ops = self.ops << 8 | u64::from(op);
        self.instruction = u32::from(op);
        self.count = 0;
        self.then = None;
        match op {
            0x02..=0x04 | 0x1c | 0x23..=0x26 | 0x3f | 0x40 | 0xd0 | 0xd2 => self.go(State::Number, Kind::Few),
            0x0c | 0x0d => self.go(State::Number, Kind::Label),
            0x0e => self.go(State::Labels, Kind::Few),
            0x10 => self.go(State::Number, Kind::Function),
            0x11 => {
                self.then = Some(Kind::Few);
                self.go(State::Number, Kind::Few);
            }
            0x20..=0x22 => self.go(State::Number, Kind::Variable),
            0x28..=0x3e => {
                self.then = Some(Kind::Offset);
                self.go(State::Number, Kind::Align);
            }
            0x41 => self.go(State::Number, Kind::Int),
            0x42 => self.go(State::Number, Kind::Long),
            0x43 | 0x44 => {
                self.count = if op == 0x43 { 4 } else { 8 };
                self.go(State::Bytes, Kind::Float);
            }
            0xfc => self.go(State::Extended, Kind::Few),
            _ => self.next_instruction(),
        }
    }

    fn next_instruction(&mut self) {
        match self.body {
            0 => self.next_function(),
            _ => self.go(State::Op, Kind::Op),
        }
    }

    fn next_function(&mut self) {
        self.function += 1;
        self.ops = 0;
        self.set = 0;
        self.instruction = 0;
        self.functions = self.functions.wrapping_sub(1);
        match self.functions {
            u32::MAX => self.go(State::Section, Kind::Plain),
            _ => self.go(State::BodySize, Kind::Head),
        }
    }

    fn go(&mut self, state: State, kind: Kind) {
        self.state = state;
        self.kind = kind;
    }

    /// Of what is no code: bytes some places before, as tables have them; the last two; the word.
    fn before(&self) -> [u32; CONTEXTS] {
        let last = self.bytes as u32;
        let byte = |before: u32| u32::from((self.bytes >> (8 * (before - 1))) as u8);
        let kind = self.kind as u32;
        let column = if self.kind == Kind::Text { last } else { byte(4) << 16 | byte(8) << 8 | self.section & 3 };
        [hash(kind, column), hash(kind, last & 0xffff), hash(hash(kind, self.word), byte(1))]
    }

    /// Of an instruction: those before, and the last with its numbers.
    fn before_op(&self) -> [u32; CONTEXTS] {
        let kind = self.kind as u32;
        let ops = self.ops as u32;
        [hash(kind, ops & 0xff_ffff), hash(ops, (self.ops >> 32) as u32 & 0xffff), hash(kind, self.instruction)]
    }

    /// Of a number, each with what there is of it and its instruction: the function; the last of its kind; the instructions before.
    fn before_number(&self) -> [u32; CONTEXTS] {
        let ops = self.ops as u32;
        let last = self.last[self.whole_kind() as usize];
        let op = hash((self.kind as u32) << 8 | ops & 0xff, self.number << 5 | self.bits);
        let latest = if self.kind == Kind::Variable { self.set } else { last };
        [hash(op, self.function), hash(hash(op, ops & 0xff00), latest), hash(op, ops)]
    }
}

/// Mixes two numbers into one.
pub(crate) fn hash(a: u32, b: u32) -> u32 {
    (a ^ b.wrapping_mul(0x9e37_79b1)).rotate_left(15).wrapping_mul(0x85eb_ca6b)
}
