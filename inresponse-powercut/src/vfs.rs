//! Connects SQLite to the disk. This is the only file with unsafe code.
//!
//! One file system is registered with SQLite and never removed. A path in it begins with the number of a disk. The file
//! system behaves like SQLite's own for Unix: the first sync of a log or journal that its opening may have created also
//! syncs the directory, and so does a deletion if SQLite asks for it. The two syncs reach the disk as separate calls.
//! SQLite calls only functions of this file, with the pointers that its documentation of `sqlite3_vfs` and
//! `sqlite3_io_methods` promises. Each `SAFETY` comment below relies on this.
#![allow(unsafe_code, reason = "SQLite calls its file system through pointers")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use libsqlite3_sys as sqlite;
use rusqlite::{Connection, OpenFlags};

use crate::disk::{Call, Change, Disk, Fate, Off};
use crate::machine::{Busy, FileId, Handle, Hold};

const NAME: &CStr = c"inresponse-powercut";

type Disks = BTreeMap<u64, Arc<Mutex<Disk>>>;

/// The disks of all machines by their numbers, and the last number that was given.
static DISKS: Mutex<(u64, Disks)> = Mutex::new((0, Disks::new()));

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A machine that runs on a disk. Connections that outlive the machine find no new files.
#[derive(Debug)]
pub struct Machine {
    number: u64,
    disk: Arc<Mutex<Disk>>,
}

impl Machine {
    /// Starts the machine.
    pub fn start(disk: Disk) -> Self {
        static REGISTERED: Once = Once::new();
        REGISTERED.call_once(register);
        let disk = Arc::new(Mutex::new(disk));
        let (last, disks) = &mut *locked(&DISKS);
        *last += 1;
        disks.insert(*last, Arc::clone(&disk));
        Self { number: *last, disk }
    }

    /// The disk of the machine.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        locked(&self.disk)
    }

    /// Decides when the machine's power goes off.
    pub(crate) fn meet(&self, fate: Option<Fate>) {
        self.disk().meet(fate);
    }

    /// Opens the database, and creates it if it does not exist.
    ///
    /// # Errors
    /// SQLite fails, for example because the power is off.
    pub fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags_and_vfs(format!("/{}/inresponse.db", self.number), flags, NAME)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        locked(&DISKS).1.remove(&self.number);
    }
}

/// An open file as SQLite knows it.
#[repr(C)]
struct Held {
    base: sqlite::sqlite3_file,
    /// A boxed file; null if the opening failed.
    open: *mut Open,
}

struct Open {
    disk: Arc<Mutex<Disk>>,
    file: FileId,
    handle: Handle,
    /// The kind of the file: the database, its log or its journal.
    write: Call,
    sync: Call,
    /// Whether its next sync also syncs the directory.
    sync_directory: bool,
}

