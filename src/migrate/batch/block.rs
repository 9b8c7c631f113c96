//! Parses a `-- batch:` block.

use crate::error::{Error, ErrorCode, Result};
use crate::migrate::sql::{Token, TokenKind, tokens};

/// A table's new shape, and the sources of the values that move.
#[derive(Debug)]
pub(super) struct Block<'s> {
    /// The name of the table.
    pub(super) table: String,
    /// The columns that have a `-- column:` line, each with its expression over the old row.
    pub(super) columns: Vec<(String, &'s str)>,
    /// The CREATE TABLE statement.
    pub(super) create: &'s str,
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidMigration, message)
}

/// Parses a statement and the comments before it as a block; `None` if they are not a block.
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
                return Err(invalid(format!("\"-- column: {body}\" belongs to no batch: write \"-- batch:\" first.")));
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
    // If a marker inside a statement were ignored, the statement would run without a batch. So it is an error.
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

/// The kind of a marker line and the text after it; `None` for any other comment.
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
        return Err(invalid(format!("\"-- batch: {table}\" must be followed by the table's new CREATE TABLE.")));
    }
    // IF NOT EXISTS may be present. SQLite rejects a part of it.
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
    Err(invalid(format!("The CREATE TABLE in the batch of {table} must list the columns and name no schema.")))
}

/// The name of a column, if the expression is only that column.
pub(super) fn column(expression: &str) -> Option<String> {
    match tokens(expression)[..] {
        [word] if word.kind != TokenKind::Text => Some(word.name()?.into_owned()),
        _ => None,
    }
}
