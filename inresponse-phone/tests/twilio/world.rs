//! An engine with Twilio, and what comes back from there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use inresponse_core::Engine;
use inresponse_core::claim::TokenSecret;
use inresponse_core::engine::Reported;
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_core::model::{Contact, IncidentNumber, Report, ServiceName, Severity, State, TeamName};
use inresponse_core::notify::{CameBack, Channel, Notifiers, Reply};
use inresponse_core::roster::Team;
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_phone::{TwilioChannel, TwilioConfig};

use crate::fake::{FROM, Fake, Request, SID, TOKEN};
use crate::laws::notifier;
use crate::library::Library;

pub(crate) const JO: &str = "+302101234567";
pub(crate) const STRANGER: &str = "+306900000000";

/// An engine whose only team has a number of two schemes as its fallback, so as its first level.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: ManualClock,
    channel: TwilioChannel,
    fake: Fake,
    signer: Library,
    /// The number of messages that came so far: each has an id of its own.
    came: AtomicU32,
}

impl World {
    pub(crate) async fn of(scheme: &str) -> Self {
        let fake = Fake::start();
        let clock = ManualClock::at("2026-11-24T03:00:00Z".parse().unwrap());
        let twilio = notifier(&fake);
        let mails = Notifiers::new().mail(RecordingNotifier::new());
        let notifiers = twilio.schemes().into_iter().fold(mails, |n, scheme| n.with(scheme, twilio.clone()));
        let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
        let engine = Engine::builder(MemoryStore::new(), MemoryRoster::new(), notifiers, clock.clone())
            .claim_links("https://ir.example.org", vec![secret])
            .unwrap()
            .build();
        let team = TeamName::new("devops").unwrap();
        let jo = Contact::new(format!("{scheme}:{JO}")).unwrap();
        engine.roster().put_team(&team, &Team::builder(vec![jo]).build().unwrap()).await.unwrap();
        engine.roster().put_service(&ServiceName::new("athens").unwrap(), &team).await.unwrap();
        let config = TwilioConfig::new(SID, TOKEN, FROM).unwrap();
        let channel = TwilioChannel::new(config, Arc::new(MemorySettings::new()));
        Self { engine, clock, channel, fake, signer: Library::start(), came: AtomicU32::new(0x1000) }
    }

    pub(crate) async fn report(&self) -> IncidentNumber {
        let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
        let Reported::New(record) = self.engine.report(report).await.unwrap() else { panic!("it is new") };
        self.engine.tick().await.unwrap();
        record.number()
    }

    pub(crate) fn sent(&self) -> Vec<Request> {
        self.fake.requests(JO)
    }

    pub(crate) async fn came_back(&self, url: &str, form: &[(&str, &str)]) -> Reply {
        let all = [("AccountSid", SID)].into_iter().chain(form.iter().copied());
        let form: Vec<_> = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let signature = self.signer.sign(TOKEN, url, &form);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let path = url.strip_prefix("https://ir.example.org/channels/").unwrap().split('?').next().unwrap();
        let headers = [("x-twilio-signature", signature.as_str())];
        let came_back = CameBack { path, url: Some(url), headers: &headers, body: body.as_bytes() };
        self.channel.take(&self.engine, came_back).await.unwrap()
    }

    /// A new message of that number; what it is answered.
    pub(crate) async fn says(&self, from: &str, text: &str) -> String {
        let id = format!("{:x}", self.came.fetch_add(1, Ordering::Relaxed));
        self.says_as(from, text, &id).await
    }

    /// A message with the id that ends so, which may have come before.
    pub(crate) async fn says_as(&self, from: &str, text: &str, ending: &str) -> String {
        let id = &*format!("SM{ending:0>32}");
        let url = "https://ir.example.org/channels/twilio/sms";
        let form = [("From", from), ("To", FROM), ("Body", text), ("MessageSid", id)];
        let reply = self.came_back(url, &form).await;
        assert_eq!((reply.status, reply.content_type), (200, "text/xml; charset=utf-8"));
        reply.body
    }

    pub(crate) async fn state(&self, number: IncidentNumber) -> State {
        self.engine.get(number).await.unwrap().unwrap().incident.state()
    }
}
