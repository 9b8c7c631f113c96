//! Every failure is an [`Error`] with a stable code, a message, a hint and, if known, a cause.

use std::borrow::Cow;
use std::fmt;

use rusqlite::ffi;
use serde::Serialize;
use tsify::Tsify;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $hint:literal;)+) => {
        /// The kinds of failure. Programs match on [`ErrorCode::code`], which never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// All codes, in the order of their declaration.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// All codes as a TypeScript type.
            pub const DECLARATION: &str = concat!(
                "/** The kinds of failure that the engine reports. */\nexport type EngineErrorCode =",
                $("\n  /**", $($doc,)+ " */\n  | \"", $code, "\"",)+
                ";"
            );

            /// The stable snake_case name.
            pub const fn code(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code,)+ }
            }

            /// What to do about it. This is the default hint; a call can replace it with a more specific one.
            pub const fn hint(self) -> &'static str {
                match self { $(ErrorCode::$variant => $hint,)+ }
            }
        }
    };
}

error_codes! {
    /// An argument has the wrong type, is out of range, or has an unknown field.
    InvalidArgument = "invalid_argument", "Correct it; nothing was changed.";
    /// A value cannot be stored as JSON: `undefined`, a function, a cycle, NaN or a class instance.
    InvalidJson = "invalid_json", "Store plain objects, arrays, strings, finite numbers, booleans and null only.";
    /// A text exceeds the limit of its column.
    TextTooLong = "text_too_long", "Store the text in parts, or a summary of it.";
    /// A vector has another number of dimensions than the model, contains a non-finite number, or has length zero.
    InvalidEmbedding = "invalid_embedding", "Correct it; nothing was changed.";
    /// The call needs the bundled embedder, which is not loaded: the client loads it and retries.
    EmbedderMissing = "embedder_missing", "Load it, then retry the call.";
    /// The row to be changed does not exist.
    NotFound = "not_found", "Look the row up first; it may have been deleted.";
    /// The origin private file system (OPFS) is not available here.
    OpfsUnavailable = "opfs_unavailable", "Use https or localhost and a browser with OPFS, outside a private window; or open 'memory:', which keeps nothing.";
    /// The browser has OPFS but denies this page access to it.
    StorageDenied = "storage_denied", "Allow this site to store data, leave private browsing, then reload.";
    /// Another tab or worker holds the file.
    Locked = "locked", "Close it there first: in another tab, in a worker, or where this page opened it before.";
    /// The disk is full, or the quota that the browser grants this site is used up.
    QuotaExceeded = "quota_exceeded", "Free space or delete old rows; the write was not made and nothing else changed.";
    /// Reading or writing the file failed.
    IoFailed = "io_failed", "Reload the page; the file is at its last committed state.";
    /// The file is an SQLite database, but it is damaged.
    CorruptDatabase = "corrupt_database", "Restore a backup with backups.restore(id), or import an exported file.";
    /// The file is not an SQLite database.
    NotADatabase = "not_a_database", "Choose an SQLite file that this package or Synth Mind made.";
    /// The file has tables but no `alembic_version`, so its revision is unknown.
    UnversionedDatabase = "unversioned_database", "Correct its tables with the program that made them, or choose another file.";
    /// The file was migrated by a newer version of the app than this one.
    NewerSchema = "newer_schema", "Pass all of the app's `migrations`, or load its newest version; or open with onNewerSchema 'readonly' or 'downgrade'.";
    /// The memory was opened read-only, because its file is newer than the app.
    ReadOnlyMemory = "read_only_memory", "Load the newest version of the app to write.";
    /// A migration was changed after it was applied.
    EditedRevision = "edited_revision", "Restore its text and add a new revision. If no one else has applied it yet, call migrations.redo(); if the schema is the same, migrations.accept(revision).";
    /// The file is at a revision that is neither among the migrations nor in the file's own history.
    UnknownRevision = "unknown_revision", "Pass all of the app's `migrations`, or load its newest version; if the file is older, call migrations.stamp with purge.";
    /// A symbol matches no revision: no id or label begins with it, or it counts more steps than there are.
    UnknownSymbol = "unknown_symbol", "Name a revision by its id, its label, head, heads, base or current.";
    /// A symbol matches several revisions: it is the prefix of several ids, or `head` if there are several heads.
    AmbiguousRevision = "ambiguous_revision", "Name a single revision; nothing was changed.";
    /// A new revision would build on one that another already builds on, which would begin a branch.
    NotAHead = "not_a_head", "Build on a head, or begin a branch there with splice: true.";
    /// A migration file breaks the format, or the files do not fit together.
    InvalidMigration = "invalid_migration", "Correct the migration file named in the message.";
    /// A statement of a migration failed; the whole run was rolled back.
    MigrationFailed = "migration_failed", "Correct the migration; the file is still at its old revision.";
    /// A constraint that the app declared, or a trigger that raises an error, rejected the change.
    ConstraintFailed = "constraint_failed", "Correct the value, or change the constraint with a migration; nothing was changed.";
    /// The schema lacks a table or a column that the call needs: the memory is at an earlier revision.
    SchemaMismatch = "schema_mismatch", "Bring the memory to head: await memory.migrations.upgrade('heads').";
    /// A column holds a value of an unexpected type, or an id is out of range.
    UnexpectedValue = "unexpected_value", "Correct the row with update(), or delete it.";
    /// `query` received a statement that would write.
    ReadOnlyQuery = "read_only_query", "query() reads only; change rows with the methods of their tables.";
    /// The SQL is not one valid statement that the call accepts, or the parameters do not fit it.
    InvalidSql = "invalid_sql", "Correct the SQL or its parameters; nothing was changed.";
    /// The SQL ran longer than its timeout.
    QueryTimeout = "query_timeout", "Narrow the query, add LIMIT, or raise the timeoutMs option.";
    /// The SQL returned more rows or bytes than the limit.
    ResultTooLarge = "result_too_large", "Add LIMIT, or read the rows page by page.";
    /// The WebAssembly module ran out of memory.
    OutOfMemory = "out_of_memory", "Process less data at a time.";
    /// A bug in this package.
    Internal = "internal", "Please report it with this message.";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A failure: a [`code`](Error::code), a message, a hint and a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: ErrorCode,
    message: String,
    hint: Cow<'static, str>,
    cause: Option<FailureCause>,
}

