//! What comes back from Twilio: replies, keys and reports.

use std::sync::Arc;

use async_trait::async_trait;
use inresponse_core::engine::{Answered, Bounced, Messages, OpenAlerts, Undelivered};
use inresponse_core::model::{Contact, DeliveryId, IncidentNumber, KeyName, Scheme};
use inresponse_core::notify::{CameBack, Channel, Reply};
use inresponse_core::plan::{Answer, AnswerTo, Refusal, Wanted};
use inresponse_core::settings::Settings;
use inresponse_core::store::Record;
use inresponse_core::{Engine, Outage};

use crate::config::TwilioConfig;
use crate::fate::{self, Later};
use crate::form::Form;
use crate::replies::{About, Came, Replies, Telling};
use crate::reply::{self, Said};
use crate::{number, signature, twilio, voice};

const SMS: &str = "twilio/sms";
const VOICE: &str = "twilio/voice";
const STATUS: &str = "twilio/status";

/// The number of open incidents that an answer without a number is told.
const NAMED: usize = 5;

/// Takes what Twilio sends to `/channels/twilio/…`. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct TwilioChannel {
    config: TwilioConfig,
    replies: Replies,
}

/// What a number is told.
enum Told {
    /// Nothing.
    Nothing,
    /// Its reply did something.
    Change(String),
    /// Its reply changed nothing.
    NoChange(String),
}

/// What a reply is about.
enum Meant {
    /// This incident.
    One(About),
    /// No incident, or it is not clear which one: what the number is told.
    NotOne(String),
    /// The number belongs to a stranger.
    Nobodys,
}

impl TwilioChannel {
    /// Takes what that account sends. What came is remembered in `settings`, so that it counts once.
    pub fn new(config: TwilioConfig, settings: Arc<dyn Settings>) -> Self {
        Self { config, replies: Replies::new(settings) }
    }

    /// The form of a request, if Twilio signed it for this account.
    fn verified(&self, came_back: &CameBack<'_>) -> Option<Form> {
        let signed = came_back.header("x-twilio-signature")?;
        let form = Form::read(came_back.body)?;
        let holds = signature::holds(&self.config.auth_token, came_back.url?, form.parameters(), signed);
        (holds && form.value("AccountSid") == Some(&*self.config.account_sid)).then_some(form)
    }

    /// A reply to a text message.
    async fn sms(&self, engine: &Engine, form: &Form) -> Result<Reply, Outage> {
        let Some(from) = form.value("From").and_then(number::sms) else {
            return Ok(twiml(voice::message(None)));
        };
        let Some(id) = sid(form, "MessageSid", &["SM", "MM"]) else {
            return Ok(Reply::unreadable("MessageSid is missing or no id of a message"));
        };
        // With words of the account's own, Twilio says what they mean ("Advanced Opt-Out").
        let said = match form.value("OptOutType") {
            Some("STOP") => Said::Stop,
            Some("START") => Said::Start,
            Some("HELP") => Said::Help,
            _ => reply::read(form.value("Body").unwrap_or_default()),
        };
        let told = match said {
            Said::Answer(number, wants) => self.answer(engine, &from, id, number, wants).await?,
            Said::Unclear => match engine.open_alerts_to(&from).await? {
                OpenAlerts::All(open) if !open.is_empty() => {
                    Told::NoChange(format!("That was not understood. {}", ask(&open)))
                }
                OpenAlerts::All(_) | OpenAlerts::TooMany => Told::Nothing,
            },
            // Twilio answers these itself.
            Said::Stop => self.stop(engine, &from, id, Messages::Stop).await?,
            Said::Start => self.stop(engine, &from, id, Messages::StartAgain).await?,
            Said::Help | Said::Other => Told::Nothing,
        };
        let text = match told {
            Told::Nothing => None,
            Told::Change(text) => Some(text),
            Told::NoChange(text) => match self.replies.tells(&from, engine.now()).await? {
                Telling::Allowed => Some(text),
                Telling::TooOften => {
                    let number = from.masked();
                    tracing::warn!(
                        number,
                        "a number is not answered: too many of its replies changed nothing"
                    );
                    None
                }
            },
        };
        Ok(twiml(voice::message(text.as_deref())))
    }

