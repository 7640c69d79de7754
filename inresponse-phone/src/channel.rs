//! What comes back from Twilio: replies, keys and reports.

use async_trait::async_trait;
use inresponse_core::engine::{Answered, Bounced, Messages, OpenAlerts, Undelivered};
use inresponse_core::model::{Contact, DeliveryId, IncidentNumber, KeyName, Scheme};
use inresponse_core::notify::{CameBack, Channel, Reply};
use inresponse_core::plan::{Answer, AnswerTo, Refusal, Wanted};
use inresponse_core::{Engine, Outage};

use crate::config::TwilioConfig;
use crate::fate::{self, Later};
use crate::form::Form;
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
}

impl TwilioChannel {
    /// Takes what that account sends.
    pub fn new(config: TwilioConfig) -> Self {
        Self { config }
    }

    /// The form of a request, if Twilio signed it for this account.
    fn verified(&self, came_back: &CameBack<'_>) -> Option<Form> {
        let signed = came_back.header("x-twilio-signature")?;
        let form = Form::read(came_back.body)?;
        let holds = signature::holds(&self.config.auth_token, came_back.url?, form.parameters(), signed);
        (holds && form.value("AccountSid") == Some(&*self.config.account_sid)).then_some(form)
    }

    /// A reply to a text message. The incident's number is in the reply, or only one can be meant.
    async fn sms(&self, engine: &Engine, form: &Form) -> Result<Reply, Outage> {
        let Some(from) = form.value("From").and_then(number::sms) else {
            return Ok(twiml(voice::message(None)));
        };
        // With words of the account's own, Twilio says what they mean ("Advanced Opt-Out").
        let said = match form.value("OptOutType") {
            Some("STOP") => Said::Stop,
            Some("START") => Said::Start,
            Some("HELP") => Said::Help,
            _ => reply::read(form.value("Body").unwrap_or_default()),
        };
        let text = match said {
            Said::Answer(Some(number), wants) => answer_sms(engine, number, &from, wants).await?,
            Said::Answer(None, wants) => match engine.open_alerts_to(&from).await? {
                OpenAlerts::All(open) if open.len() == 1 => answer_sms(engine, open[0], &from, wants).await?,
                OpenAlerts::All(open) if open.is_empty() => {
                    let text = "No open incident was sent to this number.".to_owned();
                    is_known(engine, &from).await?.then_some(text)
                }
                OpenAlerts::All(open) => Some(ask(&open)),
                OpenAlerts::TooMany => {
                    let text = "Reply the number of the incident and c, for example 10001c.".to_owned();
                    is_known(engine, &from).await?.then_some(text)
                }
            },
            Said::Unclear => match engine.open_alerts_to(&from).await? {
                OpenAlerts::All(open) if !open.is_empty() => {
                    Some(format!("That was not understood. {}", ask(&open)))
                }
                OpenAlerts::All(_) | OpenAlerts::TooMany => None,
            },
            // Twilio answers these itself.
            Said::Stop => record_stop(engine, &from, Messages::Stop).await?,
            Said::Start => record_stop(engine, &from, Messages::StartAgain).await?,
            Said::Help | Said::Other => None,
        };
        Ok(twiml(voice::message(text.as_deref())))
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
        // The account that answers is the number that was called.
        let from = form.value("To").and_then(number::tel);
        let answer =
            Answer { to: AnswerTo::Delivery(delivery), from, account: None, wants, over: over("tel") };
        let answered = engine.answer(number, answer).await?;
        Ok(twiml(voice::last_words(&answered.text())))
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

/// Answers as that number, and says what to tell it. Strangers are told nothing: each message costs, and the state of an
/// incident is not for them.
async fn answer_sms(
    engine: &Engine,
    number: IncidentNumber,
    from: &Contact,
    wants: Wanted,
) -> Result<Option<String>, Outage> {
    let to = AnswerTo::AlertTo(from.clone());
    let answer = Answer { to, from: Some(from.clone()), account: None, wants, over: over("sms") };
    let answered = engine.answer(number, answer).await?;
    let is_strange = matches!(&answered, Answered::Refused(_, Refusal::NotAsked) | Answered::Absent);
    Ok((!is_strange || is_known(engine, from).await?).then(|| answered.text()))
}

/// Records that a number gets no more messages, or gets them again.
async fn record_stop(engine: &Engine, from: &Contact, messages: Messages) -> Result<Option<String>, Outage> {
    let people = engine.stop_messages(from, messages).await?;
    tracing::warn!(
        number = from.masked(),
        ?messages,
        people,
        "somebody stopped or started messages to their number"
    );
    Ok(None)
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
