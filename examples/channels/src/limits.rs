//! Reads and checks the limits of channels.

use std::collections::BTreeMap;
use std::time::Duration;

use inresponse_core::InvalidInput;
use inresponse_core::model::Scheme;
use inresponse_core::notify::{ChannelLimits, Limits, Window};

use crate::file::FileLimits;

/// The limits of all channels: those of the config file, and the usual ones for text messages and calls.
pub(crate) fn check(files: BTreeMap<String, FileLimits>, invalid: &mut InvalidInput) -> Limits {
    let usual = [("sms", ChannelLimits::of_texts()), ("tel", ChannelLimits::of_calls())];
    let mut channels: BTreeMap<String, ChannelLimits> =
        usual.into_iter().map(|(scheme, limits)| (scheme.to_owned(), limits)).collect();
    for (scheme, file) in files {
        let mut limits = channels.remove(&scheme).unwrap_or_default();
        if let Some(windows) = file.per_address {
            for (i, window) in windows.iter().enumerate() {
                let is_possible = (1..=Window::MOST).contains(&window.most)
                    && (1..=Window::LONGEST.as_secs() / 60).contains(&window.minutes);
                if !is_possible {
                    invalid.push(
                        format!("limits.{scheme}.per-address[{i}]"),
                        "must be from 1 to 1000 messages in 1 to 1440 minutes",
                    );
                }
            }
            let windows =
                windows.iter().map(|one| Window::new(one.most, Duration::from_secs(one.minutes * 60)));
            limits = limits.per_address(windows);
        }
        if let Some(most) = file.per_day {
            if most == 0 {
                invalid.push(format!("limits.{scheme}.per-day"), "must be at least 1");
            }
            limits = limits.per_day(most);
        }
        channels.insert(scheme, limits);
    }
    let mut all = Limits::none();
    for (scheme, limits) in channels {
        let named = |error: InvalidInput| InvalidInput::field(format!("limits.{scheme}"), error.to_string());
        if let Some(scheme) = invalid.keep(Scheme::new(&scheme).map_err(named)) {
            all = all.with(&scheme, limits);
        }
    }
    all
}
