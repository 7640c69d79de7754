//! The exit codes of the commands, as their help shows them.

pub(super) const EXIT: &str = "Exit codes: 0 done; 1 refused; 2 not reached or too busy, nothing was recorded; \
                    3 unknown whether it was recorded; 64 usage error.";

pub(super) const CHECK_EXIT: &str = "Exit codes: 0 nothing found, or only findings that keep no alert from arriving; \
                          1 findings of the kinds gap, noMethod, unknownName or staleFeed, or refused; \
                          2 not reached or too busy; 64 usage error.";
