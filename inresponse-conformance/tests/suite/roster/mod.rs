//! Rosters that are broken, each in one way, and the law that catches it.

mod model;

mod sound {
    inresponse_conformance::roster_laws!(crate::roster::model::Models(crate::roster::Defect::none));
}

broken! { roster, super::model::Models;
    what_was_never_put_is_absent: knows_every_team, fails_on_what_is_absent, answers_a_team_for_every_service;
    a_services_team_is_answered_and_replaced: keeps_the_first_owner;
    a_teams_settings_are_answered_exactly_and_replaced:
        keeps_the_first_settings, keeps_whole_seconds, loses_empty_lists_of_levels, loses_the_zone;
    a_calendar_entry_is_answered_exactly_and_replaced:
        keeps_the_first_entry, loses_empty_levels, keeps_everyone_once;
    p15_a_calendar_entry_is_of_its_day_only: answers_the_last_entry_before, keeps_days_without_their_year;
    names_are_compared_exactly: compares_names_without_case, cuts_names_at_a_slash, cuts_long_names;
    concurrent_puts_are_all_kept: reads_the_calendar_before_it_writes;

    a_deletion_tells_what_it_found: finds_everything_it_deletes, finds_nothing_it_deletes, deletes_nothing;
    a_deletion_leaves_everything_else_alone: deletes_names_that_begin_alike, deletes_the_calendar_with_a_day;
    p12_a_team_is_known_by_settings_a_calendar_entry_or_a_service:
        knows_by_settings_only, knows_by_the_calendar_only, knows_nobody_by_a_service,
        knows_by_an_empty_calendar, deletes_an_empty_calendar;
    the_teams_that_are_known_are_listed:
        lists_those_with_settings, lists_those_with_a_calendar, lists_nobody_by_a_service, lists_in_no_order,
        lists_some_twice,
        lists_empty_calendars;
    a_team_is_deleted_with_its_calendar: leaves_the_calendar, deletes_no_team_without_settings;
    a_team_that_owns_a_service_is_not_deleted:
        deletes_whoever_owns_a_service, deletes_the_calendar_before_it_looks, names_somebody_elses_service,
        remembers_who_owned_a_service;

    what_was_noted_is_listed_newest_first:
        lists_changes_oldest_first, notes_every_change_once, notes_times_in_seconds, cuts_what_was_changed;
    pages_of_changes_leave_none_out_and_double_none:
        lists_all_changes_at_once, lists_the_marked_change_again, skips_a_change_between_pages,
        marks_changes_by_their_place_in_the_list, marks_changes_by_their_time;

    what_was_put_survives_a_crash: forgets_everything_in_a_crash, forgets_calendars_in_a_crash;
    what_was_noted_survives_a_crash: forgets_changes_in_a_crash, numbers_changes_anew_after_a_crash;

    what_one_handle_puts_another_notices: notices_no_puts, notices_nothing_new_about_what_it_read;
    what_one_handle_deletes_another_notices: notices_no_deletions;
    p12_a_handle_that_looks_again_answers_what_another_has_just_written: looks_every_half_second_only;
    a_service_of_another_handle_keeps_its_team: looks_for_its_own_services_only;
    what_one_handle_notes_another_lists: lists_its_own_changes_only;
}
