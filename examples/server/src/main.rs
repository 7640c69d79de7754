//! The InResponse server.

use std::process::ExitCode;

/// The allocator. Reports are read on one thread, and written and freed on another; glibc's allocator would need a
/// quarter more processor time for a report.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    inresponse_server::run()
}
