//! The command `inresponse route`, and routing rules in words.

use chrono::{DateTime, Utc};
use clap::Args;
use inresponse_client::{Entry, Route, Severity};

use super::connect::Connect;
use super::outlook::steps;
use super::{Failure, output, report};

#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// The service of the report
    #[arg(long)]
    service: String,
    /// CRIT, ERR or WARN (default: CRIT)
    #[arg(long, value_parser = report::severity)]
    severity: Option<Severity>,
    /// A label of the report; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = report::pair)]
    label: Vec<(String, String)>,
    /// The time of the report, in RFC 3339 (default: now); seconds may be left out
    #[arg(long, value_name = "TIME", value_parser = report::instant)]
    at: Option<DateTime<Utc>>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn route(args: RouteArgs) -> Result<(), Failure> {
    let severity = args.severity.as_ref().map(ToString::to_string);
    let client = args.connect.client()?;
    let at = args.at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    let route = client.route(&args.service, severity.as_deref(), &args.label, at.as_deref()).await?;
    if args.connect.json {
        output::json(&route)?;
        return Ok(());
    }
    for (name, value) in fields(&route) {
        output::say(&format!("{name:<10} {}", output::line(&value)))?;
    }
    if route.heartbeat.is_some() {
        return Ok(());
    }
    output::say("")?;
    steps(&route.steps)
}

/// What happens to a report, as names and values.
fn fields(route: &Route) -> Vec<(&'static str, String)> {
    let rule = route.rule.clone().unwrap_or_else(|| "none matches".to_owned());
    let mut fields = vec![("rule", rule)];
    fields.extend(route.ignored.as_deref().map(|why| ("ignored", ignored(why))));
    if let Some(heartbeat) = &route.heartbeat {
        fields.push(("effect", format!("a ping of heartbeat {heartbeat}, and no incident")));
        return fields;
    }
    fields.extend(route.team.clone().map(|team| ("team", team)));
    fields.push(("severity", route.severity.to_string()));
    if route.record_only {
        fields.push(("effect", "recorded only: nobody is alerted".to_owned()));
    }
    fields
}

/// Why a rule has no effect.
fn ignored(why: &str) -> String {
    match why.split_once(':') {
        Some(("unknownTeam", team)) => format!("there is no team {team}, so the rule has no effect"),
        Some(("noPing", heartbeat)) => {
            format!("this is no ping of heartbeat {heartbeat}, so the rule has no effect")
        }
        _ => why.to_owned(),
    }
}

/// What a routing rule decided, as an entry of a timeline.
pub(super) fn decided(entry: &Entry) -> String {
    let rule = entry.rule.as_deref().unwrap_or("unknown");
    if let Some(why) = &entry.ignored {
        return format!("routing rule {rule}: {}", ignored(why));
    }
    let reported = entry.from.as_ref().map_or_else(String::new, |from| format!(", reported as {from}"));
    let parts = [
        entry.to.as_ref().map(|team| format!("gives it to team {team}")),
        entry.severity.as_ref().map(|severity| format!("makes it {severity}{reported}")),
        entry.record_only.then(|| "only records it, so nobody is alerted".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let does = if parts.is_empty() { "leaves it as it is".to_owned() } else { parts.join(", ") };
    format!("routing rule {rule} {does}")
}

#[cfg(test)]
mod tests {
    use inresponse_client::EventKind;

    use super::*;

    #[test]
    fn what_a_rule_decided_is_one_sentence() {
        let entry = |change: &dyn Fn(&mut Entry)| {
            let mut entry = Entry::new(DateTime::UNIX_EPOCH, EventKind::Routed);
            entry.rule = Some("databases".to_owned());
            change(&mut entry);
            decided(&entry)
        };
        assert_eq!(entry(&|_| {}), "routing rule databases leaves it as it is");
        let all = entry(&|entry| {
            entry.to = Some("dba".to_owned());
            entry.severity = Some(Severity::Crit);
            entry.from = Some("WARN".to_owned());
            entry.record_only = true;
        });
        let expected = "routing rule databases gives it to team dba, makes it CRIT, reported as WARN, only records it, \
                        so nobody is alerted";
        assert_eq!(all, expected);
        let gone = entry(&|entry| entry.ignored = Some("unknownTeam:dba".to_owned()));
        assert_eq!(gone, "routing rule databases: there is no team dba, so the rule has no effect");
    }
}
