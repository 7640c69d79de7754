//! Takes what comes back from Slack.

use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::engine::Answered;
use inresponse_core::model::{Contact, KeyName};
use inresponse_core::notify::{CameBack, Channel, Linking, Reply};
use inresponse_core::plan::{Answer, AnswerTo};
use inresponse_core::{Engine, Outage};
use serde_json::{Value, json};
use url::Url;

use super::app::SlackNotifier;
use super::request::{Action, Request, read_request};
use super::signature::is_from_slack;

/// The time limit of an answer to Slack.
const DEADLINE: Duration = Duration::from_secs(10);
/// For how long the answer of the route waits for what is told besides.
const SHORTLY: Duration = Duration::from_secs(1);

/// Takes what an app's people send: presses of buttons, and codes that link accounts.
///
/// Slack waits three seconds for the answer of this route. What was done is told in a message of its own. The route waits a
/// second for it, because on Lambda nothing goes on after the answer.
#[derive(Debug, Clone)]
pub struct SlackAnswers {
    app: SlackNotifier,
}

impl SlackAnswers {
    /// Answers to the alerts of that app.
    pub fn new(app: SlackNotifier) -> Self {
        Self { app }
    }

    async fn pressed(&self, engine: &Engine, action: Action) -> Result<(), Outage> {
        let Action { account, response_url, asks } = action;
        let asked = asks.and_then(|(delivery, wants)| Some((delivery.incident()?, delivery, wants)));
        let text = match asked {
            Some((incident, delivery, wants)) => {
                let answer = Answer {
                    to: AnswerTo::Delivery(delivery),
                    from: Some(account),
                    account: None,
                    wants,
                    counts_in: None,
                    over: KeyName::channel(&SlackNotifier::scheme()),
                };
                let answered = engine.answer(incident, answer).await?;
                match &answered {
                    Answered::Refused(_, inresponse_core::plan::Refusal::UnknownAccount) => {
                        format!("{} Send `/inresponse link` and the code.", answered.text())
                    }
                    Answered::Done(..) | Answered::Already(..) | Answered::Refused(..) | Answered::Absent => {
                        answered.text()
                    }
                }
            }
            None => "That button means nothing here.".to_owned(),
        };
        if let Some(url) = response_url.and_then(|url| Url::parse(&url).ok()) {
            let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": text });
            let app = self.app.clone();
            shortly(async move { told("response_url", app.respond(url, &body, DEADLINE).await) }).await;
        }
        Ok(())
    }
}

/// Does what the text after `/inresponse`, or in a direct message, asks for.
async fn commanded(engine: &Engine, account: &Contact, text: &str) -> Result<String, Outage> {
    let mut words = text.split_whitespace();
    let text = match (words.next(), words.next(), words.next()) {
        (Some("link"), Some(code), None) => engine.link(code, account).await?.text(),
        _ => "To answer alerts, link your account: send `link` and the code that your page in InResponse shows."
            .to_owned(),
    };
    Ok(format!("{text}\nYour account is {}.", account.as_str()))
}

/// Does this, and waits a short time for its end.
async fn shortly(work: impl Future<Output = ()> + Send + 'static) {
    let working = tokio::spawn(work);
    // It goes on without the wait.
    let _ended = tokio::time::timeout(SHORTLY, working).await;
}

/// Logs that an answer to Slack could not be sent, which changes nothing.
fn told(method: &str, answered: Result<inresponse_outward::Answer, inresponse_core::notify::Outcome>) {
    let reason = match &answered {
        Ok(answer) if answer.status.is_success() => return,
        Ok(answer) => format!("answered {}", answer.status),
        Err(outcome) => outcome.reason().to_owned(),
    };
    tracing::warn!(method, reason, "an answer to Slack could not be sent");
}

fn as_json(body: &Value) -> Reply {
    Reply { status: 200, content_type: "application/json", body: body.to_string() }
}

#[async_trait]
impl Channel for SlackAnswers {
    fn paths(&self) -> &'static [&'static str] {
        &["slack"]
    }

    fn linking(&self) -> Option<Linking> {
        Some(Linking { scheme: SlackNotifier::scheme(), to: "in Slack", command: "/inresponse link" })
    }

    async fn take(&self, engine: &Engine, came_back: CameBack<'_>) -> Result<Reply, Outage> {
        let signature = came_back.header("x-slack-signature");
        let timestamp = came_back.header("x-slack-request-timestamp");
        let (body, secret) = (came_back.body, self.app.signing_secret());
        if !is_from_slack(signature, timestamp, body, secret, engine.now()) {
            return Ok(Reply::forbidden());
        }
        Ok(match read_request(body) {
            None => Reply::unreadable("the request cannot be read"),
            Some(Request::Challenge(challenge)) => as_json(&json!({ "challenge": challenge })),
            Some(Request::Other) => Reply::text(""),
            Some(Request::Action(action)) => {
                self.pressed(engine, action).await?;
                Reply::text("")
            }
            Some(Request::Command { account, text }) => {
                let text = commanded(engine, &account, &text).await?;
                as_json(&json!({ "response_type": "ephemeral", "text": text }))
            }
            Some(Request::Message { account, channel, text }) => {
                let text = commanded(engine, &account, &text).await?;
                let (app, message) = (self.app.clone(), json!({ "channel": channel, "text": text }));
                let post = async move {
                    told("chat.postMessage", app.call("chat.postMessage", &message, DEADLINE).await);
                };
                shortly(post).await;
                Reply::text("")
            }
        })
    }
}
