//! Takes what the buttons of pushes through ntfy send.

use async_trait::async_trait;
use inresponse_core::engine::Answered;
use inresponse_core::model::KeyName;
use inresponse_core::notify::{CameBack, Channel, Reply};
use inresponse_core::plan::{Answer, AnswerTo, Wanted};
use inresponse_core::{Engine, Outage};

use crate::ntfy::NtfyNotifier;

/// Takes claims by the buttons of pushes. The token in the URL is the credential: it names the alert, and is valid for a
/// day.
#[derive(Debug, Clone, Copy, Default)]
pub struct NtfyClaims;

/// The token in the query of the URL that was called.
pub fn token(came_back: &CameBack<'_>) -> Option<String> {
    let (_, query) = came_back.url?.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, token)| token.into_owned())
}

#[async_trait]
impl Channel for NtfyClaims {
    fn paths(&self) -> &'static [&'static str] {
        &["ntfy"]
    }

    async fn take(&self, engine: &Engine, came_back: CameBack<'_>) -> Result<Reply, Outage> {
        let token = match token(&came_back).map(|token| engine.verify_answer(&token)) {
            Some(Ok(token)) => token,
            Some(Err(error)) => return Ok(Reply { status: 403, ..Reply::text(format!("{error}.")) }),
            None => return Ok(Reply::forbidden()),
        };
        let answer = Answer {
            to: AnswerTo::Delivery(token.delivery),
            from: None,
            account: None,
            wants: Wanted::Claim,
            counts_in: None,
            over: KeyName::channel(&NtfyNotifier::scheme()),
        };
        let answered = engine.answer(token.incident, answer).await?;
        // The app shows that a button failed, or removes the push, by the status.
        let status = match &answered {
            Answered::Done(..) | Answered::Already(..) => 200,
            Answered::Refused(..) => 409,
            Answered::Absent => 404,
        };
        Ok(Reply { status, ..Reply::text(answered.text()) })
    }
}
