//! The commands of the dry run and of the coverage check.

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, Utc};
use clap::Args;
use inresponse_client::{Finding, Severity, Step};

use super::connect::Connect;
use super::{Failure, output};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The service
    service: String,
    /// CRIT, ERR or WARN (default: CRIT)
    #[arg(long, value_parser = super::report::severity)]
    severity: Option<Severity>,
    /// The time of the report, in RFC 3339 (default: now); seconds may be left out
    #[arg(long, value_name = "TIME", value_parser = super::report::instant)]
    at: Option<DateTime<Utc>>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn plan(args: PlanArgs) -> Result<(), Failure> {
    let severity = args.severity.as_ref().map(ToString::to_string);
    let plan = args.connect.client()?.plan(&args.service, severity.as_deref(), args.at).await?;
    if args.connect.json {
        output::json(&plan)?;
        return Ok(());
    }
    steps(&plan.steps)
}

/// Prints the steps of a dry run as a table.
pub(super) fn steps(steps: &[Step]) -> Result<(), Failure> {
    if steps.is_empty() {
        output::say("nobody is alerted")?;
        return Ok(());
    }
    let bold = Style::new().bold();
    output::say(&format!(
        "{bold}{:<23}  {:<8}  {:<24}  {:<10}  WHY{bold:#}",
        "TIME", "LEVEL", "PERSON", "METHOD"
    ))?;
    for step in steps {
        let (person, method, why) =
            (output::line(&step.person), output::line(&step.method), output::line(&step.why));
        let (at, level) = (output::time(step.at), step.level.to_string());
        output::say(&format!("{at}  {level:<8}  {person:<24}  {method:<10}  {why}"))?;
    }
    Ok(())
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// How many days ahead: 1 to 400
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// One team only
    #[arg(long)]
    team: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

/// The kinds of findings because of which an alert may reach nobody.
const SERIOUS: [&str; 4] = ["gap", "noMethod", "unknownName", "staleFeed"];

pub(super) async fn check(args: CheckArgs) -> Result<(), Failure> {
    let coverage = args.connect.client()?.coverage(Some(args.days), args.team.as_deref()).await?;
    if args.connect.json {
        output::json(&coverage)?;
    } else {
        for finding in &coverage.findings {
            output::say(&row(finding))?;
        }
    }
    let serious = coverage.findings.iter().filter(|finding| is_serious(finding)).count();
    let plural = if coverage.findings.len() == 1 { "" } else { "s" };
    let summary = format!("{} finding{plural}, {serious} of them serious", coverage.findings.len());
    if serious > 0 {
        return Err(Failure::Refused(summary));
    }
    eprintln!("{summary}");
    Ok(())
}

fn is_serious(finding: &Finding) -> bool {
    SERIOUS.contains(&finding.kind.as_str())
}

/// A finding as a row of a table.
fn row(finding: &Finding) -> String {
    let style =
        if is_serious(finding) { Style::new().fg_color(Some(AnsiColor::Red.into())) } else { Style::new() };
    let span = match (finding.from, finding.to) {
        (Some(from), Some(to)) => format!("  {} to {}", output::time(from), output::time(to)),
        (Some(from), None) => format!("  from {}", output::time(from)),
        (None, _) => String::new(),
    };
    let (team, kind, detail) =
        (output::line(&finding.team), output::line(&finding.kind), output::line(&finding.detail));
    format!("{style}{kind:<14}{style:#}  {team:<16}{span}  {detail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serious_kinds_are_kinds_that_the_coverage_check_has() {
        use inresponse_core::roster::FindingKind;
        for kind in SERIOUS {
            assert!(FindingKind::ALL.iter().any(|known| known.as_str() == kind), "{kind}");
        }
    }
}
