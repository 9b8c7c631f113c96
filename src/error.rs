//! Every failure is an [`Error`]: a stable code, what was wrong, what to do about it, and what caused it.

use std::borrow::Cow;
use std::fmt;

use rusqlite::ffi;
use serde::Serialize;
use tsify::Tsify;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $hint:literal;)+) => {
        /// The kinds of failure. Programs match on [`ErrorCode::code`], which never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// All of them, in the order of their declaration.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// All the codes as a TypeScript type.
            pub const DECLARATION: &str = concat!(
                "/** The kinds of failure that the engine knows. */\nexport type EngineErrorCode =",
                $("\n  /**", $($doc,)+ " */\n  | \"", $code, "\"",)+
                ";"
            );

            /// The stable snake_case name.
            pub const fn code(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code,)+ }
            }

            /// What to do about it, where the place that raised the error knew nothing better.
            pub const fn hint(self) -> &'static str {
                match self { $(ErrorCode::$variant => $hint,)+ }
            }
        }
    };
}

error_codes! {
    /// An argument of the wrong type, out of its range, or with a field that does not exist.
    InvalidArgument = "invalid_argument", "Correct it; nothing was changed.";
    /// A value that JSON cannot hold: `undefined`, a function, a cycle, a BigInt, NaN, a class instance.
    InvalidJson = "invalid_json", "Store plain objects, arrays, strings, finite numbers, booleans and null only.";
    /// A text above the limit of its column.
    TextTooLong = "text_too_long", "Store the text in parts, or a summary of it.";
    /// A vector that cannot be one: of other dimensions than the model's, with what is no finite number, or of no length.
    InvalidEmbedding = "invalid_embedding", "Correct it; nothing was changed.";
    /// The bundled embedder was asked for and is not loaded: the client loads it and asks again.
    EmbedderMissing = "embedder_missing", "Load it, then make the call again.";
    /// The row to change does not exist.
    NotFound = "not_found", "Look the row up first; it may have been deleted.";
    /// The browser has no origin private file system here.
    OpfsUnavailable = "opfs_unavailable", "Use https or localhost, a browser with OPFS and no private window; or ask for 'memory:', which keeps nothing.";
    /// The browser has OPFS but refuses to give it to this page.
    StorageDenied = "storage_denied", "Allow this site to store data, leave private browsing, then reload.";
    /// Another tab or worker holds the file.
    Locked = "locked", "Close it there first: in another tab, in a worker, or where this page opened it before.";
    /// The disk, or the part of it that the browser grants this site, is full.
    QuotaExceeded = "quota_exceeded", "Free space or delete old rows; the write was not made and nothing else changed.";
    /// Reading or writing the file failed.
    IoFailed = "io_failed", "Reload the page; the file is at its last committed state.";
    /// The file is an SQLite database, but damaged.
    CorruptDatabase = "corrupt_database", "Restore a backup with backups.restore(id), or import an exported file.";
    /// The file is not an SQLite database at all.
    NotADatabase = "not_a_database", "Choose an SQLite file that this package or Synth Mind made.";
    /// The file has tables but no `alembic_version`, so no one knows at which revision it is.
    UnversionedDatabase = "unversioned_database", "Correct its tables with the program that made them, or choose another file.";
    /// The file was migrated by a newer version of the app than this one.
    NewerSchema = "newer_schema", "Pass all of the app's `migrations`, or load its newest version; or open with onNewerSchema 'readonly' or 'downgrade'.";
    /// The memory was opened read-only, as its file is newer than the app.
    ReadOnlyMemory = "read_only_memory", "Load the newest version of the app to write.";
    /// A migration was changed after it was applied.
    EditedRevision = "edited_revision", "Put its text back and add a new revision; if no one else has applied it yet, migrations.redo(); if the schema is the same, migrations.accept(revision).";
    /// The file is at a revision that no migration has, here or in its own history.
    UnknownRevision = "unknown_revision", "Pass all of the app's `migrations`, or load its newest version; if the file is older, migrations.stamp with purge can put it right.";
    /// A symbol means no revision: no id or label begins with it, or it counts more steps than there are.
    UnknownSymbol = "unknown_symbol", "Name a revision by its id, its label, head, heads, base or current.";
    /// A symbol could mean several revisions: the prefix of several ids, `head` where there are several heads.
    AmbiguousRevision = "ambiguous_revision", "Name the one that is meant; nothing was changed.";
    /// A new revision was to build on one that others build on already, which would begin a branch.
    NotAHead = "not_a_head", "Build on a head, or begin a branch there with splice: true.";
    /// A migration file breaks the format, or the files do not fit together.
    InvalidMigration = "invalid_migration", "Correct the migration file named in the message.";
    /// A statement of a migration failed; the whole run was undone.
    MigrationFailed = "migration_failed", "Correct the migration; the file is still at the revision it was at.";
    /// A constraint of the app's, or a trigger that raises an error, refused the change.
    ConstraintFailed = "constraint_failed", "Change what it refuses, or the constraint by a migration; nothing was changed.";
    /// The schema lacks what the call needs: the memory is at an earlier revision.
    SchemaMismatch = "schema_mismatch", "Bring the memory to head: await memory.migrations.upgrade('heads').";
    /// A column holds a value of a type it should not.
    UnexpectedValue = "unexpected_value", "Correct the row with update(), or delete it.";
    /// `query` was given a statement that would write.
    ReadOnlyQuery = "read_only_query", "query() reads only; change rows with the methods of their tables.";
    /// `query` was given something that is not one valid SQL statement, or parameters that do not fit it.
    InvalidSql = "invalid_sql", "Correct the SQL; memory.query() takes one SELECT statement and its parameters.";
    /// `query` ran longer than it may.
    QueryTimeout = "query_timeout", "Narrow the query, add LIMIT, or raise the timeoutMs option.";
    /// `query` found more rows than a page should hold.
    ResultTooLarge = "result_too_large", "Add LIMIT, or read it page by page.";
    /// There is not enough memory in the WebAssembly module.
    OutOfMemory = "out_of_memory", "Work on smaller parts at a time.";
    /// A defect of this package.
    Internal = "internal", "Please report it with this message.";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A failure: [`code`](Error::code), message, hint and cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: ErrorCode,
    message: String,
    hint: Cow<'static, str>,
    cause: Option<FailureCause>,
}

