//! The command `inresponse roster import`.

mod called;
mod change;
mod hands;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::DurationRound;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use inresponse_client::{Client, ClientError, TeamLevel, TeamSettings};
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::model::{OwnerName, TeamName};
use inresponse_core::roster::{ClockTime, Entry, EntryKey, Snapshot, Target, Team};
use inresponse_http::entries;

use super::connect::Connect;
use super::held::{Held, texts};
use super::{Failure, output};
use crate::config::{Given, Wanted, is_masked, masked_schedule};
use crate::order::{Step, order};
use change::{Change, View};
use hands::Hours;

/// The minimum number of entries for a progress bar. Fewer are done before a bar could be read.
const WORTH_A_BAR: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The roster file: .toml, or CSV
    file: PathBuf,
    /// Make the changes without asking
    #[arg(long)]
    yes: bool,
    /// Delete the entries that have the file's `owner` and that the file no longer names
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn import(args: ImportArgs) -> Result<(), Failure> {
    let file = read::read(&args.file)?;
    let owner = match (args.prune, file.owner) {
        (true, None) => {
            let what = "--prune deletes what the file owned: give `owner` in its [roster]";
            return Err(Failure::Given(format!("{}: {what}", args.file.display())));
        }
        (true, owner) => owner,
        (false, _) => None,
    };
    let client = args.connect.client()?;
    let mut held = Held::read(&client).await?;
    let calendars = calendars(&held, &file.entries, owner.as_ref());
    held.read_calendars(&client, calendars).await?;
    let plan = Plan::new(&args.file, &held, file.entries, owner.as_ref())?;
    plan.show(args.connect.json)?;
    if plan.changes.is_empty() || !agreed(args.yes)? {
        return Ok(());
    }
    plan.carry_out(&client).await
}

/// The teams whose calendars must be known.
fn calendars(held: &Held, wanted: &[Wanted], prune: Option<&OwnerName>) -> BTreeSet<TeamName> {
    if prune.is_some() {
        return held.teams().clone();
    }
    let wanted = wanted.iter().map(|wanted| &wanted.entry);
    let days = wanted.clone().filter_map(|entry| match entry {
        Entry::Day { team, .. } => Some(team.clone()),
        _ => None,
    });
    // If a schedule names a team, the team's days decide who is on call in the schedule.
    let named = wanted.chain(held.entries().map(|(_, entry, _)| entry)).flat_map(Entry::named);
    let named = named.filter_map(|key| match key {
        EntryKey::Team(team) => Some(team),
        _ => None,
    });
    days.chain(named).collect()
}

/// The steps of an import.
struct Plan {
    changes: Vec<Change>,
    unchanged: usize,
    hours: Vec<Hours>,
    steps: Vec<Step>,
    given: Vec<(EntryKey, Given)>,
}

