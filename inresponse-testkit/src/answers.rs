//! Tests what comes back over a channel, through the real router: an alert, its answer, and everything that must change
//! nothing (promise 20).
//!
//! A channel joins with a [`ChannelHarness`] and one test that calls [`check`].

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use inresponse_core::Engine;
use inresponse_core::claim::TokenSecret;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::Contact;
use inresponse_core::notify::{Channel, Notifiers};
use inresponse_core::plan::Wanted;
use inresponse_core::testing::{ManualClock, RecordingNotifier};
use inresponse_http::{Api, ApiKey, Keys, Scope, router};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Where the router is reached. Channels sign this URL, or are told to call it.
pub const PUBLIC_URL: &str = "https://ir.example.org";

const KEY: &str = "key-of-everything";
/// How long a level waits.
const WAIT: Duration = Duration::from_secs(600);

/// The two people of the table. Each has one method: their contact in this channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Is alerted first.
    Jo,
    /// Is alerted second.
    Kim,
}

impl Who {
    const BOTH: [Who; 2] = [Who::Jo, Who::Kim];

    fn name(self) -> &'static str {
        match self {
            Who::Jo => "jo",
            Who::Kim => "kim",
        }
    }
}

/// What the channel proves about the person who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proves {
    /// From which account the answer comes.
    TheAccount,
    /// Only that somebody has the message.
    TheMessage,
}

/// A channel with both of its ends: the notifier, and the people who answer.
pub trait ChannelHarness {
    /// A message as it arrived.
    type Message: Clone + Debug;

    /// The contact of a person.
    fn contact(&self, who: Who) -> Contact;

    /// Adds the notifier.
    fn notifiers(&self, notifiers: Notifiers) -> Notifiers;

    /// What takes the answers.
    fn channel(&self) -> Arc<dyn Channel>;

    /// What the channel proves.
    fn proves(&self) -> Proves;

    /// What an answer can ask for.
    fn asks_for(&self) -> &'static [Wanted] {
        &[Wanted::Claim, Wanted::Resolve]
    }

    /// The status with which an answer that does not count is answered.
    fn refuses_with(&self) -> StatusCode {
        StatusCode::OK
    }

    /// Gives it the clock of the table, by which requests are signed.
    fn follow(&self, _clock: &ManualClock) {}

    /// All messages that this person has received, in order.
    fn messages(&self, who: Who) -> impl Future<Output = Vec<Self::Message>>;

    /// The request that the channel sends if that person answers that message so.
    fn answer(&self, who: Who, message: &Self::Message, wants: Wanted) -> Request<String>;

    /// The same request with a wrong signature or secret.
    fn forged(&self, request: Request<String>) -> Request<String>;

    /// What the person who answered is told.
    fn told(&self, response: &Response<String>) -> impl Future<Output = String> {
        let text = response.body().clone();
        async { text }
    }
}

/// Plays the table. Each row has a world of its own, whose harness `make` makes.
pub async fn check<H: ChannelHarness>(make: impl AsyncFn() -> H) {
    a_claim_is_made_by_the_right_person_and_stops_the_alerts(make().await).await;
    an_answer_resolves(make().await).await;
    an_answer_escalates(make().await).await;
    a_forged_answer_changes_nothing(make().await).await;
    a_replayed_answer_changes_nothing(make().await).await;
    an_answer_replayed_after_a_release_changes_nothing(make().await).await;
    an_answer_replayed_after_a_team_got_it_changes_nothing(make().await).await;
    an_answer_after_anothers_claim_changes_nothing(make().await).await;
    an_answer_after_the_end_changes_nothing(make().await).await;
    an_answer_of_an_earlier_round_changes_nothing(make().await).await;
    an_answer_of_somebody_else_changes_nothing(make().await).await;
    an_answer_changes_its_own_incident_only(make().await).await;
}

