//! Admission: a request takes a place only once it has arrived completely.
//!
//! A client that only announces a body uses a connection, but no place among the concurrent requests.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

use crate::Api;
use crate::lanes::{Lane, Place};
use crate::problem::Problem;

/// Whether a request reads or changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// The request only reads.
    Read,
    /// The request may change something.
    Change,
}

/// The admission of one request to its lane. Clones belong to the same request.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    api: Api,
    intent: Intent,
    standing: Arc<Mutex<Standing>>,
}

#[derive(Debug)]
enum Standing {
    Arriving(Lane),
    Here(#[allow(dead_code, reason = "it is held")] Place),
    Refused,
}

impl Admission {
    /// The admission of a request that begins to arrive in that lane.
    pub(crate) fn new(api: Api, intent: Intent, lane: Lane) -> Self {
        Self { api, intent, standing: Arc::new(Mutex::new(Standing::Arriving(lane))) }
    }

    /// Takes a place in the request's lane as soon as one is free.
    ///
    /// # Errors
    /// No place became free in time.
    pub(crate) async fn enter(&self) -> Result<(), Problem> {
        match self.lane() {
            Some(lane) => self.enter_lane(&lane).await,
            None => Ok(()),
        }
    }

    /// Takes a place, like [`enter`](Self::enter), in the lane of the key that the body contains.
    ///
    /// # Errors
    /// No place became free in time.
    pub(crate) async fn enter_lane(&self, lane: &Lane) -> Result<(), Problem> {
        self.note_change(lane);
        let place = self.api.places().take_soon(lane).await;
        self.settle(place)
    }

    /// Waits until the request's lane has a free place. The request takes the place once it has arrived.
    ///
    /// # Errors
    /// No place became free in time.
    pub(crate) async fn find_room(&self) -> Result<(), Problem> {
        match self.lane() {
            Some(lane) if !self.api.places().has_room_soon(&lane).await => self.settle(None),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes the place, because the request has arrived.
    fn arrive(&self) -> Result<(), Problem> {
        match self.lane() {
            Some(lane) => {
                self.note_change(&lane);
                self.settle(self.api.places().take(&lane))
            }
            None => self.refused().map_or(Ok(()), Err),
        }
    }

    /// The lane of the request, if the request has no place yet.
    fn lane(&self) -> Option<Lane> {
        match &*self.standing() {
            Standing::Arriving(lane) => Some(lane.clone()),
            Standing::Here(_) | Standing::Refused => None,
        }
    }

    fn note_change(&self, lane: &Lane) {
        if self.intent == Intent::Change {
            self.api.places().changes(lane, self.api.engine().clock().monotonic());
        }
    }

    fn settle(&self, place: Option<Place>) -> Result<(), Problem> {
        let is_here = place.is_some();
        *self.standing() = place.map_or(Standing::Refused, Standing::Here);
        if is_here { Ok(()) } else { Err(self.problem()) }
    }

    /// Why the request was refused, if it was.
    pub(crate) fn refused(&self) -> Option<Problem> {
        matches!(*self.standing(), Standing::Refused).then(|| self.problem())
    }

    /// Wraps the body: when the body ends, the request has arrived.
    pub(crate) fn until_end_of(self, body: Body) -> Body {
        Body::new(Arriving { body, admission: self })
    }

    fn problem(&self) -> Problem {
        let problem = Problem::unavailable("too many requests in progress");
        match self.intent {
            Intent::Read => problem,
            Intent::Change => problem.not_recorded(),
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Arriving {
    body: Body,
    admission: Admission,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let has_arrived = frame.is_none() || self.body.is_end_stream();
        if has_arrived && self.admission.arrive().is_err() {
            return Poll::Ready(Some(Err(axum::Error::new(NoPlace))));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The error of a body whose request got no place. The reader of the body does not need the reason: `limits::bound`
/// makes the answer.
#[derive(Debug)]
struct NoPlace;

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many requests in progress")
    }
}

impl Error for NoPlace {}
