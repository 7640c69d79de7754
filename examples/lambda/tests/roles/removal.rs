//! Takes permissions away and gives them back.

use std::fmt;
use std::time::Duration;

use inresponse_core::clock::{Clock, SystemClock};

use crate::cloud::Cloud;
use crate::emulator::denials;
use crate::policies::{Permission, RolePolicies};
use crate::probes::{Probes, Role};
use crate::{Exception, UNCHECKED};

/// The number of times that a failure for another reason than a lack of permission is examined.
const TRIES: u32 = 3;
/// How long anything may take where all of it should work: no verdict depends on how busy the machine is.
const WORKS: Duration = Duration::from_secs(180);
/// How long what should fail may take, which is then tried again.
const FAILS: Duration = Duration::from_secs(15);

/// What came of one permission's removal.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) role: Role,
    pub(crate) permission: Permission,
    pub(crate) verdict: Verdict,
    took: Duration,
}

#[derive(Debug)]
pub(crate) enum Verdict {
    /// Without it the emulator denied it, and this failed.
    Needed(String),
    /// Nothing was denied and nothing failed, as [`UNCHECKED`] says.
    Unchecked,
    /// Neither.
    Wrong(String),
}

impl Finding {
    fn printed(self) -> Self {
        println!("{self}");
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, why) = match &self.verdict {
            Verdict::Needed(failed) => ("needed", failed.as_str()),
            Verdict::Unchecked => {
                ("unchecked", exception(self.role, &self.permission).map_or("", |exception| exception.why))
            }
            Verdict::Wrong(why) => ("WRONG", why.as_str()),
        };
        let (role, permission) = (format!("{:?}", self.role), self.permission.to_string());
        write!(f, "{role:10} {permission:76} {verdict:9} {:5.1} s  {why}", self.took.as_secs_f64())
    }
}

/// The permissions of one role, and what needs them.
pub(crate) struct Removal<'a> {
    cloud: &'a Cloud,
    probes: Probes<'a>,
    policies: RolePolicies,
    clock: SystemClock,
}

/// What happens without some permissions.
enum Without {
    Denied(String),
    Fine,
    Odd(String),
}

impl<'a> Removal<'a> {
    pub(crate) fn new(cloud: &'a Cloud, probes: Probes<'a>, policies: RolePolicies) -> Self {
        Self { cloud, probes, policies, clock: SystemClock::new() }
    }

    /// Takes each permission away.
    ///
    /// # Panics
    /// Something fails with all permissions, before or afterwards.
    pub(crate) async fn every_one(&mut self) -> Vec<Finding> {
        let role = self.probes.role;
        self.probes.run(WORKS).await.unwrap_or_else(|error| panic!("{role:?} with all permissions: {error}"));
        let mut findings = Vec::new();
        let (unchecked, checked): (Vec<_>, Vec<_>) =
            self.policies.permissions().into_iter().partition(|p| exception(role, p).is_some());
        for permission in checked {
            let before = self.clock.monotonic();
            let verdict = match self.without(std::slice::from_ref(&permission), FAILS).await {
                Without::Denied(failed) => Verdict::Needed(failed),
                Without::Fine => Verdict::Wrong("nothing is denied or fails without it".to_owned()),
                Without::Odd(why) => Verdict::Wrong(why),
            };
            let took = self.clock.monotonic() - before;
            findings.push(Finding { role, permission, verdict, took }.printed());
        }
        // What does without all of them does without each of them.
        let before = self.clock.monotonic();
        let together = self.without(&unchecked, WORKS).await;
        let took = self.clock.monotonic() - before;
        for permission in unchecked {
            let verdict = match &together {
                Without::Fine => Verdict::Unchecked,
                Without::Denied(why) | Without::Odd(why) => {
                    Verdict::Wrong(format!("one of this role's exceptions is none: {why}"))
                }
            };
            findings.push(Finding { role, permission, verdict, took }.printed());
        }
        self.probes
            .run(WORKS)
            .await
            .unwrap_or_else(|error| panic!("{role:?} with all permissions again: {error}"));
        findings
    }

    async fn without(&mut self, permissions: &[Permission], patience: Duration) -> Without {
        let mut odd = String::new();
        for _ in 0..TRIES {
            let before = denials(self.cloud).await.len();
            self.policies.take_away(self.cloud, permissions).await;
            let probed = self.probes.run(patience).await;
            self.policies.give_back(self.cloud, permissions).await;
            let denials = denials(self.cloud).await.split_off(before);
            let is_ours = |denial: &String| {
                let names = |p: &Permission| denial.contains(&format!(" to perform: {} ", p.action));
                denial.contains(&format!("assumed-role/{}/", self.policies.role))
                    && permissions.iter().any(names)
            };
            odd = match (probed, denials.iter().any(is_ours)) {
                (Err(failed), true) => return Without::Denied(failed),
                (Ok(()), false) => return Without::Fine,
                (Ok(()), true) => "it is denied, and nothing fails".to_owned(),
                (Err(failed), false) => format!("it is not denied, and yet: {failed}"),
            };
            println!("{:?}: {odd}", self.probes.role);
        }
        Without::Odd(odd)
    }
}

/// The exception that names it.
fn exception(role: Role, permission: &Permission) -> Option<&'static Exception> {
    UNCHECKED.iter().find(|exception| exception.names(role, permission))
}
