//! Checks contacts and teams that the configuration names: contacts must be reachable, and teams must exist.

use inresponse_core::model::{Contact, TeamName};
use inresponse_core::roster::{Entry, Layer, Member, Target};
use inresponse_core::{Engine, Outage};

use super::Config;

/// The team of the sample roster, which the server creates on its first start if the configuration has no roster.
pub(crate) const SAMPLE_TEAM: &str = "devops";

/// The contacts and the catch-all team of a configuration, each with its key in the file.
#[derive(Debug)]
pub(crate) struct Named {
    contacts: Vec<(String, Contact)>,
    catch_all: Option<TeamName>,
    /// The teams that the server creates if they are missing.
    seeded: Vec<TeamName>,
}

impl Config {
    /// The contacts and teams that the configuration names.
    pub(crate) fn named(&self) -> Named {
        Named::of(self)
    }
}

/// The targets that an entry names, with their fields in a file.
fn targets(entry: &Entry) -> Vec<(String, Vec<Target>)> {
    match entry {
        Entry::Service { .. }
        | Entry::Feed { .. }
        | Entry::Heartbeat { .. }
        | Entry::Silence { .. }
        | Entry::Routes(_) => Vec::new(),
        Entry::Team { settings, .. } => {
            let levels = settings.levels().iter().enumerate();
            let levels = levels.map(|(i, level)| (format!("levels[{i}].notify"), level.notify.clone()));
            [("fallback".to_owned(), settings.fallback().to_vec())].into_iter().chain(levels).collect()
        }
        Entry::Day { rota, .. } => vec![
            ("oncall".to_owned(), rota.oncall().to_vec()),
            ("escalation".to_owned(), rota.escalation().concat()),
        ],
        Entry::Person { profile, .. } => {
            let methods = profile.methods().iter();
            methods.map(|(name, c)| (format!("methods.{name}"), vec![Target::Contact(c.clone())])).collect()
        }
        Entry::Schedule { schedule, .. } => {
            let members = |(i, layer): (usize, &Layer)| {
                let members = layer.members.iter().enumerate();
                let member = move |(n, member): (usize, &Member)| {
                    (format!("layers[{i}].members[{n}]"), member.who.clone())
                };
                members.map(member).collect::<Vec<_>>()
            };
            schedule.layers().iter().enumerate().flat_map(members).collect()
        }
        Entry::Override { stand_in, .. } => vec![
            ("oncall".to_owned(), stand_in.oncall().to_vec()),
            ("instead-of".to_owned(), stand_in.instead_of().unwrap_or_default().to_vec()),
        ],
    }
}

impl Named {
    fn of(config: &Config) -> Self {
        let mut contacts = Vec::new();
        let mut name = |key: String, named: &[Target]| {
            let named = named.iter().filter_map(Target::contact);
            contacts.extend(named.map(|contact| (key.clone(), contact.clone())));
        };
        let fallback = config.defaults.team().map_or(&[][..], |team| team.fallback());
        name("fallback".to_owned(), fallback);
        let canary: Vec<Target> = config.canary.iter().cloned().map(Target::Contact).collect();
        name("canary".to_owned(), &canary);
        for wanted in &config.roster.entries {
            for (field, named) in targets(&wanted.entry) {
                name(format!("{}.{field}", wanted.place), &named);
            }
        }
        let teams = config.roster.entries.iter().map(|wanted| wanted.entry.key());
        let seeded = teams.filter_map(|key| key.team().cloned()).collect();
        Self { contacts, catch_all: config.catch_all.clone(), seeded }
    }

    /// The contacts in the configuration that no configured channel reaches. The API would refuse them too.
    pub(crate) fn unreachable(&self, reaches: impl Fn(&Contact) -> bool) -> Vec<String> {
        let refused = self.contacts.iter().filter(|(_, contact)| !reaches(contact));
        let mut told: Vec<_> = refused
            .map(|(key, contact)| format!("{key}: no configured channel reaches `{contact}`"))
            .collect();
        told.dedup();
        told
    }

    /// Returns an error text if the catch-all team does not exist. `engine` is `None` if there is no database yet.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(crate) async fn unknown_team(&self, engine: Option<&Engine>) -> Result<Option<String>, Outage> {
        let Some(team) = self.catch_all.as_ref().filter(|team| !self.seeded.contains(team)) else {
            return Ok(None);
        };
        let can_alert = match engine {
            Some(engine) => engine.can_alert(team).await?,
            // On its first start without a configured roster, the server makes the sample.
            None => self.seeded.is_empty() && team.as_str() == SAMPLE_TEAM,
        };
        Ok((!can_alert).then(|| format!("catch-all: team `{team}` does not exist or has nobody to alert")))
    }
}