    /// A reply that claims or resolves. It is about the incident that it meant when it came for the first time, and counts
    /// only in the round of that time.
    async fn answer(
        &self,
        engine: &Engine,
        from: &Contact,
        id: &str,
        number: Option<IncidentNumber>,
        wants: Wanted,
    ) -> Result<Told, Outage> {
        let about = match self.replies.came(from, id).await? {
            Came::Before(Some(about)) => about,
            Came::Before(None) => return Ok(Told::NoChange("That reply was already answered.".to_owned())),
            Came::First => {
                let (about, text) = match meant(engine, number, from).await? {
                    Meant::One(about) => (Some(about), String::new()),
                    Meant::NotOne(text) => (None, text),
                    // Strangers are told nothing: each message costs, and the state of an incident is not for them.
                    Meant::Nobodys => return Ok(Told::Nothing),
                };
                match self.replies.remember(from, id, about).await? {
                    Some(about) => about,
                    None => return Ok(Told::NoChange(text)),
                }
            }
        };
        let answer = Answer {
            to: AnswerTo::AlertTo(from.clone()),
            from: Some(from.clone()),
            account: None,
            wants,
            counts_in: Some(about.round),
            over: over("sms"),
        };
        let answered = engine.answer(about.number, answer).await?;
        Ok(match &answered {
            Answered::Done(..) => Told::Change(answered.text()),
            Answered::Already(..) | Answered::Absent => Told::NoChange(answered.text()),
            Answered::Refused(_, refusal) => {
                self.replies.refused(from, id, about.number).await?;
                match refusal {
                    Refusal::NotAsked if !is_known(engine, from).await? => Told::Nothing,
                    _ => Told::NoChange(answered.text()),
                }
            }
        })
    }

    /// Records that a number gets no more messages, or gets them again.
    async fn stop(
        &self,
        engine: &Engine,
        from: &Contact,
        id: &str,
        messages: Messages,
    ) -> Result<Told, Outage> {
        if self.replies.came(from, id).await? != Came::First {
            return Ok(Told::Nothing);
        }
        let people = engine.stop_messages(from, messages).await?;
        let number = from.masked();
        tracing::warn!(number, ?messages, people, "somebody stopped or started messages to their number");
        if people > 0 {
            self.replies.remember(from, id, None).await?;
        }
        Ok(Told::Nothing)
    }

    /// A key that was pressed in a call.
    async fn voice(&self, engine: &Engine, came_back: &CameBack<'_>, form: &Form) -> Result<Reply, Outage> {
        let Some((number, delivery)) = delivery(came_back) else {
            return Ok(Reply::unreadable("the delivery is missing"));
        };
        let Some(wants) = voice::key(form.value("Digits").unwrap_or_default()) else {
            let Some(record) = engine.get(number).await? else {
                return Ok(twiml(voice::last_words(&Answered::Absent.text())));
            };
            let base = engine.public_url().unwrap_or_default();
            let incident = &record.incident;
            let called = incident.delivery(&delivery).and_then(|delivery| delivery.called());
            let url = twilio::voice_url(base, delivery.as_str());
            return Ok(twiml(voice::prompt(incident, called.map(|called| &called.by), &url)));
        };
        let Some(call) = sid(form, "CallSid", &["CA"]) else {
            return Ok(Reply::unreadable("CallSid is missing or no id of a call"));
        };
        let id = format!("{call} {}", form.value("Digits").unwrap_or_default());
        // The account that answers is the number that was called.
        let from = form.value("To").and_then(number::tel);
        let counts_in = self.key_counts_in(engine, from.as_ref(), &id, number).await?;
        let to = AnswerTo::Delivery(delivery);
        let answer = Answer { to, from: from.clone(), account: None, wants, counts_in, over: over("tel") };
        let answered = engine.answer(number, answer).await?;
        if let (Answered::Refused(..), Some(_), Some(from)) = (&answered, counts_in, from) {
            self.replies.refused(&from, &id, number).await?;
        }
        Ok(twiml(voice::last_words(&answered.text())))
    }

    /// The round in which a key of a call counts. A number that the incident does not know is not remembered: its keys do
    /// not count.
    async fn key_counts_in(
        &self,
        engine: &Engine,
        from: Option<&Contact>,
        id: &str,
        number: IncidentNumber,
    ) -> Result<Option<u32>, Outage> {
        let Some(from) = from else { return Ok(None) };
        let Some(record) = engine.get(number).await?.filter(|record| was_asked(record, from)) else {
            return Ok(None);
        };
        let about = About { number, round: record.incident.round() };
        let about = self.replies.remember(from, id, Some(about)).await?;
        Ok(about.map(|about| about.round))
    }

