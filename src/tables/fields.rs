//! Values for a statement: checked, and always bound, never part of its text.

use rusqlite::types::Value;

use super::memory_table::MemoryTable;
use crate::db::{Db, MAX_TEXT_BYTES};
use crate::error::{Error, ErrorCode, Result};
use crate::words::{self, Match};

/// The maximum length of a key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// The columns of a row to be written, with their values. A value of `None` is left out. The first invalid value is
/// reported at the end.
pub struct Fields<'db> {
    db: &'db Db,
    columns: Vec<&'static str>,
    values: Vec<Value>,
    refused: Option<Error>,
}

impl<'db> Fields<'db> {
    pub(crate) fn new(db: &'db Db) -> Self {
        Self { db, columns: Vec::new(), values: Vec::new(), refused: None }
    }

    /// The current time in Unix seconds.
    pub(crate) fn now(&self) -> f64 {
        self.db.now()
    }

    fn push(&mut self, column: &'static str, value: Value) -> &mut Self {
        self.columns.push(column);
        self.values.push(value);
        self
    }

    /// Records why the row cannot be written.
    pub(crate) fn refuse(&mut self, error: Error) -> &mut Self {
        self.refused.get_or_insert(error);
        self
    }

    /// A time in Unix seconds that a `Date` can hold.
    pub(crate) fn time(&mut self, column: &'static str, seconds: Option<f64>) -> &mut Self {
        const LAST_DATE: f64 = 8.64e12;
        self.real(column, seconds, -LAST_DATE, LAST_DATE)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn real(&mut self, column: &'static str, value: Option<f64>, low: f64, high: f64) -> &mut Self {
        let Some(value) = value else { return self };
        if !(low..=high).contains(&value) {
            let message = format!("{} is {value}; it must be from {low} to {high}.", camel_case(column));
            return self.refuse(Error::invalid_argument(message));
        }
        self.push(column, Value::Real(value))
    }

    /// A text of at most [`MAX_TEXT_BYTES`].
    pub(crate) fn text(&mut self, column: &'static str, text: Option<String>) -> &mut Self {
        self.nullable_text(column, text.map(Some))
    }

    /// A text, or NULL.
    pub(crate) fn nullable_text(&mut self, column: &'static str, text: Option<Option<String>>) -> &mut Self {
        let Some(text) = text else { return self };
        let bytes = text.as_deref().map_or(0, str::len);
        if bytes > MAX_TEXT_BYTES {
            let message = format!("{} is {bytes} bytes of UTF-8; the limit is {MAX_TEXT_BYTES}.", camel_case(column));
            return self.refuse(Error::new(ErrorCode::TextTooLong, message));
        }
        self.push(column, text.map_or(Value::Null, Value::Text))
    }

    /// A text that is truncated to this many characters, or NULL.
    pub(crate) fn beginning(
        &mut self,
        column: &'static str,
        text: Option<Option<String>>,
        characters: usize,
    ) -> &mut Self {
        let cut = |text: String| match text.char_indices().nth(characters) {
            Some((end, _)) => text[..end].to_owned(),
            None => text,
        };
        self.nullable_text(column, text.map(|text| text.map(cut)))
    }

    /// A key: a text of 1 to [`MAX_KEY_BYTES`].
    pub(crate) fn key(&mut self, column: &'static str, key: Option<String>) -> &mut Self {
        let bytes = key.as_deref().map_or(0, str::len);
        if !(1..=MAX_KEY_BYTES).contains(&bytes) {
            let message = format!("{column} is {bytes} bytes of UTF-8; it must be from 1 to {MAX_KEY_BYTES}.");
            return self.refuse(Error::invalid_argument(message));
        }
        self.text(column, key)
    }

    /// A text that is valid JSON.
    pub(crate) fn json(&mut self, column: &'static str, json: Option<String>) -> &mut Self {
        let valid = json.as_deref().map_or(Ok(true), |json| self.is_json(json));
        match valid {
            Ok(true) => self.text(column, json),
            Ok(false) => {
                let message = format!("{} is not JSON.", camel_case(column));
                self.refuse(Error::new(ErrorCode::InvalidJson, message))
            }
            Err(error) => self.refuse(error),
        }
    }

    fn is_json(&self, text: &str) -> Result<bool> {
        let mut statement = self.db.connection().prepare_cached("SELECT json_valid(?)")?;
        Ok(statement.query_row([text], |row| row.get(0))?)
    }

    /// A Boolean, stored as 1 or 0.
    pub(crate) fn flag(&mut self, column: &'static str, flag: Option<bool>) -> &mut Self {
        match flag {
            Some(flag) => self.push(column, Value::Integer(flag.into())),
            None => self,
        }
    }

    pub(crate) fn into_parts(self) -> Result<(Vec<&'static str>, Vec<Value>)> {
        self.refused.map_or(Ok((self.columns, self.values)), Err)
    }
}

/// The filters of one call: a WHERE clause and the values bound to it. A value of `None` filters nothing.
#[derive(Default)]
pub struct Conditions(Vec<Condition>);

/// How a condition is used in a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is left out.
    Out,
    /// SQLite tests it on each row that is found in another way, and uses no index for it.
    Tested,
    /// SQLite can use an index for it.
    Free,
}

