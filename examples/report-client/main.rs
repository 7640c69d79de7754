//! Reports an incident from a program, with the client.
//!
//! Usage: `report-client URL KEY`

use inresponse_client::{Client, ClientConfig, Report, Reported, Severity};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(key)) = (args.next(), args.next()) else {
        return Err("usage: report-client URL KEY".into());
    };
    let client = Client::new(ClientConfig::new(url).key(key))?;
    // With a dedup key it is safe to send the report again, whatever happened to the first one.
    let report = Report::new("athens", Severity::Crit, "checkout fails", "12 % of payments fail with 5xx")
        .dedup_key("athens/checkout")
        .label("env", "prod")
        .link("runbook", "https://wiki.example.org/checkout");
    match client.report(&report).await {
        Ok(Reported::New(incident)) => println!("incident {}", incident.incident_id),
        Ok(Reported::Repeat(incident)) => {
            println!("incident {}, reported {} times", incident.incident_id, incident.count);
        }
        Ok(Reported::Pinged(ping)) => println!("ping of heartbeat {}", ping.heartbeat),
        Err(error) if error.may_have_been_recorded() => {
            return Err(format!("{error}; send the report again").into());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
