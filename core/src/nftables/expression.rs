//! Expressions: values, the fields that they are compared with, sets, maps and operations (nft(8),
//! "EXPRESSIONS").

use super::cursor::Cursor;
use super::data_type::{self, DataForm, DataType};
use super::literal::Literal;
use super::selector::Selector;
use super::statement::verdict::Verdict;
use super::token::{Token, TokenKind};

/// A type, or several for a concatenation.
pub type Types<'a> = &'a [&'static DataType];

/// The maximum number of operations in a row. They nest, and the list of flags of a protocol has
/// fewer.
const MAX_OPERATIONS: usize = 64;

/// An operation on bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `&`
    And,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
}

impl Operator {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Or, "|", "or"),
        (Self::Xor, "^", "xor"),
        (Self::And, "&", "and"),
        (Self::ShiftLeft, "<<", "lshift"),
        (Self::ShiftRight, ">>", "rshift"),
    ];

    /// How strongly it binds its operands.
    fn rank(self) -> u8 {
        match self {
            Self::Or => 0,
            Self::Xor => 1,
            Self::And => 2,
            Self::ShiftLeft | Self::ShiftRight => 3,
        }
    }

    /// The operator of a token, and whether it is written as a word.
    fn parse(token: Token) -> Option<(Self, bool)> {
        let is_it = |text: &str, kind| token.kind == kind && token.text == text;
        Self::ALL.into_iter().find_map(|(operator, symbol, word)| {
            let is_word = is_it(word, TokenKind::Word);
            (is_word || is_it(symbol, TokenKind::Symbol)).then_some((operator, is_word))
        })
    }

    fn text(self, is_word: bool) -> &'static str {
        let row = Self::ALL.into_iter().find(|(other, ..)| *other == self);
        let (_, symbol, word) = row.expect("the table has all operators");
        if is_word { word } else { symbol }
    }
}

/// An operation and its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The operation.
    pub operator: Operator,
    /// The left operand.
    pub left: Expression,
    /// The right operand.
    pub right: Expression,
    /// Whether it is written as a word: `mark and 0xff`. Old versions, and rules of iptables-nft,
    /// are printed this way.
    pub is_word: bool,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A value.
    Literal(Literal, &'static DataType),
    /// Addresses with the same first bits.
    Prefix(Literal, &'static DataType, u8),
    /// All values from the first to the last.
    Range(Literal, Literal, &'static DataType),
    /// Bits: `new,established`.
    Flags(Vec<Self>),
    /// Bits under a mask: `syn / syn,ack`.
    FlagsUnderMask(Box<(Self, Self)>),
    /// A field of the packet.
    Selector(Selector),
    /// Several values or fields: `ip saddr . tcp dport`.
    Concatenation(Vec<Self>),
    /// A set without a name.
    Set(Vec<Element>),
    /// The name of a set or a map.
    SetReference(Box<str>),
    /// The element `*`, which any other value finds.
    Default,
    /// An operation on bits.
    Operation(Box<Operation>),
    /// The data that a key finds: `tcp dport map @ports`.
    Map(Box<(Self, Self)>),
    /// The data of a verdict map.
    Verdict(Verdict),
}

/// An element of a set or a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The value.
    pub key: Expression,
    /// Its properties, in the order in which nft prints them.
    pub properties: Vec<ElementProperty>,
    /// The value that it finds, in a map.
    pub data: Option<Expression>,
}

/// A property of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementProperty {
    /// `timeout 30s`: how long it stays.
    Timeout(Box<str>),
    /// `expires 9s996ms`: how long it stays from the listing on.
    Expires(Box<str>),
    /// `counter packets 1 bytes 60`
    Counter {
        /// Packets.
        packets: u64,
        /// Bytes.
        bytes: u64,
    },
    /// `comment "…"`
    Comment(Box<str>),
}

