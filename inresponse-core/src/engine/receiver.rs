//! Whether the roster knows the person to whom an incident is handed over.

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::lookup::{AT_ONCE, DAYS_AHEAD, Lookup};
use crate::error::Outage;
use crate::model::{Contact, Level, Matrix, Person, PersonId, TeamName};
use crate::notify::Notifiers;
use crate::roster;

/// What the roster knows about the receiver of a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Receiver {
    /// An address in the roster.
    Known,
    /// An address that can be notified but is not in the roster.
    NotInRoster,
    /// They cannot be notified: no channel reaches this name.
    Untold,
}

/// What the roster knows about `person`, who will be handed an incident of `team`.
pub(super) async fn receiver(
    lookup: &Lookup,
    notifiers: &Notifiers,
    team: &TeamName,
    person: &Person,
) -> Result<Receiver, Outage> {
    let book = lookup.held_book().await?;
    let id = PersonId::new(person.as_str()).ok();
    if let Some(profile) = id.and_then(|id| book.person(&id).cloned()) {
        let is_reached = profile.methods().values().any(|contact| notifiers.reach(contact));
        return Ok(if is_reached { Receiver::Known } else { Receiver::Untold });
    }
    let Some(contact) = person.contact().filter(|contact| notifiers.reach(contact)) else {
        return Ok(Receiver::Untold);
    };
    let is_known = is_in_calendar(lookup, team, &contact).await? || is_on_call(lookup, &contact).await?;
    Ok(if is_known { Receiver::Known } else { Receiver::NotInRoster })
}

async fn is_in_calendar(lookup: &Lookup, team: &TeamName, contact: &Contact) -> Result<bool, Outage> {
    let now = lookup.clocks.now();
    // The days from yesterday on, in the team's zone.
    let (from, to) = (now - TimeDelta::days(2), now + TimeDelta::days(i64::from(DAYS_AHEAD) + 1));
    let directory = lookup.roster.directory(team, from, to).await?;
    let settings = directory.settings().map(|team| &**team).or(lookup.defaults.team());
    let today = settings.map_or(now.date_naive(), |t| roster::day_of(t.timezone(), now));
    let days = today.pred_opt().unwrap_or(today).iter_days().take(usize::from(DAYS_AHEAD) + 1);
    let rotas = days.filter_map(|day| directory.day(day));
    let in_calendar = rotas.flat_map(|rota| rota.targets());
    let mut targets = in_calendar.chain(settings.into_iter().flat_map(|team| team.targets()));
    let people = directory.book().people().values();
    let mut addresses = people.flat_map(|profile| profile.methods().values());
    Ok(targets.any(|target| target.contact() == Some(contact)) || addresses.any(|c| c == contact))
}

async fn is_on_call(lookup: &Lookup, contact: &Contact) -> Result<bool, Outage> {
    let (teams, now) = (lookup.teams().await?, lookup.clocks.now());
    let teams = teams.into_iter().map(|team| async move { lookup.on_call(&team, now).await });
    let mut matrices = stream::iter(teams).buffer_unordered(AT_ONCE);
    while let Some(on_call) = matrices.try_next().await? {
        if on_call.is_some_and(|on_call| is_in(&on_call.matrix, contact)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_in(matrix: &Matrix, contact: &Contact) -> bool {
    let levels = (1..=matrix.height()).map(Level::At).chain([Level::Fallback]);
    levels.into_iter().any(|level| matrix.contacts(level).contains(contact))
}
