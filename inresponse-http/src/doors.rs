//! The table of doors: every route, with the action that it takes and the credential that it needs.
//!
//! The routes check requests against the table. The API document and `docs/keys.md` take their text from this table.

use axum::extract::{MatchedPath, NestedPath};
use axum::http::{Extensions, Method};

use crate::scope::Scope;

/// The action that a route performs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Report incidents, act on incidents that the key reported, and ping heartbeats.
    Report,
    /// Read and update incidents.
    Respond,
    /// Read the roster: services, teams, calendars, people, schedules, who is on call, who changed it.
    ReadRoster,
    /// Write overrides and silences, and make the tokens of calendars.
    StandIn,
    /// Test whether a person is reached, or whom a service alerts.
    TestMethods,
    /// Change the roster.
    ChangeRoster,
    /// Read metrics, the version and the API document.
    Observe,
    /// An action that needs no scope.
    Nothing,
}

impl Act {
    /// All actions.
    pub const ALL: [Act; 8] = [
        Act::Report,
        Act::Respond,
        Act::ReadRoster,
        Act::StandIn,
        Act::TestMethods,
        Act::ChangeRoster,
        Act::Observe,
        Act::Nothing,
    ];

    /// A key needs one of these scopes for the action. If the list is empty, any key is enough.
    pub const fn any_of(self) -> &'static [Scope] {
        match self {
            Act::Report => &[Scope::Report],
            Act::Respond => &[Scope::Respond],
            Act::ReadRoster | Act::StandIn | Act::TestMethods => &[Scope::Respond, Scope::Admin],
            Act::ChangeRoster => &[Scope::Admin],
            Act::Observe | Act::Nothing => &[],
        }
    }

    /// The description of the action, for documents.
    pub const fn words(self) -> &'static str {
        match self {
            Act::Report => "report incidents, act on those that this key reported, and ping heartbeats",
            Act::Respond => "read and update incidents",
            Act::ReadRoster => {
                "read the roster: services, teams, calendars, people, schedules, heartbeats, silences, routing rules, who is on call, who changed it"
            }
            Act::StandIn => {
                "write overrides (who stands in for whom) and silences, make the tokens of calendars"
            }
            Act::TestMethods => "send a person test messages, and a service a test alert",
            Act::ChangeRoster => "change the roster",
            Act::Observe => "read the metrics, the version and the API document",
            Act::Nothing => {
                "read the health, sign in, use the link in an alert, answer over a channel, read a calendar with its token"
            }
        }
    }

    /// Which keys may perform the action, in words.
    pub fn who(self) -> String {
        let scopes: Vec<String> = self.any_of().iter().map(|scope| format!("`{}`", scope.as_str())).collect();
        match (self, scopes.is_empty()) {
            (Act::Nothing, _) => "no key".to_owned(),
            (_, true) => "any key".to_owned(),
            (_, false) => scopes.join(" or "),
        }
    }
}

/// The kind of credential that a request must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// An API key, in `x-api-key` or as `Authorization: Bearer`.
    Key,
    /// An API key, also as `Authorization: GenieKey` or as the password of basic authentication.
    SendersKey,
    /// An API key, as the `routing_key` of the body.
    RoutingKey,
    /// The cookie of a person who has signed in to the board.
    Session,
    /// An API key as with [`Self::Key`], or the cookie of a person who has signed in.
    KeyOrSession,
    /// The token of the link in an alert.
    Link,
    /// The token of a calendar, in the URL.
    CalendarToken,
    /// The signature or the secret of a channel, which the channel itself checks.
    Channel,
    /// Nothing.
    Nothing,
}

/// A route with its action and its credential.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// The HTTP method. `HEAD` is treated as `GET`.
    pub method: &'static str,
    /// The path of the route, without the prefix that the router is mounted under.
    pub path: &'static str,
    /// The required credential.
    pub proof: Proof,
    /// The action of the route.
    pub act: Act,
}

const fn door(method: &'static str, path: &'static str, proof: Proof, act: Act) -> Door {
    Door { method, path, proof, act }
}

