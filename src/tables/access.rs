//! How a filter is answered: along the order that was asked for, or along an index of the filter's own.
//!
//! Neither is good for every filter. Along the order, the first page of what nearly all rows match is there at once, and what
//! three rows match takes a walk past all the others; along the filter's index it is the other way round. SQLite has no
//! figures of how many match, so both are tried, a little at first and then further: neither grows with the table where
//! few rows match one of the conditions, or where a page is full soon.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::cursor::Order;
use super::fields::{Conditions, Way};
use super::statements::Statements;
use crate::error::Result;

/// How many rows are walked past, or found by an index, before the other way is tried.
const STEPS: [u32; 2] = [1_000, 30_000];

/// The rows that a page is of: a condition on the order's columns, and what is bound in it.
pub(super) type Range = (Option<String>, Vec<Value>);

/// Along what rows are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// SQLite finds out.
    Any,
    /// The order, or the one value that a condition asks for, whose rows stand in that order.
    Order,
    /// The index of a condition's column.
    Index(&'static str),
}

impl Statements<'_> {
    /// How to get at a page of so many rows.
    pub(super) fn page_access(
        &self,
        conditions: &Conditions,
        order: Order,
        range: &Range,
        wanted: u32,
    ) -> Result<Access> {
        if conditions.is_search() || conditions.columns().next().is_none() {
            return Ok(Access::Any);
        }
        let along_order = |column: &str| column == order.column || self.is_in_order(conditions, column, order);
        if conditions.columns().all(along_order) {
            return Ok(Access::Order);
        }
        for steps in STEPS {
            if self.is_soon(conditions, order, range, wanted, steps)? {
                return Ok(Access::Order);
            }
            if let Some(column) = self.rarest(conditions, steps, along_order)? {
                return Ok(Access::Index(column));
            }
        }
        Ok(Access::Order)
    }

    /// How to count what matches.
    pub(super) fn count_access(&self, conditions: &Conditions) -> Result<Access> {
        if conditions.is_search() || conditions.columns().nth(1).is_none() {
            return Ok(Access::Any);
        }
        for steps in STEPS {
            if let Some(column) = self.rarest(conditions, steps, |_| false)? {
                return Ok(Access::Index(column));
            }
        }
        Ok(Access::Any)
    }

    /// What becomes of a condition where rows are looked for along the order. Of two bounds on the same side SQLite may begin at
    /// the one that is further off, so behind a cursor, which is within the condition's, the condition is only tested.
    pub(super) fn way_along(&self, order: Order, is_behind: bool, column: &str, sql: &str) -> Way {
        let side = if order.descending { " <" } else { " >" };
        if column == order.column && is_behind && sql.contains(side) { Way::Tested } else { Way::Free }
    }

    /// Whether the rows that match on a column stand in the order in its index: those of one value do, in that of the key.
    pub(super) fn is_in_order(&self, conditions: &Conditions, column: &str, order: Order) -> bool {
        order.column == self.key && self.key == "id" && conditions.is_equal(column)
    }

    /// Whether a page is full, or there are no more rows, after so many.
    fn is_soon(&self, conditions: &Conditions, order: Order, range: &Range, wanted: u32, steps: u32) -> Result<bool> {
        let along = |column: &str| column == order.column || self.is_in_order(conditions, column, order);
        let in_walk = |column: &str, sql: &str| match along(column) {
            true => self.way_along(order, range.0.is_some(), column, sql),
            false => Way::Out,
        };
        let (walked, walked_values) = conditions.clause_by(in_walk, range.0.as_deref());
        let after = |column: &str, _: &str| if along(column) { Way::Out } else { Way::Free };
        let (rest, rest_values) = conditions.clause_by(after, None);
        let columns = conditions.columns().filter(|column| !along(column)).collect::<Vec<_>>().join(", ");
        let bounded = format!(
            "FROM (SELECT {columns} FROM {}{walked} ORDER BY {} LIMIT {steps})",
            self.table,
            order.clause(self.key, "")
        );
        let values = |more: &[Value]| {
            let all = walked_values.iter().chain(&range.1).chain(more);
            all.cloned().collect::<Vec<_>>()
        };
        let found = format!("SELECT count(*) FROM (SELECT 1 {bounded}{rest} LIMIT {wanted})");
        if self.number(&found, values(&rest_values))? == i64::from(wanted) {
            return Ok(true);
        }
        let walked = format!("SELECT count(*) {bounded}");
        Ok(self.number(&walked, values(&[]))? < i64::from(steps))
    }

    /// The column on which the fewest rows match, where those are less than so many.
    fn rarest(
        &self,
        conditions: &Conditions,
        limit: u32,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Result<Option<&'static str>> {
        let mut rarest = None;
        for column in conditions.columns().filter(|column| !is_left_out(column)) {
            let only = |of: &str, _: &str| if of == column { Way::Free } else { Way::Out };
            let (clause, values) = conditions.clause_by(only, None);
            let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {}{clause} LIMIT {limit})", self.table);
            let found = self.number(&sql, values)?;
            if found < i64::from(limit) && rarest.is_none_or(|(fewest, _)| found < fewest) {
                rarest = Some((found, column));
            }
        }
        Ok(rarest.map(|(_, column)| column))
    }

    fn number(&self, sql: &str, values: Vec<Value>) -> Result<i64> {
        Ok(self.prepare(sql)?.query_row(params_from_iter(values), |row| row.get(0))?)
    }
}
