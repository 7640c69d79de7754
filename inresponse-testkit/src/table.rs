//! An engine in memory behind the real router, with two people whose methods are addresses of one channel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::SET_COOKIE;
use chrono::DateTime;
use inresponse_core::Engine;
use inresponse_core::claim::TokenSecret;
use inresponse_core::engine::{Reported, RosterEdited};
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_core::model::{
    Contact, IncidentNumber, MethodName, Person, PersonId, Report, ServiceName, Severity, State, TeamName,
};
use inresponse_core::notify::{Channel, Notifiers};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{Entry, Profile, Target, Team, TeamLevel};
use inresponse_core::store::Record;
use inresponse_core::testing::ManualClock;
use inresponse_http::{Api, ApiKey, Keys, Pages, Scope};
use tower::ServiceExt;

/// Where people reach the deployment.
pub const PUBLIC_URL: &str = "https://ir.example.org/alerts";

/// An engine and its surroundings.
pub struct Table {
    pub engine: Engine,
    pub clock: ManualClock,
    pub settings: Arc<MemorySettings>,
    router: Router,
}

/// What a route answered.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    /// The session that it began.
    pub cookie: Option<String>,
    pub body: String,
}

impl Table {
    /// A key with all scopes.
    pub const ADMIN: &str = "key-of-administrators";
    /// A key with which people respond.
    pub const RESPOND: &str = "key-of-responders";
    /// The time at the beginning.
    pub const BEGIN: i64 = 1_800_000_000;

    /// Service `athens` of team `devops`: `jo` is alerted first, `kim` after ten minutes, then the fallback. `shared` is
    /// alerted together with `jo`, if it is given.
    pub async fn set(
        notifiers: Notifiers,
        channels: Vec<Arc<dyn Channel>>,
        methods: [&Contact; 2],
        shared: Option<&Contact>,
    ) -> Self {
        let clock = ManualClock::at(DateTime::from_timestamp(Self::BEGIN, 0).unwrap());
        let secrets = vec![TokenSecret::new(*b"0123456789abcdef").unwrap()];
        let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone());
        let engine = engine.claim_links(PUBLIC_URL, secrets).unwrap().build();
        let fallback = Team::builder(vec![Contact::new("mailto:z@example.org").unwrap()]);
        let person = |name: &str| Target::Person(PersonId::new(name).unwrap());
        let first = [person("jo")].into_iter().chain(shared.cloned().map(Target::Contact)).collect();
        let level = |notify| TeamLevel { notify, wait: None };
        let team = fallback.levels(vec![level(first), level(vec![person("kim")])]).build().unwrap();
        let named = |name: &str, contact: &Contact| {
            let methods = BTreeMap::from([(MethodName::new("chat").unwrap(), contact.clone())]);
            Entry::person(&PersonId::new(name).unwrap(), Profile::builder(methods).build().unwrap())
        };
        let (devops, athens) = (TeamName::new("devops").unwrap(), ServiceName::new("athens").unwrap());
        let entries = [
            named("jo", methods[0]).into(),
            named("kim", methods[1]).into(),
            Entry::team(&devops, team).into(),
            Entry::service(&athens, &devops).into(),
        ];
        let edited = engine.edit_roster(&Person::new("setup").unwrap(), &entries).await.unwrap();
        assert!(matches!(edited, RosterEdited::Done(_)), "{edited:?}");
        let key = |name, key, scopes| ApiKey::from_plain(name, key, scopes).unwrap();
        let keys = vec![
            key("admin", Self::ADMIN, Scope::ALL.to_vec()),
            key("respond", Self::RESPOND, vec![Scope::Respond]),
        ];
        let pages = Pages::under("http://localhost").unwrap();
        let api = Api::new(engine.clone(), Keys::new(keys)).pages(pages);
        let router = inresponse_http::router(channels.into_iter().fold(api, Api::channel_by));
        Self { engine, clock, settings: Arc::default(), router }
    }

    /// Reports an incident, and sends its first alerts.
    pub async fn report(&self) -> IncidentNumber {
        let report = Report::builder("athens", Severity::Crit, "5xx error spike").message("12 %").build();
        let reported = self.engine.report(report.unwrap()).await.unwrap();
        let Reported::New(record) = reported else { panic!("{reported:?}") };
        self.send().await;
        record.number()
    }

    /// Sends everything that is due.
    pub async fn send(&self) {
        while self.engine.tick().await.unwrap() > 0 {}
    }

    pub async fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.send().await;
    }

    pub async fn record(&self, number: IncidentNumber) -> Record {
        self.engine.get(number).await.unwrap().unwrap()
    }

    /// The state, and who has claimed or resolved it.
    pub async fn state(&self, number: IncidentNumber) -> (State, Option<String>) {
        let record = self.record(number).await;
        let incident = &record.incident;
        let by = match incident.state() {
            State::Resolved => incident.resolved(),
            State::Open | State::Claimed => incident.claimed(),
        };
        (incident.state(), by.map(|signature| signature.by.as_str().to_owned()))
    }

    /// Changes the state by a person.
    pub async fn change(&self, number: IncidentNumber, by: &str, change: StateChange) {
        let update = Update::state(Person::new(by).unwrap(), change);
        let updated = self.engine.update(number, &update).await.unwrap();
        assert!(matches!(updated, inresponse_core::engine::Updated::Changed(_)), "{updated:?}");
        self.send().await;
    }

    /// Claims it and releases it, so that a new round begins.
    pub async fn new_round(&self, number: IncidentNumber) {
        self.change(number, "ann", StateChange::Claim(TakeOver::No)).await;
        self.change(number, "ann", StateChange::Release(TakeOver::No)).await;
    }

    /// Sends a request to the router.
    pub async fn call(&self, request: Request<Vec<u8>>) -> Answered {
        let response = self.router.clone().oneshot(request.map(Body::from)).await.unwrap();
        let status = response.status().as_u16();
        let cookie = response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answered { status, cookie, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A page of the board, as somebody sees it who signed in with that key.
    pub async fn page(&self, path: &str, key: &str) -> Answered {
        let form = format!("key={key}&name=Somebody&next=").into_bytes();
        let request =
            Request::post("/board/sign-in").header("content-type", "application/x-www-form-urlencoded");
        let signed_in = self.call(request.body(form).unwrap()).await;
        let cookie = signed_in.cookie.unwrap();
        self.call(Request::get(path).header("cookie", cookie).body(Vec::new()).unwrap()).await
    }
}
