//! Shell arithmetic, `$((N + 1))`, with determined values.

/// The longest expression that is evaluated.
const MAX_LENGTH: usize = 256;
/// The deepest nesting of brackets and signs.
const MAX_DEPTH: u8 = 24;

/// Binary operators with their precedence. An operator comes before any prefix of it.
const OPERATORS: [(&str, u8); 18] = [
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<<", 8),
    (">>", 8),
    ("<=", 7),
    (">=", 7),
    ("**", 0),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
];

/// The value of an expression; `None` where only a run determines it. `value` returns the values of
/// variables.
pub(super) fn evaluate(text: &str, value: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
    if text.len() > MAX_LENGTH || text.contains("++") || text.contains("--") {
        return None;
    }
    let mut expression = Expression {
        rest: text,
        value,
        depth: 0,
    };
    let result = expression.binary(1)?;
    expression.rest.trim().is_empty().then_some(result)
}

/// A number in shell syntax: `12`, `0x1f`, `017`.
pub(super) fn number(text: &str) -> Option<i64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain
        .then(|| i64::from_str_radix(digits, radix).ok())
        .flatten()
}

/// Like [`number`], with an optional sign.
pub(super) fn signed_number(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => number(digits).map(|number| -number),
        None => number(text),
    }
}

struct Expression<'e> {
    rest: &'e str,
    value: &'e dyn Fn(&str) -> Option<i64>,
    depth: u8,
}

impl Expression<'_> {
    fn binary(&mut self, lowest: u8) -> Option<i64> {
        let mut left = self.unary()?;
        loop {
            self.rest = self.rest.trim_start();
            let found = OPERATORS
                .iter()
                .chain(&[("%", 10)])
                .find(|(operator, _)| self.rest.starts_with(operator));
            let Some((operator, precedence)) = found.filter(|(_, level)| *level >= lowest) else {
                return Some(left);
            };
            self.rest = &self.rest[operator.len()..];
            let right = self.binary(precedence + 1)?;
            left = apply(operator, left, right)?;
        }
    }

    fn unary(&mut self) -> Option<i64> {
        self.depth += 1;
        let value = if self.depth > MAX_DEPTH {
            None
        } else {
            self.operand()
        };
        self.depth -= 1;
        value
    }

    fn operand(&mut self) -> Option<i64> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        if matches!(first, '-' | '!' | '~') {
            self.rest = &self.rest[1..];
            let value = self.unary()?;
            return match first {
                '-' => value.checked_neg(),
                '!' => Some(i64::from(value == 0)),
                _ => Some(!value),
            };
        }
        if first == '(' {
            self.rest = &self.rest[1..];
            let value = self.binary(1)?;
            self.rest = self.rest.trim_start().strip_prefix(')')?;
            return Some(value);
        }
        let is_braced = self.rest.starts_with("${");
        self.rest = self.rest.strip_prefix("${").unwrap_or(self.rest);
        self.rest = self.rest.strip_prefix('$').unwrap_or(self.rest);
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = if is_braced {
            rest.strip_prefix('}')?
        } else {
            rest
        };
        let is_number = first.is_ascii_digit();
        if is_number {
            number(word)
        } else if word.is_empty() {
            None
        } else {
            (self.value)(word)
        }
    }
}

fn apply(operator: &str, left: i64, right: i64) -> Option<i64> {
    let truth = |holds: bool| Some(i64::from(holds));
    match operator {
        "||" => truth(left != 0 || right != 0),
        "&&" => truth(left != 0 && right != 0),
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<=" => truth(left <= right),
        ">=" => truth(left >= right),
        "<" => truth(left < right),
        ">" => truth(left > right),
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "&" => Some(left & right),
        "<<" => left.checked_shl(u32::try_from(right).ok()?),
        ">>" => left.checked_shr(u32::try_from(right).ok()?),
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_the_value_that_a_shell_gives_them() {
        let value = |name: &str| (name == "N").then_some(7);
        for (text, want) in [
            ("1 + 2 * 3", Some(7)),
            ("(1 + 2) * 3", Some(9)),
            ("N - 1", Some(6)),
            ("$N % 4 + ${N}", Some(10)),
            ("-N + 10", Some(3)),
            ("10 - 2 - 3", Some(5)),
            ("1 << 3 | 1", Some(9)),
            ("N > 3 && N < 9", Some(1)),
            ("!N", Some(0)),
            ("0x10 + 010", Some(24)),
            ("1 / 0", None),
            ("X + 1", None),
            ("N++", None),
            ("N = 3", None),
            ("N += 3", None),
            ("2 ** 3", None),
            ("1 +", None),
            ("08", None),
            ("", None),
            ("(1", None),
        ] {
            assert_eq!(evaluate(text, &value), want, "{text}");
        }
        let deep = "(".repeat(200);
        assert_eq!(evaluate(&deep, &value), None);
    }
}
