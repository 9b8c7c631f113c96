//! An SQLite VFS over a disk that fails. As in OPFS, there is no shared memory.
#![allow(dead_code, unreachable_pub, unsafe_code)]

#[path = "fault_disk.rs"]
mod disk;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

use rusqlite::ffi::*;
use synth_memory::Result;
use synth_memory::migrate::backup::Folder;

use disk::{Change, DISK};
pub use disk::{Fault, Files, arm, disarm, files, operations, reached, restart, strike};

/// The name under which SQLite knows it.
pub const VFS: &str = "faults";
/// The sector size that is reported to SQLite: that of the pool.
const SECTOR_SIZE: c_int = 4096;

/// Puts these files, and no others, on the disk. No file must be open.
pub fn load(files: &Files) {
    register();
    disk::load(files);
}

/// The disk as a folder for backups.
pub struct OnFaultyDisk;

impl Folder for OnFaultyDisk {
    fn names(&self) -> Result<Vec<String>> {
        DISK.with_borrow(
            |disk| if disk.dead { Err(refusal(SQLITE_IOERR)) } else { Ok(disk.files.keys().cloned().collect()) },
        )
    }

    fn remove(&self, name: &str) -> Result<()> {
        match DISK.with_borrow_mut(|disk| disk.delete(name)) {
            SQLITE_OK | SQLITE_IOERR_DELETE_NOENT => Ok(()),
            code => Err(refusal(code)),
        }
    }

    fn location<'a>(&'a self, name: &'a str) -> (String, Option<&'a str>) {
        (name.to_owned(), Some(VFS))
    }
}

fn refusal(code: c_int) -> synth_memory::Error {
    rusqlite::Error::SqliteFailure(Error::new(code), None).into()
}

/// SQLite's handle of an open file.
#[repr(C)]
struct Handle {
    base: sqlite3_file,
    /// Made by `open`, freed by `close`.
    name: *mut String,
    delete_on_close: bool,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: SQLite's own VFS exists once SQLite is initialised, and a registered VFS is never freed. The methods
        // that are kept (time, randomness, sleep) access no file and no data of the VFS.
        unsafe {
            sqlite3_initialize();
            let default = &*sqlite3_vfs_find(std::ptr::null());
            let vfs = sqlite3_vfs {
                iVersion: 2,
                szOsFile: size_of::<Handle>() as c_int,
                mxPathname: 512,
                pNext: std::ptr::null_mut(),
                zName: c"faults".as_ptr(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_pathname),
                ..*default
            };
            assert_eq!(sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0), SQLITE_OK);
        }
    });
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: by SQLite's contract for xOpen there is room for a handle, and a name, or none for a temporary file.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let name = if name.is_null() { format!("temporary {file:p}") } else { text(name) };
        let code = DISK.with_borrow_mut(|disk| match disk.files.contains_key(&name) {
            true if disk.dead => SQLITE_CANTOPEN,
            true => SQLITE_OK,
            false if flags & SQLITE_OPEN_CREATE == 0 => SQLITE_CANTOPEN,
            false => disk.create(&name),
        });
        if code == SQLITE_OK {
            let base = sqlite3_file { pMethods: &METHODS };
            let delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE != 0;
            file.cast::<Handle>().write(Handle { base, name: Box::into_raw(Box::new(name)), delete_on_close });
            if !out.is_null() {
                *out = flags;
            }
        }
        code
    }
}

/// The text of a name that SQLite passes.
unsafe fn text(name: *const c_char) -> String {
    // SAFETY: it ends with a NUL.
    unsafe { CStr::from_ptr(name) }.to_str().unwrap().to_owned()
}

/// The name of an open file.
unsafe fn name<'a>(file: *mut sqlite3_file) -> &'a str {
    // SAFETY: SQLite calls methods only between `open` and `close`.
    unsafe { &*(*file.cast::<Handle>()).name }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the handle was made by `open` and is closed once.
    let (name, delete) = unsafe {
        let handle = file.cast::<Handle>();
        (*Box::from_raw((*handle).name), (*handle).delete_on_close)
    };
    if delete { DISK.with_borrow_mut(|disk| disk.delete(&name)) } else { SQLITE_OK }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, data: *mut c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite provides room for as many bytes as it asks for.
    let (name, data) = unsafe { (name(file), std::slice::from_raw_parts_mut(data.cast::<u8>(), length as usize)) };
    DISK.with_borrow(|disk| {
        let Some(file) = disk.files.get(name).filter(|_| !disk.dead) else { return SQLITE_IOERR_READ };
        let found = file.bytes.get(offset as usize..).unwrap_or_default();
        let found = &found[..found.len().min(data.len())];
        data[..found.len()].copy_from_slice(found);
        data[found.len()..].fill(0);
        if found.len() == data.len() { SQLITE_OK } else { SQLITE_IOERR_SHORT_READ }
    })
}

unsafe extern "C" fn write(file: *mut sqlite3_file, data: *const c_void, length: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite passes as many bytes as it declares.
    let (name, data) = unsafe { (name(file), std::slice::from_raw_parts(data.cast::<u8>(), length as usize)) };
    let change = Change::Write(offset as usize, data.to_vec());
    DISK.with_borrow_mut(|disk| disk.operate(SQLITE_IOERR_WRITE, true, name, Some(change)))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    // SAFETY: the file is open.
    let name = unsafe { name(file) };
    let change = Change::Truncate(size as usize);
    DISK.with_borrow_mut(|disk| disk.operate(SQLITE_IOERR_TRUNCATE, false, name, Some(change)))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let name = unsafe { name(file) };
    DISK.with_borrow_mut(|disk| disk.operate(SQLITE_IOERR_FSYNC, true, name, None))
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: the file is open, and there is room for its size.
    unsafe { *size = DISK.with_borrow(|disk| disk.files.get(name(file)).map_or(0, |file| file.bytes.len() as i64)) };
    SQLITE_OK
}

unsafe extern "C" fn lock(_: *mut sqlite3_file, _: c_int) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_: *mut sqlite3_file, held: *mut c_int) -> c_int {
    // SAFETY: there is room for the answer.
    unsafe { *held = 0 };
    SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    SECTOR_SIZE
}

unsafe extern "C" fn device_characteristics(_: *mut sqlite3_file) -> c_int {
    SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, _: c_int) -> c_int {
    // SAFETY: SQLite passes a name.
    let name = unsafe { text(name) };
    DISK.with_borrow_mut(|disk| disk.delete(&name))
}

unsafe extern "C" fn access(_: *mut sqlite3_vfs, name: *const c_char, _: c_int, found: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a name, and room for the answer.
    let name = unsafe { text(name) };
    DISK.with_borrow(|disk| {
        unsafe { *found = c_int::from(disk.files.contains_key(&name)) };
        if disk.dead { SQLITE_IOERR_ACCESS } else { SQLITE_OK }
    })
}

unsafe extern "C" fn full_pathname(_: *mut sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite passes a name, and as much room as it declares.
    unsafe {
        let length = CStr::from_ptr(name).count_bytes() + 1;
        if length > room as usize {
            return SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(name, out, length);
    }
    SQLITE_OK
}
