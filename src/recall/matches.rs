//! Collects FTS5's matches while it finds them.
//!
//! A custom FTS5 function notes each row and how often the words occur in it, and returns false until there are enough.
//! So SQLite goes through all matches within one step and builds no result rows. Besides the VFS, this is the only file
//! with unsafe code, because FTS5 reports matches through pointers.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use rusqlite::ffi::{
    Fts5Context, Fts5ExtensionApi, Fts5PhraseIter, SQLITE_OK, fts5_api, sqlite3_context, sqlite3_result_int,
    sqlite3_value, sqlite3_value_int,
};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, params};

use super::item::{Item, MemoryTables};
use crate::error::{Error, ErrorCode, Result};

const NAME: &CStr = c"note_match";

/// The rows that contain a word.
#[derive(Default)]
pub(super) struct Matches {
    /// Their ids in descending order, and how often the word occurs in each.
    pub(super) rows: Vec<(i64, u32)>,
    /// Whether there are more than `most` rows.
    pub(super) more: bool,
    /// How many rows the index has.
    pub(super) total: i64,
    most: usize,
}

thread_local! {
    static FOUND: RefCell<Matches> = RefCell::default();
}

/// Finds rows of these tables by an expression: the newest ones, at most `most`.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn matches(connection: &Connection, expression: &str, tables: MemoryTables, most: usize) -> Result<Matches> {
    let sql = "SELECT 1 FROM memory_fts WHERE memory_fts MATCH ? AND note_match(memory_fts, ?) ORDER BY rowid DESC";
    let mut statement = connection.prepare_cached(sql)?;
    FOUND.set(Matches { most, ..Matches::default() });
    let more = statement.query(params![expression, tables.bits()])?.next()?.is_some();
    Ok(Matches { more, ..FOUND.take() })
}

/// The address at which FTS5 stores a pointer to its functions.
struct ApiPlace(*mut *mut fts5_api);

impl ToSql for ApiPlace {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Pointer((self.0.cast::<c_void>(), c"fts5_api_ptr", None)))
    }
}

/// Registers the function with the FTS5 of a connection; once per connection.
///
/// # Errors
///
/// If SQLite has no FTS5.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let mut api: *mut fts5_api = ptr::null_mut();
    connection.query_row("SELECT fts5(?)", [ApiPlace(&raw mut api)], |_| Ok(()))?;
    // SAFETY: FTS5 stored its own structure there, which lives as long as the connection. The function has no data of
    // its own.
    let code = unsafe {
        api.as_ref()
            .and_then(|functions| functions.xCreateFunction)
            .map(|create| create(api, NAME.as_ptr(), ptr::null_mut(), Some(note_match), None))
    };
    if code == Some(SQLITE_OK) { Ok(()) } else { Err(Error::new(ErrorCode::Internal, "SQLite has no FTS5.")) }
}

/// Notes the row if its table is accepted; true once there are more than `most` rows.
///
/// # Safety
///
/// Called only by FTS5, with the arguments that it documents.
unsafe extern "C" fn note_match(
    api: *const Fts5ExtensionApi,
    fts: *mut Fts5Context,
    context: *mut sqlite3_context,
    count: c_int,
    arguments: *mut *mut sqlite3_value,
) {
    // SAFETY: FTS5 passes all its functions and as many arguments as it says, all alive during this call.
    let is_enough = unsafe {
        let tables = if count == 1 { sqlite3_value_int(*arguments) as u8 } else { 0 };
        api.as_ref().and_then(|api| note(api, fts, tables))
    };
    // SAFETY: as above.
    unsafe { sqlite3_result_int(context, is_enough.unwrap_or_default().into()) };
}

/// # Safety
///
/// As for [`note_match`].
unsafe fn note(api: &Fts5ExtensionApi, fts: *mut Fts5Context, tables: u8) -> Option<bool> {
    // SAFETY: these are FTS5's functions, called with its own context and with room for what they write.
    unsafe {
        let row = api.xRowid?(fts);
        if tables >> Item(row).table() as u8 & 1 == 0 {
            return Some(false);
        }
        let mut times = 0;
        for phrase in 0..api.xPhraseCount?(fts) {
            let mut place = MaybeUninit::<Fts5PhraseIter>::zeroed();
            let (mut column, mut offset) = (-1, -1);
            if api.xPhraseFirst?(fts, phrase, place.as_mut_ptr(), &raw mut column, &raw mut offset) != SQLITE_OK {
                break;
            }
            while column >= 0 {
                times += 1;
                api.xPhraseNext?(fts, place.as_mut_ptr(), &raw mut column, &raw mut offset);
            }
        }
        FOUND.with_borrow_mut(|found| {
            if found.rows.is_empty() {
                api.xRowCount?(fts, &raw mut found.total);
            }
            if found.rows.len() < found.most {
                found.rows.push((row, times));
                return Some(false);
            }
            Some(true)
        })
    }
}
