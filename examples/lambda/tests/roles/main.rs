//! What changes the deployment while it runs, so `cargo xtask cloud` runs it alone.
//!
//! No role allows what is not needed: each permission that the emulated cloud checks is taken away, and something fails.
//! No key or secret is good for longer than it should be: each is removed or replaced, and is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may panic, helpers of tests too"
)]

#[path = "../cloud/cloud.rs"]
#[allow(dead_code, reason = "shared with the tests of the cloud")]
mod cloud;
mod emulator;
mod policies;
mod probes;
mod removal;
mod rotation;

use inresponse_testkit::contract;
use serde_json::json;

use crate::cloud::Cloud;
use crate::policies::{Permission, RolePolicies};
use crate::probes::{Probes, Role};
use crate::removal::{Finding, Removal, Verdict};

/// What the emulated cloud does not check, or no probe needs. An exception that names nothing, or something that is checked, fails the
/// test.
static UNCHECKED: [Exception; 14] = [
    Exception::of_all("logs:CreateLogStream", "the emulator keeps the functions' logs itself"),
    Exception::of_all("logs:PutLogEvents", "the emulator keeps the functions' logs itself"),
    Exception::of_all("ses:SendEmail", "the emulator asks for it on `*`, which `cargo xtask cloud` adds"),
    Exception::of_all("ses:SendRawEmail", "SES asks for it where the content is raw, the emulator does not"),
    Exception {
        role: Some(Role::Escalation),
        action: "lambda:InvokeFunction",
        on: "",
        why: "the emulator's state machines call without their role",
    },
    Exception {
        role: Some(Role::Processor),
        action: "dynamodb:BatchWriteItem",
        on: "-OncallCalendar",
        why: "only the deletion of a team with about a hundred days needs it",
    },
    Exception {
        role: Some(Role::Processor),
        action: "dynamodb:BatchWriteItem",
        on: "-RosterChange",
        why: "only the deletion of a team or schedule with about a hundred parts needs it",
    },
    Exception {
        role: Some(Role::Notifier),
        action: "dynamodb:Scan",
        on: "-Service",
        why: "only a new round of a team without settings and days looks whether the team is known",
    },
    Exception::of_heartbeats("dynamodb:Query", "-Incident/index/byService"),
    Exception::of_notices("dynamodb:Scan", "-OncallCalendar"),
    Exception::of_notices("dynamodb:Query", "-Incident/index/byTeam"),
    Exception::of_notices("dynamodb:Query", "-Incident/index/byState"),
    Exception::of_feeds("dynamodb:PutItem"),
    Exception::of_feeds("dynamodb:DeleteItem"),
];

/// An action that is not checked.
#[derive(Debug)]
struct Exception {
    /// Whose; everybody's where none is named.
    role: Option<Role>,
    action: &'static str,
    /// What the resource ends with.
    on: &'static str,
    why: &'static str,
}

impl Exception {
    const fn of_all(action: &'static str, why: &'static str) -> Self {
        Self { role: None, action, on: "", why }
    }

    const fn of_notices(action: &'static str, on: &'static str) -> Self {
        let why = "only one sweep in five looks for notices, and the others go on without them";
        Self { role: Some(Role::Sweeper), action, on, why }
    }

    const fn of_heartbeats(action: &'static str, on: &'static str) -> Self {
        let why = "only if a function ended between a miss and its incident, which may exist then";
        Self { role: Some(Role::Sweeper), action, on, why }
    }

    const fn of_feeds(action: &'static str) -> Self {
        let why = "only a calendar on the internet has a copy, and the functions ask no other";
        Self { role: Some(Role::Sweeper), action, on: "-RosterChange", why }
    }

    fn names(&self, role: Role, permission: &Permission) -> bool {
        // What is allowed on `*` is what the emulator asks for.
        self.role.is_none_or(|of| of == role)
            && permission.action == self.action
            && permission.resource.ends_with(self.on)
            && permission.resource != "*"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_permission_is_needed() {
    let cloud = Cloud::here();
    // What is overdue waits for the sweeps of this test.
    let schedules = emulator::schedules(&cloud).await;
    assert_eq!(schedules.len(), 1, "the sweeper's: {schedules:?}");
    let schedule = json!({ "Name": schedules[0] });
    emulator::events(&cloud, "DisableRule", &schedule).await;
    let mut roles = policies::role_names(&cloud).await;
    let mut removal = async |role: Role| {
        let named = |name: &String| name.starts_with(&format!("{}-{role:?}Role-", cloud.stack));
        let at = roles.iter().position(named).unwrap_or_else(|| panic!("{role:?} has no role in {roles:?}"));
        let policies = RolePolicies::of(&cloud, roles.remove(at)).await;
        Removal::new(&cloud, Probes::new(&cloud, role), policies)
    };
    let mut processor = removal(Role::Processor).await;
    let mut escalation = removal(Role::Escalation).await;
    let mut notifier = removal(Role::Notifier).await;
    let mut sweeper = removal(Role::Sweeper).await;
    assert_eq!(roles, [""; 0], "nobody probes them");
    // Reports go through the processor and the state machine, so their roles are whole when the others are not.
    println!("each permission taken away (`ses:SendEmail` on `*` is the emulator's, not the template's):");
    let mut findings = processor.every_one().await;
    findings.extend(escalation.every_one().await);
    let (notifiers, sweepers) = tokio::join!(notifier.every_one(), sweeper.every_one());
    findings.extend(notifiers);
    findings.extend(sweepers);
    emulator::events(&cloud, "EnableRule", &schedule).await;

    let is_wrong = |finding: &&Finding| matches!(finding.verdict, Verdict::Wrong(_));
    let wrong: Vec<_> = findings.iter().filter(is_wrong).map(Finding::to_string).collect();
    let needed = findings.iter().filter(|f| matches!(f.verdict, Verdict::Needed(_))).count();
    let unchecked = findings.len() - needed - wrong.len();
    println!("{} permissions: {needed} needed, {unchecked} unchecked, {} wrong", findings.len(), wrong.len());
    let is_stale = |e: &&Exception| !findings.iter().any(|f| e.names(f.role, &f.permission));
    let stale: Vec<_> = UNCHECKED.iter().filter(is_stale).collect();
    assert!(wrong.is_empty() && stale.is_empty(), "{wrong:#?}, exceptions that name nothing: {stale:#?}");
}
