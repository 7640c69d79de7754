//! The InResponse server.

use std::process::ExitCode;

/// Reports are read on one thread, and written and freed on another, which costs glibc's allocator a quarter more
/// of a report's processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    inresponse_server::run()
}
