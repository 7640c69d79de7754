//! Translates requests of clients of Opsgenie's alert API.
//!
//! Sources: Opsgenie's documentation of the alert API (create, close, acknowledge and unacknowledge alert, add note,
//! request status), and Zabbix's media type for it. The API key belongs to one service, because calls that only
//! acknowledge or close name no service. Requests are completed before they are answered, so that a request id contains
//! the result.

use inresponse_core::InvalidInput;
use inresponse_core::model::IncidentNumber;

use crate::json::{Object, as_text, object};
use crate::pagerduty::details;
use crate::rule::unmapped;
use crate::trouble::Repairs;
use crate::{Context, Recovery, Remark, Signal, Subject, Trouble, key};

/// Translates a body of `POST /v2/alerts`.
///
/// # Errors
/// The body is invalid, or has no message.
pub fn create(body: &[u8], context: &Context<'_>) -> Result<Signal, InvalidInput> {
    let create = object(body)?;
    let message = create.text("message").ok_or_else(|| InvalidInput::field("message", "is missing"))?;
    let alias = create.text("alias");
    let dedup_key = match alias.as_deref().and_then(key::of) {
        Some(key) => key,
        None => key::made_of(body, context.now)?,
    };
    let priority = create.text("priority").and_then(|word| context.rule.severity_word(&word));
    let severity = priority.unwrap_or(context.rule.unknown_severity());
    let service = context.service.cloned().unwrap_or_else(unmapped);
    let mut trouble = Trouble::new(service, dedup_key, severity, "opsgenie")
        .title([message.as_str()])
        .paragraph(&create.text("description").unwrap_or_default())
        .paragraph(&create.text("note").unwrap_or_default());
    for name in ["entity", "source", "priority", "user"] {
        if let Some(value) = create.text(name) {
            trouble = trouble.label(name, &value);
        }
    }
    let tags = create.array("tags").iter().filter_map(as_text).collect::<Vec<_>>().join(", ");
    if !tags.trim().is_empty() {
        trouble = trouble.label("tags", &tags);
    }
    trouble = details(trouble, create.get("details").cloned());
    Ok(Signal::Report(Box::new(trouble)))
}

/// Which alert a path and its `identifierType` identify.
///
/// # Errors
/// The type is unknown, or there is no identifier of that type.
pub fn subject(identifier: &str, identifier_type: Option<&str>) -> Result<Subject, InvalidInput> {
    let unknown = || InvalidInput::field("identifier", "is not the id of an alert");
    match identifier_type.unwrap_or("id") {
        "alias" => key::of(identifier).map(Subject::Key).ok_or_else(unknown),
        "id" => {
            let request = RequestId::parse(identifier).ok_or_else(unknown)?;
            request.incident.map(Subject::Number).ok_or_else(unknown)
        }
        "tiny" => identifier.parse().map(IncidentNumber::new).map(Subject::Number).map_err(|_| unknown()),
        _ => Err(InvalidInput::field("identifierType", "must be id, tiny or alias")),
    }
}

/// Translates a request about an existing alert.
///
/// # Errors
/// The body is neither empty nor a JSON object, or a note has no text.
pub fn act(
    asked: Asked,
    subject: Subject,
    body: &[u8],
    context: &Context<'_>,
) -> Result<Signal, InvalidInput> {
    let service = context.service.cloned().unwrap_or_else(unmapped);
    let given = if body.iter().all(u8::is_ascii_whitespace) { Object::default() } else { object(body)? };
    let by = given.text("user").and_then(|user| key::person(&user));
    let note = Repairs::default().into_note(&given.text("note").unwrap_or_default());
    Ok(match asked {
        Asked::Close => Signal::Recovery(Recovery { by, note, ..Recovery::untimed(service, subject) }),
        Asked::Acknowledge => Signal::Acknowledgement(Remark { service, subject, by, note }),
        Asked::Unacknowledge => Signal::Release(Remark { service, subject, by, note }),
        Asked::Note if note.is_some() => Signal::Note(Remark { service, subject, by, note }),
        Asked::Note | Asked::Create => return Err(InvalidInput::field("note", "is missing")),
    })
}

/// The kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Create an alert.
    Create,
    /// Acknowledge an alert.
    Acknowledge,
    /// Close an alert.
    Close,
    /// Take an acknowledgement back.
    Unacknowledge,
    /// Add a note to an alert.
    Note,
}

/// The id of a completed request: its kind, and its incident if there was one.
///
/// The id looks like the UUIDs that Opsgenie gives. The id of an alert is the id of the request that created it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// The kind of request.
    pub action: Asked,
    /// The incident of the request; `None` if there was none.
    pub incident: Option<IncidentNumber>,
}

impl RequestId {
    /// The id as text.
    pub fn text(&self) -> String {
        let action = match self.action {
            Asked::Create => 1,
            Asked::Acknowledge => 2,
            Asked::Close => 3,
            Asked::Unacknowledge => 4,
            Asked::Note => 5,
        };
        // Version 8: a UUID of one's own making.
        let number = self.incident.map_or(0, IncidentNumber::value);
        let (high, low) = (number >> 48, number & 0xffff_ffff_ffff);
        format!("00000000-{high:04x}-8{action:03x}-8000-{low:012x}")
    }

    /// Reads an id from its text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |len: usize| {
            let part = parts.next().filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u64::from_str_radix(part, 16).ok()
        };
        let (zero, high, action, variant, low) = (part(8)?, part(4)?, part(4)?, part(4)?, part(12)?);
        let action = match action {
            0x8001 => Asked::Create,
            0x8002 => Asked::Acknowledge,
            0x8003 => Asked::Close,
            0x8004 => Asked::Unacknowledge,
            0x8005 => Asked::Note,
            _ => return None,
        };
        let number = high << 48 | low;
        let known = zero == 0 && variant == 0x8000 && parts.next().is_none();
        known.then_some(Self { action, incident: (number > 0).then(|| IncidentNumber::new(number)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_contains_the_result() {
        for action in [Asked::Create, Asked::Acknowledge, Asked::Close, Asked::Unacknowledge, Asked::Note] {
            for incident in [None, Some(1), Some(10_000), Some(u64::MAX)] {
                let id = RequestId { action, incident: incident.map(IncidentNumber::new) };
                assert_eq!(RequestId::parse(&id.text()), Some(id));
                assert_eq!(id.text().len(), 36);
            }
        }
        for text in ["", "x", "00000000-0000-8001-8000", "43a29c5c-3dbf-4fa4-9c26-f4f71023e120"] {
            assert_eq!(RequestId::parse(text), None, "{text}");
        }
    }
}