fn register() {
    let vfs = sqlite::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<Held>() as c_int,
        mxPathname: 512,
        pNext: std::ptr::null_mut(),
        zName: NAME.as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: it is leaked, so it stays valid for as long as SQLite may use it.
    let registered = unsafe { sqlite::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
    assert_eq!(registered, sqlite::SQLITE_OK, "registering a file system can fail only without memory");
}

static METHODS: sqlite::sqlite3_io_methods = sqlite::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The disk and the file of a path; `None` if there is no such machine.
fn locate(path: *const c_char) -> Option<(Arc<Mutex<Disk>>, String)> {
    // SAFETY: SQLite gives a string that ends with a zero, or none at all for a temporary file.
    let path = unsafe { (!path.is_null()).then(|| CStr::from_ptr(path)) }?.to_str().ok()?;
    let (number, name) = path.strip_prefix('/')?.split_once('/')?;
    let disk = locked(&DISKS).1.get(&number.parse().ok()?).map(Arc::clone)?;
    Some((disk, name.to_owned()))
}

/// The result code for SQLite: `failure` if the power is off.
fn result(done: Result<(), Off>, failure: c_int) -> c_int {
    match done {
        Ok(()) => sqlite::SQLITE_OK,
        Err(Off) => failure,
    }
}

unsafe extern "C" fn open(
    _: *mut sqlite::sqlite3_vfs,
    path: sqlite::sqlite3_filename,
    held: *mut sqlite::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let held = held.cast::<Held>();
    // SAFETY: SQLite gives `szOsFile` writable bytes; without methods it does not close what could not be opened.
    unsafe { (*held).base.pMethods = std::ptr::null() };
    let Some((shared, name)) = locate(path) else { return sqlite::SQLITE_CANTOPEN };
    let mut disk = locked(&shared);
    let found = match disk.find(&name) {
        Some(file) => disk.is_on().map(|()| file),
        None if flags & sqlite::SQLITE_OPEN_CREATE == 0 => return sqlite::SQLITE_CANTOPEN,
        None => disk.create(&name),
    };
    let Ok(file) = found else { return sqlite::SQLITE_CANTOPEN };
    let (write, sync) = if flags & sqlite::SQLITE_OPEN_WAL != 0 {
        (Call::WriteLog, Call::SyncLog)
    } else if flags & sqlite::SQLITE_OPEN_MAIN_DB != 0 {
        (Call::WriteDatabase, Call::SyncDatabase)
    } else {
        (Call::WriteJournal, Call::SyncJournal)
    };
    let may_be_new = flags & sqlite::SQLITE_OPEN_CREATE != 0 && sync != Call::SyncDatabase;
    let handle = disk.locks.handle();
    drop(disk);
    let open = Open { disk: shared, file, handle, write, sync, sync_directory: may_be_new };
    // SAFETY: as above; `out_flags` may be null.
    unsafe {
        (*held).open = Box::into_raw(Box::new(open));
        (*held).base.pMethods = &METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    sqlite::SQLITE_OK
}

unsafe extern "C" fn delete(
    _: *mut sqlite::sqlite3_vfs,
    path: *const c_char,
    sync_directory: c_int,
) -> c_int {
    let Some((disk, name)) = locate(path) else { return sqlite::SQLITE_IOERR_DELETE };
    let mut disk = locked(&disk);
    match disk.delete(&name) {
        Ok(None) => sqlite::SQLITE_IOERR_DELETE_NOENT,
        Ok(Some(_)) if sync_directory & 1 != 0 => {
            result(disk.sync_directory(), sqlite::SQLITE_IOERR_DIR_FSYNC)
        }
        Ok(Some(_)) => sqlite::SQLITE_OK,
        Err(Off) => sqlite::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    _: *mut sqlite::sqlite3_vfs,
    path: *const c_char,
    _: c_int,
    there: *mut c_int,
) -> c_int {
    let found = locate(path).is_some_and(|(disk, name)| locked(&disk).find(&name).is_some());
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *there = c_int::from(found) };
    sqlite::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut sqlite::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    full: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a string that ends with a zero, and `room` bytes for the answer.
    unsafe {
        let path = CStr::from_ptr(path).to_bytes_with_nul();
        if path.len() > room as usize {
            return sqlite::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(path.as_ptr().cast(), full, path.len());
    }
    sqlite::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut sqlite::sqlite3_vfs, room: c_int, bytes: *mut c_char) -> c_int {
    // SAFETY: SQLite gives `room` writable bytes.
    unsafe { std::ptr::write_bytes(bytes, 7, room as usize) };
    room
}

unsafe extern "C" fn sleep(_: *mut sqlite::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn current_time(_: *mut sqlite::sqlite3_vfs, time: *mut sqlite::sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *time = 212_000_000_000_000 };
    sqlite::SQLITE_OK
}

/// The open file behind SQLite's pointer.
fn opened<'a>(file: *mut sqlite::sqlite3_file) -> &'a mut Open {
    // SAFETY: `open` gave it these methods together with a boxed `Open`, which `close` frees after the last call;
    // SQLite calls a file's methods one after the other.
    unsafe { &mut *(*file.cast::<Held>()).open }
}

unsafe extern "C" fn close(file: *mut sqlite::sqlite3_file) -> c_int {
    // SAFETY: as in `opened`; nothing uses it after this.
    let open = unsafe { Box::from_raw((*file.cast::<Held>()).open) };
    let mut disk = locked(&open.disk);
    disk.locks.unlock(open.file, open.handle, 0);
    disk.shared.leave(open.file, open.handle);
    sqlite::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite::sqlite3_file,
    to: *mut c_void,
    amount: c_int,
    offset: sqlite::sqlite3_int64,
) -> c_int {
    let open = opened(file);
    let disk = locked(&open.disk);
    if disk.is_on().is_err() {
        return sqlite::SQLITE_IOERR_READ;
    }
    // SAFETY: SQLite gives `amount` writable bytes, and neither it nor `offset` is negative.
    let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), amount as usize) };
    let from = disk.files[open.file].now.get(offset as usize..).unwrap_or_default();
    let there = from.len().min(to.len());
    to[..there].copy_from_slice(&from[..there]);
    to[there..].fill(0);
    if there < to.len() { sqlite::SQLITE_IOERR_SHORT_READ } else { sqlite::SQLITE_OK }
}