impl Plan {
    fn new(
        file: &Path,
        held: &Held,
        wanted: Vec<Wanted>,
        prune: Option<&OwnerName>,
    ) -> Result<Self, Failure> {
        let at = |place: &str, what: String| format!("{}: {place}: {what}", file.display());
        let (mut changes, mut given, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let (mut puts, mut named, mut unchanged) = (Vec::new(), BTreeSet::new(), 0);
        for wanted in wanted {
            let key = wanted.entry.key();
            let place = wanted.place.clone();
            let wanted = with_known_feeds(wanted, held.given(&key))
                .map_err(|what| Failure::Given(at(&place, what)))?;
            named.insert(key.clone());
            let now = held.entry(&key).cloned();
            if now.as_ref() == Some(&wanted.entry) {
                unchanged += 1;
                continue;
            }
            puts.push(wanted.entry.clone());
            places.push((key.clone(), place));
            given.push((key.clone(), wanted.given));
            changes.push(Change { key, wanted: Some(wanted.entry), now });
        }
        let deletes = prune.map_or_else(|| Ok(Vec::new()), |owner| pruned(held, &named, owner))?;
        changes.extend(deletes.iter().map(|key| Change {
            key: key.clone(),
            wanted: None,
            now: held.entry(key).cloned(),
        }));
        let before = held.snapshot();
        let found = order(before.clone(), puts, deletes);
        if !found.refused.is_empty() {
            let told = found.refused.iter().map(|(key, refusal)| {
                let place = places.iter().find(|(of, _)| of == key).map(|(_, place)| place);
                let what = format!("{}: {}", called::name(key), entries::refused(refusal));
                place.map_or_else(|| what.clone(), |place| at(place, what.clone()))
            });
            let told = told.collect::<Vec<_>>().join("\n");
            return Err(Failure::Refused(format!("nothing was changed:\n{told}")));
        }
        let hours = hours(&before, &found.after);
        Ok(Self { changes, unchanged, hours, steps: found.steps, given })
    }

    fn show(&self, json: bool) -> Result<(), Failure> {
        if json {
            let of = |key: &EntryKey| self.hours.iter().find(|hours| hours.key == *key);
            let changes = self.changes.iter();
            let changed = changes.map(|change| View { change: Some(change), hours: of(&change.key) });
            let is_other = |hours: &&Hours| !self.changes.iter().any(|change| change.key == hours.key);
            let others = self.hours.iter().filter(is_other);
            let others = others.map(|hours| View { change: None, hours: Some(hours) });
            output::json(&changed.chain(others).collect::<Vec<_>>())?;
        } else {
            for change in &self.changes {
                output::say(&change.to_string())?;
            }
            for line in self.hours.iter().flat_map(Hours::lines) {
                output::say(&line)?;
            }
        }
        let plural = if self.changes.len() == 1 { "" } else { "s" };
        eprintln!("{} change{plural}, {} already up to date", self.changes.len(), self.unchanged);
        Ok(())
    }

    async fn carry_out(&self, client: &Client) -> Result<(), Failure> {
        let bar = bar("changing", self.changes.len());
        let mut done = 0;
        for step in &self.steps {
            let key = step.edit().key();
            // The changes are made one after the other, because each may need the previous one.
            if let Err(error) = self.make(client, step, &key).await {
                bar.finish_and_clear();
                let name = called::name(&key);
                let all = self.changes.len();
                eprintln!("inresponse: {done} of {all} changes were made; the change of {name} failed");
                return Err(error.into());
            }
            if !matches!(step, Step::PutFirst(_)) {
                done += 1;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        eprintln!("{} changed", self.changes.len());
        Ok(())
    }

    async fn make(&self, client: &Client, step: &Step, key: &EntryKey) -> Result<(), ClientError> {
        match step {
            Step::Delete(key) => change::delete(client, key).await,
            Step::Put(_) => match self.given.iter().find(|(of, _)| of == key) {
                Some((key, given)) => change::put(client, key, given).await,
                None => Ok(()),
            },
            Step::PutFirst(Entry::Team { settings, .. }) => {
                change::put(client, key, &Given::Team(settings_of(settings))).await
            }
            Step::PutFirst(_) => Ok(()),
        }
    }
}

/// The hours that change hands from now on.
fn hours(before: &Snapshot, after: &Snapshot) -> Vec<Hours> {
    let now = SystemClock::new().now();
    let minute = now.duration_trunc(chrono::TimeDelta::minutes(1)).unwrap_or(now);
    hands::hours(before, after, minute)
}

/// Converts a team's settings into the body of a request.
fn settings_of(team: &Team) -> TeamSettings {
    let list = |targets: &[Target]| texts(targets);
    let masks = team.alert_levels().iter().map(|(severity, levels)| (severity.to_string(), levels.clone()));
    let level = |level: &inresponse_core::roster::TeamLevel| TeamLevel {
        notify: inresponse_client::Contacts::Many(list(&level.notify)),
        wait_seconds: level.wait.map(|wait| wait.as_secs()),
    };
    let hours = |hours: &inresponse_core::roster::Hours| inresponse_client::Hours {
        days: hours.days.days().map(|day| day.to_string()).collect(),
        from: ClockTime(hours.from).to_string(),
        to: ClockTime(hours.to).to_string(),
    };
    let open = team.alert_hours().iter();
    let open: BTreeMap<_, Vec<_>> =
        open.map(|(severity, of)| (severity.to_string(), of.iter().map(hours).collect())).collect();
    TeamSettings {
        timezone: Some(team.timezone().name().to_owned()),
        escalate_after_seconds: Some(team.escalate_after().as_secs()),
        repeat: Some(team.repeat()),
        alert_levels: Some(masks.collect()),
        levels: Some(team.levels().iter().map(level).collect()),
        claim_timeout_seconds: team.claim_timeout().map(|timeout| timeout.as_secs()),
        alert_hours: Some(open).filter(|open| !open.is_empty()),
        shift_notices: team.shift_notices().map(|notices| inresponse_client::ShiftNotices {
            channel: notices.channel.as_ref().map(ToString::to_string),
        }),
        owner: team.owner().map(ToString::to_string),
        ..TeamSettings::new(list(team.fallback()))
    }
}

/// Adds the server's ids to the feeds whose URLs are masked in the file.
fn with_known_feeds(wanted: Wanted, held: Option<&Given>) -> Result<Wanted, String> {
    let Wanted { entry, given, place } = wanted;
    let (Given::Schedule(mut schedule), EntryKey::Schedule(team, name)) = (given.clone(), entry.key()) else {
        return Ok(Wanted { entry, given, place });
    };
    let mut known = match held {
        Some(Given::Schedule(held)) => held.feeds.clone().unwrap_or_default(),
        Some(_) | None => Vec::new(),
    };
    for feed in schedule.feeds.iter_mut().flatten().filter(|feed| is_masked(feed)) {
        let is_meant = |known: &inresponse_client::Feed| {
            known.url == feed.url && feed.id.as_ref().is_none_or(|id| known.id.as_ref() == Some(id))
        };
        let meant = known.iter().position(is_meant);
        let meant = meant
            .ok_or("the URL of a feed is masked, and the server has no such feed: give the whole URL")?;
        feed.id = known.remove(meant).id;
    }
    let entry = masked_schedule(&team, &name, schedule.clone()).map_err(|e| e.to_string())?;
    Ok(Wanted { entry, given: Given::Schedule(schedule), place })
}

/// The entries of this owner on the server that the file does not name. Parts come before the entries to which they
/// belong.
///
/// Overrides are deleted with their schedules, even if somebody else made them. If another entry of somebody else would
/// be deleted with its team, the import is refused.
fn pruned(held: &Held, named: &BTreeSet<EntryKey>, owner: &OwnerName) -> Result<Vec<EntryKey>, Failure> {
    let is_gone = |key: &EntryKey, entry: &Entry| entry.owner() == Some(owner) && !named.contains(key);
    let mut gone: BTreeSet<EntryKey> =
        held.entries().filter(|(key, entry, _)| is_gone(key, entry)).map(|(key, _, _)| key.clone()).collect();
    let mut inside = Vec::new();
    for (key, _, _) in held.entries().filter(|(key, _, _)| !gone.contains(key)) {
        let Some(outer) = gone.iter().find(|outer| key.is_inside(outer)) else { continue };
        let is_of_a_schedule =
            |outer: &&EntryKey| matches!(outer, EntryKey::Schedule(..)) && key.is_inside(outer);
        let goes_along =
            matches!(key, EntryKey::Override(..)) && gone.iter().any(|outer| is_of_a_schedule(&outer));
        if !goes_along || named.contains(key) {
            let (outer, key) = (called::name(outer), called::name(key));
            let why = format!("{outer} cannot be deleted: {key} is not owned by {owner} and would go too");
            return Err(Failure::Refused(format!("nothing was changed: {why}")));
        }
        inside.push(key.clone());
    }
    gone.extend(inside);
    let mut gone: Vec<EntryKey> = gone.into_iter().collect();
    gone.sort_by_key(|key| match key {
        EntryKey::Override(..) | EntryKey::Feed(..) | EntryKey::Heartbeat(_) | EntryKey::Routes => 0,
        EntryKey::Day(..) | EntryKey::Service(_) | EntryKey::Silence(_) => 1,
        EntryKey::Schedule(..) => 2,
        EntryKey::Team(_) => 3,
        EntryKey::Person(_) => 4,
    });
    Ok(gone)
}

/// Asks for confirmation at the terminal. Without a terminal nothing is changed, and the caller is told so.
fn agreed(yes: bool) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        let what = "nothing was changed: there is no terminal to confirm on; give --yes";
        return Err(Failure::Given(what.to_owned()));
    }
    Ok(output::agreed("Make these changes?")?)
}

/// A progress bar on a terminal. No bar is shown without a terminal, or if the bar would vanish at once.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    if length < WORTH_A_BAR {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").expect("the template holds");
    let bar = ProgressBar::new(length as u64).with_style(style).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
