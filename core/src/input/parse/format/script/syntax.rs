//! The structure of a shell script: commands, conditions, loops and functions, as a tree.

use super::super::super::fragment::Lines;
use super::lexer::{Lexer, MAX_LINE_LENGTH, Token, TokenKind};
use super::shell;

/// The end of a list.
pub(super) const NONE: u32 = u32::MAX;
/// The deepest nesting of conditions, loops and functions.
const MAX_DEPTH: usize = 32;
/// The most commands of one condition, loop or function.
const MAX_NODES: usize = 200_000;
/// The most lines between `if` and its `then`.
const MAX_CONDITION_LINES: usize = 12;
/// The most bytes between `if` and its `then`.
const MAX_CONDITION_LENGTH: usize = 16 * 1024;
/// After this many words such as `if` without a `then`, such words count as prose.
const MAX_LONE_KEYWORDS: u32 = 256;

/// After this many here-documents with commands in them, the search for their ends stops.
const MAX_OPEN_DOCUMENTS: u32 = 32;

/// A range of the text.
pub(super) type Range = (u32, u32);

/// The dependency of a command on the result of the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Next,
    And,
    Or,
    Pipe,
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub(super) struct SyntaxNode {
    pub(super) kind: NodeKind,
    pub(super) link: Link,
    pub(super) is_negated: bool,
    /// The next command of its list.
    pub(super) next: u32,
}

/// The kinds of commands. A list is given as the place of its first command.
#[derive(Clone, Copy, Debug)]
pub(super) enum NodeKind {
    Simple(Range),
    Group {
        body: u32,
        is_subshell: bool,
    },
    /// Arms; the first arm with a true condition runs.
    If {
        arms: u32,
        is_whole: bool,
    },
    /// The condition of an arm of `if`; `NONE` for `else`.
    IfArm {
        condition: u32,
        body: u32,
    },
    Loop {
        condition: u32,
        body: u32,
        until: bool,
        is_whole: bool,
    },
    /// `for`: the variable and its values.
    For {
        head: Range,
        body: u32,
        is_whole: bool,
    },
    Case {
        word: Range,
        arms: u32,
        is_whole: bool,
    },
    CaseArm {
        patterns: Range,
        body: u32,
        falls_through: bool,
    },
    Function {
        name: Range,
        body: u32,
    },
}

/// The commands of a script.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<SyntaxNode>,
    /// Whether parsing stopped before the end of the structure.
    pub(super) is_lost: bool,
}

/// A list to which commands are added.
#[derive(Clone, Copy, Debug)]
struct ListBuilder {
    first: u32,
    last: u32,
}

impl ListBuilder {
    const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
    };
}

#[derive(Debug)]
enum Open {
    Group {
        is_subshell: bool,
        function: Option<Range>,
    },
    If {
        arms: ListBuilder,
        condition: Option<u32>,
    },
    Loop {
        until: bool,
        condition: Option<u32>,
    },
    For {
        head: Range,
    },
    Case {
        word: Range,
        arms: ListBuilder,
        patterns: Option<Range>,
    },
}

/// An open structure, with the place of its command.
#[derive(Debug)]
struct Frame {
    open: Open,
    list: ListBuilder,
    link: Link,
    is_negated: bool,
}

/// Reads the commands of a part of a text.
pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    lines: &'t Lines<'t>,
    /// The part in which every line belongs to a script. Other lines count only if they look like
    /// shell commands.
    certain: (usize, usize),
    frames: Vec<Frame>,
    list: ListBuilder,
    link: Link,
    is_negated: bool,
    /// The function whose body follows.
    function: Option<Range>,
    /// Whether a structure ended right before.
    is_after_structure: bool,
    /// The end words of the line's here-documents.
    documents: Vec<Range>,
    lone_keywords: u32,
    /// Here-documents with commands in them.
    open_documents: u32,
}

fn range(start: usize, end: usize) -> Range {
    let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
    (narrow(start), narrow(end))
}

impl<'t> Parser<'t> {
    pub(super) fn new(
        text: &'t str,
        lines: &'t Lines<'t>,
        (start, end): (usize, usize),
        certain: (usize, usize),
    ) -> Self {
        Self {
            lexer: Lexer::new(text, start, end),
            lines,
            certain,
            frames: Vec::new(),
            list: ListBuilder::EMPTY,
            link: Link::Next,
            is_negated: false,
            function: None,
            is_after_structure: false,
            documents: Vec::new(),
            lone_keywords: 0,
            open_documents: 0,
        }
    }

