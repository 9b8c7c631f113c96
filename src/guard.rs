//! What a caller's statement may do, and what it reads and writes, from SQLite's authorizer: one that only asks, or one that writes
//! to an app's own tables.
//!
//! To set an authorizer makes SQLite prepare every statement again, so it is set once and stays; while nothing is guarded it
//! allows everything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::error::Result;
use crate::tables::is_ours;

/// The pragmas that only tell.
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
/// Those of them whose argument asks rather than sets.
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

/// What statements may do.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Read.
    #[default]
    Reads,
    /// Write to an app's own tables as well, by triggers too.
    OwnTables,
}

/// What SQLite asked of the statements that were guarded.
#[derive(Default)]
pub(crate) struct Seen {
    allowed: Allowed,
    /// The app's tables that they write to.
    pub(crate) written: Vec<String>,
    /// The first thing that they would have done and may not.
    pub(crate) refused: Option<String>,
    /// What they read by name: tables, but also views and what they read, and what FTS5 reads of its own.
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

    /// Whether it writes to a table of the app's, which is noted.
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

/// The authorizer of one connection. SQLite wants it to be `Send`, hence the lock; there is one thread.
#[derive(Default)]
pub(crate) struct Guard {
    /// While statements are guarded, what they did.
    seen: Arc<Mutex<Option<Seen>>>,
    is_set: bool,
}

fn lock(seen: &Mutex<Option<Seen>>) -> MutexGuard<'_, Option<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guard {
    /// Makes a connection ask before it prepares a statement.
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

    /// Guards the statements that are prepared from here on.
    pub(crate) fn begin(&self, allowed: Allowed) {
        *lock(&self.seen) = Some(Seen { allowed, ..Seen::default() });
    }

    /// Allows everything again.
    pub(crate) fn end(&self) -> Seen {
        lock(&self.seen).take().unwrap_or_default()
    }

    /// Notes that the connection may have another authorizer now, or none.
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
