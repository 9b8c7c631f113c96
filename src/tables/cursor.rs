//! The order of a listing, and the cursor at which its next page begins.
//!
//! A page continues after a key, not after a number of rows, so a row that is added or deleted meanwhile neither
//! repeats nor hides another. A cursor holds the key of the last row returned and its value in the column of the order.
//! It is opaque to callers.

use rusqlite::types::Value;

use crate::error::{Error, Result};

/// A column to order by; ties are ordered by the primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) column: &'static str,
    pub(crate) descending: bool,
}

impl Order {
    /// The terms of the ORDER BY. `plus` is `+` to keep SQLite from using an index, or empty.
    pub(crate) fn clause(self, key: &str, plus: &str) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        if self.column == key {
            format!("{plus}{key} {direction}")
        } else {
            format!("{plus}{} {direction}, {plus}{key} {direction}", self.column)
        }
    }

    /// The rows after the cursor, as ranges to be read one after the other.
    ///
    /// There can be two, because the column can be NULL: SQLite sorts NULLs first, and no comparison finds them. Each
    /// range is one walk along an index.
    pub(crate) fn ranges(self, from: Option<&Cursor>, key: &str, plus: &str) -> Vec<(Option<String>, Vec<Value>)> {
        let is_key = self.column == key;
        let (column, key) = (format!("{plus}{}", self.column), format!("{plus}{key}"));
        let after = if self.descending { '<' } else { '>' };
        let Some(Cursor { value, key: at }) = from else { return vec![(None, vec![])] };
        if is_key {
            return vec![(Some(format!("{key} {after} ?")), vec![at.clone()])];
        }
        let of_equal_null = (Some(format!("{column} IS NULL AND {key} {after} ?")), vec![at.clone()]);
        let beyond = (Some(format!("({column}, {key}) {after} (?, ?)")), vec![value.clone(), at.clone()]);
        match (value, self.descending) {
            (Value::Null, true) => vec![of_equal_null],
            (Value::Null, false) => vec![of_equal_null, (Some(format!("{column} IS NOT NULL")), vec![])],
            (_, true) => vec![beyond, (Some(format!("{column} IS NULL")), vec![])],
            (_, false) => vec![beyond],
        }
    }
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) value: Value,
    pub(crate) key: Value,
}

impl Cursor {
    /// The cursor as text: the order that it belongs to, then both values without loss.
    pub(crate) fn encode(&self, order: Order) -> String {
        let direction = if order.descending { "desc" } else { "asc" };
        format!("{}.{direction}.{}.{}", order.column, encode_value(&self.value), encode_value(&self.key))
    }

    pub(crate) fn decode(text: &str, order: Order) -> Result<Self> {
        let direction = if order.descending { "desc" } else { "asc" };
        let mut parts = text.split('.');
        let cursor = (|| {
            let same = parts.next()? == order.column && parts.next()? == direction;
            let cursor = Cursor { value: decode_value(parts.next()?)?, key: decode_value(parts.next()?)? };
            (same && parts.next().is_none()).then_some(cursor)
        })();
        cursor.ok_or_else(|| {
            Error::invalid_argument("The cursor does not belong to this listing.")
                .with_hint("Pass the cursor of the previous page, with the same filters and the same order.")
        })
    }
}

fn encode_value(value: &Value) -> String {
    match value {
        Value::Null => "n".into(),
        Value::Integer(integer) => format!("i{integer}"),
        Value::Real(real) => format!("r{:016x}", real.to_bits()),
        Value::Text(text) => text.bytes().fold(String::from("t"), |hex, byte| hex + &format!("{byte:02x}")),
        Value::Blob(bytes) => bytes.iter().fold(String::from("b"), |hex, byte| hex + &format!("{byte:02x}")),
    }
}

fn decode_value(text: &str) -> Option<Value> {
    let (kind, rest) = text.split_at_checked(1)?;
    Some(match kind {
        "n" if rest.is_empty() => Value::Null,
        "i" => Value::Integer(rest.parse().ok()?),
        "r" => Value::Real(f64::from_bits(u64::from_str_radix(rest, 16).ok()?)),
        "t" => Value::Text(String::from_utf8(from_hex(rest)?).ok()?),
        "b" => Value::Blob(from_hex(rest)?),
        _ => return None,
    })
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}