/// The cause of an [`Error`]: SQLite's own error, or the browser's exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct FailureCause {
    /// `SQLite error 13`, or the name of a DOMException such as `NoModificationAllowedError`.
    pub name: String,
    /// Its message.
    pub message: String,
    /// The SQL statement that failed, if there was one.
    pub sql: Option<String>,
}

impl Error {
    /// An error with the default hint of its code and no cause.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), hint: Cow::Borrowed(code.hint()), cause: None }))
    }

    /// Shorthand for the most common code, `invalid_argument`.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// The error for a damaged database, and what was found in it.
    pub(crate) fn damaged(found: &str) -> Self {
        Self::new(ErrorCode::CorruptDatabase, format!("{DAMAGED}: {found}."))
    }

    /// The same for a damaged database that is not the memory itself: `what` names it.
    pub(crate) fn of_damaged(mut self, what: &str) -> Self {
        let why = self.reason();
        let why = why.strip_prefix(DAMAGED).map_or(why, |found| found.trim_start_matches(": "));
        self.0.message = format!("{what} is damaged: {why}.");
        self.0.code = ErrorCode::CorruptDatabase;
        self
    }

    /// The same error with a more specific hint.
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// The same error with its cause.
    pub fn caused_by(mut self, cause: FailureCause) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// The same cause with another code and message, for a caller that knows what was being done.
    pub fn recast(self, code: ErrorCode, message: impl Into<String>) -> Self {
        let Inner { code: old, message: said, cause, .. } = *self.0;
        let cause = cause.unwrap_or_else(|| FailureCause { name: old.code().into(), message: said, sql: None });
        Self::new(code, message).caused_by(cause)
    }

    /// The same error with the index of the row in its message.
    pub(crate) fn in_row(self, at: usize) -> Self {
        self.within("row", at)
    }

    /// The same error with the index of the statement in its message.
    pub(crate) fn in_statement(self, at: usize) -> Self {
        self.within("statement", at)
    }

    fn within(mut self, what: &str, at: usize) -> Self {
        self.0.message = format!("{what} {at}: {}", self.0.message);
        self
    }

    /// The kind of failure.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What was wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// Why it failed, to quote in another message: the message of its cause if it has one, without the full stop.
    pub(crate) fn reason(&self) -> &str {
        self.cause().map_or(self.message(), |cause| &cause.message).trim_end_matches('.')
    }

    /// What caused it.
    pub fn cause(&self) -> Option<&FailureCause> {
        self.0.cause.as_ref()
    }

    /// Whether SQLite found that a table does not exist.
    pub(crate) fn is_of_missing_table(&self) -> bool {
        self.cause().is_some_and(|cause| cause.message.starts_with(NO_TABLE))
    }

    /// Whether SQLite found a virtual table damaged; the only one that this crate uses is the index of words.
    pub(crate) fn is_of_virtual_table(&self) -> bool {
        self.cause().is_some_and(|cause| cause.name == name_of(ffi::SQLITE_CORRUPT_VTAB))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.code(), self.message(), self.hint())
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Sqlite;
        match error {
            Sqlite::SqliteFailure(failure, message) => from_sqlite(failure, message, None),
            Sqlite::SqlInputError { error, msg, sql, .. } => from_sqlite(error, Some(msg), Some(sql)),
            Sqlite::InvalidColumnType(_, column, found) => Error::new(
                ErrorCode::UnexpectedValue,
                format!("Column {column} holds a value of the wrong type ({found})."),
            ),
            Sqlite::IntegralValueOutOfRange(index, value) => {
                Error::new(ErrorCode::UnexpectedValue, format!("Column {index} holds {value}, which is out of range."))
            }
            Sqlite::Utf8Error(..) | Sqlite::FromSqlConversionFailure(..) => {
                Error::new(ErrorCode::UnexpectedValue, "A column holds text that is not UTF-8.")
            }
            // Queries whose row can be missing ask for an optional row. Any other row always exists in an undamaged
            // file.
            Sqlite::QueryReturnedNoRows => Error::damaged("a row that every memory has is missing"),
            Sqlite::NulError(_) => Error::invalid_argument("SQL must not contain a NUL character."),
            // The rest are wrong uses of rusqlite, or of features that this crate does not use. Their messages are left
            // out: the code that formats them would make every download larger.
            _ => Error::new(ErrorCode::Internal, "Unexpected SQLite error."),
        }
    }
}