    /// The next group of commands: a line, or a structure over several lines. `is_function` returns
    /// whether a word names a function.
    pub(super) fn next(
        &mut self,
        tree: &mut Tree,
        is_function: &dyn Fn(&str) -> bool,
    ) -> Option<u32> {
        self.list = ListBuilder::EMPTY;
        self.link = Link::Next;
        loop {
            self.skip_prose(is_function);
            let token = self.lexer.next();
            match token.kind {
                TokenKind::End => {
                    while !self.frames.is_empty() {
                        self.close(tree, false);
                    }
                    return Some(self.list.first).filter(|first| *first != NONE);
                }
                TokenKind::Newline | TokenKind::Separator => {
                    if token.kind == TokenKind::Newline {
                        self.skip_documents(token.start);
                    }
                    let is_line = token.kind == TokenKind::Newline && self.link != Link::Next;
                    if !is_line {
                        self.end_command();
                    }
                    if self.frames.is_empty()
                        && self.list.first != NONE
                        && self.link == Link::Next
                        && self.function.is_none()
                    {
                        return Some(self.list.first);
                    }
                }
                _ => self.token(tree, token),
            }
        }
    }

    fn end_command(&mut self) {
        (self.link, self.is_negated, self.is_after_structure) = (Link::Next, false, false);
    }

    /// Skips lines outside the script while no structure is open.
    fn skip_prose(&mut self, is_function: &dyn Fn(&str) -> bool) {
        let bytes = self.lexer.text.as_bytes();
        while self.lexer.at < self.lexer.end
            && (self.lexer.at == 0 || bytes[self.lexer.at - 1] == b'\n')
        {
            let end = self.lexer.line_end(self.lexer.at);
            let line = &self.lexer.text[self.lexer.at..end];
            let is_certain = self.certain.0 <= self.lexer.at && self.lexer.at < self.certain.1;
            let is_open = !self.frames.is_empty() || self.function.is_some();
            if line.len() <= MAX_LINE_LENGTH
                && (is_open || is_certain || shell::is_shell(line, is_function))
            {
                return;
            }
            self.lexer.at = (end + 1).min(self.lexer.end);
        }
    }

    /// Skips the here-documents that the line before `at` begins.
    fn skip_documents(&mut self, at: usize) {
        for (start, end) in std::mem::take(&mut self.documents) {
            if self.open_documents > MAX_OPEN_DOCUMENTS {
                return;
            }
            let word =
                self.lexer.text[start as usize..end as usize].trim_matches(['"', '\'', '\\']);
            let line = self.lines.holding(self.lexer.at.max(at + 1) - 1);
            let Some(last) = self.lines.closing(line, word) else {
                continue;
            };
            let (first, after) = (
                self.lexer.at,
                (self.lines.range(last).1 + 1).min(self.lexer.end),
            );
            let command = self.lexer.text[..start as usize]
                .rsplit('\n')
                .next()
                .unwrap_or_default();
            let body = self.lexer.text.get(first..after).unwrap_or_default();
            // The commands of `sudo sh <<END` or `cat > script <<END` are parsed as lines of this
            // script.
            let has_commands = !command.contains("-restore") && body.lines().any(shell::calls);
            if has_commands {
                self.open_documents += 1;
            } else {
                self.lexer.at = after.max(first);
            }
        }
    }

