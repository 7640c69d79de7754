//! The metrics of answered requests, whose handles are made once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

/// The handles of the metrics of each route. Routes, methods and statuses are limited, so the handles are too.
#[derive(Default)]
pub(crate) struct Counted {
    routes: RwLock<HashMap<Box<str>, OfRoute>>,
}

struct OfRoute {
    duration: Histogram,
    requests: Vec<(&'static str, StatusCode, Counter)>,
}

impl Counted {
    /// Counts an answered request. The metrics must have been installed before the first call.
    pub(crate) fn count(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let method = word(method);
        // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_route) = routes.get(route)
            && let Some((.., requests)) =
                of_route.requests.iter().find(|(m, s, _)| (*m, *s) == (method, status))
        {
            requests.increment(1);
            of_route.duration.record(took.as_secs_f64());
            return;
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let of_route = routes
            .entry(route.into())
            .or_insert_with(|| OfRoute { duration: duration(route), requests: Vec::new() });
        of_route.duration.record(took.as_secs_f64());
        let new = requests(method, route, status);
        new.increment(1);
        // Another request may have added the same in the meantime: both handles count together.
        of_route.requests.push((method, status, new));
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted(…)")
    }
}

/// Counts an answered request for metrics that may be installed later.
pub(crate) fn count_once(method: &Method, route: &str, status: StatusCode, took: Duration) {
    requests(word(method), route, status).increment(1);
    duration(route).record(took.as_secs_f64());
}

fn requests(method: &'static str, route: &str, status: StatusCode) -> Counter {
    counter!("inresponse_http_requests_total", "method" => method, "route" => route.to_owned(),
        "status" => status.as_str().to_owned())
}

fn duration(route: &str) -> Histogram {
    histogram!("inresponse_http_request_duration_seconds", "route" => route.to_owned())
}

/// The name of the method in the metrics. A client may send any word, so the names are limited.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn every_request_is_counted_once_by_method_route_and_status() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let (counted, took) = (Counted::default(), Duration::from_millis(1));
            let purge = Method::from_bytes(b"PURGE").unwrap();
            for _ in 0..3 {
                counted.count(&Method::PUT, "/incidents", StatusCode::CREATED, took);
                counted.count(&Method::PUT, "/incidents", StatusCode::OK, took);
                counted.count(&purge, "unmatched", StatusCode::NOT_FOUND, took);
                count_once(&Method::PUT, "/incidents", StatusCode::CREATED, took);
            }
        });
        let shown = handle.render();
        let requests =
            |labels: &str, count: u32| format!("inresponse_http_requests_total{{{labels}}} {count}");
        for line in [
            requests(r#"method="PUT",route="/incidents",status="201""#, 6),
            requests(r#"method="PUT",route="/incidents",status="200""#, 3),
            requests(r#"method="other",route="unmatched",status="404""#, 3),
            r#"inresponse_http_request_duration_seconds_count{route="/incidents"} 9"#.to_owned(),
        ] {
            assert!(shown.contains(&line), "{line}\n{shown}");
        }
    }
}
