//! A VFS on top of the pool's VFS. It changes three things and passes everything else on.
//!
//! - It declares the files as power-safe on overwrite, as SQLite assumes of every file of an operating system and as
//!   OPFS files are. Without that, SQLite adds a frame to each commit only to fill a sector.
//! - SQLite writes a commit to the log frame by frame, each as a header and a page, and each write is a call into the
//!   browser. So this VFS gathers the writes. It makes them in one call when the frame that ends the commit is
//!   complete, or before any other access to the file. A write that fails still fails within the commit.
//! - It writes zeros to the unallocated space of each page of the database, so that the file keeps nothing that was
//!   deleted. Pages in the log are not changed, because a frame's checksum covers the whole page; the log is emptied at
//!   the close.
//!
//! Only this file and `recall/matches.rs` have unsafe code. It is needed here because SQLite calls a VFS through
//! pointers.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};

use sqlite_wasm_rs::{
    SQLITE_CANTOPEN, SQLITE_IOCAP_POWERSAFE_OVERWRITE, SQLITE_OK, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, sqlite3_file,
    sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::db::zero_unallocated;
use crate::error::{Error, ErrorCode, FailureCause, Result};

/// The most bytes that are gathered before they are written.
const MAX_GATHERED: usize = 1 << 20;
/// The length of a frame's header; no page has this length. The header's second word is not 0 if the frame ends a
/// commit (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const FRAME_HEADER: usize = 24;

type Open = unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, *mut sqlite3_file, c_int, *mut c_int) -> c_int;

/// Writes to a log that are not yet made, as contiguous bytes.
struct Gathered {
    file: *mut sqlite3_file,
    offset: i64,
    bytes: Vec<u8>,
    /// Whether the next page ends a commit.
    commits: bool,
}

/// The methods of the pool's files, and the methods that wrap them.
#[derive(Clone, Copy)]
struct Methods {
    pool: &'static sqlite3_io_methods,
    database: &'static sqlite3_io_methods,
    journal: &'static sqlite3_io_methods,
    log: &'static sqlite3_io_methods,
}

thread_local! {
    static POOL_OPEN: Cell<Option<Open>> = const { Cell::new(None) };
    static METHODS: Cell<Option<Methods>> = const { Cell::new(None) };
    static GATHERED: RefCell<Vec<Gathered>> = const { RefCell::new(Vec::new()) };
    /// The page that is being written.
    static PAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// The log that was read last, and the offset of that read.
    static LAST_READ: Cell<(*const sqlite3_file, i64)> = const { Cell::new((std::ptr::null(), -1)) };
}

/// Registers a VFS on top of the one named `pool`, unless that was done before; returns its name.
pub(crate) fn register(pool: &str) -> Result<String> {
    let name = format!("{pool}:log");
    let failed = |what: &str| Error::new(ErrorCode::Internal, format!("The VFS {name} {what}."));
    let (Ok(pool), Ok(c_name)) = (CString::new(pool), CString::new(name.as_str())) else {
        return Err(failed("has a NUL in its name"));
    };
    // SAFETY: SQLite is called on the only thread. The registered VFS is leaked, so it lives as long as the worker. Its
    // callbacks are the pool's own, which find their data in the copied struct too.
    unsafe {
        if !sqlite3_vfs_find(c_name.as_ptr()).is_null() {
            return Ok(name);
        }
        let below = sqlite3_vfs_find(pool.as_ptr()).as_ref().ok_or_else(|| failed("has no pool below it"))?;
        POOL_OPEN.set(below.xOpen);
        let vfs = sqlite3_vfs { zName: c_name.into_raw(), xOpen: Some(open), pNext: std::ptr::null_mut(), ..*below };
        match sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) {
            SQLITE_OK => Ok(name),
            code => Err(failed(&format!("could not be registered ({code})"))),
        }
    }
}

/// The browser's last error on a read or a write. SQLite itself keeps only an error number.
pub(crate) fn last_failure(vfs: &str) -> Option<FailureCause> {
    let name = CString::new(vfs).ok()?;
    let mut text = [0_u8; 512];
    // SAFETY: a registered VFS lives as long as the worker; xGetLastError receives a buffer of the length passed to it.
    unsafe {
        let vfs = sqlite3_vfs_find(name.as_ptr());
        let get_last_error = vfs.as_ref()?.xGetLastError?;
        get_last_error(vfs, text.len() as c_int - 1, text.as_mut_ptr().cast());
    }
    let message = CStr::from_bytes_until_nul(&text).ok()?.to_str().ok()?;
    // For example "write file: QuotaExceededError: …". A message without an exception's name comes from the VFS itself
    // and is no failure of the browser, such as a short read.
    let name = message.split(": ").find(|part| part.ends_with("Error"))?.to_owned();
    Some(FailureCause { name, message: message.to_owned(), sql: None })
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let Some(pool_open) = POOL_OPEN.get() else { return SQLITE_CANTOPEN };
    // SAFETY: SQLite's contract for xOpen is passed on. On success, the file has the pool's methods.
    unsafe {
        let code = pool_open(vfs, name, file, flags, out);
        if code == SQLITE_OK {
            let methods = METHODS.get().unwrap_or_else(|| over(&*(*file).pMethods));
            METHODS.set(Some(methods));
            (*file).pMethods = match flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB) {
                SQLITE_OPEN_WAL => methods.log,
                SQLITE_OPEN_MAIN_DB => methods.database,
                _ => methods.journal,
            };
        }
        code
    }
}

