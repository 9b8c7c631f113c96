//! Chooses how to find the rows of a filter: along the requested order, or along an index of one of the filter's
//! columns.
//!
//! Neither is good for every filter. Along the order, a filter that nearly all rows match fills its first page at once,
//! but one that three rows match walks past all the others. Along the filter's index it is the other way round. SQLite
//! has no statistics of how many rows match, so both are tried, first a few steps and then more. The cost then does not
//! grow with the table if few rows match one of the conditions, or if a page fills soon.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::cursor::Order;
use super::fields::{Conditions, Way};
use super::statements::Statements;
use crate::error::Result;

/// How many rows are walked past, or found in an index, before the other way is tried.
const STEPS: [u32; 2] = [1_000, 30_000];

/// The range of rows that a page is taken from: a condition on the order's columns, and the values bound to it.
pub(super) type Range = (Option<String>, Vec<Value>);

/// How rows are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// SQLite chooses.
    Any,
    /// Along the order, or along the index entries of a single value, which are in the same order.
    Order,
    /// Along the index of a condition's column.
    Index(&'static str),
}

impl Statements<'_> {
    /// How to find a page of `wanted` rows.
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

    /// How to count the matching rows.
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

    /// How a condition is used if rows are found along the order. If there are two bounds on the same side, SQLite may
    /// start at the wider one. The bound of a cursor is the narrower one, so the condition is then only tested.
    pub(super) fn way_along(&self, order: Order, is_behind: bool, column: &str, sql: &str) -> Way {
        let side = if order.descending { " <" } else { " >" };
        if column == order.column && is_behind && sql.contains(side) { Way::Tested } else { Way::Free }
    }

    /// Whether the index of a column has the matching rows in the requested order. If the condition is on a single
    /// value, they are in the order of the key.
    pub(super) fn is_in_order(&self, conditions: &Conditions, column: &str, order: Order) -> bool {
        order.column == self.key && self.key == "id" && conditions.is_equal(column)
    }

    /// Whether a walk along the order fills the page, or ends, within `steps` rows.
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

    /// The column whose condition the fewest rows match, if they are fewer than `limit`.
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
