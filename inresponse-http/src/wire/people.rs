//! People over the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::engine::Tested;
use inresponse_core::model::{Contact, MethodName, OwnerName, PersonId, StatusUpdates};
use inresponse_core::roster::{Absence, Moment, Profile, RuleFor, RuleStep, Target, Zone};

use super::field::{at, owner};
use super::roster::Named;
use crate::caller::Addresses;

/// Converts a person from a request. Also returns the person's contacts with the names of their fields.
pub(crate) fn profile(given: api::PersonEntry) -> Result<(Profile, Vec<Named>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let owner = invalid.keep(owner(given.owner));
    let (mut methods, mut named) = (BTreeMap::new(), Vec::new());
    for (name, contact) in given.methods.unwrap_or_default() {
        let field = format!("methods.{name}");
        let name = invalid.keep(at(&field, MethodName::new(&name)));
        let contact = invalid.keep(at(&field, Contact::new(&contact)));
        if let Some((name, contact)) = name.zip(contact) {
            named.push((field, Target::Contact(contact.clone())));
            methods.insert(name, contact);
        }
    }
    let refused_methods = invalid.errors().iter().any(|e| e.field().starts_with("methods."));
    let mut profile = Profile::builder(methods);
    if let Some(name) = given.name {
        profile = profile.name(name);
    }
    if let Some(zone) = given.timezone.and_then(|name| invalid.keep(Zone::new(&name))) {
        profile = profile.timezone(zone);
    }
    for (name, steps) in given.rules.unwrap_or_default() {
        let Some(rule) = invalid.keep(RuleFor::try_from(name.clone())) else { continue };
        let step = |(i, step): (usize, api::RuleStep), invalid: &mut InvalidInput| RuleStep {
            after: Duration::from_secs(step.after_seconds),
            methods: (0..)
                .zip(step.methods)
                .filter_map(|(n, method)| {
                    let field = format!("rules.{name}[{i}].methods[{n}]");
                    invalid.keep(at(&field, MethodName::new(&method)))
                })
                .collect(),
        };
        let steps = steps.into_iter().enumerate().map(|one| step(one, &mut invalid)).collect();
        profile = profile.rule(rule, steps);
    }
    for (i, absence) in given.absences.unwrap_or_default().into_iter().enumerate() {
        let mut moment = |name: &str, text: &str| {
            invalid.keep(at(&format!("absences[{i}].{name}"), text.parse::<Moment>()))
        };
        let (from, to) = (moment("from", &absence.from), moment("to", &absence.to));
        if let Some((from, to)) = from.zip(to) {
            profile = profile.absence(Absence { from, to });
        }
    }
    profile = profile.day_ahead_notice(given.day_ahead_notice.unwrap_or_default().into());
    match given.status_updates {
        None => {}
        Some(api::StatusUpdates::On) => profile = profile.status_updates(StatusUpdates::On),
        Some(api::StatusUpdates::Off) => profile = profile.status_updates(StatusUpdates::Off),
        Some(api::StatusUpdates::Other(_)) => invalid.push("statusUpdates", "must be on or off"),
    }
    profile = profile.weekly_test(given.weekly_test.unwrap_or_default().into());
    match profile.build() {
        Ok(profile) if invalid.is_empty() => Ok((profile.owned_by(owner.flatten()), named)),
        Ok(_) => Err(invalid),
        Err(error) => {
            // A rule may name a method that was refused.
            for e in error.errors().iter().filter(|e| !(refused_methods && e.field().starts_with("rules."))) {
                invalid.push(e.field().to_owned(), e.message());
            }
            Err(invalid)
        }
    }
}

/// Converts a person into the API's type.
pub(crate) fn person(id: &PersonId, profile: &Profile, addresses: Addresses) -> api::Person {
    let contact = |contact: &Contact| match addresses {
        Addresses::Whole => contact.to_string(),
        Addresses::Masked => contact.masked(),
    };
    let step = |step: &RuleStep| api::RuleStep {
        after_seconds: step.after.as_secs(),
        methods: step.methods.iter().map(MethodName::to_string).collect(),
    };
    let absence =
        |absence: &Absence| api::Absence { from: absence.from.to_string(), to: absence.to.to_string() };
    api::Person {
        person: id.to_string(),
        name: profile.name().unwrap_or(id.as_str()).to_owned(),
        timezone: profile.timezone().name().to_owned(),
        methods: profile.methods().iter().map(|(name, c)| (name.to_string(), contact(c))).collect(),
        rules: profile
            .rules()
            .iter()
            .map(|(rule, steps)| (rule.to_string(), steps.iter().map(step).collect()))
            .collect(),
        absences: profile.absences().iter().map(absence).collect(),
        day_ahead_notice: profile.day_ahead_notice().into(),
        status_updates: profile.status_updates().map(|choice| match choice {
            StatusUpdates::On => api::StatusUpdates::On,
            StatusUpdates::Off => api::StatusUpdates::Off,
        }),
        weekly_test: profile.weekly_test().into(),
        stopped: profile.stopped().iter().map(|(name, at)| (name.to_string(), *at)).collect(),
        verified: profile.verified().iter().map(|(name, at)| (name.to_string(), *at)).collect(),
        owner: profile.owner().map(OwnerName::to_string),
    }
}

/// Converts the results of test messages into the API's type. Without access to addresses, the carrier's answers are
/// left out, because they may contain an address.
pub(crate) fn tests(tested: &[Tested], addresses: Addresses) -> api::Tests {
    let detail = |tested: &Tested| match addresses {
        Addresses::Whole => Some(tested.outcome.reason().to_owned()).filter(|reason| !reason.is_empty()),
        Addresses::Masked => None,
    };
    let test = |tested: &Tested| api::MethodTest {
        method: tested.method.to_string(),
        outcome: tested.outcome.kind().as_str().to_owned(),
        seconds: tested.took.as_secs(),
        detail: detail(tested),
    };
    api::Tests { tests: tested.iter().map(test).collect() }
}
