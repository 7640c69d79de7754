//! The traits of adapters for pointers to adapters: `Arc<dyn Store>` is a store, and so is `Box<dyn Store>`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::engine::Timers;
use crate::error::Outage;
use crate::model::{
    Contact, DedupKey, IncidentNumber, Outcome, Person, RulesId, ServiceName, TeamName, Version,
};
use crate::notify::{Alert, Notifier, NotifyBundle};
use crate::plan::{Draft, Opening};
use crate::roster::{
    ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, Listed, QuietRules, Roster, RosterChange,
    RosterEdit,
};
use crate::settings::{Settings, Swapped};
use crate::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};

/// Implements a trait for `Arc` and `Box`. Every method is passed on, the ones with a default too.
///
/// The futures of the adapter are returned as they are, so a pointer costs no allocation. This is why the methods are
/// written as `async_trait` expands them.
macro_rules! pass_on {
    ($adapter:ident {
        $(fn $plain:ident(&self $(, $given:ident: $of:ty)*) -> $answer:ty;)*
        $(async fn $method:ident<$($life:lifetime),*>($($argument:ident: $type:ty),*) -> $result:ty;)*
    }) => {
        pass_on!(@for Arc, $adapter {
            $(fn $plain(&self $(, $given: $of)*) -> $answer;)*
            $(async fn $method<$($life),*>($($argument: $type),*) -> $result;)*
        });
        pass_on!(@for Box, $adapter {
            $(fn $plain(&self $(, $given: $of)*) -> $answer;)*
            $(async fn $method<$($life),*>($($argument: $type),*) -> $result;)*
        });
    };
    (@for $pointer:ident, $adapter:ident {
        $(fn $plain:ident(&self $(, $given:ident: $of:ty)*) -> $answer:ty;)*
        $(async fn $method:ident<$($life:lifetime),*>($($argument:ident: $type:ty),*) -> $result:ty;)*
    }) => {
        impl<A: $adapter + ?Sized> $adapter for $pointer<A> {
            $(fn $plain(&self $(, $given: $of)*) -> $answer {
                (**self).$plain($($given),*)
            })*
            $(fn $method<'life0, $($life,)* 'async_trait>(
                &'life0 self
                $(, $argument: $type)*
            ) -> Pin<Box<dyn Future<Output = $result> + Send + 'async_trait>>
            where
                'life0: 'async_trait,
                $($life: 'async_trait,)*
                Self: 'async_trait,
            {
                (**self).$method($($argument),*)
            })*
        }
    };
}

pass_on!(Store {
    async fn create<>(opening: Opening) -> Result<Created, Outage>;
    async fn load<>(number: IncidentNumber) -> Result<Option<Record>, Outage>;
    async fn find_open<'life1, 'life2>(service: &'life1 ServiceName, key: &'life2 DedupKey) -> Result<Option<Record>, Outage>;
    async fn due<>(now: DateTime<Utc>, after: Option<DueMark>, limit: usize) -> Result<Vec<Record>, Outage>;
    async fn ahead<>(now: DateTime<Utc>, after: Option<DueMark>, limit: usize) -> Result<Vec<Record>, Outage>;
    async fn quiet<>(judged_by: RulesId, after: Option<DueMark>, limit: usize) -> Result<Vec<Record>, Outage>;
    async fn commit<'life1>(version: Version, draft: &'life1 Draft) -> Result<Committed, Outage>;
    async fn list<'life1>(query: &'life1 ListQuery) -> Result<Vec<Record>, Outage>;
    async fn census<>(waiting_before: DateTime<Utc>) -> Result<Census, Outage>;
});

pass_on!(Roster {
    async fn apply<'life1, 'life2>(by: &'life1 Person, at: DateTime<Utc>, edits: &'life2 [RosterEdit]) -> Result<Edited, Outage>;
    async fn service<'life1>(service: &'life1 ServiceName) -> Result<Option<TeamName>, Outage>;
    async fn directory<'life1>(team: &'life1 TeamName, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Arc<Directory>, Outage>;
    async fn entries<'life1>(kind: EntryKind, after: Option<&'life1 EntryKey>, limit: usize) -> Result<Vec<Listed>, Outage>;
    async fn entry<'life1>(key: &'life1 EntryKey) -> Result<Option<Entry>, Outage>;
    async fn changes<'life1>(before: Option<&'life1 ChangeMark>, limit: usize) -> Result<Vec<(ChangeMark, RosterChange)>, Outage>;
    async fn quiet<>() -> Result<Arc<QuietRules>, Outage>;
    async fn refresh<>() -> Result<(), Outage>;
});

pass_on!(Notifier {
    fn reaches(&self, contact: &Contact) -> bool;
    fn bundler(&self, contact: &Contact) -> Option<&dyn NotifyBundle>;
    async fn notify<'life1>(alert: &'life1 Alert, deadline: Duration) -> Outcome;
});

pass_on!(Clock {
    fn now(&self) -> DateTime<Utc>;
    fn monotonic(&self) -> Duration;
    async fn sleep<>(duration: Duration) -> ();
});

pass_on!(Settings {
    async fn setting<'life1>(name: &'life1 str) -> Result<Option<Vec<u8>>, Outage>;
    async fn swap_setting<'life1, 'life2, 'life3>(name: &'life1 str, was: Option<&'life2 [u8]>, value: &'life3 [u8]) -> Result<Swapped, Outage>;
});

pass_on!(Timers {
    async fn start<>(incident: IncidentNumber, wake: u32) -> Result<(), Outage>;
});
