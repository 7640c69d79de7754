//! The answers that several calls have in common, as the API document lists them.

use inresponse_api::Problem;
use utoipa::IntoResponses;

/// Declares problems: a name, a status, and what the API document says.
macro_rules! problems {
    ($($name:ident: $status:literal, $description:literal;)*) => {$(
        #[derive(IntoResponses)]
        #[response(status = $status, description = $description)]
        pub(crate) struct $name(#[expect(dead_code, reason = "only the API document has it")] Problem);
    )*};
}

problems! {
    InvalidField: 400, "a field is invalid";
    InvalidParameter: 400, "a parameter is invalid";
    WrongToken: 403, "the token is wrong";
    NoSuchHeartbeat: 404, "no such heartbeat";
    NoSuchIncident: 404, "no such incident";
    NoSuchOverride: 404, "no such override";
    NoSuchPerson: 404, "no such person";
    NoSuchSchedule: 404, "no such schedule";
    NoSuchSilence: 404, "no such silence";
    NoSuchService: 404, "no such service";
    NoSuchTeam: 404, "no such team";
    NoEntry: 404, "no entry";
    NotAllowedNow: 409, "the incident's state does not allow the update; see claimedBy";
    NoOwner: 422, "no team owns the key's service";
    NoReceiver: 422, "the team does not exist, or incidents may not be handed to this person outside the roster";
    NoValidAlert: 422, "none of the message's alerts is valid";
    InvalidAlert: 422, "it is invalid";
    UnknownName: 422, "a name is not known, or names form a circle";
    TooManyHandOvers: 429, "too many hand-overs to people outside the roster; see Retry-After";
    AlertNotStored: 503, "an alert could not be stored: send the whole message again";
    ChangeNotStored: 503, "the change could not be stored: send it again";
    EventNotStored: 503, "the event could not be stored: send it again";
}
