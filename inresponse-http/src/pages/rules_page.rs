//! Routing rules: what each matches, and what it does.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::model::OwnerName;
use inresponse_core::roster::Rule;

use super::session::SignedIn;
use super::{Frame, Place, html, problem};
use crate::here::Here;
use crate::routes::routing::current;

#[derive(Template)]
#[template(path = "rules.html")]
struct List {
    frame: Frame,
    lines: Vec<Line>,
    owner: Option<String>,
}

/// A rule.
struct Line {
    name: String,
    matchers: Vec<String>,
    does: String,
}

impl Line {
    fn new(rule: &Rule) -> Self {
        let parts = [
            rule.team.as_ref().map(|team| format!("alerts team {team}")),
            rule.severity.map(|severity| format!("sets the severity to {severity}")),
            rule.record_only.then(|| "only records, and alerts nobody".to_owned()),
            rule.heartbeat.as_ref().map(|name| format!("is a ping of heartbeat {name}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        Self {
            name: rule.name.to_string(),
            matchers: rule.matchers.iter().map(ToString::to_string).collect(),
            does: if parts.is_empty() { "leaves the report as it is".to_owned() } else { parts.join("; ") },
        }
    }
}

/// All routing rules, in their order.
pub(super) async fn list(Here(api): Here, me: SignedIn) -> Response {
    let routes = match current(&api).await {
        Ok(routes) => routes,
        Err(error) => return problem(&api, &me.by, &error),
    };
    let rules = routes.iter().flat_map(|routes| routes.rules());
    let page = List {
        frame: Frame::new(&api, Some(&me.by), Place::Settings),
        lines: rules.map(Line::new).collect(),
        owner: routes.as_ref().and_then(|routes| routes.owner()).map(OwnerName::to_string),
    };
    html(StatusCode::OK, &page)
}
