//! Which rows a question is about: looked up before anything is ranked, so that as many are found as were asked for.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::item::Sources;
use crate::error::{Error, Result};
use crate::tables::Source;

/// The most categories of one question.
const MAX_CATEGORIES: usize = 1000;

/// Which rows count. A filter by what a table has no column for leaves that table out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of these tables; all but the uncertainty log where nothing is said.
    pub sources: Option<Vec<Source>>,
    /// Semantic memories of one of these categories.
    pub categories: Option<Vec<String>>,
    /// Semantic memories that weigh at least this.
    pub min_importance: Option<f64>,
    /// Entries of long-term knowledge whose key begins so.
    pub prefix: Option<String>,
    /// From this time on, in Unix seconds.
    pub since: Option<f64>,
    /// Before this time, in Unix seconds.
    pub until: Option<f64>,
}

impl Filter {
    /// The tables that can have such rows.
    pub(super) fn sources(&self) -> Sources {
        const DEFAULT: [Source; 4] = [Source::Turns, Source::Episodes, Source::Semantic, Source::LongTerm];
        let asked = self.sources.as_deref().unwrap_or(&DEFAULT);
        let of_semantic = self.categories.is_some() || self.min_importance.is_some();
        let possible = asked.iter().filter(|source| {
            (!of_semantic || **source == Source::Semantic) && (self.prefix.is_none() || **source == Source::LongTerm)
        });
        let mut sources = Sources::default();
        possible.for_each(|source| sources.add(*source));
        sources
    }

    /// The ids of the rows, sorted; none where every row of the tables counts.
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
            return Err(Error::invalid_argument(format!("categories may be {MAX_CATEGORIES} at the most.")));
        }
        let sources = self.sources();
        let mut ids = Vec::new();
        for source in Source::ALL.into_iter().filter(|source| sources.has(*source)) {
            self.add_ids(connection, source, &mut ids)?;
        }
        ids.sort_unstable();
        Ok(Some(ids))
    }

    fn add_ids(&self, connection: &Connection, source: Source, ids: &mut Vec<i64>) -> Result<()> {
        let (table, time) = match source {
            Source::Turns => ("turns", "timestamp"),
            Source::Episodes => ("episodes", "timestamp"),
            Source::Semantic => ("semantic_memories", "timestamp"),
            Source::LongTerm => ("long_term", "updated_at"),
            Source::Uncertainty => ("uncertainty_log", "timestamp"),
        };
        let mut sql = format!("SELECT rowid << 3 | {} FROM {table} WHERE 1", source as i64);
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
