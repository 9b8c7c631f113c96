//! A `-- batch:` block as it is written.

use crate::error::{Error, ErrorCode, Result};
use crate::migrate::sql::{Token, TokenKind, tokens};

/// A table's new shape, and where the values come from that do not stay where they are.
#[derive(Debug)]
pub(super) struct Block<'s> {
    /// The name of the table.
    pub(super) table: String,
    /// Its columns that have a line of their own, each with an expression over the old row.
    pub(super) columns: Vec<(String, &'s str)>,
    /// The CREATE TABLE.
    pub(super) create: &'s str,
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidMigration, message)
}

/// The block that a statement and the comments before it are, or none where it is any other statement.
pub(super) fn parse(statement: &str) -> Result<Option<Block<'_>>> {
    let words = tokens(statement);
    let begin = words.iter().position(|word| word.kind != TokenKind::Comment).unwrap_or(words.len());
    let (before, words) = words.split_at(begin);
    let mut found: Option<Block<'_>> = None;
    for comment in before {
        match (line(comment), &mut found) {
            (Some(("batch", body)), None) => {
                let table = name(body).ok_or_else(|| {
                    invalid(format!("\"-- batch: {body}\" must name one table, in quotes if need be."))
                })?;
                found = Some(Block { table, columns: Vec::new(), create: statement });
            }
            (Some(("batch", body)), Some(block)) => {
                let table = &block.table;
                return Err(invalid(format!("\"-- batch: {body}\" stands before the CREATE TABLE of {table}.")));
            }
            (Some((_, body)), None) => {
                return Err(invalid(format!("\"-- column: {body}\" belongs to no batch: its marker comes first.")));
            }
            (Some((_, body)), Some(block)) => {
                let (column, value) = assignment(body).ok_or_else(|| {
                    invalid(format!("\"-- column: {body}\" must be a column, \"=\" and an expression."))
                })?;
                if block.columns.iter().any(|(other, _)| other.eq_ignore_ascii_case(&column)) {
                    return Err(invalid(format!("The batch of {} has two lines for column {column}.", block.table)));
                }
                block.columns.push((column, value));
            }
            (None, _) => {}
        }
    }
    // A marker that is not seen would let the statement run as it stands, so it may not stand where none is looked for.
    for word in words {
        if let Some((kind, body)) = line(word).filter(|(kind, _)| found.is_some() || *kind == "batch") {
            return Err(invalid(format!("\"-- {kind}: {body}\" stands inside a statement; it belongs before it.")));
        }
    }
    if let Some(block) = &found {
        check_create(&block.table, words)?;
    }
    Ok(found)
}

/// The two kinds of lines, and what follows them.
fn line<'s>(comment: &Token<'s>) -> Option<(&'static str, &'s str)> {
    let text = comment.text.strip_prefix("--").filter(|_| comment.kind == TokenKind::Comment)?.trim();
    let after = |kind: &'static str| Some((kind, text.strip_prefix(kind)?.trim_start().strip_prefix(':')?.trim()));
    after("batch").or_else(|| after("column"))
}

fn name(text: &str) -> Option<String> {
    match tokens(text)[..] {
        [word] => Some(word.name()?.into_owned()),
        _ => None,
    }
}

fn assignment(text: &str) -> Option<(String, &str)> {
    match tokens(text)[..] {
        [column, equals, _, ..] if equals.is_sign("=") => {
            Some((column.name()?.into_owned(), text[equals.range().end..].trim()))
        }
        _ => None,
    }
}

fn check_create(table: &str, words: &[Token<'_>]) -> Result<()> {
    let mut words = words.iter().filter(|word| word.kind != TokenKind::Comment);
    let mut next =
        |keyword: &str| words.clone().next().is_some_and(|word| word.is_word(keyword)) && words.next().is_some();
    if !(next("create") && next("table")) {
        return Err(invalid(format!("After \"-- batch: {table}\" must come the CREATE TABLE of its new shape.")));
    }
    // All three or none; SQLite refuses what is between.
    let _ = next("if") && next("not") && next("exists");
    match words.next().and_then(Token::name) {
        Some(name) if name.eq_ignore_ascii_case(table) => {}
        other => {
            let other = other.unwrap_or_default();
            return Err(invalid(format!("The batch of {table} has the CREATE TABLE of another name: {other}.")));
        }
    }
    if words.next().is_some_and(|word| word.is_sign("(")) {
        return Ok(());
    }
    Err(invalid(format!("The CREATE TABLE in the batch of {table} must list the columns, and name no schema.")))
}

/// The column that an expression is, where it is nothing else.
pub(super) fn column(expression: &str) -> Option<String> {
    match tokens(expression)[..] {
        [word] if word.kind != TokenKind::Text => Some(word.name()?.into_owned()),
        _ => None,
    }
}
