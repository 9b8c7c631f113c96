//! Which rows a question searches. They are selected before ranking, so that `k` hits are found if there are as many.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::Deserialize;
use tsify::Tsify;

use super::item::MemoryTables;
use crate::error::{Error, Result};
use crate::tables::MemoryTable;
use crate::tables::fields::{check_period, check_range};

/// The most categories of one question.
const MAX_CATEGORIES: usize = 1000;

/// Which rows are searched. A filter on a column that a table lacks excludes that table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionFilter {
    /// Rows of these tables; all but the uncertainty log by default.
    #[tsify(optional)]
    pub tables: Option<Vec<MemoryTable>>,
    /// Only facts of one of these categories.
    #[tsify(optional)]
    pub categories: Option<Vec<String>>,
    /// Only facts with at least this importance, from 0 to 1.
    #[tsify(optional)]
    pub min_importance: Option<f64>,
    /// Only entries of long-term knowledge whose key begins with this.
    #[tsify(optional)]
    pub prefix: Option<String>,
    /// Only rows from this time on, in Unix seconds.
    #[tsify(optional, type = "Seconds")]
    pub since: Option<f64>,
    /// Only rows before this time, in Unix seconds.
    #[tsify(optional, type = "Seconds")]
    pub until: Option<f64>,
}

impl QuestionFilter {
    /// Rejects values out of range, and a period that ends before it begins.
    ///
    /// # Errors
    ///
    /// `invalid_argument`.
    pub(super) fn check(&self) -> Result<()> {
        check_range("Importance", [self.min_importance, None], 0.0, 1.0)?;
        check_period(self.since, self.until)
    }

    /// The tables that can have matching rows.
    pub(super) fn tables(&self) -> MemoryTables {
        const DEFAULT: [MemoryTable; 4] =
            [MemoryTable::Turns, MemoryTable::Episodes, MemoryTable::Semantic, MemoryTable::LongTerm];
        let asked = self.tables.as_deref().unwrap_or(&DEFAULT);
        let of_semantic = self.categories.is_some() || self.min_importance.is_some();
        let possible = asked.iter().filter(|table| {
            (!of_semantic || **table == MemoryTable::Semantic)
                && (self.prefix.is_none() || **table == MemoryTable::LongTerm)
        });
        let mut tables = MemoryTables::default();
        possible.for_each(|table| tables.add(*table));
        tables
    }

    /// The ids of the matching rows, sorted; none if every row of the tables matches.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for more than 1,000 categories.
    pub(super) fn ids(&self, connection: &Connection) -> Result<Option<Vec<i64>>> {
        let narrows = self.categories.is_some()
            || self.min_importance.is_some()
            || self.prefix.is_some()
            || self.since.is_some()
            || self.until.is_some();
        if !narrows {
            return Ok(None);
        }
        if self.categories.as_ref().is_some_and(|categories| categories.len() > MAX_CATEGORIES) {
            return Err(Error::invalid_argument(format!("categories must have at most {MAX_CATEGORIES} entries.")));
        }
        let tables = self.tables();
        let mut ids = Vec::new();
        for table in MemoryTable::ALL.into_iter().filter(|table| tables.has(*table)) {
            self.add_ids(connection, table, &mut ids)?;
        }
        ids.sort_unstable();
        Ok(Some(ids))
    }

    fn add_ids(&self, connection: &Connection, table: MemoryTable, ids: &mut Vec<i64>) -> Result<()> {
        let time = if table == MemoryTable::LongTerm { "updated_at" } else { "timestamp" };
        let mut sql = match table {
            MemoryTable::LongTerm => {
                "SELECT id << 3 | 3 FROM long_term JOIN long_term_ids USING (key) WHERE 1".to_owned()
            }
            _ => format!("SELECT id << 3 | {} FROM {} WHERE 1", table as i64, table.name()),
        };
        let mut values: Vec<Value> = Vec::new();
        for (condition, value) in [(">=", self.since), ("<", self.until)] {
            if let Some(seconds) = value {
                sql.push_str(&format!(" AND {time} {condition} ?"));
                values.push(seconds.into());
            }
        }
        if let Some(categories) = &self.categories {
            sql.push_str(&format!(" AND category IN ({})", vec!["?"; categories.len()].join(", ")));
            values.extend(categories.iter().cloned().map(Value::Text));
        }
        if let Some(least) = self.min_importance {
            sql.push_str(" AND importance >= ?");
            values.push(least.into());
        }
        if let Some(prefix) = &self.prefix {
            sql.push_str(" AND substr(key, 1, length(?)) = ?");
            values.extend([Value::Text(prefix.clone()), Value::Text(prefix.clone())]);
        }
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
        }
        Ok(())
    }
}