/// One condition.
struct Condition {
    /// The column that it is on; `None` for a search.
    column: Option<&'static str>,
    /// Whether it asks for a single value.
    is_equal: bool,
    sql: String,
    /// The condition of a search if the full-text index is scanned.
    in_index: Option<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn push(&mut self, column: Option<&'static str>, is_equal: bool, sql: String, values: Vec<Value>) {
        self.0.push(Condition { column, is_equal, sql, in_index: None, values });
    }

    /// Adds `column >= ?` or the like.
    pub(crate) fn and<V: Into<Value>>(&mut self, condition: &'static str, value: Option<V>) -> &mut Self {
        if let Some(value) = value {
            let column = condition.split(' ').next();
            self.push(column, false, condition.into(), vec![value.into()]);
        }
        self
    }

    /// Adds that a column is true, or that it is false; NULL is false.
    pub(crate) fn and_flag(&mut self, column: &'static str, flag: Option<bool>) -> &mut Self {
        if let Some(flag) = flag {
            // SQLite uses the index only if this is exactly the expression of the index.
            let sql = format!("(coalesce({column}, 0) <> 0) = ?");
            self.push(Some(column), true, sql, vec![Value::Integer(flag.into())]);
        }
        self
    }

    /// Adds `column IN (…)`; an empty list finds nothing.
    pub(crate) fn and_in(&mut self, column: &'static str, values: Option<Vec<String>>) -> &mut Self {
        if let Some(values) = values {
            let sql = format!("{column} IN ({})", vec!["?"; values.len()].join(", "));
            self.push(Some(column), values.len() == 1, sql, values.into_iter().map(Value::Text).collect());
        }
        self
    }

    /// Adds a search of a table in the full-text index; a text without words finds nothing.
    pub(crate) fn and_found(&mut self, table: MemoryTable, text: Option<String>, matching: Match) -> Result<&mut Self> {
        let Some(text) = text else { return Ok(self) };
        let question = words::expression(&text, matching)?;
        if question.is_empty() {
            self.push(None, false, "0".into(), vec![]);
            return Ok(self);
        }
        let matches = format!("memory_fts MATCH ? AND memory_fts.rowid & 7 = {}", table as i64);
        let found = format!("SELECT rowid >> 3 FROM memory_fts WHERE {matches}");
        let (sql, in_index) = match table {
            MemoryTable::LongTerm => (format!("key IN (SELECT key FROM long_term_ids WHERE id IN ({found}))"), None),
            _ => (format!("id IN ({found})"), Some(matches)),
        };
        let values = vec![Value::Text(question)];
        self.0.push(Condition { column: None, is_equal: false, sql, in_index, values });
        Ok(self)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().flat_map(|condition| &condition.values)
    }

