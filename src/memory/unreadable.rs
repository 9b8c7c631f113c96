//! Finds rows that hold values of a wrong type, because another program wrote them.

use rusqlite::types::Value;
use serde::Serialize;
use tsify::Tsify;

use super::Memory;
use crate::error::Result;
use crate::tables::{MemoryTable, Rows, Table};

/// How many rows are listed at most.
const MAX_UNREADABLE: usize = 1000;

/// A row that holds a value of a wrong type: a blob or text that is not UTF-8 instead of a text, or text instead of a
/// number.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct UnreadableRow {
    /// Its table.
    pub table: MemoryTable,
    /// Its id; absent for a row of `longTerm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub id: Option<i64>,
    /// Its key; only for a row of `longTerm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub key: Option<String>,
    /// The fields that hold such a value.
    pub fields: Vec<String>,
}

impl Memory {
    /// The rows of all tables that hold values of a wrong type, at most 1,000. Reads all rows.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn unreadable(&self) -> Result<Vec<UnreadableRow>> {
        let mut found = Vec::new();
        add(&self.turns(), MemoryTable::Turns, &mut found)?;
        add(&self.episodes(), MemoryTable::Episodes, &mut found)?;
        add(&self.long_term(), MemoryTable::LongTerm, &mut found)?;
        add(&self.uncertainty(), MemoryTable::Uncertainty, &mut found)?;
        add(&self.semantic(), MemoryTable::Semantic, &mut found)?;
        Ok(found)
    }
}

fn add<T: Table>(rows: &Rows<'_, T>, table: MemoryTable, found: &mut Vec<UnreadableRow>) -> Result<()> {
    for (key, fields) in rows.unreadable(MAX_UNREADABLE - found.len())? {
        let (id, key) = match key {
            Value::Integer(id) => (Some(id), None),
            Value::Text(key) => (None, Some(key)),
            // A key that is not a text cannot be named.
            _ => (None, None),
        };
        found.push(UnreadableRow { table, id, key, fields });
    }
    Ok(())
}
