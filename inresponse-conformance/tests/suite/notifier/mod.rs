//! Notifiers that are broken, each in one way, and the law that catches it.

mod model;
mod tcp;

mod sound {
    inresponse_conformance::notifier_laws!(crate::notifier::model::harness(crate::notifier::Defect::none));
}

/// A sound one over real connections, with a carrier that really is silent, gone or gone silent.
mod over_tcp {
    inresponse_conformance::notifier_laws!(crate::notifier::tcp::Carriers::default());
}

broken! { notifier, super::model::harness;
    p10_an_accepted_alert_has_arrived_once:
        accepts_without_delivering, delivers_twice, delivers_again_later, names_no_incident, names_no_delivery;
    p10_every_attempt_bears_the_name_of_its_delivery:
        names_each_attempt, names_the_incident_only, holds_repeats_back;
    alerts_at_once_do_not_mix: keeps_the_alert_it_sends_in_a_field, keeps_the_link_it_sends_in_a_field;
    any_text_arrives_as_one_message: ends_messages_at_a_dot, takes_headers_from_the_text, refuses_long_messages;
    secrets_do_not_show_in_debug_output: shows_its_password, shows_the_last_link, says_its_password;

    p09_a_refusal_for_good_is_rejected: takes_a_refusal_for_an_outage, tries_a_refusal_again;
    p09_a_refusal_of_somebody_else_is_tried_again: takes_a_refused_sender_for_a_refusal;
    p13_a_refusal_is_its_recipients_only: refuses_everybody_after_a_refusal;

    p09_a_busy_carrier_is_tried_once_and_is_not_dead:
        retries_by_itself, takes_busy_for_a_refusal, takes_busy_for_accepted, takes_busy_for_unknown;
    p09_a_carrier_that_was_busy_is_reached_again: stays_away_from_who_was_busy;

    p09_an_asked_for_pause_is_told: takes_a_pause_for_an_outage, doubles_the_pause, waits_and_tries_again;

    p09_an_unreachable_carrier_is_unavailable:
        takes_unreachable_for_unknown, takes_unreachable_for_a_refusal, takes_every_error_for_accepted;
    p09_a_carrier_that_is_back_is_reached_again: never_connects_again;

    p13_a_silent_carrier_is_given_up_at_the_deadline:
        hangs_past_its_deadline, takes_silence_for_accepted, takes_silence_for_a_refusal, tries_silence_again;
    p13_a_hanging_alert_delays_no_other: sends_one_at_a_time;
    p13_an_abandoned_alert_blocks_nothing: loses_a_slot_to_an_abandoned_alert;

    p10_a_reply_that_does_not_come_is_unknown:
        takes_a_missing_reply_for_accepted, takes_a_missing_reply_for_an_outage;

    p10_a_lost_reply_is_unknown_and_not_tried_again:
        sends_again_when_the_reply_is_lost, takes_a_lost_reply_for_an_outage, takes_a_lost_reply_for_accepted;
    p09_a_carrier_whose_reply_was_lost_is_reached_again: uses_the_lost_connection_again;

    p23_a_bundle_arrives_as_one_message: sends_each_alert_of_a_bundle, says_nothing_of_the_others, keeps_a_bundle;
    p23_a_refused_bundle_is_rejected: takes_a_refused_bundle_for_an_outage;
    p23_a_bundle_whose_sender_is_refused_is_tried_again: takes_the_sender_of_a_bundle_for_its_recipient;
    p23_a_bundle_for_a_busy_carrier_is_tried_once_and_is_not_dead: tries_a_bundle_again;
    p23_a_pause_that_is_asked_of_a_bundle_is_told: takes_a_pause_of_a_bundle_for_an_outage;
    p23_a_bundle_for_an_unreachable_carrier_is_unavailable: takes_an_unreachable_bundle_for_unknown;
    p23_a_bundle_for_a_silent_carrier_is_given_up_at_the_deadline:
        hangs_with_a_bundle, takes_a_silent_bundle_for_accepted;
    p23_a_bundle_whose_reply_is_lost_is_unknown: takes_a_lost_bundle_for_accepted;
}