impl Expression {
    /// Parses the left side of a comparison: fields, possibly with operations.
    pub(super) fn parse_key(cursor: &mut Cursor) -> Option<Self> {
        let first = Self::Selector(Selector::parse(cursor)?);
        let first = Self::parse_operations(cursor, first, 0)?;
        if !cursor.peek()?.is_word(".") {
            return Some(first);
        }
        let mut parts = vec![first];
        while cursor.eat(".") {
            let next = Self::Selector(Selector::parse(cursor)?);
            parts.push(Self::parse_operations(cursor, next, 0)?);
        }
        Some(Self::Concatenation(parts))
    }

    /// Parses the value that a statement gives to a field of this type, and the map behind it.
    pub(super) fn parse_computed(cursor: &mut Cursor, data: &'static DataType) -> Option<Self> {
        let first = Self::parse_operand(cursor, data)?;
        let value = Self::parse_operations(cursor, first, 0)?;
        let value = if cursor.peek().is_some_and(|token| token.is_word(".")) {
            let mut parts = vec![value];
            while cursor.eat(".") {
                parts.push(Self::Selector(Selector::parse(cursor)?));
            }
            Self::Concatenation(parts)
        } else {
            value
        };
        if !cursor.eat("map") {
            return Some(value);
        }
        let keys = value.types();
        let data = Self::parse_mapping(cursor, &keys, Some(&[data]))?;
        Some(Self::Map(Box::new((value, data))))
    }

    /// Parses the set of a map: `@name`, or elements with data.
    pub(super) fn parse_mapping(
        cursor: &mut Cursor,
        keys: Types,
        data: Option<Types>,
    ) -> Option<Self> {
        if cursor.eat_symbol("@") {
            return Some(Self::SetReference(cursor.word()?.into()));
        }
        Self::parse_elements(cursor, keys, data).map(Self::Set)
    }

    fn parse_operations(cursor: &mut Cursor, first: Self, rank: u8) -> Option<Self> {
        let mut left = first;
        let mut count = 0;
        while let Some((operator, is_word)) = cursor.peek().and_then(Operator::parse)
            && operator.rank() >= rank
        {
            count += 1;
            if count > MAX_OPERATIONS {
                return None;
            }
            cursor.next();
            let data = left.types().first().copied().unwrap_or(&data_type::UNKNOWN);
            let right = Self::parse_operand(cursor, data)?;
            let right = Self::parse_operations(cursor, right, operator.rank() + 1)?;
            left = Self::Operation(Box::new(Operation {
                operator,
                left,
                right,
                is_word,
            }));
        }
        Some(left)
    }

    fn parse_operand(cursor: &mut Cursor, data: &'static DataType) -> Option<Self> {
        if cursor.eat_symbol("(") {
            let inner = cursor.nested(|cursor| {
                let first = Self::parse_operand(cursor, data)?;
                Self::parse_operations(cursor, first, 0)
            })?;
            return cursor.eat_symbol(")").then_some(inner);
        }
        match Selector::parse(&mut cursor.clone()) {
            // A name of a value may also be the name of a field: `ct state new`.
            Some(_) if data.number(cursor.peek()?.text).is_none() => {
                Selector::parse(cursor).map(Self::Selector)
            }
            _ => Self::parse_value(cursor, &[data]),
        }
    }

    /// Parses a value to compare with: a value, a range, a set, or the name of a set.
    pub(super) fn parse_value(cursor: &mut Cursor, types: Types) -> Option<Self> {
        if cursor.eat_symbol("@") {
            return Some(Self::SetReference(cursor.word()?.into()));
        }
        if cursor.peek()?.is_symbol("{") {
            return Self::parse_elements(cursor, types, None).map(Self::Set);
        }
        if cursor.eat("*") {
            return Some(Self::Default);
        }
        let mut parts = vec![Self::parse_part(cursor, type_at(types, 0))?];
        while cursor.eat(".") {
            parts.push(Self::parse_part(cursor, type_at(types, parts.len()))?);
        }
        match parts.len() {
            1 => parts.pop(),
            _ => Some(Self::Concatenation(parts)),
        }
    }