/// The methods that wrap the pool's. They are made once and live as long as the worker.
fn over(pool: &'static sqlite3_io_methods) -> Methods {
    let journal = sqlite3_io_methods { xDeviceCharacteristics: Some(device_characteristics), ..*pool };
    let database = sqlite3_io_methods { xWrite: Some(write_page), ..journal };
    let log = sqlite3_io_methods {
        xClose: Some(close),
        xRead: Some(read),
        xWrite: Some(gather),
        xTruncate: Some(truncate),
        xSync: Some(sync),
        xFileSize: Some(file_size),
        ..journal
    };
    let [database, journal, log] = [database, journal, log].map(|methods| &*Box::leak(Box::new(methods)));
    Methods { pool, database, journal, log }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite's contract for the method is passed on.
    let pool = METHODS.get().and_then(|methods| methods.pool.xDeviceCharacteristics);
    pool.map_or(0, |method| unsafe { method(file) }) | SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

/// Writes a page of the database, with zeros in its unallocated space.
unsafe extern "C" fn write_page(file: *mut sqlite3_file, data: *const c_void, length: c_int, offset: i64) -> c_int {
    let Some(write) = METHODS.get().and_then(|methods| methods.pool.xWrite) else { return SQLITE_OK };
    // SAFETY: `data` has `length` bytes, and SQLite's contract for the method is passed on.
    unsafe {
        let page = std::slice::from_raw_parts(data.cast::<u8>(), length as usize);
        PAGE.with_borrow_mut(|copy| {
            copy.clear();
            // If there is no memory for a copy, or the write is not a whole page, the bytes are written unchanged.
            if !page.len().is_power_of_two() || offset % i64::from(length) != 0 || copy.try_reserve(page.len()).is_err()
            {
                return write(file, data, length, offset);
            }
            copy.extend_from_slice(page);
            zero_unallocated(copy, offset == 0);
            write(file, copy.as_ptr().cast(), length, offset)
        })
    }
}

/// Gathers a write to a log, to make it later together with the writes that follow it.
unsafe extern "C" fn gather(file: *mut sqlite3_file, data: *const c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: `data` has `length` bytes.
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length as usize) };
    let ends_commit = GATHERED.with_borrow_mut(|all| {
        let gathered = all.iter_mut().find(|gathered| gathered.file == file)?;
        gathered.append(data, offset)
    });
    if let Some(ends_commit) = ends_commit {
        // SAFETY: the file is open.
        return if ends_commit { unsafe { write_gathered(file) } } else { SQLITE_OK };
    }
    // SAFETY: the file is open.
    let code = unsafe { write_gathered(file) };
    if code != SQLITE_OK {
        return code;
    }
    // Frames are gathered from their header on. A header written at the offset of the last read replaces the header
    // there with one that has a new checksum, and no page follows it. It is written at once, as is everything that is
    // not a frame.
    let replaces = LAST_READ.get() == (file.cast_const(), offset);
    let mut gathered = Gathered { file, offset, bytes: Vec::new(), commits: false };
    if data.len() == FRAME_HEADER && !replaces && gathered.append(data, offset).is_some() {
        GATHERED.with_borrow_mut(|all| all.push(gathered));
        return SQLITE_OK;
    }
    let write = METHODS.get().and_then(|methods| methods.pool.xWrite);
    // SAFETY: SQLite's contract for the method is passed on.
    write.map_or(SQLITE_OK, |write| unsafe { write(file, data.as_ptr().cast(), length, offset) })
}

impl Gathered {
    /// Appends bytes and returns whether they complete a commit. Returns `None` if they are not contiguous or do not
    /// fit.
    fn append(&mut self, data: &[u8], offset: i64) -> Option<bool> {
        let follows = self.offset + self.bytes.len() as i64 == offset;
        if !follows || self.bytes.len() + data.len() > MAX_GATHERED || self.bytes.try_reserve(data.len()).is_err() {
            return None;
        }
        self.bytes.extend_from_slice(data);
        let ends_commit = self.commits;
        self.commits = data.len() == FRAME_HEADER && data[4..8] != [0; 4];
        Some(ends_commit)
    }
}

/// Makes the writes that were gathered for this file.
unsafe fn write_gathered(file: *mut sqlite3_file) -> c_int {
    let gathered = GATHERED.with_borrow_mut(|all| {
        let at = all.iter().position(|gathered| gathered.file == file)?;
        Some(all.swap_remove(at))
    });
    let Some(Gathered { offset, bytes, .. }) = gathered else { return SQLITE_OK };
    let Some(write) = METHODS.get().and_then(|methods| methods.pool.xWrite) else { return SQLITE_OK };
    // SAFETY: the file is open, and `bytes` has the length passed with it.
    unsafe { write(file, bytes.as_ptr().cast(), bytes.len() as c_int, offset) }
}

/// A method that first makes the gathered writes and then calls the pool's method.
macro_rules! after_writing {
    ($name:ident = $method:ident($($argument:ident: $type:ty),*)) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $type),*) -> c_int {
            // SAFETY: SQLite's contract for the method is passed on.
            unsafe {
                let written = write_gathered(file);
                let method = METHODS.get().and_then(|methods| methods.pool.$method);
                let code = method.map_or(SQLITE_OK, |method| method(file, $($argument),*));
                if written == SQLITE_OK { code } else { written }
            }
        }
    };
}

unsafe extern "C" fn read(file: *mut sqlite3_file, data: *mut c_void, length: c_int, offset: i64) -> c_int {
    LAST_READ.set((file.cast_const(), offset));
    // SAFETY: SQLite's contract for the method is passed on.
    unsafe { read_written(file, data, length, offset) }
}

after_writing!(read_written = xRead(data: *mut c_void, length: c_int, offset: i64));
after_writing!(truncate = xTruncate(size: i64));
after_writing!(sync = xSync(flags: c_int));
after_writing!(file_size = xFileSize(size: *mut i64));
after_writing!(close = xClose());