/// What an [`Error`] came from: SQLite's own words, or the browser's exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct FailureCause {
    /// `SQLITE_FULL (13)` or the name of a DOMException, as `NoModificationAllowedError`.
    pub name: String,
    /// The words that came with it.
    pub message: String,
    /// The statement that failed, where there was one.
    pub sql: Option<String>,
}

impl Error {
    /// An error with the code's own hint and no cause.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), hint: Cow::Borrowed(code.hint()), cause: None }))
    }

    /// Shorthand for the most common one.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// The same error with a hint that knows more.
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// The same error with what caused it.
    pub fn caused_by(mut self, cause: FailureCause) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// The same cause under another code and message, for a caller that knows what was being done.
    pub fn recast(self, code: ErrorCode, message: impl Into<String>) -> Self {
        let Inner { code: old, message: said, cause, .. } = *self.0;
        let cause = cause.unwrap_or_else(|| FailureCause { name: old.code().into(), message: said, sql: None });
        Self::new(code, message).caused_by(cause)
    }

    /// The same error, saying which of several rows it is about.
    pub(crate) fn in_row(self, at: usize) -> Self {
        self.within("row", at)
    }

    /// The same error, saying which of several statements it is about.
    pub(crate) fn in_statement(self, at: usize) -> Self {
        self.within("statement", at)
    }

    fn within(mut self, what: &str, at: usize) -> Self {
        self.0.message = format!("{what} {at}: {}", self.0.message);
        self
    }

    /// Which kind of failure.
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

    /// Why it failed, without a full stop, to quote in another message: the words of its cause if it has one.
    pub(crate) fn reason(&self) -> &str {
        self.cause().map_or(self.message(), |cause| &cause.message).trim_end_matches('.')
    }

    /// What caused it.
    pub fn cause(&self) -> Option<&FailureCause> {
        self.0.cause.as_ref()
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
            Sqlite::InvalidColumnType(_, column, found) => {
                Error::new(ErrorCode::UnexpectedValue, format!("The column {column} holds a value of type {found}."))
            }
            Sqlite::IntegralValueOutOfRange(index, value) => {
                Error::new(ErrorCode::UnexpectedValue, format!("Column {index} holds {value}, which is out of range."))
            }
            Sqlite::Utf8Error(..) | Sqlite::FromSqlConversionFailure(..) => {
                Error::new(ErrorCode::UnexpectedValue, "A column holds text that is not UTF-8.")
            }
            // Where a row may be missing, that is asked for: this one is always there in a file that is whole.
            Sqlite::QueryReturnedNoRows => Error::new(
                ErrorCode::CorruptDatabase,
                "The database is damaged: a row is missing that every memory has.",
            ),
            Sqlite::NulError(_) => Error::invalid_argument("SQL may not hold a NUL character."),
            // The rest are calls that this crate makes wrongly or not at all. Their words are left out, for they would
            // bring the formatting of them all into everyone's download.
            _ => Error::new(ErrorCode::Internal, "SQLite was called wrongly."),
        }
    }
}

fn from_sqlite(failure: ffi::Error, message: Option<String>, sql: Option<String>) -> Error {
    use ffi::ErrorCode as Sqlite;
    let words = message.unwrap_or_else(|| ffi::code_to_str(failure.extended_code).to_owned());
    let (code, what) = match failure.code {
        Sqlite::DiskFull => (ErrorCode::QuotaExceeded, "There is no space left to store this.".into()),
        Sqlite::DatabaseCorrupt => (ErrorCode::CorruptDatabase, "The database is damaged.".into()),
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
            (ErrorCode::ReadOnlyQuery, "The statement does what it may not.".into())
        }
        // The tables of the memory have none that a call could meet: their keys are its own, and what must be there is checked.
        Sqlite::ConstraintViolation => {
            (ErrorCode::ConstraintFailed, format!("A constraint or a trigger refused the change ({words})."))
        }
        Sqlite::TooBig => (ErrorCode::TextTooLong, "A value or a row is larger than SQLite allows.".into()),
        // SQLite has no code for these two, only SQLITE_ERROR, so its words are all there is to go by. Nothing else may branch
        // on the words of a message.
        _ if words.starts_with("no such table") || words.starts_with("no such column") => {
            (ErrorCode::SchemaMismatch, format!("The schema of the memory lacks what this call needs ({words})."))
        }
        _ => (ErrorCode::Internal, format!("SQLite refused a statement ({words}).")),
    };
    let name = format!("SQLite error {}", failure.extended_code);
    Error::new(code, what).caused_by(FailureCause { name, message: words, sql })
}
