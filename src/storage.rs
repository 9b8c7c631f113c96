//! OPFS: the only file that knows web-sys, and the only one with unsafe code.
//!
//! Each database has a pool of its own, so that two of them can be open in two tabs.
#![allow(unsafe_code)]

use std::ffi::CStr;

use js_sys::{JsString, Reflect};
use rsqlite_vfs::VfsFilesManager;
use sqlite_wasm_rs::{WasmOsCallback, sqlite3_vfs_find};
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};
use wasm_bindgen::JsValue;

use crate::error::{Cause, Error, ErrorCode, Result};
use crate::migrate::backup::{Folder, KEPT};

/// Files SQLite may have at once: the database, its log, the backups, and one more while it copies.
const SLOTS: usize = 3 + KEPT;

/// The files of one database, held by this worker alone.
#[derive(Clone)]
pub(crate) struct Pool {
    files: OpfsSAHPoolUtil,
    vfs: String,
}

impl Pool {
    /// Takes hold of the pool of the database at `path`, as `/memory.db`.
    ///
    /// # Errors
    ///
    /// `opfs_unavailable`, `storage_denied`, `locked`, `quota_exceeded`, `io_failed`, each with the browser's own cause.
    pub(crate) async fn acquire(path: &str) -> Result<Self> {
        let vfs = format!("synth-memory:{path}");
        let options = OpfsSAHPoolCfgBuilder::new()
            .vfs_name(&vfs)
            .directory(&format!("synth-memory{path}"))
            .initial_capacity(SLOTS)
            .build();
        let files = install::<WasmOsCallback>(&options, false).await.map_err(from_pool)?;
        // Installing an installed pool gives it as it is, and that may be let go of.
        files.resume().await.map_err(from_pool)?;
        Ok(Self { files, vfs })
    }

    /// The name SQLite knows the pool by.
    pub(crate) fn vfs(&self) -> &str {
        &self.vfs
    }

    /// Lets go of the files. Every connection must be closed.
    pub(crate) fn release(&self) -> Result<()> {
        self.files.pause().map_err(from_pool)
    }

    /// What the browser last said when it refused to read or write; SQLite itself keeps only a number.
    pub(crate) fn last_failure(&self) -> Option<Cause> {
        let name = std::ffi::CString::new(self.vfs.as_str()).ok()?;
        let mut text = [0_u8; 512];
        // SAFETY: the VFS is registered for as long as this worker lives; SQLite's contract for xGetLastError is a
        // buffer of the length given, which it leaves NUL-terminated.
        unsafe {
            let vfs = sqlite3_vfs_find(name.as_ptr());
            let get_last_error = vfs.as_ref()?.xGetLastError?;
            get_last_error(vfs, text.len() as i32 - 1, text.as_mut_ptr().cast());
        }
        let message = CStr::from_bytes_until_nul(&text).ok()?.to_str().ok()?;
        // «write file: QuotaExceededError: …». What names no exception is the VFS's own and everyday, as a short read.
        let name = message.split(": ").find(|part| part.ends_with("Error"))?.to_owned();
        Some(Cause { name, message: message.to_owned(), sql: None })
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
        ErrorCode::Locked => "Another tab or worker has this memory open.".into(),
        ErrorCode::OpfsUnavailable => "This browser has no origin private file system here.".into(),
        ErrorCode::StorageDenied => "The browser refuses this page its origin private file system.".into(),
        ErrorCode::QuotaExceeded => "The browser grants this site no more space.".into(),
        _ => format!("The files of the memory could not be opened ({text})."),
    };
    let cause = cause.unwrap_or(Cause { name: "OpfsSAHError".into(), message: text, sql: None });
    Error::new(code, message).caused_by(cause)
}

fn from_exception(value: &JsValue) -> Cause {
    let property = |name: &str| Reflect::get(value, &JsString::from(name)).ok().and_then(|found| found.as_string());
    Cause {
        name: property("name").unwrap_or_else(|| "Error".into()),
        message: property("message").unwrap_or_else(|| format!("{value:?}")),
        sql: None,
    }
}
