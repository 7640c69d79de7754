//! Stores that are broken, each in one way, and the law that catches it.

mod mangle;
mod model;
mod queries;

use inresponse_conformance::Harness;
use model::Model;

mod sound {
    inresponse_conformance::store_laws!(crate::store::model::harness(crate::store::Defect::none));
}

/// What a law allows to lag behind may do so.
mod lagging {
    macro_rules! tests {
        ([] $( $group:ident { $($law:ident)* } )*) => {
            $( $(
                #[test]
                fn $law() {
                    let harness = crate::store::model::Models { lagging: true, ..crate::store::model::harness(crate::store::Defect::none) };
                    let held = crate::support::holds(async { inresponse_conformance::store::$law(&harness).await });
                    assert_eq!(held, Ok(()));
                }
            )* )*
        };
    }
    inresponse_conformance::__store_laws! { [tests] [] }
}

broken! { store, super::model::harness;
    p02_numbers_rise: counts_down;
    p02_numbers_are_unique_and_rise_under_concurrency: reads_the_counter_before_it_writes;
    p02_the_number_of_a_resolved_incident_is_not_used_again: numbers_on_from_the_last_open_one;

    p03_a_repeat_answers_the_open_incident_and_counts: forgets_keys, counts_no_repeats;
    p03_a_repeat_changes_nothing_but_the_count: takes_over_what_a_repeat_says;
    p03_a_repeat_leaves_the_version_alone: makes_a_version_of_a_repeat;
    p03_a_repeat_answers_the_incident_as_last_committed: answers_repeats_with_the_first_version;
    p03_a_commit_keeps_the_count: begins_the_count_again_on_commit, forgets_the_last_report_on_commit;
    p03_concurrent_repeats_are_all_counted: reads_the_count_before_it_writes;
    p03_repeats_among_commits_are_all_counted: commits_the_count_that_it_read;
    p03_concurrent_first_reports_make_one_incident: looks_for_the_key_before_it_writes;
    p03_the_last_report_moves_only_forward: takes_the_last_report_as_it_comes, rounds_the_last_report;
    p03_the_key_of_another_service_is_another_incident: ignores_the_service_of_a_key;
    p03_keys_are_compared_exactly: joins_service_and_key, compares_keys_without_case, cuts_long_keys;
    p03_reports_without_a_key_are_incidents_of_their_own: takes_no_key_for_an_empty_key;
    p03_a_claim_keeps_the_key: frees_the_key_on_a_claim;
    p03_a_resolution_frees_the_key: frees_no_key;
    p03_a_stale_resolution_keeps_the_key: frees_the_key_before_the_fence;
    p03_a_late_commit_leaves_the_keys_new_holder_alone: frees_the_key_of_another_holder;
    p03_a_report_racing_the_resolution_is_a_repeat_or_a_new_incident:
        frees_the_key_after_the_commit, makes_an_incident_of_each_report_in_a_race;
    p03_an_open_incident_is_found_by_its_key: finds_it_as_first_created, finds_the_unclaimed_only;
    p03_a_key_is_found_exactly: finds_keys_that_begin_alike, finds_the_key_of_any_service;
    p03_a_resolved_incident_is_not_found_by_its_key: finds_the_first_that_had_the_key;

    p06_a_commit_at_the_read_version_replaces_the_record: answers_and_keeps_nothing;
    p06_a_commit_at_another_version_is_stale_and_changes_nothing:
        has_no_fence, fences_off_older_versions_only, changes_the_record_before_the_fence;
    p06_of_concurrent_commits_at_one_version_one_wins: checks_the_version_before_it_writes;
    p06_a_commit_leaves_other_incidents_alone: makes_a_version_of_every_record;
    a_commit_of_an_unknown_number_creates_nothing: creates_what_is_committed;

    p04_an_abandoned_create_is_whole_or_absent: takes_the_key_before_it_writes;
    p04_an_abandoned_commit_is_whole_or_absent: takes_the_version_before_it_writes;

    p08_nothing_is_due_before_its_time:
        is_due_whenever_asked, rounds_due_times_to_milliseconds, rounds_due_times_to_seconds;
    p09_everything_is_due_at_its_time: leaves_the_boundary_out, rounds_due_times_up, forgets_what_is_long_due;
    p09_due_is_ordered_by_time_then_number:
        orders_due_by_number, orders_due_latest_first, leaves_ties_as_they_were_committed;
    p09_due_goes_on_after_a_mark_without_gaps_or_repeats:
        ignores_the_mark, goes_on_after_the_time_of_the_mark, goes_on_at_the_time_of_the_mark;
    p09_due_holds_at_most_its_limit: ignores_the_limit_of_due, counts_the_limit_from_zero;
    p09_due_answers_whole_records: is_due_as_first_created, is_due_without_its_repeats;
    p09_due_follows_the_last_commit: keeps_the_first_due_time, forgets_the_due_time_on_commit;
    p11_what_is_claimed_or_resolved_is_no_longer_due: keeps_what_is_claimed_due;
    p14_whatever_lies_ahead_of_the_clock_is_found: looks_ahead_by_the_last_change, looks_ahead_by_the_due_time;
    p21_what_was_judged_by_other_rules_is_found:
        finds_what_the_same_rules_judged, lists_quiet_without_the_mark;
    p09_what_a_newer_version_wrote_is_kept: keeps_what_it_knows;

    p01_a_new_incident_is_loaded_as_it_was_answered:
        keeps_milliseconds, keeps_ascii, loses_empty_labels, keeps_no_number_in_the_incident;
    p01_every_commit_is_loaded_as_it_was_committed: loses_what_carriers_said, loses_notes;
    p07_the_largest_incident_is_kept_whole: cuts_long_messages, cuts_long_timelines;
    an_unknown_number_is_absent: finds_the_next_one_instead, fails_on_odd_numbers;

    the_list_is_newest_first: lists_the_oldest_first, lists_by_last_change, lists_as_first_created;
    the_list_keeps_to_its_filters:
        lists_every_state, lists_every_service, lists_every_severity, lists_every_team, filters_by_the_first_team,
        filters_by_the_first_state,
        lists_services_that_begin_alike;
    the_list_goes_on_below_a_number_without_gaps_or_repeats:
        ignores_below, includes_below, filters_after_the_limit;
    the_list_holds_at_most_its_limit: ignores_the_limit_of_the_list;

    p12_the_census_of_an_empty_store_is_zero: fails_to_count_nothing;
    p12_the_census_counts_states: counts_everything_as_open;
    p12_the_census_counts_the_unclaimed_and_the_undelivered:
        counts_the_undelivered_apart, counts_no_undelivered, counts_the_claimed_as_unclaimed;
    p12_the_census_counts_those_that_wait_since_before_a_time:
        counts_those_that_wait_since_that_time, counts_all_open_as_waiting;
    p12_the_census_tells_the_next_due_time: tells_no_due_time, tells_the_latest_due_time;

    p01_what_was_answered_survives_a_crash: forgets_everything_in_a_crash, writes_commits_later;
    p02_numbers_go_on_after_a_crash: begins_numbers_again_after_a_crash;
    p03_keys_and_counts_survive_a_crash: forgets_keys_in_a_crash, forgets_counts_in_a_crash;
    p06_versions_survive_a_crash: forgets_versions_in_a_crash;
    p09_due_times_survive_a_crash: forgets_due_times_in_a_crash;

    p01_what_one_handle_commits_another_loads: loads_what_it_remembers;
    p02_numbers_rise_across_handles: gives_each_handle_its_own_numbers;
    p03_handles_share_open_keys_and_counts: keeps_keys_by_handle;
    p03_what_one_handle_creates_another_finds_by_its_key: finds_what_it_created_itself;
    p06_of_concurrent_commits_across_handles_one_wins: fences_by_handle;
    p09_what_one_handle_creates_is_due_at_another: is_due_where_it_was_created;

    p04_a_create_whose_answer_was_lost_is_not_told_as_undone:
        tells_a_lost_create_as_undone, reports_again_after_a_lost_answer;
    p04_a_commit_whose_answer_was_lost_is_not_told_as_undone:
        tells_a_lost_commit_as_undone, takes_its_own_commit_for_anothers;
    p04_a_repeat_whose_answer_was_lost_is_counted_once_at_most:
        tells_a_lost_repeat_as_undone, counts_again_after_a_lost_answer;

    what_has_expired_is_deleted_and_nothing_else:
        keeps_no_expiry, expires_as_first_created, deletes_what_is_resolved, expires_an_hour_early;
}

/// A harness may be a plain closure.
#[test]
fn a_closure_is_a_harness() {
    fn is_harness(_: &impl Harness<Subject = Model>) {}
    is_harness(&|| async { Model::default() });
}
