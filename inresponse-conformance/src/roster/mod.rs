//! The laws of every [`Roster`](inresponse_core::roster::Roster).
//!
//! A handle must return its own writes at once. A handle must notice writes of another handle within three seconds, and
//! at once after a refresh.

mod acting;
mod beating;
mod calls;
mod changes;
mod crew;
mod crew_shared;
mod durable;
mod keeping;
mod leading;
mod listing;
mod outages;
mod people;
mod races;
mod ruling;
mod scene;
mod secrets;
mod shared;
mod spans;
mod teams;
mod using;

pub use beating::*;
pub use calls::*;
pub use changes::*;
pub use crew_shared::*;
pub use durable::*;
pub use keeping::*;
pub use leading::*;
pub use listing::*;
pub use outages::*;
pub use people::*;
pub use races::*;
pub use ruling::*;
pub use secrets::*;
pub use shared::*;
pub use spans::*;
pub use teams::*;
pub use using::*;

/// The names of all laws, including those that a harness may opt out of.
pub const LAWS: &[&str] = crate::__roster_laws! { [crate::__names] [] };

/// The list of all laws of rosters.
#[doc(hidden)]
#[macro_export]
macro_rules! __roster_laws {
    ([$($then:tt)+] $arguments:tt) => {
        $($then)+! { $arguments
            always {
                what_was_never_put_is_absent
                a_services_team_is_answered_and_replaced
                a_teams_settings_are_answered_exactly_and_replaced
                a_calendar_entry_is_answered_exactly_and_replaced
                p15_a_calendar_entry_is_of_its_day_only
                names_are_compared_exactly

                p15_a_directory_has_every_day_that_some_zone_has_in_its_span
                p12_a_directory_tells_whether_its_team_is_known
                pages_of_entries_leave_none_out_and_double_none
                a_page_goes_on_after_a_key_that_is_gone

                a_deletion_tells_what_it_found
                a_deletion_leaves_everything_else_alone
                p12_a_team_is_known_by_settings_a_calendar_entry_or_a_service
                the_teams_that_are_known_are_listed
                a_team_is_deleted_with_its_calendar
                a_team_that_owns_a_service_is_not_deleted

                each_edit_tells_what_it_did
                an_edit_that_changes_nothing_writes_no_record
                a_call_that_is_refused_changes_nothing
                names_are_judged_after_all_edits_of_a_call
                a_team_that_keeps_one_of_many_services_is_not_deleted
                the_most_edits_are_made_and_one_more_is_refused
                two_edits_of_one_entry_are_refused

                people_and_schedules_are_answered_exactly_and_replaced
                names_of_people_and_schedules_are_compared_exactly
                people_and_schedules_are_listed_page_by_page
                each_edit_of_a_person_or_a_schedule_tells_what_it_did
                a_deletion_of_a_person_or_a_schedule_leaves_the_others_alone
                p12_a_team_is_known_by_a_schedule
                p24_heartbeats_are_answered_exactly_and_keep_their_service
                p12_routing_rules_are_answered_exactly_and_keep_their_names

                p16_a_put_that_names_something_unknown_is_refused
                what_the_same_call_puts_is_known
                p16_a_person_a_schedule_and_a_team_in_use_are_not_deleted
                a_name_in_use_is_judged_by_what_its_users_are_after_the_call
                p16_a_schedule_that_another_team_uses_keeps_its_team
                p16_a_user_is_found_among_however_many
                a_schedule_is_deleted_with_its_overrides_and_copies
                however_much_belongs_to_a_schedule_is_deleted_with_it
                a_team_is_deleted_with_its_schedules
                p12_a_fallback_always_reaches_somebody

                p16_what_leads_round_in_a_circle_is_refused
                what_leads_round_by_an_escalation_is_no_circle
                what_the_same_call_takes_away_closes_no_circle
                p17_a_directory_holds_the_teams_that_its_targets_lead_to

                concurrent_puts_are_all_kept
                of_concurrent_calls_one_creates_and_one_deletes_an_entry
                records_of_concurrent_calls_link_up
                concurrent_calls_of_several_edits_do_not_mix

                records_are_listed_newest_first
                a_record_tells_what_was_before_and_is_after
                a_record_holds_no_address
                a_record_of_a_person_or_a_schedule_holds_no_address
                a_call_writes_a_record_for_each_edit_in_their_order
                pages_of_changes_leave_none_out_and_double_none
                the_newest_thousand_records_are_kept
            }
            durable {
                what_was_put_survives_a_crash
                people_and_schedules_survive_a_crash
                edits_and_their_records_survive_a_crash_together
            }
            shared {
                what_one_handle_puts_another_notices
                what_one_handle_deletes_another_notices
                p12_a_handle_that_looks_again_answers_what_another_has_just_written
                a_service_of_another_handle_keeps_its_team
                an_edit_is_judged_by_what_another_handle_has_written
                records_of_concurrent_calls_by_two_handles_link_up
                what_one_handle_records_another_lists
                people_and_schedules_that_one_handle_edits_another_notices
                p12_a_handle_that_looks_again_answers_people_and_schedules_just_written
                p12_days_of_other_teams_are_as_fresh_as_a_teams_own
                names_are_judged_by_what_another_handle_has_written
                of_two_halves_of_a_circle_by_two_handles_one_is_refused
            }
            outages {
                p04_an_edit_whose_answer_was_lost_is_not_told_as_undone
                p04_an_edit_whose_answer_was_lost_is_recorded_once_if_it_was_made
            }
        }
    };
}