async fn a_claim_is_made_by_the_right_person_and_stops_the_alerts<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    let told = world.answers(Who::Jo, &message, Wanted::Claim).await;
    assert!(told.contains(&format!("You have incident {incident} now")), "{told}");
    world.is(incident, "CLAIMED", "claimedBy", "jo").await;
    world.pass(WAIT * 6).await;
    assert_eq!(world.harness.messages(Who::Jo).await.len(), 1, "nothing more is sent");
    assert_eq!(world.harness.messages(Who::Kim).await.len(), 0, "nothing more is sent");
    assert_eq!(world.mails.attempts().len(), 0, "nothing more is sent");
}

async fn an_answer_resolves<H: ChannelHarness>(harness: H) {
    if !harness.asks_for().contains(&Wanted::Resolve) {
        return;
    }
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    let told = world.answers(Who::Jo, &message, Wanted::Resolve).await;
    assert!(told.contains(&format!("Incident {incident} is resolved now")), "{told}");
    world.is(incident, "RESOLVED", "resolvedBy", "jo").await;
}

async fn an_answer_escalates<H: ChannelHarness>(harness: H) {
    if !harness.asks_for().contains(&Wanted::Escalate) {
        return;
    }
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    let told = world.answers(Who::Jo, &message, Wanted::Escalate).await;
    assert!(told.contains(&format!("The next level of incident {incident} is alerted now")), "{told}");
    world.pass(Duration::from_secs(1)).await;
    world.only_message(Who::Kim).await;
    world.is(incident, "OPEN", "claimedBy", "").await;
}

async fn a_forged_answer_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    for wants in world.wants() {
        let forged = world.harness.forged(world.harness.answer(Who::Jo, &message, wants));
        let response = world.send(forged).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    world.is(incident, "OPEN", "claimedBy", "").await;
}

async fn a_replayed_answer_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    world.answers(Who::Jo, &message, Wanted::Claim).await;
    let before = world.show(incident).await;
    world.pass(Duration::from_secs(60)).await;
    let told = world.answers(Who::Jo, &message, Wanted::Claim).await;
    assert!(told.contains(&format!("You already have incident {incident}")), "{told}");
    assert_eq!(world.show(incident).await, before);
}

/// The release alerts jo again, so that an answer to the new alert would count. What is sent is the same request as before.
async fn an_answer_replayed_after_a_release_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    let claim = world.harness.answer(Who::Jo, &message, Wanted::Claim);
    let told = world.told(claim.clone()).await;
    assert!(told.contains(&format!("You have incident {incident} now")), "{told}");
    world.update(incident, json!({ "state": "OPEN", "by": "jo" })).await;
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.harness.messages(Who::Jo).await.len(), 2, "jo is asked again");
    let before = world.is(incident, "OPEN", "claimedBy", "").await;
    for time in 1..=2 {
        let told = world.told(claim.clone()).await;
        assert!(told.contains("does not count"), "{time}: {told}");
        assert!(told.contains(&format!("Nobody has incident {incident} yet")), "{time}: {told}");
        assert_eq!(world.show(incident).await, before);
    }
    let messages = world.harness.messages(Who::Jo).await;
    let told = world.answers(Who::Jo, &messages[1], Wanted::Claim).await;
    assert!(
        told.contains(&format!("You have incident {incident} now")),
        "an answer to the new alert counts: {told}"
    );
}

/// Every kind of answer, replayed in a round that began because the incident was handed to a team.
async fn an_answer_replayed_after_a_team_got_it_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    world.levels("network", &["person:jo"]).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    let answers: Vec<_> = world.wants().map(|wants| world.harness.answer(Who::Jo, &message, wants)).collect();
    world.update(incident, json!({ "state": "CLAIMED", "by": "kim" })).await;
    for answer in &answers {
        let told = world.told(answer.clone()).await;
        assert!(told.contains(&format!("kim has incident {incident}")), "{told}");
    }
    world.update(incident, json!({ "handToTeam": "network", "by": "kim" })).await;
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.harness.messages(Who::Jo).await.len(), 2, "jo is asked again");
    let before = world.is(incident, "OPEN", "claimedBy", "").await;
    for answer in answers {
        let told = world.told(answer).await;
        assert!(told.contains("does not count"), "{told}");
        assert_eq!(world.show(incident).await, before);
    }
}