unsafe extern "C" fn write(
    file: *mut sqlite::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    offset: sqlite::sqlite3_int64,
) -> c_int {
    let open = opened(file);
    // SAFETY: SQLite gives `amount` readable bytes, and neither it nor `offset` is negative.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), amount as usize) }.to_vec();
    let change = Change::Write { at: offset as usize, bytes };
    result(locked(&open.disk).change(open.file, change, open.write), sqlite::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite::sqlite3_file, size: sqlite::sqlite3_int64) -> c_int {
    let open = opened(file);
    let change = Change::Resize(size as usize);
    result(locked(&open.disk).change(open.file, change, open.write), sqlite::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite::sqlite3_file, _: c_int) -> c_int {
    let open = opened(file);
    let mut disk = locked(&open.disk);
    let mut synced = disk.sync(open.file, open.sync);
    if synced.is_ok() && std::mem::take(&mut open.sync_directory) {
        synced = disk.sync_directory();
    }
    result(synced, sqlite::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut sqlite::sqlite3_file, size: *mut sqlite::sqlite3_int64) -> c_int {
    let open = opened(file);
    let len = locked(&open.disk).files[open.file].now.len();
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *size = len as sqlite::sqlite3_int64 };
    sqlite::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut sqlite::sqlite3_file, level: c_int) -> c_int {
    let open = opened(file);
    match locked(&open.disk).locks.lock(open.file, open.handle, level) {
        Ok(()) => sqlite::SQLITE_OK,
        Err(Busy) => sqlite::SQLITE_BUSY,
    }
}

unsafe extern "C" fn unlock(file: *mut sqlite::sqlite3_file, level: c_int) -> c_int {
    let open = opened(file);
    locked(&open.disk).locks.unlock(open.file, open.handle, level);
    sqlite::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite::sqlite3_file, reserved: *mut c_int) -> c_int {
    let open = opened(file);
    let is_reserved = locked(&open.disk).locks.is_reserved(open.file, open.handle);
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *reserved = c_int::from(is_reserved) };
    sqlite::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut sqlite::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    sqlite::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite::sqlite3_file) -> c_int {
    4096
}

/// Tells SQLite what it also assumes on Unix: a torn write does not damage the bytes beside it.
unsafe extern "C" fn device_characteristics(_: *mut sqlite::sqlite3_file) -> c_int {
    sqlite::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    memory: *mut *mut c_void,
) -> c_int {
    let open = opened(file);
    let mut disk = locked(&open.disk);
    let region = region as usize;
    let mapped = if extend != 0 || disk.shared.has_region(open.file, region) {
        // The memory is SQLite's to write to, from several threads if need be: it is in cells.
        disk.shared.region(open.file, region, size as usize).as_ptr().cast_mut().cast()
    } else {
        std::ptr::null_mut()
    };
    // SAFETY: SQLite gives a place for the answer. The region lives until its last user has unmapped it.
    unsafe { *memory = mapped };
    sqlite::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite::sqlite3_file,
    first: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    let open = opened(file);
    let mut disk = locked(&open.disk);
    let range = first as usize..(first + n) as usize;
    if flags & sqlite::SQLITE_SHM_UNLOCK != 0 {
        disk.shared.unlock(open.file, open.handle, range);
        return sqlite::SQLITE_OK;
    }
    let hold = if flags & sqlite::SQLITE_SHM_EXCLUSIVE != 0 { Hold::Exclusive } else { Hold::Shared };
    match disk.shared.lock(open.file, open.handle, range, hold) {
        Ok(()) => sqlite::SQLITE_OK,
        Err(Busy) => sqlite::SQLITE_BUSY,
    }
}

unsafe extern "C" fn shm_barrier(_: *mut sqlite::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite::sqlite3_file, forget: c_int) -> c_int {
    let open = opened(file);
    let mut disk = locked(&open.disk);
    disk.shared.leave(open.file, open.handle);
    // SQLite asks for it from the last that closes the database alone.
    if forget != 0 {
        disk.shared.forget(open.file);
    }
    sqlite::SQLITE_OK
}