    /// The WHERE clause, with one more condition if there is one.
    pub(crate) fn clause(&self, more: Option<String>) -> String {
        where_clause(self.0.iter().map(|condition| condition.sql.clone()).chain(more))
    }

    /// The WHERE clause of some of the conditions and of `more`, and the values bound to those conditions. A search is
    /// always included.
    pub(crate) fn clause_by(&self, way: impl Fn(&str, &str) -> Way, more: Option<&str>) -> (String, Vec<Value>) {
        let (mut all, mut values) = (Vec::new(), Vec::new());
        for condition in &self.0 {
            let way = condition.column.map_or(Way::Free, |column| way(column, &condition.sql));
            all.push(match way {
                Way::Out => continue,
                Way::Tested => format!("+{}", condition.sql),
                Way::Free => condition.sql.clone(),
            });
            values.extend(condition.values.iter().cloned());
        }
        (where_clause(all.into_iter().chain(more.map(str::to_owned))), values)
    }

    /// The WHERE clause for scanning the full-text index, with one more condition; `None` if no condition allows that.
    pub(crate) fn clause_in_index(&self, more: Option<String>) -> Option<String> {
        self.0.iter().find(|condition| condition.in_index.is_some())?;
        let tested = |condition: &Condition| match &condition.in_index {
            Some(matches) => matches.clone(),
            None => format!("+{}", condition.sql),
        };
        Some(where_clause(self.0.iter().map(tested).chain(more)))
    }

    /// The columns that have conditions, each once.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        let columns = || self.0.iter().filter_map(|condition| condition.column);
        columns()
            .enumerate()
            .filter(move |(at, column)| columns().position(|one| one == *column) == Some(*at))
            .map(|(_, column)| column)
    }

    /// Whether a condition asks for a single value of a column.
    pub(crate) fn is_equal(&self, column: &str) -> bool {
        self.0.iter().any(|condition| condition.column == Some(column) && condition.is_equal)
    }

    /// Whether one of the conditions is a search.
    pub(crate) fn is_search(&self) -> bool {
        self.0.iter().any(|condition| condition.column.is_none())
    }
}

fn where_clause(conditions: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = conditions.collect();
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}

/// Rejects the ends of a filter's range that its column cannot hold, and a range that ends before it begins. `of` is the
/// name of the ends in JavaScript, after `min` and `max`.
pub(crate) fn check_range(of: &str, [least, most]: [Option<f64>; 2], low: f64, high: f64) -> Result<()> {
    for (end, value) in [("min", least), ("max", most)] {
        if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
            return Err(Error::invalid_argument(format!("{end}{of} is {value}; it must be from {low} to {high}.")));
        }
    }
    match (least, most) {
        (Some(least), Some(most)) if least > most => {
            Err(Error::invalid_argument(format!("min{of} is {least}, above max{of}, which is {most}.")))
        }
        _ => Ok(()),
    }
}

/// Rejects a period that ends before it begins.
pub(crate) fn check_period(since: Option<f64>, until: Option<f64>) -> Result<()> {
    match (since, until) {
        (Some(since), Some(until)) if since > until => {
            Err(Error::invalid_argument(format!("since is {} s after until; it must not be after it.", since - until)))
        }
        _ => Ok(()),
    }
}

/// A column's name in JavaScript: `userInput` for `user_input`.
pub(crate) fn camel_case(column: &str) -> String {
    let mut name = String::with_capacity(column.len());
    let mut begins = false;
    for character in column.chars() {
        match character {
            '_' => begins = true,
            _ if std::mem::take(&mut begins) => name.push(character.to_ascii_uppercase()),
            _ => name.push(character),
        }
    }
    name
}
