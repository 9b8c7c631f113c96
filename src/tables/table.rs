//! The calls that the five tables have in common: add, get, list, update, delete, count and clear.
//!
//! A [`Table`] describes its rows; [`Rows`] is a table in an open memory. The statements are built in one place for all
//! tables, so that the WebAssembly contains them once.

use std::marker::PhantomData;

use rusqlite::Row;
use rusqlite::types::{ToSql, Value};
use serde::Serialize;
use tsify::Tsify;

use super::cursor::Order;
use super::fields::{Conditions, Fields};
pub use super::statements::{DEFAULT_LIMIT, MAX_LIMIT};
use super::statements::{Statements, value_of};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::recall::index::Index;

/// How many rows one call can add or delete at most.
pub const MAX_BULK: usize = 100_000;

/// The columns of a table, as `columns.rs` declares them.
pub trait Columns: Sized {
    /// A row to be added.
    type New;
    /// What to change of a row.
    type Patch;

    /// The columns that [`Columns::read`] reads, in its order.
    const COLUMNS: &'static str;

    /// Reads a row of [`Columns::COLUMNS`]. A value of a wrong type is read as far as possible.
    ///
    /// # Errors
    ///
    /// If SQLite cannot read it.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
    /// The fields whose columns hold values of a wrong type.
    fn unreadable(&self) -> &[String];
    /// Adds the columns of a new row to `fields`, including defaults.
    fn insert(new: Self::New, fields: &mut Fields<'_>);
    /// Adds the columns that change to `fields`.
    fn change(patch: Self::Patch, fields: &mut Fields<'_>);
}

/// A table of the memory: its columns, its filters and its orders.
pub trait Table: Columns {
    /// The primary key.
    type Key: ToSql + Into<Value> + Clone;
    /// Selects rows.
    type Filter: Default;
    /// What to order by.
    type Order: Copy + Default;

    /// The table's name.
    const NAME: &'static str;
    /// The primary key's column.
    const KEY: &'static str;
    /// What follows the VALUES of an INSERT.
    const ON_CONFLICT: &'static str = "";

    /// Adds the conditions of a filter to `conditions`.
    ///
    /// # Errors
    ///
    /// If its text cannot be searched for.
    fn filter(filter: Self::Filter, conditions: &mut Conditions) -> Result<()>;
    /// The column of an order.
    fn order(order: Self::Order) -> &'static str;
}

/// What to list, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing<Filter, Order> {
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Whether the largest come first.
    pub descending: bool,
    /// The maximum number of rows, from 1 to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] by default.
    pub limit: Option<u32>,
    /// The cursor of the previous page.
    pub cursor: Option<String>,
    /// Whether to count all rows that match the filter.
    pub total: bool,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Page<T> {
    /// The rows, in the requested order.
    pub rows: Vec<T>,
    /// Pass it to the same listing to read the next page; null if there are no more rows.
    pub cursor: Option<String>,
    /// How many rows match the filter on all pages; present only if `total` was true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub total: Option<u64>,
}

/// The rows of one table of an open memory.
pub struct Rows<'db, T> {
    statements: Statements<'db>,
    table: PhantomData<T>,
}

impl<'db, T: Table> Rows<'db, T> {
    pub(crate) fn new(db: &'db Db) -> Self {
        Self { statements: Statements { db, table: T::NAME, key: T::KEY }, table: PhantomData }
    }

    pub(crate) fn db(&self) -> &'db Db {
        self.statements.db
    }

    /// Adds rows, all or none. Returns their ids in order; 0 for each if rows are identified by a key.
    ///
    /// # Errors
    ///
    /// `invalid_argument`, `invalid_json`, `text_too_long`; `quota_exceeded` if the disk is full.
    pub fn add(&self, rows: Vec<T::New>) -> Result<Vec<i64>> {
        check_bulk(rows.len())?;
        let several = rows.len() > 1;
        let mut ids = Vec::with_capacity(rows.len());
        let mut rows = rows.into_iter().enumerate();
        self.db().atomically(&mut || {
            for (at, row) in rows.by_ref() {
                let mut fields = Fields::new(self.db());
                T::insert(row, &mut fields);
                let inserted = self.statements.insert(fields, T::ON_CONFLICT);
                ids.push(inserted.map_err(|error| if several { error.in_row(at) } else { error })?);
            }
            Ok(())
        })?;
        Ok(ids)
    }

