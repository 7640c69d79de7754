//! Cuts the power during a write, on a simulated disk under InResponse's store on SQLite. Not published.
//!
//! The store's own code for opening and writing ([`inresponse_sqlite::prepare`], [`inresponse_sqlite::write_batch`])
//! runs on the SQLite of the product, over a file system that knows what was synced. One number, the seed, decides what
//! servers write, in which call of the file system the power goes off, and how much of the unsynced changes is left:
//! nothing, everything, the first changes, any changes in any order, or any of their sectors of 512 or 4,096 bytes.
//! Files may also lose names that were not synced with the directory. After the cut the database is opened again,
//! written to, and cut off again. The database must open and be undamaged, and contain everything that was answered,
//! and only whole batches. No number may be answered twice.
//!
//! ```sh
//! cargo xtask powercuts --cuts 10000
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `disk` | the disk: what was synced, what was not |
//! | `survive` | what a power cut leaves of the disk |
//! | `machine` | locks and shared memory, which exist as long as there is power |
//! | `vfs` | connects SQLite to the disk; the only file with unsafe code |
//! | `workload` | the writes of the servers |
//! | `state` | the content that the database must have, computed without the database |
//! | `play` | plays one seed |
//! | `many` | plays many seeds on several threads |

#![deny(unsafe_code)]

pub mod disk;
mod machine;
pub mod many;
pub mod play;
mod state;
pub mod survive;
pub mod vfs;
mod workload;
