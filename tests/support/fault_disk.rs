//! A disk that fails: files in memory, one disk for each thread, as OPFS is for a worker.
//!
//! It counts the operations that change its files: creating, writing, flushing, truncating and deleting a file. The
//! k-th of these can fail, or be the last. Then the disk keeps what a killed process or a power cut leaves. After a
//! power cut these are all flushed changes and an arbitrary part of the others, whose writes may be torn between two
//! sectors. Nothing outside the range that is written is ever changed. A file is created or deleted at once, because
//! the pool in OPFS flushes its names. The number of files is limited.
#![allow(dead_code, unreachable_pub)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_int;

use rusqlite::ffi::*;
use synth_memory::migrate::backup::KEPT;

/// As many files as the pool in OPFS has: a database, its log, the backups, and the next backup with its log.
const FILES_AT_MOST: usize = 4 + KEPT;
/// The unit that is written whole or not at all: that of a disk, which is smaller than the one reported to SQLite.
const SECTOR: usize = 512;

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails; later ones do not.
    IoError,
    /// It fails because the disk is full, or, if it needs no room, the next one that does; later ones do not.
    Full,
    /// The process ends.
    Kill,
    /// The power is cut.
    PowerCut,
}

/// The bytes of all files, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
pub struct File {
    /// The contents as a program sees them.
    pub bytes: Vec<u8>,
    flushed: Vec<u8>,
    /// The changes since it was flushed.
    since: Vec<Change>,
}

pub enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Default)]
pub struct Disk {
    pub files: BTreeMap<String, File>,
    /// A fault, and the operation at which it occurs.
    fault: Option<(Fault, u64)>,
    operations: u64,
    struck: bool,
    /// Whether the process or the power ended: nothing can be read or written until the next start.
    pub dead: bool,
    random: u64,
}

thread_local! {
    pub static DISK: RefCell<Disk> = RefCell::default();
}

/// Puts these files, and no others, on the disk. No file must be open.
pub fn load(files: &Files) {
    let file = |bytes: &Vec<u8>| File { bytes: bytes.clone(), flushed: bytes.clone(), since: vec![] };
    let files = files.iter().map(|(name, bytes)| (name.clone(), file(bytes))).collect();
    DISK.set(Disk { files, ..Disk::default() });
}

/// The files as a program sees them.
pub fn files() -> Files {
    DISK.with_borrow(|disk| disk.files.iter().map(|(name, file)| (name.clone(), file.bytes.clone())).collect())
}

/// Makes a fault occur at the `at`-th operation from now on, counted from 1.
pub fn arm(fault: Fault, at: u64) {
    DISK.with_borrow_mut(|disk| {
        (disk.fault, disk.operations, disk.struck) = (Some((fault, at)), 0, false);
        disk.random = at;
    });
}

/// How many operations there were since a fault was armed.
pub fn operations() -> u64 {
    DISK.with_borrow(|disk| disk.operations)
}

/// Whether the operation of the fault was reached.
pub fn reached() -> bool {
    DISK.with_borrow(|disk| disk.fault.is_some_and(|(_, at)| disk.operations >= at))
}

/// Removes the fault; returns whether it has occurred.
pub fn disarm() -> bool {
    DISK.with_borrow_mut(|disk| {
        disk.fault = None;
        disk.struck
    })
}

/// Makes the fault, a kill or a power cut, occur now if it has not yet; returns whether it had.
pub fn strike() -> bool {
    DISK.with_borrow_mut(|disk| {
        let struck = disk.struck;
        if !struck {
            disk.end();
        }
        struck
    })
}

/// Starts the next process, which finds what is left. No file must be open.
pub fn restart() {
    load(&files());
}

impl Disk {
    /// Counts an operation and makes its change, unless the fault occurs.
    pub fn operate(&mut self, refused: c_int, needs_room: bool, name: &str, change: Option<Change>) -> c_int {
        if self.dead {
            return refused;
        }
        self.operations += 1;
        match self.fault {
            Some((fault, at)) if self.operations >= at && !self.struck && (needs_room || fault != Fault::Full) => {
                self.struck = true;
                // A part of a failed write may have been made.
                if let Some(Change::Write(offset, bytes)) = change {
                    let part = self.below(bytes.len() as u64 / SECTOR as u64 + 1) as usize * SECTOR;
                    self.change(name, Some(Change::Write(offset, bytes[..part].to_vec())));
                }
                match fault {
                    Fault::Full => return SQLITE_FULL,
                    Fault::Kill | Fault::PowerCut => self.end(),
                    Fault::IoError => {}
                }
                refused
            }
            _ => {
                self.change(name, change);
                SQLITE_OK
            }
        }
    }

    /// Makes a change; `None` is a flush.
    fn change(&mut self, name: &str, change: Option<Change>) {
        let Some(file) = self.files.get_mut(name) else { return };
        match change {
            Some(change) => {
                change.apply(&mut file.bytes);
                file.since.push(change);
            }
            None => {
                file.flushed.clone_from(&file.bytes);
                file.since.clear();
            }
        }
    }

    /// Ends the process or the power: only what survives is left.
    fn end(&mut self) {
        (self.struck, self.dead) = (true, true);
        if !matches!(self.fault, Some((Fault::PowerCut, _))) {
            return;
        }
        let mut files = std::mem::take(&mut self.files);
        // How much of the unflushed changes reached the disk varies.
        let likely = self.below(5);
        for file in files.values_mut() {
            file.bytes = std::mem::take(&mut file.flushed);
            for mut change in file.since.drain(..) {
                if self.below(4) >= likely {
                    continue;
                }
                if let Change::Write(_, bytes) = &mut change
                    && self.below(4) == 0
                {
                    let part = self.below(bytes.len() as u64 / SECTOR as u64 + 1) as usize * SECTOR;
                    bytes.truncate(part);
                }
                change.apply(&mut file.bytes);
            }
        }
        self.files = files;
    }

    /// The next number of a sequence that is the same in every run (splitmix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub fn create(&mut self, name: &str) -> c_int {
        let code = match self.files.len() {
            FILES_AT_MOST.. => return SQLITE_CANTOPEN,
            _ => self.operate(SQLITE_CANTOPEN, true, name, None),
        };
        if code == SQLITE_OK {
            self.files.insert(name.to_owned(), File::default());
        }
        code
    }

    pub fn delete(&mut self, name: &str) -> c_int {
        if !self.files.contains_key(name) {
            return SQLITE_IOERR_DELETE_NOENT;
        }
        let code = self.operate(SQLITE_IOERR_DELETE, false, name, None);
        if code == SQLITE_OK {
            self.files.remove(name);
        }
        code
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => {
                file.resize(file.len().max(*offset), 0);
                let over = bytes.len().min(file.len() - offset);
                file[*offset..offset + over].copy_from_slice(&bytes[..over]);
                file.extend_from_slice(&bytes[over..]);
            }
            Self::Truncate(size) => file.resize(*size, 0),
        }
    }
}