    fn token(&mut self, tree: &mut Tree, token: Token) {
        match token.kind {
            TokenKind::And => (self.link, self.is_after_structure) = (Link::And, false),
            TokenKind::Or => (self.link, self.is_after_structure) = (Link::Or, false),
            TokenKind::Pipe if self.is_in_patterns() => {}
            TokenKind::Pipe => (self.link, self.is_after_structure) = (Link::Pipe, false),
            TokenKind::EndOfArm => {
                let falls_through = token.end - token.start == 3
                    || self.lexer.text.as_bytes()[token.end - 1] == b'&';
                self.end_arm(tree, falls_through);
            }
            TokenKind::Open if self.is_in_patterns() => {}
            TokenKind::Open => {
                let is_arithmetic = self.lexer.text.as_bytes().get(token.end) == Some(&b'(');
                let end = super::lexer::closing(
                    &self.lexer.text.as_bytes()[..self.lexer.line_end(token.start)],
                    token.start,
                );
                match end.filter(|_| is_arithmetic) {
                    Some(end) => {
                        self.lexer.at = end;
                        self.add(tree, NodeKind::Simple(range(token.start, end)));
                    }
                    None => {
                        let function = self.function.take();
                        self.open(
                            tree,
                            Open::Group {
                                is_subshell: true,
                                function,
                            },
                        );
                    }
                }
            }
            TokenKind::Close => {
                if let Some(Frame {
                    open:
                        Open::Group {
                            is_subshell: true, ..
                        },
                    ..
                }) = self.frames.last()
                {
                    self.close(tree, true);
                }
            }
            TokenKind::Redirection | TokenKind::HereDocument if self.is_after_structure => {
                self.redirect(token)
            }
            TokenKind::Word if self.is_in_patterns() => self.patterns(tree, token),
            TokenKind::Word => self.command(tree, token),
            _ => self.simple(tree, token),
        }
    }

    /// Skips the word after a redirection.
    fn redirect(&mut self, token: Token) {
        let word = self.lexer.peek();
        if word.kind == TokenKind::Word {
            self.lexer.at = word.end;
            if token.kind == TokenKind::HereDocument {
                self.documents.push(range(word.start, word.end));
            }
        }
    }

