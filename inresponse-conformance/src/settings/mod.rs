//! The laws of every [`Settings`].
//!
//! Every handle must return at once what any handle wrote, because sessions of people and limits of keys depend on it.

mod durable;
mod outages;
mod shared;
mod swaps;

pub use durable::*;
pub use outages::*;
pub use shared::*;
pub use swaps::*;

use inresponse_core::settings::{Settings, Swapped};

/// The names of all laws, including those that may be excepted.
pub const LAWS: &[&str] = crate::__settings_laws! { [crate::__names] [] };

/// The list of all laws of settings.
#[doc(hidden)]
#[macro_export]
macro_rules! __settings_laws {
    ([$($then:tt)+] $arguments:tt) => {
        $($then)+! { $arguments
            always {
                what_was_never_kept_is_absent
                a_value_is_answered_exactly
                a_swap_is_done_only_from_the_value_that_it_names
                of_swaps_at_once_one_is_done
            }
            durable {
                what_was_swapped_survives_a_crash
            }
            shared {
                what_one_handle_swaps_another_answers_at_once
            }
            outages {
                p04_a_swap_whose_answer_was_lost_is_not_told_as_undone
            }
        }
    };
}

async fn value(settings: &impl Settings, name: &str) -> Option<Vec<u8>> {
    settings.setting(name).await.expect("the settings answer")
}

async fn swap(settings: &impl Settings, name: &str, was: Option<&[u8]>, value: &[u8]) -> Swapped {
    settings.swap_setting(name, was, value).await.expect("the settings swap")
}
