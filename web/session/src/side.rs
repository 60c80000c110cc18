//! The names of the two packets.

/// One of the two packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first, drawn with a solid line.
    A,
    /// The second, drawn with a dashed line.
    B,
}

impl Side {
    /// Its letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its letter, as ids use it.
    pub fn key(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// The packets that a field of the form changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldTarget {
    /// One of the packets.
    One(Side),
    /// Both: their fields are equal.
    Both,
}

impl FieldTarget {
    /// A packet whose value the field shows.
    pub fn side(self) -> Side {
        match self {
            Self::Both => Side::A,
            Self::One(side) => side,
        }
    }
}