/// How SQLite's message for a table that does not exist begins.
const NO_TABLE: &str = "no such table";

/// How the message for a damaged database begins.
const DAMAGED: &str = "The database is damaged";

/// The name of a cause that is an error of SQLite.
fn name_of(extended_code: i32) -> String {
    format!("SQLite error {extended_code}")
}

fn from_sqlite(failure: ffi::Error, message: Option<String>, sql: Option<String>) -> Error {
    use ffi::ErrorCode as Sqlite;
    let words = message.unwrap_or_else(|| ffi::code_to_str(failure.extended_code).to_owned());
    let (code, what) = match failure.code {
        Sqlite::DiskFull => (ErrorCode::QuotaExceeded, "There is no space left to store this.".into()),
        Sqlite::DatabaseCorrupt => (ErrorCode::CorruptDatabase, format!("{DAMAGED}.")),
        Sqlite::NotADatabase => (ErrorCode::NotADatabase, "The file is not an SQLite database.".into()),
        Sqlite::OutOfMemory => (ErrorCode::OutOfMemory, "SQLite ran out of memory.".into()),
        Sqlite::SystemIoFailure | Sqlite::CannotOpen | Sqlite::ReadOnly => {
            (ErrorCode::IoFailed, format!("The database file could not be read or written ({words})."))
        }
        Sqlite::DatabaseBusy | Sqlite::DatabaseLocked => {
            (ErrorCode::Locked, "The database is locked by another connection.".into())
        }
        Sqlite::OperationInterrupted => (ErrorCode::QueryTimeout, "The query was stopped.".into()),
        Sqlite::AuthorizationForStatementDenied => {
            (ErrorCode::ReadOnlyQuery, "The statement does something that is not allowed.".into())
        }
        // No call can violate a constraint of the memory's own tables: the memory manages their keys and checks
        // required values.
        Sqlite::ConstraintViolation => {
            (ErrorCode::ConstraintFailed, format!("A constraint or a trigger rejected the change ({words})."))
        }
        Sqlite::TooBig => (ErrorCode::TextTooLong, "A value or a row is larger than SQLite allows.".into()),
        // SQLite reports both as SQLITE_ERROR, so only the message distinguishes them. No other code may branch on the
        // text of a message.
        _ if words.starts_with(NO_TABLE) || words.starts_with("no such column") => {
            (ErrorCode::SchemaMismatch, format!("The schema of the memory lacks what this call needs ({words})."))
        }
        _ => (ErrorCode::Internal, format!("SQLite rejected a statement ({words}).")),
    };
    let name = name_of(failure.extended_code);
    Error::new(code, what).caused_by(FailureCause { name, message: words, sql })
}
