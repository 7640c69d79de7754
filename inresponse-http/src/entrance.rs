//! Checks the key of a request at the door that the request came through.

use axum::extract::FromRequestParts;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderValue, Method, StatusCode};

use crate::Api;
use crate::caller::Caller;
use crate::doors::{Door, Proof};
use crate::keys::{key_of, sent_in};
use crate::problem::Problem;
use crate::refusals::Refusal;

impl Caller {
    /// The caller whose key a request shows at that door.
    pub(crate) fn at(
        api: &Api,
        method: &Method,
        extensions: &Extensions,
        key: Option<&str>,
    ) -> Result<Self, Problem> {
        Self::at_door(api, door_of(method, extensions)?, key)
    }

    fn at_door(api: &Api, door: &Door, key: Option<&str>) -> Result<Self, Problem> {
        let (ways, challenges): (_, &[_]) = match door.proof {
            Proof::SendersKey | Proof::RoutingKey => (
                "in x-api-key, or in Authorization as Bearer, GenieKey, or the password of Basic",
                &BEARER_OR_BASIC,
            ),
            Proof::Key
            | Proof::KeyOrSession
            | Proof::Session
            | Proof::Link
            | Proof::CalendarToken
            | Proof::Channel
            | Proof::Nothing => ("in x-api-key or as Authorization: Bearer", &BEARER),
        };
        let missing = || unauthorized(challenges, &format!("an API key is needed, {ways}"));
        let entry = api
            .keys()
            .find(key.ok_or_else(missing)?)
            .ok_or_else(|| unauthorized(challenges, "the API key is not known").refused(Refusal::WrongKey))?;
        if entry.may(door.act) {
            return Ok(Self::from(&*entry));
        }
        Err(Problem::new(StatusCode::FORBIDDEN, entry.lacks(door.act)).by_key(entry.name().as_str()))
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let door = door_of(&parts.method, &parts.extensions)?;
        match door.proof {
            Proof::SendersKey => Self::at_door(api, door, sent_in(&parts.headers).as_deref()),
            Proof::Key
            | Proof::KeyOrSession
            | Proof::RoutingKey
            | Proof::Session
            | Proof::Link
            | Proof::CalendarToken
            | Proof::Channel
            | Proof::Nothing => Self::at_door(api, door, key_of(&parts.headers)),
        }
    }
}

fn door_of(method: &Method, extensions: &Extensions) -> Result<&'static Door, Problem> {
    let fault = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error");
    Door::of_request(method, extensions).ok_or_else(fault)
}

const BEARER: [&str; 1] = ["Bearer realm=\"inresponse\""];
/// The challenges of a 401 answer. Amazon SNS sends the name and password of a URL only after such a challenge.
const BEARER_OR_BASIC: [&str; 2] = [BEARER[0], "Basic realm=\"inresponse\""];

fn unauthorized(challenges: &[&'static str], detail: &str) -> Problem {
    let challenge = |problem: Problem, challenge: &&'static str| {
        problem.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    };
    challenges.iter().fold(Problem::new(StatusCode::UNAUTHORIZED, detail), challenge)
}
