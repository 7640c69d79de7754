//! Checks dependencies of crates, circles among files, log lines, and the edits that plant bugs.

use crate::tools::{Failure, cargo, output};
use crate::{bugs, circles, log_lines};

/// Checks that the core depends on no HTTP, SQL, AWS or SMTP, and on tokio only by choice; that translation, calendars
/// and the types on the wire depend on none of these; and that the default build has nothing of AWS.
pub(crate) fn purity() -> Result<(), Failure> {
    const NEVER: [&str; 15] = [
        "axum",
        "hyper",
        "http",
        "reqwest",
        "rusqlite",
        "libsqlite3-sys",
        "sqlx",
        "tokio-postgres",
        "lettre",
        "rustls",
        "native-tls",
        "openssl",
        "lambda_runtime",
        "aws-config",
        "aws-smithy-runtime",
    ];
    println!("\nwhat the core depends on:");
    for (features, also) in [(&["--no-default-features"][..], Some("tokio")), (&["--all-features"][..], None)]
    {
        let mut tree = cargo();
        tree.args(["tree", "-p", "inresponse-core", "--edges", "normal", "--prefix", "none", "--locked"]);
        tree.args(["--format", "{p}"]).args(features);
        let tree = output(&mut tree)?;
        let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        println!("  {}: {} crates", features.join(" "), names.len());
        if let Some(found) = names.iter().find(|name| NEVER.contains(name) || also == Some(**name)) {
            return Err(format!("inresponse-core must not depend on {found} (with {features:?})").into());
        }
    }
    let pure: [(&str, &[&str]); 3] = [
        ("inresponse-intake", &[]),
        ("inresponse-calendar", &[]),
        ("inresponse-api", &["--features", "openapi"]),
    ];
    for (pure, features) in pure {
        let mut tree = cargo();
        tree.args(["tree", "-p", pure, "--edges", "normal", "--prefix", "none", "--locked"]);
        let tree = output(tree.args(["--format", "{p}"]).args(features))?;
        let mut names = tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| *name != pure);
        // Without the conversions for servers, the types on the wire must not depend on our other crates either.
        let is_ours = |name: &str| pure == "inresponse-api" && name.starts_with("inresponse-");
        if let Some(found) = names.find(|name| NEVER.contains(name) || *name == "tokio" || is_ours(name)) {
            return Err(format!("{pure} must not depend on {found}").into());
        }
    }
    without_aws()?;
    circles::check()?;
    log_lines::check()?;
    bugs::check()
}

/// Checks that the default build needs nothing of AWS. (Its TLS library is called `aws-lc` and is allowed.)
fn without_aws() -> Result<(), Failure> {
    let tree = output(cargo().args(["tree", "--edges", "normal,build", "--prefix", "none", "--locked"]))?;
    let is_aws =
        |line: &&str| ["aws-sdk-", "aws-smithy-", "aws-config "].iter().any(|name| line.starts_with(name));
    match tree.lines().find(is_aws) {
        Some(found) => Err(format!("the default build must not depend on {found}").into()),
        None => Ok(()),
    }
}
