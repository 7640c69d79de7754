//! Live pages: the part of a page that changes, on demand or as a stream of events.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use inresponse_core::model::{IncidentNumber, Person};
use inresponse_core::{Chain, Outage};

use super::filter::Filter;
use super::live::{Age, Live, PACE};
use super::session::SignedIn;
use super::streams::Place;
use super::{incident, list, message, outage};
use crate::Api;
use crate::here::Here;
use crate::input::{Params, number};
use crate::problem::Problem;

/// The interval of the events that keep an idle stream open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The interval at which a stream asks the store for a filtered list.
const FILTERED_PACE: Duration = Duration::from_secs(5);
/// The header in which a browser sends the id of the last event when it reconnects.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The page that a stream belongs to.
#[derive(Debug, Clone)]
enum View {
    /// The list of incidents.
    List(Filter),
    /// The page of one incident.
    Incident(IncidentNumber),
}

impl View {
    fn read(mut params: Params) -> Result<(Self, Option<String>), Problem> {
        let seen = params.take("seen", |text| Ok(text.to_owned()));
        let view = match params.take("incident", number) {
            Some(number) => Self::Incident(number),
            None => Self::List(Filter::take(&mut params)),
        };
        params.finish()?;
        Ok((view, seen))
    }

    /// The interval at which a stream asks the store. What a filter must read costs more than what a store finds.
    fn pace(&self) -> Duration {
        match self {
            View::List(filter) if filter.is_read() => FILTERED_PACE,
            View::List(_) | View::Incident(_) => PACE,
        }
    }

    /// Renders the live part of the page. `None` if there is no such incident.
    async fn render(&self, api: &Api, me: &Person, age: Age) -> Result<Option<Live>, Outage> {
        match self {
            View::List(filter) => list::live(api, filter, me, age).await.map(Some),
            View::Incident(number) => incident::live(api, *number, me).await,
        }
    }
}

/// The live part of a page, or a page that says what went wrong.
async fn live(api: &Api, view: View, me: &Person) -> Result<Live, Box<Response>> {
    match view.render(api, me, Age::Fresh).await {
        Ok(Some(live)) => Ok(live),
        Ok(None) => {
            Err(Box::new(message(api, Some(me), StatusCode::NOT_FOUND, "There is no such incident.")))
        }
        Err(error) => Err(Box::new(outage(api, me, &error))),
    }
}

/// Answers the current live part, or nothing if it has not changed.
pub(super) async fn fragment(Here(api): Here, me: SignedIn, params: Params) -> Result<Response, Problem> {
    let (view, seen) = View::read(params)?;
    let live = match live(&api, view, &me.by).await {
        Ok(live) => live,
        Err(response) => return Ok(*response),
    };
    if seen.as_ref() == Some(&live.seen) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            ETAG,
            HeaderValue::from_str(&format!("\"{}\"", live.seen))
                .expect("a hexadecimal number makes a header"),
        ),
    ];
    Ok((headers, live.html).into_response())
}

/// Sends the live part whenever it has changed, until the server stops or the session ends.
pub(super) async fn stream(
    Here(api): Here,
    me: SignedIn,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let (view, seen) = View::read(params)?;
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let Some(place) = api.page_settings().streams.take(&me.caller.key) else {
        return Err(Problem::unavailable("too many live pages"));
    };
    let events = Sse::new(changes(Watch { api, view, me, seen: last.or(seen), _place: place }));
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    // Some proxies collect an answer before they pass it on. This header stops them.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no"), (CACHE_CONTROL, "no-store")];
    Ok((unbuffered, events.keep_alive(keep_alive)).into_response())
}

/// A stream: who watches which page, and the version that they saw last.
struct Watch {
    api: Api,
    view: View,
    me: SignedIn,
    seen: Option<String>,
    _place: Place,
}

fn changes(watch: Watch) -> impl Stream<Item = Result<Event, Infallible>> {
    let stopped = watch.api.stopped();
    unfold((watch, Duration::ZERO), move |(mut watch, mut pause)| {
        let stopped = stopped.clone();
        async move {
            let pace = watch.view.pace();
            let change = async {
                loop {
                    tokio::time::sleep(pause).await;
                    pause = pace;
                    match watch.me.holds(&watch.api).await {
                        Ok(true) => {}
                        Ok(false) => return None,
                        Err(error) => {
                            tracing::debug!(error = %Chain::of(&error), "a live page could not be updated");
                            continue;
                        }
                    }
                    match watch.view.render(&watch.api, &watch.me.by, Age::Recent).await {
                        Ok(Some(live)) if watch.seen.as_ref() != Some(&live.seen) => return Some(live),
                        Ok(Some(_) | None) => {}
                        // The page stays as it is. The health check shows the outage.
                        Err(error) => {
                            tracing::debug!(error = %Chain::of(&error), "a live page could not be updated")
                        }
                    }
                }
            };
            // An open stream would keep the server from stopping.
            let live = stopped.run_until_cancelled_owned(change).await??;
            watch.seen = Some(live.seen.clone());
            let event = Event::default().event("fragment").id(live.seen).data(live.html);
            Some((Ok(event), (watch, pace)))
        }
    })
}
