//! Limits what a caller's statement can do, and records what it reads and writes, with SQLite's authorizer. The
//! statement either only reads, or also writes to an app's own tables.
//!
//! Setting an authorizer makes SQLite prepare every statement again, so it is set once and stays. While no statement is
//! guarded, it allows everything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::error::Result;
use crate::tables::is_ours;

/// The pragmas that only report.
const PRAGMAS: &[&str] = &[
    "collation_list",
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "freelist_count",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "journal_mode",
    "locking_mode",
    "page_count",
    "page_size",
    "quick_check",
    "schema_version",
    "synchronous",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];
/// The pragmas whose argument selects what to report and sets nothing.
const PRAGMAS_WITH_ARGUMENT: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// What statements are allowed to do.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Read only.
    #[default]
    Reads,
    /// Also write to an app's own tables, directly or by triggers.
    OwnTables,
}

/// The actions of the guarded statements, as far as SQLite asked the authorizer about them.
#[derive(Default)]
pub(crate) struct Seen {
    allowed: Allowed,
    /// The app's tables that they write to.
    pub(crate) written: Vec<String>,
    /// The first action that was denied.
    pub(crate) refused: Option<String>,
    /// The names of what they read: tables, views and what those read, and FTS5's own tables.
    pub(crate) read: Vec<String>,
}

impl Seen {
    fn authorize(&mut self, action: AuthAction<'_>) -> Authorization {
        if let AuthAction::Read { table_name, .. } = action
            && !self.read.iter().any(|name| name == table_name)
        {
            self.read.push(table_name.to_owned());
        }
        if only_reads(action) || (self.allowed == Allowed::OwnTables && self.writes_to_own(action)) {
            return Authorization::Allow;
        }
        self.refused.get_or_insert_with(|| describe(action));
        Authorization::Deny
    }

    /// Whether the action writes to a table of the app's own; records the table if so.
    fn writes_to_own(&mut self, action: AuthAction<'_>) -> bool {
        let (AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }) = action
        else {
            return false;
        };
        if is_ours(table_name) {
            return false;
        }
        if !self.written.iter().any(|name| name == table_name) {
            self.written.push(table_name.to_owned());
        }
        true
    }
}

/// The authorizer of one connection. It must be `Send`, hence the lock; there is only one thread.
#[derive(Default)]
pub(crate) struct Guard {
    /// What the guarded statements do; `None` while none is guarded.
    seen: Arc<Mutex<Option<Seen>>>,
    is_set: bool,
}

fn lock(seen: &Mutex<Option<Seen>>) -> MutexGuard<'_, Option<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guard {
    /// Sets the authorizer of a connection, unless it is set.
    pub(crate) fn install(&mut self, connection: &mut Connection) -> Result<()> {
        if !self.is_set {
            let seen = Arc::clone(&self.seen);
            connection.authorizer(Some(move |context: AuthContext<'_>| {
                lock(&seen).as_mut().map_or(Authorization::Allow, |seen| seen.authorize(context.action))
            }))?;
            self.is_set = true;
        }
        Ok(())
    }

    /// Guards the statements that are prepared from now on.
    pub(crate) fn begin(&self, allowed: Allowed) {
        *lock(&self.seen) = Some(Seen { allowed, ..Seen::default() });
    }

    /// Allows everything again, and returns what the guarded statements do.
    pub(crate) fn end(&self) -> Seen {
        lock(&self.seen).take().unwrap_or_default()
    }

    /// Records that the connection may have another authorizer now, or none.
    pub(crate) fn lose(&mut self) {
        self.is_set = false;
    }
}

fn describe(action: AuthAction<'_>) -> String {
    match action {
        AuthAction::Insert { table_name } => format!("it inserts into {table_name}"),
        AuthAction::Update { table_name, .. } => format!("it updates {table_name}"),
        AuthAction::Delete { table_name } => format!("it deletes from {table_name}"),
        AuthAction::Pragma { pragma_name, .. } => format!("it sets the pragma {pragma_name}"),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => "it attaches or detaches a database".into(),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => "it begins or ends a transaction".into(),
        _ => "it changes the schema".into(),
    }
}

fn only_reads(action: AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Function { .. } | AuthAction::Recursive => true,
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let name = pragma_name.to_ascii_lowercase();
            PRAGMAS.contains(&name.as_str())
                && (pragma_value.is_none() || PRAGMAS_WITH_ARGUMENT.contains(&name.as_str()))
        }
        _ => false,
    }
}
