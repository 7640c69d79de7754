//! The laws of every [`Store`](inresponse_core::store::Store).
//!
//! `due`, `list` and `census` may lag ten seconds behind a commit. `load` and everything that decides must be right at
//! once.

mod acts;
mod cancelled;
mod census;
mod commits;
mod due;
mod durable;
mod expiry;
mod judged;
mod list;
mod numbers;
mod open;
mod outages;
mod reading;
mod repeats;
mod shared;

pub use cancelled::*;
pub use census::*;
pub use commits::*;
pub use due::*;
pub use durable::*;
pub use expiry::*;
pub use judged::*;
pub use list::*;
pub use numbers::*;
pub use open::*;
pub use outages::*;
pub use reading::*;
pub use repeats::*;
pub use shared::*;

/// The names of all laws, including those that may be excepted.
pub const LAWS: &[&str] = crate::__store_laws! { [crate::__names] [] };

/// The list of all laws of stores.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_laws {
    ([$($then:tt)+] $arguments:tt) => {
        $($then)+! { $arguments
            always {
                p02_numbers_rise
                p02_numbers_are_unique_and_rise_under_concurrency
                p02_the_number_of_a_resolved_incident_is_not_used_again

                p03_a_repeat_answers_the_open_incident_and_counts
                p03_a_repeat_changes_nothing_but_the_count
                p03_a_repeat_leaves_the_version_alone
                p03_a_repeat_answers_the_incident_as_last_committed
                p03_a_commit_keeps_the_count
                p03_concurrent_repeats_are_all_counted
                p03_repeats_among_commits_are_all_counted
                p03_concurrent_first_reports_make_one_incident
                p03_the_last_report_moves_only_forward
                p03_the_key_of_another_service_is_another_incident
                p03_keys_are_compared_exactly
                p03_reports_without_a_key_are_incidents_of_their_own
                p03_a_claim_keeps_the_key
                p03_a_resolution_frees_the_key
                p03_a_stale_resolution_keeps_the_key
                p03_a_late_commit_leaves_the_keys_new_holder_alone
                p03_a_report_racing_the_resolution_is_a_repeat_or_a_new_incident
                p03_an_open_incident_is_found_by_its_key
                p03_a_key_is_found_exactly
                p03_a_resolved_incident_is_not_found_by_its_key

                p06_a_commit_at_the_read_version_replaces_the_record
                p06_a_commit_at_another_version_is_stale_and_changes_nothing
                p06_of_concurrent_commits_at_one_version_one_wins
                p06_a_commit_leaves_other_incidents_alone
                a_commit_of_an_unknown_number_creates_nothing

                p04_an_abandoned_create_is_whole_or_absent
                p04_an_abandoned_commit_is_whole_or_absent

                p08_nothing_is_due_before_its_time
                p09_everything_is_due_at_its_time
                p09_due_is_ordered_by_time_then_number
                p09_due_goes_on_after_a_mark_without_gaps_or_repeats
                p09_due_holds_at_most_its_limit
                p09_due_answers_whole_records
                p09_due_follows_the_last_commit
                p11_what_is_claimed_or_resolved_is_no_longer_due
                p14_whatever_lies_ahead_of_the_clock_is_found
                p21_what_was_judged_by_other_rules_is_found
                p09_what_a_newer_version_wrote_is_kept

                p01_a_new_incident_is_loaded_as_it_was_answered
                p01_every_commit_is_loaded_as_it_was_committed
                p07_the_largest_incident_is_kept_whole
                an_unknown_number_is_absent

                the_list_is_newest_first
                the_list_keeps_to_its_filters
                the_list_goes_on_below_a_number_without_gaps_or_repeats
                the_list_holds_at_most_its_limit

                p12_the_census_of_an_empty_store_is_zero
                p12_the_census_counts_states
                p12_the_census_counts_the_unclaimed_and_the_undelivered
                p12_the_census_counts_those_that_wait_since_before_a_time
                p12_the_census_tells_the_next_due_time
            }
            durable {
                p01_what_was_answered_survives_a_crash
                p02_numbers_go_on_after_a_crash
                p03_keys_and_counts_survive_a_crash
                p06_versions_survive_a_crash
                p09_due_times_survive_a_crash
            }
            shared {
                p01_what_one_handle_commits_another_loads
                p02_numbers_rise_across_handles
                p03_handles_share_open_keys_and_counts
                p03_what_one_handle_creates_another_finds_by_its_key
                p06_of_concurrent_commits_across_handles_one_wins
                p09_what_one_handle_creates_is_due_at_another
            }
            outages {
                p04_a_create_whose_answer_was_lost_is_not_told_as_undone
                p04_a_commit_whose_answer_was_lost_is_not_told_as_undone
                p04_a_repeat_whose_answer_was_lost_is_counted_once_at_most
            }
            expiry {
                what_has_expired_is_deleted_and_nothing_else
            }
        }
    };
}
