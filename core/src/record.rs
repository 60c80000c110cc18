//! Reads plain structs and names from JSON as serde's derive would, in a third of its code.
//!
//! The derive writes each struct's reader anew, and twice: from an object, and from an array that nobody writes. Here one loop
//! reads every object, and a struct only says what its fields are.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};

/// The fields of a struct, at most 64.
pub(crate) struct Fields {
    /// Their names in JSON.
    pub(crate) names: &'static [&'static str],
    /// A bit for each that must be there.
    pub(crate) needed: u64,
    /// Whether a name that is none of these is an error.
    pub(crate) strict: bool,
}

/// A struct that is read field by field into one that has every default. [`record!`] makes it.
pub(crate) trait Record: Sized {
    /// What it is called in messages.
    const NAME: &'static str;
    /// Its fields.
    const FIELDS: Fields;

    /// Before anything was read: the fields that must be there have any value at all.
    fn start() -> Self;

    /// Reads the value of a field, by its place in [`Self::FIELDS`].
    fn field<'de, A: MapAccess<'de>>(&mut self, place: usize, map: &mut A) -> Result<(), A::Error>;
}

/// Reads a struct.
pub(crate) fn read<'de, R: Record, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

struct Object<R>(PhantomData<R>);

impl<'de, R: Record> Visitor<'de> for Object<R> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<R, A::Error> {
        let mut record = R::start();
        each_field(&R::FIELDS, &mut map, &mut |place, map| record.field(place, map))?;
        Ok(record)
    }
}

type Done<E> = Result<(), E>;

/// Has `field` read each value, and sees that every name is known, stands once, and none is missing.
fn each_field<'de, A: MapAccess<'de>>(
    fields: &Fields,
    map: &mut A,
    field: &mut dyn FnMut(usize, &mut A) -> Done<A::Error>,
) -> Result<(), A::Error> {
    let mut seen = 0_u64;
    let name = Name { names: fields.names, other: if fields.strict { Other::Field } else { Other::Ignored } };
    while let Some(place) = map.next_key_seed(name)? {
        let Some(place) = place else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        if seen >> place & 1 == 1 {
            return Err(Error::duplicate_field(fields.names[place]));
        }
        seen |= 1 << place;
        field(place, map)?;
    }
    match fields.needed & !seen {
        0 => Ok(()),
        missing => Err(Error::missing_field(fields.names[missing.trailing_zeros() as usize])),
    }
}

/// Reads one of some names, for its place among them.
pub(crate) fn one_of<'de, D: Deserializer<'de>>(names: &'static [&'static str], from: D) -> Result<usize, D::Error> {
    let place = Name { names, other: Other::Value }.deserialize(from)?;
    Ok(place.expect("any other name is an error"))
}

/// One of some names.
#[derive(Clone, Copy)]
struct Name {
    names: &'static [&'static str],
    other: Other,
}

/// What a name is that is none of those.
#[derive(Clone, Copy)]
enum Other {
    /// Nothing that matters.
    Ignored,
    /// A field that does not exist.
    Field,
    /// A value that does not exist.
    Value,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of ")?;
        for (place, name) in self.names.iter().enumerate() {
            write!(f, "{}`{name}`", if place > 0 { ", " } else { "" })?;
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<usize>, E> {
        let place = self.names.iter().position(|name| *name == text);
        match self.other {
            Other::Field if place.is_none() => Err(E::unknown_field(text, self.names)),
            Other::Value if place.is_none() => Err(E::unknown_variant(text, self.names)),
            _ => Ok(place),
        }
    }
}

/// Makes a struct one that is read from JSON.
///
/// `must` stands before a field without which there is no struct, `may` before one that keeps what it has in `start`; behind it
/// the name in JSON where that is another (`as "type"`), and how it is written where that is not as its type is (`by
/// number::Optional`). `strict` refuses names that are none of these.
macro_rules! record {
    ($type:ident $(, $strict:ident)?; start $start:expr; $($need:ident $field:ident $(as $name:literal)? $(by $way:ty)?),+ $(,)?) => {
        const _: () = {
        #[allow(non_camel_case_types, reason = "they are the fields' names")]
        enum Place { $($field),+ }

        impl crate::record::Record for $type {
            const NAME: &'static str = concat!("struct ", stringify!($type));
            const FIELDS: crate::record::Fields = crate::record::Fields {
                names: &[$(record!(@name $field $($name)?)),+],
                needed: 0 $(| record!(@bit $need) << Place::$field as u32)+,
                strict: false $(|| record!(@$strict))?,
            };

            fn start() -> Self {
                $start
            }

            fn field<'de, A: serde::de::MapAccess<'de>>(&mut self, place: usize, map: &mut A) -> Result<(), A::Error> {
                $(if place == Place::$field as usize {
                    self.$field = record!(@read map $($way)?);
                })+
                Ok(())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::record::read(deserializer)
            }
        }
        };
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (@bit must) => { 1 };
    (@bit may) => { 0 };
    (@strict) => { true };
    (@read $map:ident) => { $map.next_value()? };
    (@read $map:ident $way:ty) => { $map.next_value::<$way>()?.0 };
}

/// Makes an enum one that is read from JSON by the names of its variants.
macro_rules! read_by_name {
    ($type:ident { $($name:literal => $variant:ident),+ $(,)? }) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok([$(Self::$variant),+][crate::record::one_of(&[$($name),+], deserializer)?])
            }
        }
    };
}

pub(crate) use {read_by_name, record};

#[cfg(test)]
mod tests {
    use crate::host::{Host, Interface};
    use crate::packet::Packet;

    #[test]
    fn what_is_wrong_with_an_object_is_said_with_its_place() {
        let packet = r#"{"origin": "local", "protocol": "tcp", "dst": "192.0.2.1""#;
        for (text, want) in [
            (format!("{packet}}}"), ""),
            (format!("{packet}, \"ttl\": \"0x20\"}}"), ""),
            (format!("{packet}, \"dst\": \"192.0.2.2\"}}"), "duplicate field `dst` at line 1 column 64"),
            (format!("{packet}, \"to\": 1}}"), "unknown field `to`, expected one of `origin`, `in_interface`"),
            (format!("{packet}, \"dscp\": 64}}"), "64 is out of range: 0 to 63"),
            (packet.replace("192", "x"), "invalid IP address syntax"),
            (r#"{"origin": "local"}"#.into(), "missing field `protocol` at line 1 column 19"),
            (r#"{"origin": "lokal"}"#.into(), "unknown variant `lokal`, expected `local` or `inbound`"),
            (r#"{"origin": 1}"#.into(), "invalid type: integer `1`, expected one of `local`, `inbound`"),
            ("[]".into(), "invalid type: sequence, expected struct Packet at line 1 column 0"),
        ] {
            let said = serde_json::from_str::<Packet>(&text).map_or_else(|error| error.to_string(), |_| String::new());
            assert!(if want.is_empty() { said.is_empty() } else { said.starts_with(want) }, "{text}: {said}");
        }
    }

    #[test]
    fn a_name_that_matters_to_nobody_is_passed_over() {
        let host = Host::from_json(r#"{"later": [{}], "interfaces": [{"name": "lo", "mtu": 9}]}"#);
        let lo = Interface { name: "lo".into(), addresses: Vec::new(), group: None, multicast_groups: None };
        assert_eq!(host.map(|host| host.interfaces), Ok(vec![lo]));
    }
}
