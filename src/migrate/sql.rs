//! Splits SQL into tokens as SQLite does: enough to find where a statement ends and which names it contains.
//!
//! Invalid SQL is not rejected here. It ends up in some token, and SQLite reports the error when it runs the statement.

use std::borrow::Cow;
use std::ops::Range;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `-- to the end of the line`, or `/* … */`.
    Comment,
    /// A keyword, or a name without quotes.
    Word,
    /// A name in quotes: `"…"`, `` `…` `` or `[…]`.
    Quoted,
    /// `'…'`.
    Text,
    /// `x'…'`.
    Blob,
    /// `1`, `1.5e-3`, `0xff`.
    Number,
    /// `?1`, `:name`, `@name`, `$name`.
    Variable,
    /// Anything else: `(`, `,`, `;`, `||`.
    Sign,
}

/// A token of SQL. White space is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'s> {
    /// Its kind.
    pub kind: TokenKind,
    /// Its text, with its quotes.
    pub text: &'s str,
    /// The offset of its first byte in the script.
    pub start: usize,
}

impl<'s> Token<'s> {
    /// Its range in the script, in bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Whether it is this keyword, in any case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    pub fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }

    /// The name that it means, if it can be a name. SQLite accepts `'…'` as a name where it expects one.
    pub fn name(&self) -> Option<Cow<'s, str>> {
        match self.kind {
            TokenKind::Word => Some(Cow::Borrowed(self.text)),
            TokenKind::Quoted | TokenKind::Text => {
                let (open, rest) = self.text.split_at(1);
                let close = if open == "[" { "]" } else { open };
                let inner = rest.strip_suffix(close)?;
                Some(if open == "[" { inner.into() } else { inner.replace(&open.repeat(2), open).into() })
            }
            _ => None,
        }
    }
}

/// A name in double quotes, escaped so that SQLite reads back any name.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name by which a table's rowid can be read: the first of SQLite's three names that no column has.
pub(crate) fn rowid_name(is_column: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_column(name))
}

/// The tokens of a script, comments included.
pub fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < sql.len() {
        let (kind, length) = first(&sql.as_bytes()[start..]);
        if let Some(kind) = kind {
            found.push(Token { kind, text: &sql[start..start + length], start });
        }
        start += length;
    }
    found
}

/// The statements of a script, each with the comments before it and its semicolon. Together they are the whole script.
/// The last one may consist of comments only.
pub fn split(script: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let (mut start, mut end) = (0, 0);
    // The tokens that distinguish CREATE TRIGGER from other statements, and the two last tokens.
    let mut opening: Vec<Token<'_>> = Vec::new();
    let mut last: [Option<Token<'_>>; 2] = [None; 2];
    for token in tokens(script) {
        end = token.range().end;
        if token.kind == TokenKind::Comment {
            continue;
        }
        if opening.len() < 3 {
            opening.push(token);
        }
        // A trigger ends with an END that directly follows a semicolon. The END of a CASE follows a value.
        let ended = token.is_sign(";")
            && (!is_trigger(&opening)
                || matches!(last, [Some(before), Some(word)] if before.is_sign(";") && word.is_word("end")));
        last = [last[1], Some(token)];
        if ended {
            statements.push(&script[start..end]);
            start = end;
            opening.clear();
            last = [None; 2];
        }
    }
    if start < end {
        statements.push(&script[start..]);
    } else if let Some(statement) = statements.last_mut() {
        // The last statement also gets the white space after it.
        let begin = statement.as_ptr() as usize - script.as_ptr() as usize;
        *statement = &script[begin..];
    }
    statements
}

fn is_trigger(opening: &[Token<'_>]) -> bool {
    match opening {
        [create, trigger, ..] if create.is_word("create") && trigger.is_word("trigger") => true,
        [create, temp, trigger] if create.is_word("create") && trigger.is_word("trigger") => {
            temp.is_word("temp") || temp.is_word("temporary")
        }
        _ => false,
    }
}

/// The kind of the first token, `None` for white space, and its length.
fn first(sql: &[u8]) -> (Option<TokenKind>, usize) {
    let next = sql.get(1).copied().unwrap_or(0);
    match sql[0] {
        b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => (None, run(sql, |byte| byte.is_ascii_whitespace())),
        b'-' if next == b'-' => (Some(TokenKind::Comment), run(sql, |byte| byte != b'\n')),
        b'/' if next == b'*' => {
            let end = sql[2..].windows(2).position(|pair| pair == b"*/");
            (Some(TokenKind::Comment), end.map_or(sql.len(), |at| at + 4))
        }
        b'\'' => (Some(TokenKind::Text), quoted(sql, b'\'')),
        quote @ (b'"' | b'`') => (Some(TokenKind::Quoted), quoted(sql, quote)),
        b'[' => (Some(TokenKind::Quoted), (run(sql, |byte| byte != b']') + 1).min(sql.len())),
        b'x' | b'X' if next == b'\'' => (Some(TokenKind::Blob), 1 + quoted(&sql[1..], b'\'')),
        digit if digit.is_ascii_digit() || digit == b'.' && next.is_ascii_digit() => {
            (Some(TokenKind::Number), number(sql))
        }
        b'?' | b':' | b'@' | b'$' | b'#' => (Some(TokenKind::Variable), 1 + run(&sql[1..], in_word)),
        byte if in_word(byte) => (Some(TokenKind::Word), run(sql, in_word)),
        _ => {
            const LONG: [&[u8]; 10] = [b"->>", b"->", b"||", b"<<", b">>", b"<=", b">=", b"<>", b"==", b"!="];
            (Some(TokenKind::Sign), LONG.iter().find(|sign| sql.starts_with(sign)).map_or(1, |sign| sign.len()))
        }
    }
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn run(sql: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    sql.iter().position(|&byte| !belongs(byte)).unwrap_or(sql.len())
}

/// The length of a quoted token; a doubled quote does not end it.
fn quoted(sql: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < sql.len() {
        if sql[at] == quote {
            if sql.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    sql.len()
}

fn number(sql: &[u8]) -> usize {
    let hexadecimal = sql.len() > 1 && sql[1].eq_ignore_ascii_case(&b'x');
    let mut end = 1;
    while let Some(&byte) = sql.get(end) {
        let signed = matches!(byte, b'+' | b'-') && sql[end - 1].eq_ignore_ascii_case(&b'e') && !hexadecimal;
        if !(in_word(byte) || byte == b'.' || signed) {
            break;
        }
        end += 1;
    }
    end
}
