//! What the five tables have in common: add, get, list, update, delete, count and clear, written once.
//!
//! A table says what its rows are ([`Table`]); [`Rows`] puts the two together. The statements themselves are made in one
//! place for all tables, so that the WebAssembly holds them once.

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

/// The most rows that one bulk call takes.
pub const MAX_BULK: usize = 100_000;

/// The columns of a table, as `columns.rs` declares them.
pub trait Columns: Sized {
    /// A row to be added.
    type New;
    /// What to change of a row.
    type Patch;

    /// The columns that [`Columns::read`] reads, in its order.
    const COLUMNS: &'static str;

    /// Reads a row of [`Columns::COLUMNS`]; a column that holds a value of another type, as far as it goes.
    ///
    /// # Errors
    ///
    /// Where SQLite cannot read it.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
    /// The fields whose columns hold values of another type.
    fn unreadable(&self) -> &[String];
    /// Writes down the columns of a new row, defaults included.
    fn insert(new: Self::New, fields: &mut Fields<'_>);
    /// Writes down the columns that change.
    fn change(patch: Self::Patch, fields: &mut Fields<'_>);
}

/// A table of the memory: its columns, and what can be said of rows to be found.
pub trait Table: Columns {
    /// The primary key.
    type Key: ToSql + Into<Value> + Clone;
    /// Which rows.
    type Filter: Default;
    /// What to order by.
    type Order: Copy + Default;

    /// The table's name.
    const NAME: &'static str;
    /// The primary key's column.
    const KEY: &'static str;
    /// What follows the VALUES of an INSERT.
    const ON_CONFLICT: &'static str = "";

    /// Writes down the conditions of a filter.
    ///
    /// # Errors
    ///
    /// Where it cannot be searched for.
    fn filter(filter: Self::Filter, conditions: &mut Conditions) -> Result<()>;
    /// The column of an order.
    fn order(order: Self::Order) -> &'static str;
}

/// What to list and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing<Filter, Order> {
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// From the largest down.
    pub descending: bool,
    /// How many rows at most, 1 to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] by default.
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub cursor: Option<String>,
    /// Whether to count what the filter finds.
    pub total: bool,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Page<T> {
    /// The rows, in the order asked for.
    pub rows: Vec<T>,
    /// Give it to the same listing to read on; null when there is no more.
    pub cursor: Option<String>,
    /// How many rows the filter finds on all pages, if `total` asked for it.
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

    /// Adds rows, all or none, and gives their ids in order; 0 for each where they are known by key.
    ///
    /// # Errors
    ///
    /// `invalid_argument`, `invalid_json`, `text_too_long`; `quota_exceeded` where the disk is full.
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
    /// Where the file cannot be read.
    pub fn get(&self, key: &T::Key) -> Result<Option<T>> {
        let mut found = None;
        self.statements.select_one(T::COLUMNS, key, &mut |row| {
            found = Some(T::read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The rows that hold what they should not, by key: up to so many of them, the first first.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
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
    /// `invalid_argument` for a limit out of range or a cursor of another listing; `schema_mismatch` where the memory is
    /// at a revision without what the filter needs.
    pub fn list(&self, listing: Listing<T::Filter, T::Order>) -> Result<Page<T>> {
        let order = Order { column: T::order(listing.order), descending: listing.descending };
        let conditions = self.conditions(listing.filter)?;
        let from = listing.cursor.as_deref();
        let mut rows = Vec::new();
        let on_row = &mut |row: &Row<'_>| {
            rows.push(T::read(row)?);
            Ok(())
        };
        let cursor = self.statements.select_page(T::COLUMNS, &conditions, order, listing.limit, from, on_row)?;
        // Counted in the same call, so that no write comes between.
        let total = listing.total.then(|| self.statements.count(&conditions)).transpose()?;
        Ok(Page { rows, cursor, total })
    }

    /// Changes one row.
    ///
    /// # Errors
    ///
    /// `not_found` where there is none with this key; `invalid_argument` where nothing is to be changed; those of
    /// [`Rows::add`].
    pub fn update(&self, key: &T::Key, patch: T::Patch) -> Result<()> {
        let mut fields = Fields::new(self.db());
        T::change(patch, &mut fields);
        self.statements.update(key.clone().into(), fields)
    }

    /// Deletes the rows with these keys, all or none, and tells how many there were.
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

    /// How many rows the filter finds.
    ///
    /// # Errors
    ///
    /// As for [`Rows::list`].
    pub fn count(&self, filter: T::Filter) -> Result<u64> {
        self.statements.count(&self.conditions(filter)?)
    }

    /// Deletes every row that the filter finds, and tells how many there were.
    ///
    /// # Errors
    ///
    /// As for [`Rows::list`].
    pub fn clear(&self, filter: T::Filter) -> Result<u64> {
        self.statements.clear(&self.conditions(filter)?)
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
    let message = format!("{rows} rows were given at once; the limit is {MAX_BULK}.");
    Err(Error::invalid_argument(message).with_hint("Make several calls; each is whole by itself."))
}
