//! Settings that are broken, each in one way, and the law that catches it.

mod model;

mod sound {
    inresponse_conformance::settings_laws!(crate::settings::model::Models(crate::settings::Defect::none));
}

broken! { settings, super::model::Models;
    what_was_never_kept_is_absent: answers_something_of_every_name, compares_names_without_case;
    a_value_is_answered_exactly: keeps_texts_only, cuts_long_values;
    a_swap_is_done_only_from_the_value_that_it_names:
        swaps_from_any_value, swaps_from_nothing_though_there_is_one, makes_what_was_to_be_replaced,
        refuses_what_is_done_already, swaps_nothing;
    of_swaps_at_once_one_is_done: compares_before_it_writes;

    what_was_swapped_survives_a_crash: forgets_everything_in_a_crash, forgets_the_last_swap_in_a_crash;

    what_one_handle_swaps_another_answers_at_once: answers_what_it_read_before;

    p04_a_swap_whose_answer_was_lost_is_not_told_as_undone:
        tells_a_lost_swap_as_undone, takes_its_own_swap_for_anothers;
}