    fn is_in_patterns(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame {
                open: Open::Case { patterns: None, .. },
                ..
            })
        )
    }

    /// Parses the patterns of an arm of `case`, up to their bracket.
    fn patterns(&mut self, tree: &mut Tree, first: Token) {
        if &self.lexer.text[first.start..first.end] == "esac" {
            return self.close(tree, true);
        }
        let mut end = first.end;
        loop {
            let token = self.lexer.next();
            match token.kind {
                TokenKind::Word | TokenKind::Pipe => end = token.end,
                TokenKind::Close => break,
                _ => return,
            }
        }
        if let Some(Frame {
            open: Open::Case { patterns, .. },
            ..
        }) = self.frames.last_mut()
        {
            *patterns = Some(range(first.start, end));
        }
        self.end_command();
    }

    /// Parses a word at the beginning of a command.
    fn command(&mut self, tree: &mut Tree, token: Token) {
        let word = &self.lexer.text[token.start..token.end];
        match word {
            "!" => self.is_negated = !self.is_negated,
            "time" => {}
            "{" => {
                let function = self.function.take();
                self.open(
                    tree,
                    Open::Group {
                        is_subshell: false,
                        function,
                    },
                );
            }
            "if" if self.has_ahead(tree, "then") => self.open(
                tree,
                Open::If {
                    arms: ListBuilder::EMPTY,
                    condition: None,
                },
            ),
            "while" | "until" if self.has_ahead(tree, "do") => {
                self.open(
                    tree,
                    Open::Loop {
                        until: word == "until",
                        condition: None,
                    },
                );
            }
            "for" | "select" if self.has_ahead(tree, "do") => self.begin_for(tree),
            "case" => {
                let mut ahead = self.lexer.clone();
                let (value, next) = (ahead.next(), ahead.next());
                if value.kind == TokenKind::Word && &ahead.text[next.start..next.end] == "in" {
                    self.lexer.at = next.end;
                    let word = range(value.start, value.end);
                    self.open(
                        tree,
                        Open::Case {
                            word,
                            arms: ListBuilder::EMPTY,
                            patterns: None,
                        },
                    );
                } else {
                    self.simple(tree, token);
                }
            }
            "function" => {
                let name = self.lexer.next();
                self.function = (name.kind == TokenKind::Word).then(|| range(name.start, name.end));
                if self.lexer.text[self.lexer.at..self.lexer.end]
                    .trim_start()
                    .starts_with("()")
                {
                    self.lexer.next();
                    self.lexer.next();
                }
            }
            "then" | "elif" | "else" | "fi" | "do" | "done" | "esac" | "}" => {
                self.keyword(tree, word)
            }
            _ => {
                let after = &self.lexer.text[token.end..self.lexer.line_end(token.end)];
                if let Some(rest) = after.trim_start().strip_prefix('(')
                    && rest.trim_start().starts_with(')')
                    && !word.contains(['$', '"', '\'', '='])
                {
                    self.lexer.next();
                    self.lexer.next();
                    self.function = Some(range(token.start, token.end));
                } else {
                    self.simple(tree, token);
                }
            }
        }
    }

    /// A word that continues or ends the innermost structure. Anywhere else it has no meaning.
    fn keyword(&mut self, tree: &mut Tree, word: &str) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let list = self.list.first;
        match (&mut frame.open, word) {
            (
                Open::If {
                    condition: open @ None,
                    ..
                },
                "then",
            )
            | (
                Open::Loop {
                    condition: open @ None,
                    ..
                },
                "do",
            ) => {
                *open = Some(list);
                self.list = ListBuilder::EMPTY;
            }
            (
                Open::If {
                    condition: Some(_), ..
                },
                "elif" | "else",
            ) => self.end_if_arm(tree, word == "else"),
            (
                Open::If {
                    condition: Some(_), ..
                },
                "fi",
            )
            | (
                Open::Loop {
                    condition: Some(_), ..
                }
                | Open::For { .. },
                "done",
            )
            | (
                Open::Group {
                    is_subshell: false, ..
                },
                "}",
            ) => return self.close(tree, true),
            (Open::Case { .. }, "esac") => {
                self.end_arm(tree, false);
                return self.close(tree, true);
            }
            _ => return,
        }
        self.end_command();
    }

    /// `for NAME in WORDS; do`
    fn begin_for(&mut self, tree: &mut Tree) {
        let start = self.lexer.at;
        let mut end = start;
        loop {
            let token = self.lexer.peek();
            match token.kind {
                TokenKind::Word if &self.lexer.text[token.start..token.end] == "do" => break,
                TokenKind::End => break,
                TokenKind::Newline | TokenKind::Separator => {}
                _ => end = token.end,
            }
            self.lexer.at = token.end;
        }
        self.open(
            tree,
            Open::For {
                head: range(start, end),
            },
        );
    }

    /// Whether the required keyword of a structure follows soon. Prose has none.
    fn has_ahead(&mut self, tree: &mut Tree, keyword: &str) -> bool {
        let start = self.lexer.at;
        let mut end = self.lexer.end.min(start + MAX_CONDITION_LENGTH);
        while !self.lexer.text.is_char_boundary(end) {
            end -= 1;
        }
        let is_end = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t', ';', '#', '\r']);
        let mut more = MAX_CONDITION_LINES;
        let mut is_near = |line: &&str| {
            let was_near = more > 0;
            more -= usize::from(was_near && !line.ends_with('\\'));
            was_near
        };
        let near = self.lexer.text[start..end]
            .split('\n')
            .take_while(&mut is_near);
        let found = near.enumerate().any(|(number, line)| {
            line.match_indices(keyword).any(|(at, _): (usize, &str)| {
                let before = line[..at].trim_end();
                let is_begin = before.ends_with([';', ')']) || number > 0 && before.is_empty();
                is_begin && is_end(&line[at + keyword.len()..])
            })
        });
        if !found {
            self.lone_keywords += 1;
            tree.is_lost |= self.lone_keywords > MAX_LONE_KEYWORDS;
        }
        found && self.lone_keywords <= MAX_LONE_KEYWORDS
    }

    /// Parses a simple command.
    fn simple(&mut self, tree: &mut Tree, first: Token) {
        let is_test = &self.lexer.text[first.start..first.end] == "[[";
        self.lexer.at = first.start;
        let mut end = first.start;
        loop {
            let token = self.lexer.peek();
            let word = &self.lexer.text[token.start..token.end];
            match token.kind {
                TokenKind::Newline | TokenKind::End => break,
                _ if is_test && word != "]]" => {}
                TokenKind::Separator
                | TokenKind::EndOfArm
                | TokenKind::And
                | TokenKind::Or
                | TokenKind::Pipe => break,
                TokenKind::Close => break,
                // Shells reject it.
                TokenKind::Open => {
                    end = self.lexer.line_end(token.start);
                    self.lexer.at = end;
                    break;
                }
                TokenKind::Redirection | TokenKind::HereDocument => {
                    self.lexer.at = token.end;
                    self.redirect(token);
                    end = self.lexer.at;
                    continue;
                }
                _ => {}
            }
            (self.lexer.at, end) = (token.end, token.end);
            if token.kind == TokenKind::Broken || is_test && word == "]]" {
                break;
            }
        }
        if end == first.start {
            // This token begins no command.
            self.lexer.at = first.end.max(first.start + 1).min(self.lexer.end);
            return;
        }
        self.function = None;
        self.add(tree, NodeKind::Simple(range(first.start, end)));
    }

    fn open(&mut self, tree: &mut Tree, open: Open) {
        if self.frames.len() == MAX_DEPTH {
            tree.is_lost = true;
            return;
        }
        let (list, link, is_negated) = (self.list, self.link, self.is_negated);
        self.frames.push(Frame {
            open,
            list,
            link,
            is_negated,
        });
        self.list = ListBuilder::EMPTY;
        self.end_command();
    }

    /// Ends an arm of `if`. A condition follows, except after `else`.
    fn end_if_arm(&mut self, tree: &mut Tree, is_else: bool) {
        let body = std::mem::replace(&mut self.list, ListBuilder::EMPTY).first;
        let Some(Frame {
            open: Open::If { arms, condition },
            ..
        }) = self.frames.last_mut()
        else {
            return;
        };
        if let Some(tested) = *condition {
            push(
                tree,
                arms,
                NodeKind::IfArm {
                    condition: tested,
                    body,
                },
                Link::Next,
                false,
            );
        }
        *condition = is_else.then_some(NONE);
    }

    /// Ends an arm of `case`.
    fn end_arm(&mut self, tree: &mut Tree, falls_through: bool) {
        let body = self.list.first;
        let Some(Frame {
            open:
                Open::Case {
                    arms,
                    patterns: held,
                    ..
                },
            ..
        }) = self.frames.last_mut()
        else {
            return;
        };
        if let Some(patterns) = held.take() {
            push(
                tree,
                arms,
                NodeKind::CaseArm {
                    patterns,
                    body,
                    falls_through,
                },
                Link::Next,
                false,
            );
        }
        self.list = ListBuilder::EMPTY;
        self.end_command();
    }

    /// Ends the innermost structure; `is_whole` is whether the text contains its end.
    fn close(&mut self, tree: &mut Tree, is_whole: bool) {
        match self.frames.last().map(|frame| &frame.open) {
            Some(Open::If { .. }) => self.end_if_arm(tree, false),
            Some(Open::Case { .. }) => self.end_arm(tree, false),
            _ => {}
        }
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let body = std::mem::replace(&mut self.list, frame.list).first;
        (self.link, self.is_negated) = (frame.link, frame.is_negated);
        let kind = match frame.open {
            Open::Group {
                function: Some(name),
                ..
            } => {
                // Further commands would belong to the function.
                tree.is_lost |= !is_whole;
                NodeKind::Function { name, body }
            }
            Open::Group { is_subshell, .. } => NodeKind::Group { body, is_subshell },
            Open::If { arms, .. } => NodeKind::If {
                arms: arms.first,
                is_whole,
            },
            Open::Loop { until, condition } => {
                let (condition, body) =
                    condition.map_or((body, NONE), |condition| (condition, body));
                NodeKind::Loop {
                    condition,
                    body,
                    until,
                    is_whole,
                }
            }
            Open::For { head } => NodeKind::For {
                head,
                body,
                is_whole,
            },
            Open::Case { word, arms, .. } => NodeKind::Case {
                word,
                arms: arms.first,
                is_whole,
            },
        };
        self.add(tree, kind);
        self.is_after_structure = true;
    }

    fn add(&mut self, tree: &mut Tree, kind: NodeKind) {
        let (link, is_negated) = (self.link, self.is_negated);
        push(tree, &mut self.list, kind, link, is_negated);
        self.end_command();
    }
}

fn push(tree: &mut Tree, list: &mut ListBuilder, kind: NodeKind, link: Link, is_negated: bool) {
    if tree.nodes.len() >= MAX_NODES {
        tree.is_lost = true;
        return;
    }
    let place = u32::try_from(tree.nodes.len()).unwrap_or(NONE);
    tree.nodes.push(SyntaxNode {
        kind,
        link,
        is_negated,
        next: NONE,
    });
    match tree.nodes.get_mut(list.last as usize) {
        Some(last) => last.next = place,
        None => list.first = place,
    }
    list.last = place;
}
