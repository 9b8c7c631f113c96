//! The files that a database has in OPFS, and the errors if the browser denies access to them.
//!
//! Each database has its own pool, so that two databases can be open in two tabs.

use rsqlite_vfs::VfsFilesManager;
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

use super::vfs;
use crate::error::{Error, ErrorCode, FailureCause, Result};
use crate::migrate::backup::Folder;

/// Files needed to open a database: itself and its log. Each file costs time at every opening, so the others are
/// created when they are needed.
const FILES_TO_OPEN: usize = 2;
/// Files that a database has in addition to its kept backups: itself and its log, and the next backup and its log.
const FILES_BESIDE_BACKUPS: usize = 4;

/// The files of one database, which only this worker holds.
#[derive(Clone)]
pub(crate) struct Pool {
    files: OpfsSAHPoolUtil,
    path: String,
    vfs: String,
}

impl Pool {
    /// Acquires the pool of the database at `path`, such as `/memory.db`.
    ///
    /// # Errors
    ///
    /// `opfs_unavailable`, `storage_denied`, `locked`, `quota_exceeded`, `io_failed`, each with the browser's own error
    /// as its cause.
    pub(crate) async fn acquire(path: &str) -> Result<Self> {
        let name = format!("synth-memory:{path}");
        let options = OpfsSAHPoolCfgBuilder::new()
            .vfs_name(&name)
            .directory(&format!("synth-memory{path}"))
            .initial_capacity(FILES_TO_OPEN)
            .build();
        let files = install::<WasmOsCallback>(&options, false).await.map_err(from_pool)?;
        // Installing a pool again returns the existing one, whose files may have been released.
        files.resume().await.map_err(from_pool)?;
        Ok(Self { files, path: path.to_owned(), vfs: vfs::register(&name)? })
    }

    /// Makes room for `backups` backups. Call it before one is made, because creating a file is asynchronous.
    pub(crate) async fn reserve(&self, backups: usize) -> Result<()> {
        self.files.ensure_capacity(FILES_BESIDE_BACKUPS + backups).await.map_err(from_pool)
    }

    /// The path of the database.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The name of the pool's VFS.
    pub(crate) fn vfs(&self) -> &str {
        &self.vfs
    }

    /// Releases the files. Every connection must be closed first.
    pub(crate) fn release(&self) -> Result<()> {
        self.files.pause().map_err(from_pool)
    }

    /// The browser's last error on a read or a write.
    pub(crate) fn last_failure(&self) -> Option<FailureCause> {
        vfs::last_failure(&self.vfs)
    }
}

impl Folder for Pool {
    fn names(&self) -> Result<Vec<String>> {
        self.files.names().map_err(from_pool)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.files.remove(name).map(|_| ()).map_err(from_pool)
    }

    fn location<'a>(&'a self, name: &'a str) -> (String, Option<&'a str>) {
        (name.to_owned(), Some(&self.vfs))
    }
}

fn from_pool(error: OpfsSAHError) -> Error {
    let text = error.to_string();
    let (code, cause) = match &error {
        OpfsSAHError::Opfs { value, .. } => {
            let cause = from_exception(value);
            let code = match cause.name.as_str() {
                "NoModificationAllowedError" => ErrorCode::Locked,
                "SecurityError" | "NotAllowedError" => ErrorCode::StorageDenied,
                "NotSupportedError" | "TypeError" => ErrorCode::OpfsUnavailable,
                "QuotaExceededError" => ErrorCode::QuotaExceeded,
                _ => ErrorCode::IoFailed,
            };
            (code, Some(cause))
        }
        OpfsSAHError::NotSupported => (ErrorCode::OpfsUnavailable, None),
        OpfsSAHError::NoCapacity => (ErrorCode::IoFailed, None),
        OpfsSAHError::OutOfMemory => (ErrorCode::OutOfMemory, None),
        OpfsSAHError::InvalidHeader { .. } | OpfsSAHError::DuplicateFilename(_) => (ErrorCode::CorruptDatabase, None),
        _ => (ErrorCode::IoFailed, None),
    };
    let message = match code {
        ErrorCode::Locked => "This memory is open elsewhere.".into(),
        ErrorCode::OpfsUnavailable => "This browser has no origin private file system here.".into(),
        ErrorCode::StorageDenied => "The browser denies this page access to its origin private file system.".into(),
        ErrorCode::QuotaExceeded => "The browser grants this site no more space.".into(),
        _ => format!("The files of the memory could not be opened ({text})."),
    };
    let cause = cause.unwrap_or(FailureCause { name: "OpfsSAHError".into(), message: text, sql: None });
    Error::new(code, message).caused_by(cause)
}

fn from_exception(value: &JsValue) -> FailureCause {
    let (name, message) = if let Some(exception) = value.dyn_ref::<DomException>() {
        (exception.name(), exception.message())
    } else if let Some(error) = value.dyn_ref::<js_sys::Error>() {
        (error.name().into(), error.message().into())
    } else {
        ("Error".into(), format!("{value:?}"))
    };
    FailureCause { name, message, sql: None }
}
