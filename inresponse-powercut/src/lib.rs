//! Power cuts during a write, on a simulated disk under InResponse's store on SQLite. Not published.
//!
//! The store's own code for opening and writing ([`inresponse_sqlite::prepare`], [`inresponse_sqlite::write_batch`])
//! runs on the SQLite that is shipped, over a file system that knows what was synced and what was not. One number,
//! the seed, decides what servers write, in which call of the file system the power goes off, and what is then left of
//! what was not synced: nothing, everything, the first changes, any changes in any order, or any sectors of 512 or
//! 4,096 bytes of them; of names, whatever the directory's last sync does not make certain. Then the database is opened
//! on that, again and again. It must open, be sound, and hold everything that was answered and whole batches only; no
//! number may be answered twice.
//!
//! ```sh
//! cargo xtask powercuts --cuts 10000
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `disk` | the disk: what was synced, what was not |
//! | `survive` | what a cut leaves of it |
//! | `machine` | locks and shared memory, as long as there is power |
//! | `vfs` | SQLite's way to all that; the one place with unsafe code |
//! | `workload` | what servers write |
//! | `state` | what the database must hold, worked out without it |
//! | `play` | one seed |
//! | `many` | many, on several threads |

#![deny(unsafe_code)]

pub mod disk;
mod machine;
pub mod many;
pub mod play;
mod state;
pub mod survive;
pub mod vfs;
mod workload;