async fn an_answer_after_anothers_claim_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    world.pass(WAIT).await;
    let jos = world.only_message(Who::Jo).await;
    let kims = world.only_message(Who::Kim).await;
    world.answers(Who::Kim, &kims, Wanted::Claim).await;
    let before = world.is(incident, "CLAIMED", "claimedBy", "kim").await;
    for wants in world.wants() {
        let told = world.answers(Who::Jo, &jos, wants).await;
        assert!(told.contains(&format!("kim has incident {incident}")), "{told}");
    }
    assert_eq!(world.show(incident).await, before);
}

async fn an_answer_after_the_end_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    world.update(incident, json!({ "state": "RESOLVED", "by": "lee" })).await;
    let before = world.show(incident).await;
    for wants in world.wants() {
        let told = world.answers(Who::Jo, &message, wants).await;
        assert!(told.contains(&format!("Incident {incident} was resolved by lee")), "{told}");
    }
    assert_eq!(world.show(incident).await, before);
}

/// The people on call change, so that nobody asks jo again in the round that a release begins.
async fn an_answer_of_an_earlier_round_changes_nothing<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    world.answers(Who::Jo, &message, Wanted::Claim).await;
    world.levels("devops", &["person:kim"]).await;
    world.update(incident, json!({ "state": "OPEN", "by": "jo" })).await;
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.harness.messages(Who::Kim).await.len(), 1, "the row plays as it is written");
    let before = world.is(incident, "OPEN", "claimedBy", "").await;
    for wants in world.wants() {
        let told = world.answers(Who::Jo, &message, wants).await;
        assert!(told.contains("does not count"), "{told}");
        assert!(told.contains(&format!("Nobody has incident {incident} yet")), "{told}");
    }
    assert_eq!(world.show(incident).await, before);
}

/// Kim knows what jo was sent, and has not been alerted.
async fn an_answer_of_somebody_else_changes_nothing<H: ChannelHarness>(harness: H) {
    if harness.proves() == Proves::TheMessage {
        return;
    }
    let world = World::new(harness).await;
    let incident = world.report("athens").await;
    let message = world.only_message(Who::Jo).await;
    let before = world.show(incident).await;
    for wants in world.wants() {
        let told = world.answers(Who::Kim, &message, wants).await;
        assert!(told.contains("does not count"), "{told}");
    }
    assert_eq!(world.show(incident).await, before);
}

async fn an_answer_changes_its_own_incident_only<H: ChannelHarness>(harness: H) {
    let world = World::new(harness).await;
    let first = world.report("athens").await;
    let second = world.report("athens").await;
    let of_another = world.report("berlin").await;
    let messages = world.harness.messages(Who::Jo).await;
    assert_eq!(messages.len(), 2, "{messages:?}");
    let before = [world.show(first).await, world.show(of_another).await];
    world.answers(Who::Jo, &messages[1], Wanted::Claim).await;
    world.is(second, "CLAIMED", "claimedBy", "jo").await;
    assert_eq!([world.show(first).await, world.show(of_another).await], before);
}

/// A router over everything in memory, with the channel.
struct World<H> {
    harness: H,
    engine: Engine,
    clock: ManualClock,
    mails: RecordingNotifier,
    router: Router,
}

