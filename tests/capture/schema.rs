//! The output has the form that `--schema` states.

use std::net::TcpListener;

use chainwalk_core::input::capture::Capture;
use chainwalk_core::netfilter::backend::Backend;
use serde_json::Value;

use crate::{SIDECAR, TPROXY, capture_json, run, sidecar};

#[test]
fn one_line_of_json_that_reads_back_the_same() {
    let (_pod, resident) = sidecar("json", Backend::Nft, TPROXY);
    let text = capture_json(resident.pid());
    assert_eq!(text.lines().count(), 1);
    let capture: Capture = serde_json::from_str(&text).expect("the capture reads back");
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(serde_json::to_value(&capture).expect("it was JSON"), value);
}

pub(crate) fn schema() -> Value {
    serde_json::from_slice(&run(&["--schema"]).stdout).expect("the schema is JSON")
}

#[test]
fn a_real_capture_has_the_keys_and_types_of_the_schema() {
    let (pod, resident) = sidecar("schema", Backend::Legacy, SIDECAR);
    let _socket = pod
        .namespace
        .inside(|| TcpListener::bind("10.244.1.5:8080").expect("nobody has it"));
    pod.namespace.ip("link set eth0 group 7");
    let value: Value = serde_json::from_str(&capture_json(resident.pid())).expect("it is JSON");
    assert_eq!(differences(&schema(), &value), [""; 0]);
}

#[test]
fn a_capture_with_everything_in_it_has_the_keys_and_types_of_the_schema() {
    let everything: Value =
        serde_json::from_str(include_str!("../fixtures/capture.json")).expect("it is JSON");
    let capture: Capture =
        serde_json::from_value(everything.clone()).expect("the types can read it");
    assert_eq!(
        serde_json::to_value(&capture).expect("it was JSON"),
        everything,
        "the types drop something"
    );
    assert_eq!(differences(&schema(), &everything), [""; 0]);
    // The example contains every part of the schema, and the check finds errors.
    assert_eq!(unused(&schema(), &everything), [""; 0]);
    for (pointer, wrong) in [
        ("/target/pid", "4711".into()),
        ("/rulesets/0/family", "ipx".into()),
        ("/host", 7.into()),
    ] {
        let mut damaged = everything.clone();
        *damaged.pointer_mut(pointer).expect("it is there") = wrong;
        assert_eq!(differences(&schema(), &damaged).len(), 1, "{pointer}");
    }
    let mut damaged = everything;
    damaged["target"]["unknown"] = Value::Null;
    damaged["host"]["routes"][0]
        .as_object_mut()
        .expect("a route")
        .remove("dst");
    assert_eq!(differences(&schema(), &damaged).len(), 2);
}

/// The positions at which a value has other keys or types than the schema. The schema uses only the
/// keywords that are handled here.
pub(crate) fn differences(schema: &Value, value: &Value) -> Vec<String> {
    Comparison::new(schema, value).differences
}

/// The properties of a schema that no part of the value uses.
fn unused(schema: &Value, value: &Value) -> Vec<String> {
    let used = Comparison::new(schema, value).used;
    let mut unused = Vec::new();
    let mut parts = vec![("", schema)];
    while let Some((name, part)) = parts.pop() {
        for (name, property) in part["properties"].as_object().into_iter().flatten() {
            if !used.contains(&std::ptr::from_ref(property)) {
                unused.push(name.clone());
            }
            parts.push((name, property));
        }
        parts.extend(
            part["$defs"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, part)| (name.as_str(), part)),
        );
        parts.extend(part.get("items").map(|items| (name, items)));
    }
    unused
}

/// A comparison of a value with a schema.
struct Comparison<'a> {
    schema: &'a Value,
    differences: Vec<String>,
    /// The properties that a part of the value has.
    used: Vec<*const Value>,
}

impl<'a> Comparison<'a> {
    fn new(schema: &'a Value, value: &Value) -> Self {
        let mut comparison = Self {
            schema,
            differences: Vec::new(),
            used: Vec::new(),
        };
        comparison.compare(schema, value, "");
        comparison
    }

    fn differs(&mut self, pointer: &str, what: &str) {
        self.differences.push(format!("{pointer}: {what}"));
    }

    fn compare(&mut self, schema: &'a Value, value: &Value, pointer: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self
                .schema
                .pointer(reference.trim_start_matches('#'))
                .expect("the schema refers to what it has");
            return self.compare(target, value, pointer);
        }
        let is = |kind: &Value| match kind.as_str().expect("a type is a word") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "integer" => value.is_u64() || value.is_i64(),
            other => panic!("the schema has the type {other}"),
        };
        let kinds = schema["type"]
            .as_array()
            .map_or_else(|| vec![schema["type"].clone()], Clone::clone);
        if !kinds.iter().any(is) {
            return self.differs(pointer, &format!("{value} is not {}", schema["type"]));
        }
        if schema["enum"]
            .as_array()
            .is_some_and(|known| !known.contains(value))
        {
            self.differs(pointer, &format!("{value} is none of {}", schema["enum"]));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            self.differs(pointer, &format!("{value} is not {}", schema["const"]));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("a name");
            if value.get(name).is_none() {
                self.differs(pointer, &format!("{name} is missing"));
            }
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let pointer = format!("{pointer}/{name}");
            let property = schema["properties"].get(name);
            self.used.extend(property.map(std::ptr::from_ref));
            match property.or_else(|| schema.get("additionalProperties")) {
                Some(schema) => self.compare(schema, member, &pointer),
                None => self.differs(&pointer, "the schema does not know it"),
            }
        }
        for (at, element) in value.as_array().into_iter().flatten().enumerate() {
            self.compare(&schema["items"], element, &format!("{pointer}/{at}"));
        }
    }
}
