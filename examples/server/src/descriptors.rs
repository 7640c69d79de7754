//! Shares out file descriptors among connections and sends.
//!
//! Clients must not use up the descriptors that the store and the senders need. A server that cannot connect to
//! its mail server alerts nobody.

use inresponse_core::Chain;

/// The number of file descriptors reserved for the database, its readers, the log and so on.
const RESERVED: u64 = 64;
/// The maximum number of open connections, however many descriptors there are.
const MOST_CONNECTIONS: u64 = 8192;
/// The minimum share, with which the server barely works.
const FEWEST: u64 = 16;

/// The shares of the file descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// The number of client connections.
    pub(crate) connections: usize,
    /// The number of concurrent sends.
    pub(crate) sends: usize,
}

impl Shares {
    /// Shares out all descriptors that the process can have: raises the soft limit to the hard one.
    pub(crate) fn of_this_process() -> Self {
        match rlimit::increase_nofile_limit(u64::MAX) {
            Ok(limit) => Self::of(limit),
            Err(error) => {
                tracing::warn!(error = %Chain::of(&error), "the limit of open files cannot be raised");
                Self::of(rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(1024, |(soft, _)| soft))
            }
        }
    }

    fn of(limit: u64) -> Self {
        // A send may need two at once, when it looks up a name.
        let left = limit.saturating_sub(RESERVED);
        let share = |share: u64, most: u64| usize::try_from(share.clamp(FEWEST, most)).unwrap_or(usize::MAX);
        let sends = share(left / 2, 512);
        let connections = share(left.saturating_sub(sends as u64 * 5 / 4), MOST_CONNECTIONS);
        Self { connections, sends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_connections_leave_enough_to_the_senders() {
        for (limit, connections, sends) in
            [(64, 16, 16), (256, 72, 96), (1024, 360, 480), (4096, 3392, 512), (1 << 20, 8192, 512)]
        {
            assert_eq!(Shares::of(limit), Shares { connections, sends }, "{limit}");
            assert!(limit < 128 || (connections + sends) as u64 + RESERVED <= limit);
        }
    }
}
