//! The first steps of a new installation, and which of them are done.

use inresponse_core::Outage;
use inresponse_core::roster::{EntryKind, Timetable};
use inresponse_core::store::ListQuery;

use super::form::segment;
use super::session::SignedIn;
use crate::Api;
use crate::caller::Addresses;

/// The first steps, in their order.
pub(super) struct FirstSteps {
    pub(super) steps: Vec<Step>,
    /// Whether the reader's key may take them.
    pub(super) may_edit: bool,
}

/// A step, with the address where it is done.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) why: &'static str,
    pub(super) href: String,
    pub(super) is_done: bool,
}

impl FirstSteps {
    pub(super) fn are_done(&self) -> bool {
        self.steps.iter().all(|step| step.is_done)
    }

    /// Whether a step is the next one to take.
    pub(super) fn is_next(&self, step: &Step) -> bool {
        self.steps.iter().find(|step| !step.is_done).is_some_and(|next| next.name == step.name)
    }
}

/// Looks which steps are done.
pub(super) async fn look(api: &Api, me: &SignedIn) -> Result<FirstSteps, Outage> {
    let (engine, at) = (api.engine(), api.prefix());
    let book = engine.book().await?;
    let teams = engine.teams().await?;
    let service = engine.roster().entries(EntryKind::Service, None, 1).await?.into_iter().next();
    let incidents = engine.list(&ListQuery { limit: 1, ..ListQuery::default() }).await?;
    let team = teams.first().map(|team| segment(team.as_str()));
    let has_rotation = book.schedules().any(|(_, _, timetable)| Timetable::schedule(timetable).is_some());
    let step = |name, why, href: String, is_done| Step { name, why, href: format!("{at}{href}"), is_done };
    let steps = vec![
        step(
            "Make a person",
            "with an address at which alerts arrive",
            "/board/new-person".to_owned(),
            book.people().values().any(|profile| !profile.methods().is_empty()),
        ),
        step(
            "Make a team",
            "with a fallback that is alerted if nobody answers",
            "/board/new-team".to_owned(),
            team.is_some(),
        ),
        step(
            "Make a rotation",
            "which says who of the team is on call, and when",
            team.map_or_else(
                || "/board/new-team".to_owned(),
                |team| format!("/board/teams/{team}/new-schedule"),
            ),
            has_rotation,
        ),
        step(
            "Make a service",
            "which the team owns, and for which your monitoring reports incidents",
            "/board/new-service".to_owned(),
            service.is_some(),
        ),
        step(
            "Send a test alert",
            "and claim it, as you would at night",
            match &service {
                Some(service) => format!("/board/services/{}/plan", segment(&service.key.name())),
                None => "/board/new-service".to_owned(),
            },
            !incidents.is_empty(),
        ),
    ];
    Ok(FirstSteps { steps, may_edit: me.caller.sees == Addresses::Whole })
}