    /// The row with this key.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn get(&self, key: &T::Key) -> Result<Option<T>> {
        let mut found = None;
        self.statements.select_one(T::COLUMNS, key, &mut |row| {
            found = Some(T::read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The keys of rows that hold values of a wrong type, in the order of keys, with the fields concerned. At most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn unreadable(&self, limit: usize) -> Result<Vec<(Value, Vec<String>)>> {
        let mut found = Vec::new();
        let sql = format!("SELECT {}, {} AS order_key FROM {} ORDER BY {}", T::COLUMNS, T::KEY, T::NAME, T::KEY);
        let mut statement = self.db().connection().prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()?.filter(|_| found.len() < limit) {
            let read = T::read(row)?;
            if !read.unreadable().is_empty() {
                found.push((value_of(row, "order_key")?, read.unreadable().to_vec()));
            }
        }
        Ok(found)
    }

    /// A page of rows.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for a limit out of range or a cursor of another listing; `schema_mismatch` if the memory
    /// is at a revision without what the filter needs.
    pub fn list(&self, listing: Listing<T::Filter, T::Order>) -> Result<Page<T>> {
        let order = Order { column: T::order(listing.order), descending: listing.descending };
        let conditions = self.conditions(listing.filter)?;
        let from = listing.cursor.as_deref();
        Index::of(self.db()).repaired(&mut || {
            let mut rows = Vec::new();
            let on_row = &mut |row: &Row<'_>| {
                rows.push(T::read(row)?);
                Ok(())
            };
            let cursor = self.statements.select_page(T::COLUMNS, &conditions, order, listing.limit, from, on_row)?;
            // Counted in the same call, so that no write can come in between.
            let total = listing.total.then(|| self.statements.count(&conditions)).transpose()?;
            Ok(Page { rows, cursor, total })
        })
    }

    /// Changes one row.
    ///
    /// # Errors
    ///
    /// `not_found` if no row has this key; `invalid_argument` if the patch is empty; those of [`Rows::add`].
    pub fn update(&self, key: &T::Key, patch: T::Patch) -> Result<()> {
        let mut fields = Fields::new(self.db());
        T::change(patch, &mut fields);
        self.statements.update(key.clone().into(), fields)
    }

    /// Deletes the rows with these keys, all or none; returns how many were deleted.
    ///
    /// # Errors
    ///
    /// `invalid_argument` for more than [`MAX_BULK`] keys.
    pub fn delete(&self, keys: &[T::Key]) -> Result<u64> {
        check_bulk(keys.len())?;
        let mut deleted = 0;
        self.db().atomically(&mut || {
            for key in keys {
                deleted += self.statements.delete(key)?;
            }
            Ok(())
        })?;
        Ok(deleted)
    }

    /// How many rows match the filter.
    ///
    /// # Errors
    ///
    /// Those of [`Rows::list`].
    pub fn count(&self, filter: T::Filter) -> Result<u64> {
        let conditions = self.conditions(filter)?;
        Index::of(self.db()).repaired(&mut || self.statements.count(&conditions))
    }

    /// Deletes every row that matches the filter; returns how many were deleted.
    ///
    /// # Errors
    ///
    /// Those of [`Rows::list`].
    pub fn clear(&self, filter: T::Filter) -> Result<u64> {
        let conditions = self.conditions(filter)?;
        Index::of(self.db()).repaired(&mut || self.statements.clear(&conditions))
    }

    fn conditions(&self, filter: T::Filter) -> Result<Conditions> {
        let mut conditions = Conditions::default();
        T::filter(filter, &mut conditions)?;
        if conditions.is_search() {
            Index::of(self.db()).prepare_question()?;
        }
        Ok(conditions)
    }
}

fn check_bulk(rows: usize) -> Result<()> {
    if rows <= MAX_BULK {
        return Ok(());
    }
    let message = format!("{rows} rows were passed at once; the limit is {MAX_BULK}.");
    Err(Error::invalid_argument(message).with_hint("Make several calls; each is atomic."))
}
