//! The metrics, named by Prometheus' conventions.

use chrono::{DateTime, Utc};
use inresponse_core::store::Census;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const SECONDS: [f64; 14] =
    [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0];
const BATCH: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Starts to collect the metrics of this process. Metrics can be installed only once per process.
///
/// # Errors
/// Another recorder collects metrics already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("inresponse_commit_batch_size".into()), &BATCH)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    use Unit::{Count, Seconds};
    describe_counter!("inresponse_incidents_reported_total", Count, "New incidents, by severity.");
    describe_counter!("inresponse_incidents_repeated_total", Count, "Reports added to an open incident.");
    describe_counter!(
        "inresponse_intake_alerts_total",
        Count,
        "Other systems' alerts, by sender and outcome."
    );
    // The counters begin at zero: a counter that began with its first refusal would show no increase.
    for (_, sender) in crate::signals::SENDERS {
        counter!("inresponse_intake_alerts_total", "sender" => sender, "outcome" => "refused").absolute(0);
    }
    describe_counter!("inresponse_reports_refused_total", Count, "Reports that were refused, by reason.");
    for reason in ["unknown_service", "invalid", "forbidden"] {
        counter!("inresponse_reports_refused_total", "reason" => reason).absolute(0);
    }
    describe_counter!(
        "inresponse_requests_refused_total",
        Count,
        "Wrong keys, wrong sessions and failed sign-ins, by reason."
    );
    for reason in crate::refusals::REASONS {
        counter!("inresponse_requests_refused_total", "reason" => reason).absolute(0);
    }
    describe_counter!("inresponse_deliveries_total", Count, "Attempts to alert somebody, by outcome.");
    describe_counter!(
        "inresponse_beyond_limit_total",
        Count,
        "Messages beyond a limit (address) or the budget of the day, by channel, and whether they were held back."
    );
    describe_gauge!(
        "inresponse_budget_used_ratio",
        "The part of the day's budget that a channel has used, as this server knew at its last message."
    );
    describe_counter!("inresponse_unclaimed_incidents_total", Count, "Incidents that became unclaimed.");
    describe_counter!("inresponse_undelivered_incidents_total", Count, "Incidents that became undelivered.");
    describe_gauge!("inresponse_heartbeats", Count, "Heartbeats, by state.");
    describe_counter!("inresponse_heartbeat_pings_total", Count, "Pings of heartbeats that were stored.");
    describe_counter!("inresponse_heartbeats_missed_total", Count, "Heartbeats that did not come in time.");
    describe_counter!(
        "inresponse_quiet_rules_unread_total",
        Count,
        "Times that silences and alert hours could not be read, so the last known ones counted for a while."
    );
    describe_counter!(
        "inresponse_timers_failed_total",
        Count,
        "In the cloud: timers of incidents that could not be started."
    );
    describe_counter!(
        "inresponse_timers_lost_total",
        Count,
        "In the cloud: overdue incidents whose timer was lost, found by the sweeper."
    );
    describe_counter!("inresponse_clock_jumps_total", Count, "Jumps of the wall clock, by direction.");
    describe_counter!("inresponse_http_requests_total", Count, "Requests, by method, route and status.");
    describe_histogram!("inresponse_http_request_duration_seconds", Seconds, "Time to answer, by route.");
    describe_histogram!(
        "inresponse_report_to_accepted_seconds",
        Seconds,
        "Time from a report to the first alert that a carrier accepted."
    );
    describe_histogram!("inresponse_due_lag_seconds", Seconds, "How late due work was started.");
    describe_histogram!("inresponse_commit_batch_size", Count, "Writes committed in one transaction.");
    describe_gauge!("inresponse_commit_queue_depth", Count, "Writes waiting to be committed.");
    describe_gauge!("inresponse_incidents", Count, "Incidents, by state.");
    describe_gauge!(
        "inresponse_incidents_unclaimed",
        Count,
        "Open incidents that nobody claimed in the whole escalation."
    );
    describe_gauge!(
        "inresponse_incidents_undelivered",
        Count,
        "Open incidents for which nobody could be reached."
    );
    describe_gauge!(
        "inresponse_alerts_waiting",
        Count,
        "Open incidents with an alert not accepted within five minutes."
    );
    describe_gauge!(
        "inresponse_oncall_uncovered_days",
        Count,
        "Days within the next seven on which nobody in the team is on call."
    );
    describe_gauge!(
        "inresponse_coverage_findings",
        Count,
        "Findings of the coverage check for the next 30 days, by team and kind."
    );
    describe_histogram!("inresponse_canary_seconds", Seconds, "Time until the canary's mail was accepted.");
    describe_gauge!(
        "inresponse_canary_last_accepted_timestamp_seconds",
        Seconds,
        "When the canary's mail was last accepted, in Unix time."
    );
    describe_counter!("inresponse_canary_failures_total", Count, "Canaries that were not accepted.");
    describe_counter!(
        "inresponse_task_panics_total",
        Count,
        "Tasks of the server that panicked and started again."
    );
    describe_gauge!("inresponse_overdue_seconds", Seconds, "How long the most overdue incident has waited.");
}

/// Sets the gauges. They are computed when somebody reads the metrics.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn show(census: &Census, now: DateTime<Utc>) {
    gauge!("inresponse_incidents", "state" => "open").set(census.open as f64);
    gauge!("inresponse_incidents", "state" => "claimed").set(census.claimed as f64);
    if let Some(resolved) = census.resolved {
        gauge!("inresponse_incidents", "state" => "resolved").set(resolved as f64);
    }
    gauge!("inresponse_incidents_unclaimed").set(census.unclaimed as f64);
    gauge!("inresponse_incidents_undelivered").set(census.undelivered as f64);
    gauge!("inresponse_alerts_waiting").set(census.waiting as f64);
    let overdue = census.next_due_at.and_then(|due| (now - due).to_std().ok()).unwrap_or_default();
    gauge!("inresponse_overdue_seconds").set(overdue.as_secs_f64());
}
