//! The laws of every [`Roster`](inresponse_core::roster::Roster).
//!
//! What a handle wrote it must answer at once. What another handle wrote it must notice by itself within three seconds,
//! and at once if it is told to look again.

mod changes;
mod durable;
mod keeping;
mod scene;
mod shared;
mod teams;

pub use changes::*;
pub use durable::*;
pub use keeping::*;
pub use shared::*;
pub use teams::*;

/// The names of all laws, those that may be excepted included.
pub const LAWS: &[&str] = crate::__roster_laws! { [crate::__names] [] };

/// The one list of the laws.
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
                concurrent_puts_are_all_kept

                a_deletion_tells_what_it_found
                a_deletion_leaves_everything_else_alone
                p12_a_team_is_known_by_settings_a_calendar_entry_or_a_service
                the_teams_that_are_known_are_listed
                a_team_is_deleted_with_its_calendar
                a_team_that_owns_a_service_is_not_deleted

                what_was_noted_is_listed_newest_first
                pages_of_changes_leave_none_out_and_double_none
            }
            durable {
                what_was_put_survives_a_crash
                what_was_noted_survives_a_crash
            }
            shared {
                what_one_handle_puts_another_notices
                what_one_handle_deletes_another_notices
                p12_a_handle_that_looks_again_answers_what_another_has_just_written
                a_service_of_another_handle_keeps_its_team
                what_one_handle_notes_another_lists
            }
        }
    };
}