/// Every door. A route that is not in this table refuses every request.
pub static DOORS: &[Door] = &[
    door("PUT", "/incidents", Proof::Key, Act::Report),
    door("POST", "/api/v2/alerts", Proof::SendersKey, Act::Report),
    door("GET", "/api/v2/alerts", Proof::SendersKey, Act::Report),
    door("POST", "/intake/alertmanager", Proof::SendersKey, Act::Report),
    door("POST", "/intake/grafana", Proof::SendersKey, Act::Report),
    door("POST", "/intake/nagios", Proof::SendersKey, Act::Report),
    door("POST", "/intake/generic/{name}", Proof::SendersKey, Act::Report),
    door("POST", "/intake/sns", Proof::SendersKey, Act::Report),
    door("POST", "/intake/eventbridge", Proof::SendersKey, Act::Report),
    door("POST", "/v2/enqueue", Proof::RoutingKey, Act::Report),
    door("POST", "/v2/alerts", Proof::SendersKey, Act::Report),
    door("POST", "/v2/alerts/{identifier}/acknowledge", Proof::SendersKey, Act::Report),
    door("POST", "/v2/alerts/{identifier}/unacknowledge", Proof::SendersKey, Act::Report),
    door("POST", "/v2/alerts/{identifier}/notes", Proof::SendersKey, Act::Report),
    door("POST", "/v2/alerts/{identifier}/close", Proof::SendersKey, Act::Report),
    door("GET", "/v2/alerts/requests/{requestId}", Proof::SendersKey, Act::Report),
    door("POST", "/heartbeats/{heartbeat}/ping", Proof::SendersKey, Act::Report),
    door("GET", "/heartbeats/{heartbeat}/ping", Proof::SendersKey, Act::Report),
    door("POST", "/v2/heartbeats/{name}/ping", Proof::SendersKey, Act::Report),
    door("GET", "/v2/heartbeats/{name}/ping", Proof::SendersKey, Act::Report),
    door("GET", "/incidents", Proof::Key, Act::Respond),
    door("POST", "/incidents", Proof::Key, Act::Respond),
    door("GET", "/incidents/{incidentId}", Proof::Key, Act::Respond),
    door("POST", "/incidents/{incidentId}", Proof::Key, Act::Respond),
    door("GET", "/", Proof::Session, Act::Respond),
    door("GET", "/board/incidents/{incidentId}", Proof::Session, Act::Respond),
    door("POST", "/board/incidents/{incidentId}", Proof::Session, Act::Respond),
    door("POST", "/board/claim-several", Proof::Session, Act::Respond),
    door("GET", "/board/fragment", Proof::Session, Act::Respond),
    door("GET", "/board/events", Proof::Session, Act::Respond),
    door("GET", "/services/{service}", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/calendar", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/calendar/{day}", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/oncall", Proof::Key, Act::ReadRoster),
    door("GET", "/services", Proof::Key, Act::ReadRoster),
    door("GET", "/services/{service}/plan", Proof::Key, Act::ReadRoster),
    door("GET", "/teams", Proof::Key, Act::ReadRoster),
    door("GET", "/coverage", Proof::Key, Act::ReadRoster),
    door("GET", "/people", Proof::Key, Act::ReadRoster),
    door("GET", "/people/{person}", Proof::Key, Act::ReadRoster),
    door("GET", "/heartbeats", Proof::Key, Act::ReadRoster),
    door("GET", "/heartbeats/{heartbeat}", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/schedules", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/schedules/{schedule}", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/schedules/{schedule}/shifts", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/schedules/{schedule}/overrides", Proof::Key, Act::ReadRoster),
    door("GET", "/teams/{team}/schedules/{schedule}/overrides/{override}", Proof::Key, Act::ReadRoster),
    door("GET", "/routes", Proof::Key, Act::ReadRoster),
    door("GET", "/route", Proof::Key, Act::ReadRoster),
    door("GET", "/silences", Proof::Key, Act::ReadRoster),
    door("GET", "/silences/{silence}", Proof::Key, Act::ReadRoster),
    door("GET", "/api/v2/silences", Proof::Key, Act::ReadRoster),
    door("GET", "/api/v2/silence/{silence}", Proof::Key, Act::ReadRoster),
    door("GET", "/roster/changes", Proof::Key, Act::ReadRoster),
    door("GET", "/board/oncall", Proof::Session, Act::ReadRoster),
    door("GET", "/board/changes", Proof::Session, Act::ReadRoster),
    door("POST", "/teams/{team}/schedules/{schedule}/calendar-token", Proof::Key, Act::StandIn),
    door("POST", "/people/{person}/calendar-token", Proof::Key, Act::StandIn),
    door("GET", "/board/teams/{team}", Proof::Session, Act::ReadRoster),
    door("GET", "/board/heartbeats", Proof::Session, Act::ReadRoster),
    door("GET", "/board/heartbeats/{heartbeat}", Proof::Session, Act::ReadRoster),
    door("GET", "/board/routes", Proof::Session, Act::ReadRoster),
    door("GET", "/board/silences", Proof::Session, Act::ReadRoster),
    door("GET", "/board/people", Proof::Session, Act::ReadRoster),
    door("GET", "/board/people/{person}", Proof::Session, Act::ReadRoster),
    door("GET", "/board/services/{service}/plan", Proof::Session, Act::ReadRoster),
    door("GET", "/board/coverage", Proof::Session, Act::ReadRoster),
    door("GET", "/board/services", Proof::Session, Act::ReadRoster),
    door("GET", "/board/settings", Proof::Session, Act::ReadRoster),
    door("GET", "/board/teams/{team}/shifts", Proof::Session, Act::StandIn),
    door("POST", "/board/teams/{team}/shifts", Proof::Session, Act::StandIn),
    door("POST", "/board/silences", Proof::Session, Act::StandIn),
    door("GET", "/board/new-silence", Proof::Session, Act::StandIn),
    door("POST", "/board/new-silence", Proof::Session, Act::StandIn),
    door("POST", "/people/{person}/test", Proof::Key, Act::TestMethods),
    door("POST", "/people/{person}/methods/{method}/verification", Proof::Key, Act::TestMethods),
    door("PUT", "/people/{person}/methods/{method}/verification", Proof::Key, Act::TestMethods),
    door("POST", "/board/people/{person}/verification", Proof::Session, Act::TestMethods),
    door("POST", "/board/people/{person}/test", Proof::Session, Act::TestMethods),
    door("POST", "/board/services/{service}/test", Proof::Session, Act::TestMethods),
    door("POST", "/board/people/{person}", Proof::Session, Act::ChangeRoster),
    door("GET", "/board/new-service", Proof::Session, Act::ChangeRoster),
    door("POST", "/board/new-service", Proof::Session, Act::ChangeRoster),
    door("GET", "/board/new-team", Proof::Session, Act::ChangeRoster),
    door("POST", "/board/new-team", Proof::Session, Act::ChangeRoster),
    door("GET", "/board/new-person", Proof::Session, Act::ChangeRoster),
    door("POST", "/board/new-person", Proof::Session, Act::ChangeRoster),
    door("GET", "/board/teams/{team}/new-schedule", Proof::Session, Act::ChangeRoster),
    door("POST", "/board/teams/{team}/new-schedule", Proof::Session, Act::ChangeRoster),
    door("GET", "/board/teams/{team}/schedules/{schedule}", Proof::Session, Act::ChangeRoster),
    door("POST", "/board/teams/{team}/schedules/{schedule}", Proof::Session, Act::ChangeRoster),
    door("PUT", "/teams/{team}/schedules/{schedule}/overrides/{override}", Proof::Key, Act::StandIn),
    door("DELETE", "/teams/{team}/schedules/{schedule}/overrides/{override}", Proof::Key, Act::StandIn),
    door("PUT", "/silences/{silence}", Proof::Key, Act::StandIn),
    door("DELETE", "/silences/{silence}", Proof::Key, Act::StandIn),
    door("POST", "/api/v2/silences", Proof::Key, Act::StandIn),
    door("DELETE", "/api/v2/silence/{silence}", Proof::Key, Act::StandIn),
    door("PUT", "/routes", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/routes", Proof::Key, Act::ChangeRoster),
    door("PUT", "/people/{person}", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/people/{person}", Proof::Key, Act::ChangeRoster),
    door("PUT", "/heartbeats/{heartbeat}", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/heartbeats/{heartbeat}", Proof::Key, Act::ChangeRoster),
    door("PUT", "/teams/{team}/schedules/{schedule}", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/teams/{team}/schedules/{schedule}", Proof::Key, Act::ChangeRoster),
    door("PUT", "/services/{service}", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/services/{service}", Proof::Key, Act::ChangeRoster),
    door("PUT", "/teams/{team}", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/teams/{team}", Proof::Key, Act::ChangeRoster),
    door("PUT", "/teams/{team}/calendar/{day}", Proof::Key, Act::ChangeRoster),
    door("DELETE", "/teams/{team}/calendar/{day}", Proof::Key, Act::ChangeRoster),
    door("GET", "/metrics", Proof::Key, Act::Observe),
    door("GET", "/api/v2/status", Proof::Key, Act::Observe),
    door("GET", "/openapi.json", Proof::Key, Act::Observe),
    // Anybody may read the viewer's style and script.
    door("GET", "/docs", Proof::KeyOrSession, Act::Observe),
    door("GET", "/docs/", Proof::KeyOrSession, Act::Observe),
    door("GET", "/docs/{*rest}", Proof::KeyOrSession, Act::Observe),
    door("GET", "/docs/openapi.json", Proof::KeyOrSession, Act::Observe),
    door("GET", "/teams/{team}/schedules/{schedule}/calendar.ics", Proof::CalendarToken, Act::Nothing),
    door("GET", "/people/{person}/calendar.ics", Proof::CalendarToken, Act::Nothing),
    door("POST", "/channels/{channel}", Proof::Channel, Act::Nothing),
    door("POST", "/channels/{channel}/{part}", Proof::Channel, Act::Nothing),
    door("GET", "/healthz", Proof::Nothing, Act::Nothing),
    door("GET", "/readyz", Proof::Nothing, Act::Nothing),
    door("GET", "/incidents/{incidentId}/claim", Proof::Link, Act::Nothing),
    door("POST", "/incidents/{incidentId}/claim", Proof::Link, Act::Nothing),
    door("GET", "/claims", Proof::Link, Act::Nothing),
    door("POST", "/claims", Proof::Link, Act::Nothing),
    door("GET", "/board/sign-in", Proof::Nothing, Act::Nothing),
    door("POST", "/board/sign-in", Proof::Nothing, Act::Nothing),
    door("POST", "/board/sign-out", Proof::Nothing, Act::Nothing),
    door("GET", "/board/assets/{name}", Proof::Nothing, Act::Nothing),
];

impl Door {
    /// The door of a route, found by method and path.
    pub(crate) fn of(method: &str, path: &str) -> Option<&'static Door> {
        let method = if method == "HEAD" { "GET" } else { method };
        DOORS.iter().find(|door| door.path == path && door.method == method)
    }

    /// The door that a request has come through.
    pub(crate) fn of_request(method: &Method, extensions: &Extensions) -> Option<&'static Door> {
        let found = Self::of(method.as_str(), route(extensions));
        if found.is_none() {
            tracing::error!(%method, route = route(extensions), "a route is not in the table of doors");
        }
        found
    }
}

/// The route of a request, without the prefix that the router is mounted under.
pub(crate) fn route(extensions: &Extensions) -> &str {
    let route = extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let prefix = extensions.get::<NestedPath>().map_or("", NestedPath::as_str).trim_end_matches('/');
    match route.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) | None => route,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The table of `docs/keys.md`.
    fn table() -> String {
        let mut table = "| key | may | by |\n|---|---|---|\n".to_owned();
        for act in Act::ALL {
            let of_it = DOORS.iter().filter(|door| door.act == act);
            let by: Vec<String> = of_it.map(|door| format!("`{} {}`", door.method, door.path)).collect();
            table.push_str(&format!("| {} | {} | {} |\n", act.who(), act.words(), by.join(", ")));
        }
        table
    }

    #[test]
    fn the_page_on_keys_has_this_very_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/keys.md");
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page.contains(&table()), "put this into docs/keys.md:\n{}", table());
    }

    #[test]
    fn every_route_of_the_api_document_is_a_door_and_every_other_door_is_a_page() {
        let document: serde_json::Value = serde_json::from_str(&crate::document()).unwrap();
        let mut routes = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys();
            routes.extend(methods.map(|method| (method.to_ascii_uppercase(), path.clone())));
        }
        let is_page = |door: &&Door| {
            door.path == "/" || door.path.starts_with("/board/") || door.path.starts_with("/docs")
        };
        let (pages, api): (Vec<&Door>, Vec<&Door>) = DOORS.iter().partition(is_page);
        let doors: BTreeSet<_> = api.iter().map(|d| (d.method.to_owned(), d.path.to_owned())).collect();
        assert_eq!(doors.len(), api.len(), "a door is there twice");
        if cfg!(feature = "pages") {
            assert_eq!(routes, doors);
        } else {
            assert!(routes.is_subset(&doors));
        }
        assert!(!pages.is_empty());
    }
}