impl<H: ChannelHarness> World<H> {
    /// `athens` alerts jo, then kim; `berlin` alerts kim.
    async fn new(harness: H) -> Self {
        let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
        let mails = RecordingNotifier::new();
        let notifiers = harness.notifiers(Notifiers::new().mail(mails.clone()));
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone())
            .claim_links(PUBLIC_URL, vec![secret])
            .unwrap()
            .build();
        let key = ApiKey::from_plain("admin", KEY, Scope::ALL.to_vec()).unwrap();
        let api = Api::new(engine.clone(), Keys::new(vec![key])).channel_by(harness.channel());
        harness.follow(&clock);
        let world = Self { harness, engine, clock, mails, router: router(api) };
        for who in Who::BOTH {
            let contact = world.harness.contact(who);
            let person = json!({ "name": who.name(), "methods": { "here": contact.as_str() } });
            world.call("PUT", &format!("/people/{}", who.name()), &person).await;
        }
        world.levels("devops", &["person:jo", "person:kim"]).await;
        world.levels("network", &["person:kim"]).await;
        for (service, team) in [("athens", "devops"), ("berlin", "network")] {
            world.call("PUT", &format!("/services/{service}"), &json!({ "team": team })).await;
        }
        world
    }

    /// What an answer can ask for.
    fn wants(&self) -> impl Iterator<Item = Wanted> {
        self.harness.asks_for().iter().copied()
    }

    async fn levels(&self, team: &str, levels: &[&str]) {
        let levels: Vec<_> = levels.iter().map(|who| json!({ "notify": [who] })).collect();
        let wait = WAIT.as_secs();
        let team_of =
            json!({ "fallback": ["ops@example.org"], "escalateAfterSeconds": wait, "levels": levels });
        self.call("PUT", &format!("/teams/{team}"), &team_of).await;
    }

    /// Reports an incident, and sends its first alerts.
    async fn report(&self, service: &str) -> u64 {
        let report = json!({ "service": service, "severity": "CRIT", "title": "5xx", "message": "many" });
        let number = self.call("PUT", "/incidents", &report).await["incidentId"].as_u64().unwrap();
        self.engine.tick().await.unwrap();
        number
    }

    /// Time passes, and everything that is due is done.
    async fn pass(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(WAIT);
            self.clock.advance(step);
            self.engine.tick().await.unwrap();
            left -= step;
        }
    }

    async fn update(&self, incident: u64, update: Value) {
        self.call("POST", &format!("/incidents/{incident}"), &update).await;
        self.engine.tick().await.unwrap();
    }

    async fn show(&self, incident: u64) -> Value {
        self.call("GET", &format!("/incidents/{incident}"), &Value::Null).await
    }

    /// The incident, which has this state and was changed by that person last.
    async fn is(&self, incident: u64, state: &str, field: &str, by: &str) -> Value {
        let incident = self.show(incident).await;
        assert_eq!(incident["state"], state, "{incident:#}");
        assert_eq!(incident[field].as_str().unwrap_or_default(), by, "{incident:#}");
        incident
    }

    async fn only_message(&self, who: Who) -> H::Message {
        let mut messages = self.harness.messages(who).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    /// The person answers; what they are told.
    async fn answers(&self, who: Who, message: &H::Message, wants: Wanted) -> String {
        self.told(self.harness.answer(who, message, wants)).await
    }

    /// A request of the channel comes; what the person is told.
    async fn told(&self, request: Request<String>) -> String {
        let response = self.send(request).await;
        // Messages change with their incident.
        self.engine.tick().await.unwrap();
        let expected = [StatusCode::OK, self.harness.refuses_with()];
        assert!(expected.contains(&response.status()), "{} {}", response.status(), response.body());
        self.harness.told(&response).await
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let request =
            Request::builder().method(method).uri(path).header("x-api-key", KEY).body(text).unwrap();
        let response = self.send(request).await;
        assert!(response.status().is_success(), "{method} {path}: {}", response.body());
        serde_json::from_str(response.body()).unwrap_or_default()
    }

    async fn send(&self, request: Request<String>) -> Response<String> {
        let response = self.router.clone().oneshot(request.map(Body::from)).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, 10_000_000).await.unwrap();
        Response::from_parts(head, String::from_utf8(bytes.to_vec()).unwrap())
    }
}