    /// Parses one value of a concatenation.
    fn parse_part(cursor: &mut Cursor, data: &'static DataType) -> Option<Self> {
        let first = Self::parse_single(cursor, data)?;
        let mut flags = vec![first];
        // In a set, a comma separates elements.
        while data.is_bitmask && !cursor.is_nested() && cursor.eat_symbol(",") {
            flags.push(Self::parse_single(cursor, data)?);
        }
        let value = match flags.len() {
            1 => flags.pop()?,
            _ => Self::Flags(flags),
        };
        if data.is_bitmask && cursor.eat("/") {
            let mask = Self::parse_part(cursor, data)?;
            return Some(Self::FlagsUnderMask(Box::new((value, mask))));
        }
        Some(value)
    }

    fn parse_single(cursor: &mut Cursor, data: &'static DataType) -> Option<Self> {
        let token = cursor.next()?;
        let single = match token.kind {
            TokenKind::Word => Self::from_word(token.text, data)?,
            _ => Self::Literal(Literal::parse(token, data)?, data),
        };
        let single = match single {
            Self::Literal(_, data) if cursor.keeps_spelling && data.is_alias(token.text) => {
                Self::Literal(Literal::Word(token.text.into()), data)
            }
            Self::Literal(value, data) if !cursor.keeps_spelling => {
                Self::Literal(value.with_all_digits(), data)
            }
            other => other,
        };
        // `"08:00"-"17:00"`
        if let Self::Literal(first, _) = &single
            && token.kind == TokenKind::Quoted
            && cursor.eat("-")
        {
            let last = Literal::parse(cursor.next()?, data)?;
            return Some(Self::Range(first.clone(), last, data));
        }
        Some(single)
    }

    /// Parses a value, a prefix or a range in one word.
    fn from_word(word: &str, data: &'static DataType) -> Option<Self> {
        let is_free = matches!(data.form, DataForm::Word | DataForm::Text);
        if let Some(value) = Literal::parse_word(word, data) {
            return Some(Self::Literal(value, data));
        }
        if is_free {
            return None;
        }
        if let Some((address, length)) = word.split_once('/') {
            let address = Literal::parse_word(address, data)?;
            return Some(Self::Prefix(address, data, length.parse().ok()?));
        }
        word.match_indices('-').find_map(|(at, _)| {
            let first = Literal::parse_word(&word[..at], data)?;
            let last = Literal::parse_word(&word[at + 1..], data)?;
            Some(Self::Range(first, last, data))
        })
    }

    /// Parses the elements of a set in braces. `data`: the types of the values that they find; without
    /// them, any value is kept as its form suggests.
    pub(super) fn parse_elements(
        cursor: &mut Cursor,
        keys: Types,
        data: Option<Types>,
    ) -> Option<Vec<Element>> {
        if !cursor.eat_symbol("{") {
            return None;
        }
        let mut elements = Vec::new();
        loop {
            cursor.skip_line_ends();
            if cursor.eat_symbol("}") {
                return Some(elements);
            }
            elements.push(cursor.nested(|cursor| Element::parse(cursor, keys, data))?);
            cursor.skip_line_ends();
            if !cursor.eat_symbol(",") {
                return cursor.eat_symbol("}").then_some(elements);
            }
        }
    }

