//! Rosters that are broken, each in one way, and the law that catches it.

mod judging;
mod model;
mod recording;
mod sight;
mod writing;

mod sound {
    inresponse_conformance::roster_laws!(crate::roster::model::Models(crate::roster::Defect::none));
}

broken! { roster, super::model::Models;
    what_was_never_put_is_absent: knows_every_team, fails_on_what_is_absent, answers_a_team_for_every_service;
    a_services_team_is_answered_and_replaced: keeps_the_first_owner;
    a_teams_settings_are_answered_exactly_and_replaced:
        keeps_the_first_settings, keeps_whole_seconds, loses_empty_lists_of_levels, loses_the_zone,
        loses_the_levels;
    a_calendar_entry_is_answered_exactly_and_replaced:
        keeps_the_first_entry, loses_empty_levels, keeps_everyone_once;
    p15_a_calendar_entry_is_of_its_day_only: answers_the_last_entry_before, keeps_days_without_their_year;
    names_are_compared_exactly: compares_names_without_case, cuts_names_at_a_slash, cuts_long_names;

    p15_a_directory_has_every_day_that_some_zone_has_in_its_span:
        answers_the_days_of_utc_only, answers_the_days_of_the_beginning_only, answers_a_month_at_most;
    p12_a_directory_tells_whether_its_team_is_known:
        knows_by_the_days_of_the_span_only, answers_the_settings_of_another_team;
    pages_of_entries_leave_none_out_and_double_none:
        lists_all_entries_at_once, lists_the_last_entry_again, skips_an_entry_between_pages,
        lists_the_days_of_a_team_on_one_page_only, orders_days_by_their_joined_names;
    a_page_goes_on_after_a_key_that_is_gone:
        begins_again_after_a_key_that_is_gone, ends_after_a_key_that_is_gone;

    a_deletion_tells_what_it_found: finds_everything_it_deletes, finds_nothing_it_deletes, deletes_nothing;
    a_deletion_leaves_everything_else_alone: deletes_names_that_begin_alike, deletes_the_calendar_with_a_day;
    p12_a_team_is_known_by_settings_a_calendar_entry_or_a_service:
        knows_by_settings_only, knows_by_the_calendar_only, knows_nobody_by_a_service,
        knows_by_an_empty_calendar, deletes_an_empty_calendar;
    the_teams_that_are_known_are_listed:
        lists_those_with_settings, lists_those_with_a_calendar, lists_nobody_by_a_service, lists_in_no_order,
        lists_some_twice, lists_empty_calendars;
    a_team_is_deleted_with_its_calendar: leaves_the_calendar, deletes_no_team_without_settings;
    a_team_that_owns_a_service_is_not_deleted:
        deletes_a_team_that_owns_a_service, deletes_the_calendar_before_it_looks,
        names_somebody_elses_service, remembers_who_owned_a_service;

    each_edit_tells_what_it_did:
        tells_replaced_of_what_is_new, tells_created_of_what_it_replaces, tells_replaced_of_the_same,
        tells_effects_in_another_order, tells_replaced_of_a_team_with_days;
    an_edit_that_changes_nothing_writes_no_record: records_the_same_again, records_a_call_that_changes_nothing;
    a_call_that_is_refused_changes_nothing:
        makes_the_edits_of_a_refused_call, makes_the_edits_before_the_refused_one, makes_the_teams_of_a_refused_call,
        records_a_refused_call;
    names_are_judged_after_all_edits_of_a_call:
        judges_names_before_the_call, takes_a_service_of_a_team_that_it_deletes;
    a_team_that_keeps_one_of_many_services_is_not_deleted: looks_up_too_few_services;
    the_most_edits_are_made_and_one_more_is_refused:
        takes_any_number_of_edits, refuses_the_most_edits, makes_the_first_of_too_many_edits;
    two_edits_of_one_entry_are_refused:
        takes_two_edits_of_one_entry, takes_a_day_with_the_deletion_of_its_team, makes_the_first_of_two_edits;

    people_and_schedules_are_answered_exactly_and_replaced:
        keeps_the_first_person, loses_empty_lists_of_whom_an_override_replaces, loses_what_was_found_in_a_feed;
    names_of_people_and_schedules_are_compared_exactly: compares_foreign_letters_without_case;
    people_and_schedules_are_listed_page_by_page:
        lists_the_overrides_of_a_schedule_on_one_page_only, orders_schedules_by_their_joined_names;
    each_edit_of_a_person_or_a_schedule_tells_what_it_did: tells_created_of_an_override_it_replaces;
    a_deletion_of_a_person_or_a_schedule_leaves_the_others_alone:
        deletes_overrides_that_begin_alike, deletes_a_schedule_with_its_last_override;
    p12_a_team_is_known_by_a_schedule:
        knows_nobody_by_a_schedule, lists_nobody_by_a_schedule, deletes_no_team_with_schedules_alone;
    p24_heartbeats_are_answered_exactly_and_keep_their_service: keeps_the_first_heartbeat,
        overlooks_heartbeats_among_users;
    p12_routing_rules_are_answered_exactly_and_keep_their_names: keeps_the_first_rules,
        overlooks_rules_among_users;

    p16_a_put_that_names_something_unknown_is_refused:
        takes_unknown_names, makes_the_edits_beside_an_unknown_name;
    what_the_same_call_puts_is_known: judges_unknown_names_before_the_call;
    p16_a_person_a_schedule_and_a_team_in_use_are_not_deleted:
        overlooks_overrides_among_users, overlooks_days_among_users, overlooks_whom_an_override_replaces,
        overlooks_users_of_the_same_team;
    a_name_in_use_is_judged_by_what_its_users_are_after_the_call:
        counts_users_as_they_were, takes_a_user_of_a_person_that_it_deletes;
    p16_a_schedule_that_another_team_uses_keeps_its_team:
        deletes_schedules_that_others_use, is_kept_by_its_own_overrides, is_kept_by_its_own_layers;
    p16_a_user_is_found_among_however_many: looks_up_one_user_more_than_edits;
    a_schedule_is_deleted_with_its_overrides_and_copies:
        keeps_overrides_for_a_schedule_of_the_same_name, keeps_copies_for_a_schedule_of_the_same_name,
        leaves_the_copies_of_a_schedule;
    however_much_belongs_to_a_schedule_is_deleted_with_it: deletes_ten_overrides_at_most;
    a_team_is_deleted_with_its_schedules:
        keeps_overrides_for_a_team_of_the_same_name, leaves_the_schedules_of_a_team;
    p12_a_fallback_always_reaches_somebody: takes_a_fallback_that_reaches_nobody, takes_the_last_method_away;

    p16_what_leads_round_in_a_circle_is_refused:
        overlooks_circles_over_overrides, overlooks_circles_over_days, takes_circles_of_one_call;
    what_leads_round_by_an_escalation_is_no_circle: leads_on_by_escalations;
    what_the_same_call_takes_away_closes_no_circle: leads_on_by_days_that_are_edited;
    p17_a_directory_holds_the_teams_that_its_targets_lead_to:
        reads_no_other_teams, reads_the_next_teams_only, reads_other_teams_without_their_days,
        reads_other_teams_without_their_settings;

    concurrent_puts_are_all_kept: reads_the_calendar_before_it_writes;
    of_concurrent_calls_one_creates_and_one_deletes_an_entry: looks_before_it_writes, tells_what_it_saw_before;
    records_of_concurrent_calls_link_up: records_what_it_saw_before;
    concurrent_calls_of_several_edits_do_not_mix: makes_one_edit_after_the_other;

    records_are_listed_newest_first:
        lists_changes_oldest_first, records_every_change_once, records_times_in_seconds,
        records_somebody_else;
    a_record_tells_what_was_before_and_is_after: cuts_records, records_nothing_of_before, records_a_replacement_as_new,
        records_a_team_without_its_settings;
    a_record_holds_no_address: records_addresses;
    a_record_of_a_person_or_a_schedule_holds_no_address:
        records_addresses_of_people, records_the_urls_of_feeds, records_what_was_found_in_a_feed;
    a_call_writes_a_record_for_each_edit_in_their_order:
        records_a_call_in_reverse, records_the_first_edit_of_a_call, marks_all_edits_of_a_call_alike,
        orders_the_edits_of_a_call_by_their_digits;
    pages_of_changes_leave_none_out_and_double_none:
        lists_all_changes_at_once, lists_the_marked_change_again, skips_a_change_between_pages,
        marks_changes_by_their_place_in_the_list, marks_changes_by_their_time;
    the_newest_thousand_records_are_kept: keeps_a_hundred_records, lists_a_thousand_records;

    what_was_put_survives_a_crash: forgets_everything_in_a_crash, forgets_calendars_in_a_crash;
    people_and_schedules_survive_a_crash: forgets_people_in_a_crash, forgets_overrides_in_a_crash;
    edits_and_their_records_survive_a_crash_together:
        forgets_changes_in_a_crash, forgets_the_last_change_in_a_crash, numbers_changes_again_after_a_crash;

    what_one_handle_puts_another_notices: notices_no_puts, notices_nothing_new_about_what_it_read;
    what_one_handle_deletes_another_notices: notices_no_deletions;
    p12_a_handle_that_looks_again_answers_what_another_has_just_written: looks_every_half_second_only;
    a_service_of_another_handle_keeps_its_team: looks_for_its_own_services_only;
    an_edit_is_judged_by_what_another_handle_has_written:
        judges_by_what_it_has_read, judges_deletions_by_what_it_has_read;
    records_of_concurrent_calls_by_two_handles_link_up: locks_its_own_handle_only;
    what_one_handle_records_another_lists: lists_its_own_changes_only;
    people_and_schedules_that_one_handle_edits_another_notices: notices_no_deleted_people;
    p12_a_handle_that_looks_again_answers_people_and_schedules_just_written: looks_every_half_second_for_people;
    p12_days_of_other_teams_are_as_fresh_as_a_teams_own: keeps_other_teams_as_it_read_them;
    names_are_judged_by_what_another_handle_has_written: judges_unknown_people_by_what_it_has_read;
    of_two_halves_of_a_circle_by_two_handles_one_is_refused:
        looks_for_circles_in_what_it_has_read, looks_for_circles_before_it_writes;

    p04_an_edit_whose_answer_was_lost_is_not_told_as_undone: tells_a_lost_edit_as_undone, makes_a_lost_edit_again;
    p04_an_edit_whose_answer_was_lost_is_recorded_once_if_it_was_made: records_a_lost_edit_again;
}
