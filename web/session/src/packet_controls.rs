//! The controls of the packet form. A field with the same value in both packets has one control.

use chainwalk_core::packet::fields::{FormPlace, PacketField};

use crate::side::{FieldTarget, Side};
use crate::state::Evaluation;

/// A control: its field, and the packets that it changes.
pub type Control = (PacketField, FieldTarget);

/// The rows of controls for a row of fields. `split`: fields that stay split, even with equal
/// values.
pub fn control_rows(
    evaluation: &Evaluation,
    split: &[PacketField],
    fields: &[PacketField],
) -> Vec<Vec<Control>> {
    let targets: Vec<(PacketField, Vec<FieldTarget>)> = fields
        .iter()
        .map(|field| (*field, targets(evaluation, split, *field)))
        .filter(|(_, targets)| !targets.is_empty())
        .collect();
    let has_split = targets.iter().any(|(_, targets)| targets.len() > 1);
    let rows = targets.into_iter().map(|(field, targets)| {
        let controls = targets.into_iter().map(|target| (field, target));
        controls.collect::<Vec<Control>>()
    });
    if has_split {
        return rows.collect();
    }
    let row: Vec<Control> = rows.flatten().collect();
    if row.is_empty() {
        Vec::new()
    } else {
        vec![row]
    }
}

/// The controls of a field: one for both packets, or one for each packet that has it.
fn targets(evaluation: &Evaluation, split: &[PacketField], field: PacketField) -> Vec<FieldTarget> {
    let workspace = &evaluation.workspace;
    let sides = workspace.sides().iter().copied();
    let sides: Vec<Side> = sides
        .filter(|side| workspace.slot(*side).form.applies(field))
        .collect();
    if !sides.is_empty() && workspace.compare && !evaluation.differs(field, split) {
        return vec![FieldTarget::Both];
    }
    sides.into_iter().map(FieldTarget::One).collect()
}

/// The error of a field.
pub fn field_error(
    evaluation: &Evaluation,
    field: PacketField,
    target: FieldTarget,
) -> Option<&str> {
    let mut errors = evaluation.field_errors(target.side()).iter();
    errors
        .find(|error| error.field == field)
        .map(|error| &*error.message)
}

/// Whether one of the fields that the form hides at first has an error.
pub fn hides_error(evaluation: &Evaluation) -> bool {
    let sides = evaluation.workspace.sides().iter();
    let mut errors = sides.flat_map(|side| evaluation.field_errors(*side));
    errors.any(|error| error.field.row().place == FormPlace::Details)
}

/// The packets that a scenario has filled in.
pub fn sides_of_scenario(evaluation: &Evaluation, key: &str) -> Vec<Side> {
    let workspace = &evaluation.workspace;
    let sides = workspace.sides().iter().copied();
    sides
        .filter(|side| workspace.slot(*side).scenario == Some(key))
        .collect()
}

/// The differences of two packets in words; empty for one packet.
pub fn describe_differences(evaluation: &Evaluation) -> String {
    match &evaluation.differences()[..] {
        _ if !evaluation.workspace.compare => String::new(),
        [] => "they are equal".into(),
        [one] => format!("only {} differs", one.label()),
        several => format!("{} fields differ", several.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Action, State};
    use std::rc::Rc;

    const PORTS: [PacketField; 2] = [PacketField::Sport, PacketField::Dport];

    #[test]
    fn fields_with_equal_values_have_one_control_in_one_row() {
        let state = Rc::new(State::default());
        assert_eq!(
            control_rows(&state.evaluation, &[], &PORTS),
            [PORTS.map(|field| (field, FieldTarget::Both))]
        );
        let one = state.reduce(Action::Compare);
        assert_eq!(describe_differences(&one.evaluation), "");
        assert_eq!(
            control_rows(&one.evaluation, &[], &PORTS),
            [PORTS.map(|field| (field, FieldTarget::One(Side::B)))]
        );
    }

    #[test]
    fn a_split_field_has_a_row_of_its_own() {
        let state = State::default();
        let [from, to] = PORTS;
        assert_eq!(
            control_rows(&state.evaluation, &[to], &PORTS),
            [
                vec![(from, FieldTarget::Both)],
                vec![
                    (to, FieldTarget::One(Side::A)),
                    (to, FieldTarget::One(Side::B))
                ]
            ]
        );
    }
}