    /// The types of its values.
    pub fn types(&self) -> Vec<&'static DataType> {
        match self {
            Self::Literal(_, data) | Self::Prefix(_, data, _) | Self::Range(_, _, data) => {
                vec![data]
            }
            Self::Selector(selector) => vec![selector.data_type()],
            Self::Concatenation(parts) => parts.iter().flat_map(Self::types).collect(),
            Self::Operation(operation) => operation.left.types(),
            Self::Flags(flags) => flags.first().map_or(Vec::new(), Self::types),
            Self::FlagsUnderMask(pair) => pair.0.types(),
            Self::Set(_)
            | Self::SetReference(_)
            | Self::Default
            | Self::Map(_)
            | Self::Verdict(_) => Vec::new(),
        }
    }

    /// Prints it as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        match self {
            Self::Literal(value, data) => value.print(data, out),
            Self::Prefix(address, data, length) => {
                address.print(data, out);
                out.push_str(&format!("/{length}"));
            }
            Self::Range(first, last, data) => {
                first.print(data, out);
                out.push('-');
                last.print(data, out);
            }
            Self::Flags(flags) => print_list(flags, ",", out),
            Self::FlagsUnderMask(pair) => {
                pair.0.print(out);
                out.push_str(" / ");
                pair.1.print(out);
            }
            Self::Selector(selector) => selector.print(out),
            Self::Concatenation(parts) => print_list(parts, " . ", out),
            Self::Set(elements) => print_elements(elements, out),
            Self::SetReference(name) => {
                out.push('@');
                out.push_str(name);
            }
            Self::Default => out.push('*'),
            Self::Operation(operation) => operation.print(out),
            Self::Map(pair) => {
                pair.0.print(out);
                out.push_str(" map ");
                pair.1.print(out);
            }
            Self::Verdict(verdict) => verdict.print(out),
        }
    }
}

/// The type of a part of a concatenation.
fn type_at(types: Types, place: usize) -> &'static DataType {
    types.get(place).copied().unwrap_or(&data_type::UNKNOWN)
}

impl Operation {
    fn print(&self, out: &mut String) {
        self.left.print(out);
        out.push(' ');
        out.push_str(self.operator.text(self.is_word));
        out.push(' ');
        match &self.right {
            Expression::Operation(inner) if inner.operator.rank() <= self.operator.rank() => {
                out.push('(');
                inner.print(out);
                out.push(')');
            }
            right => right.print(out),
        }
    }
}

impl Element {
    fn parse(cursor: &mut Cursor, keys: Types, data: Option<Types>) -> Option<Self> {
        let key = Expression::parse_value(cursor, keys)?;
        let mut properties = Vec::new();
        while let Some(property) = ElementProperty::parse(cursor) {
            properties.push(property);
        }
        let data = match cursor.eat(":") {
            false => None,
            true => Some(match Verdict::parse(cursor) {
                Some(verdict) => Expression::Verdict(verdict),
                None => Expression::parse_value(cursor, data.unwrap_or_default())?,
            }),
        };
        Some(Self {
            key,
            properties,
            data,
        })
    }

    /// Prints it as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        self.key.print(out);
        for property in &self.properties {
            out.push(' ');
            property.print(out);
        }
        if let Some(data) = &self.data {
            out.push_str(" : ");
            data.print(out);
        }
    }
}

impl ElementProperty {
    fn parse(cursor: &mut Cursor) -> Option<Self> {
        if cursor.eat("timeout") {
            return Some(Self::Timeout(cursor.word()?.into()));
        }
        if cursor.eat("expires") {
            return Some(Self::Expires(cursor.word()?.into()));
        }
        if cursor.eat("comment") {
            return Some(Self::Comment(cursor.quoted()?.into()));
        }
        if !cursor.eat("counter") {
            return None;
        }
        let (mut packets, mut bytes) = (0, 0);
        if cursor.eat("packets") {
            packets = cursor.number()?;
            bytes = cursor.eat("bytes").then(|| cursor.number()).flatten()?;
        }
        Some(Self::Counter { packets, bytes })
    }

    fn print(&self, out: &mut String) {
        match self {
            Self::Timeout(time) => out.push_str(&format!("timeout {time}")),
            Self::Expires(time) => out.push_str(&format!("expires {time}")),
            Self::Counter { packets, bytes } => {
                out.push_str(&format!("counter packets {packets} bytes {bytes}"));
            }
            Self::Comment(comment) => out.push_str(&format!("comment \"{comment}\"")),
        }
    }
}

fn print_list(parts: &[Expression], separator: &str, out: &mut String) {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.push_str(separator);
        }
        part.print(out);
    }
}

fn print_elements(elements: &[Element], out: &mut String) {
    out.push_str("{ ");
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        element.print(out);
    }
    out.push_str(" }");
}