    /// A report on a message or a call.
    async fn status(&self, engine: &Engine, came_back: &CameBack<'_>, form: &Form) -> Result<Reply, Outage> {
        // A test or a notice is stored nowhere.
        let Some((number, delivery)) = delivery(came_back) else { return Ok(Reply::text("")) };
        let attempt = query(came_back, "attempt").and_then(|text| text.parse().ok()).unwrap_or_default();
        match fate::later(form) {
            Later::Nothing => {}
            Later::Gone(reason) => match engine.bounced(number, &delivery, &reason).await? {
                Bounced::Dead(_) | Bounced::Ignored(_) | Bounced::Absent => {}
            },
            Later::Failed(reason) => match engine.undelivered(number, &delivery, attempt, &reason).await? {
                Undelivered::DueAgain(_) | Undelivered::Ignored(_) | Undelivered::Absent => {}
            },
        }
        Ok(Reply::text(""))
    }
}

#[async_trait]
impl Channel for TwilioChannel {
    fn paths(&self) -> &'static [&'static str] {
        &[SMS, VOICE, STATUS]
    }

    async fn take(&self, engine: &Engine, came_back: CameBack<'_>) -> Result<Reply, Outage> {
        let Some(form) = self.verified(&came_back) else {
            tracing::warn!(
                path = came_back.path,
                "a request without a valid signature of Twilio was refused"
            );
            return Ok(Reply::forbidden());
        };
        match came_back.path {
            SMS => self.sms(engine, &form).await,
            VOICE => self.voice(engine, &came_back, &form).await,
            _ => self.status(engine, &came_back, &form).await,
        }
    }
}

/// The incident that a reply means: the one that it names, or else the only one that is open.
async fn meant(engine: &Engine, number: Option<IncidentNumber>, from: &Contact) -> Result<Meant, Outage> {
    let not_one = async |text: String| {
        Ok(if is_known(engine, from).await? { Meant::NotOne(text) } else { Meant::Nobodys })
    };
    let number = match number {
        Some(number) => number,
        None => match engine.open_alerts_to(from).await? {
            OpenAlerts::All(open) => match &open[..] {
                [only] => *only,
                [] => return not_one("No open incident was sent to this number.".to_owned()).await,
                _ => return Ok(Meant::NotOne(ask(&open))),
            },
            OpenAlerts::TooMany => {
                let text = "Reply the number of the incident and c, for example 10001c.";
                return not_one(text.to_owned()).await;
            }
        },
    };
    Ok(match engine.get(number).await? {
        Some(record) if was_asked(&record, from) || is_known(engine, from).await? => {
            Meant::One(About { number, round: record.incident.round() })
        }
        // The number may be that of an incident to come.
        None if is_known(engine, from).await? => Meant::One(About::none_of(number)),
        Some(_) | None => Meant::Nobodys,
    })
}

/// Whether the incident has a delivery to that number.
fn was_asked(record: &Record, number: &Contact) -> bool {
    record.incident.deliveries().iter().any(|delivery| delivery.contact() == number)
}

/// An id of Twilio: one of these kinds, and 32 hexadecimal digits. The signature covers the parameters as one text, and does
/// not say where a value ends. So an id that was cut short would pass for another one.
fn sid<'a>(form: &'a Form, name: &str, kinds: &[&str]) -> Option<&'a str> {
    let id = form.value(name)?;
    let digits = kinds.iter().find_map(|kind| id.strip_prefix(kind))?;
    (digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

/// Whether the roster knows whose number that is.
async fn is_known(engine: &Engine, from: &Contact) -> Result<bool, Outage> {
    Ok(engine.book().await?.person_at(from).is_some())
}

/// Asks which of these incidents is meant.
fn ask(open: &[IncidentNumber]) -> String {
    let codes: Vec<_> = open.iter().take(NAMED).map(|number| format!("{number}c")).collect();
    let more = if open.len() > NAMED { " …" } else { "" };
    format!("Reply the code of the incident to claim it: {}{more}", codes.join(", "))
}

fn over(scheme: &str) -> KeyName {
    KeyName::channel(&Scheme::new(scheme).expect("is a scheme"))
}

/// The delivery that the URL names, and its incident: the id begins with the incident's number.
fn delivery(came_back: &CameBack<'_>) -> Option<(IncidentNumber, DeliveryId)> {
    let id = DeliveryId::read(query(came_back, "delivery")?).ok()?;
    let number = id.as_str().split('-').next()?.parse().ok()?;
    Some((IncidentNumber::new(number), id))
}

/// A parameter of the URL.
fn query(came_back: &CameBack<'_>, name: &str) -> Option<String> {
    let (_, query) = came_back.url?.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

fn twiml(body: String) -> Reply {
    Reply { status: 200, content_type: "text/xml; charset=utf-8", body }
}
