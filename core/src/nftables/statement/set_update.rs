//! `add @set { … }`, `update`, `delete` (nft(8), "SET STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::expression::Expression;

use super::NativeStatement;

/// A change of a set by a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUpdate {
    /// `add`, `update` or `delete`.
    pub action: SetAction,
    /// The name of the set.
    pub set: Box<str>,
    /// The fields of the element.
    pub key: Expression,
    /// How long the element stays, as written.
    pub timeout: Option<Box<str>>,
    /// The limits and counters of the element.
    pub statements: Vec<NativeStatement>,
    /// The value that the element finds, in a map.
    pub data: Option<Expression>,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAction {
    /// Adds the element unless the set has it.
    Add,
    /// Adds the element, or begins its time again.
    Update,
    /// Removes the element.
    Delete,
}

impl SetUpdate {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let action = match cursor.word()? {
            "add" => SetAction::Add,
            "update" => SetAction::Update,
            _ => SetAction::Delete,
        };
        cursor.next();
        let set = cursor.word()?.into();
        if !cursor.eat_symbol("{") {
            return None;
        }
        let key = Expression::parse_key(cursor)?;
        let timeout = match cursor.eat("timeout") {
            true => Some(cursor.word()?.into()),
            false => None,
        };
        let mut statements = Vec::new();
        while !cursor.peek()?.is_symbol("}") && !cursor.peek()?.is_word(":") {
            statements.push(cursor.nested(NativeStatement::parse)?);
        }
        let data = match cursor.eat(":") {
            true => Some(Expression::parse_computed(
                cursor,
                &crate::nftables::data_type::UNKNOWN,
            )?),
            false => None,
        };
        cursor.eat_symbol("}").then_some(Self {
            action,
            set,
            key,
            timeout,
            statements,
            data,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        let action = match self.action {
            SetAction::Add => "add",
            SetAction::Update => "update",
            SetAction::Delete => "delete",
        };
        out.push_str(&format!("{action} @{} {{ ", self.set));
        self.key.print(out);
        if let Some(timeout) = &self.timeout {
            out.push_str(&format!(" timeout {timeout}"));
        }
        for statement in &self.statements {
            out.push(' ');
            statement.print(out);
        }
        if let Some(data) = &self.data {
            out.push_str(" : ");
            data.print(out);
        }
        out.push_str(" }");
    }
}
