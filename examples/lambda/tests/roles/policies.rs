//! The permissions of the deployed roles, by the API of IAM.

use std::fmt;

use serde_json::{Value, json};

use crate::cloud::Cloud;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// The policy that gives it.
    policy: String,
    pub(crate) action: String,
    pub(crate) resource: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.resource.splitn(6, ':').last().unwrap_or_default();
        write!(f, "{} on {resource}", self.action)
    }
}

/// A policy as IAM knows it.
#[derive(Debug)]
struct Policy {
    name: String,
    document: Value,
    permissions: Vec<Permission>,
}

/// The inline policies of a role.
#[derive(Debug)]
pub(crate) struct RolePolicies {
    /// The role's name.
    pub(crate) role: String,
    policies: Vec<Policy>,
}

/// The names of the stack's roles.
pub(crate) async fn role_names(cloud: &Cloud) -> Vec<String> {
    let answer = iam(cloud, "ListRoles", &[]).await;
    let mut names = texts(&answer, "RoleName");
    names.retain(|name| name.starts_with(&cloud.stack));
    names
}

impl RolePolicies {
    pub(crate) async fn of(cloud: &Cloud, role: String) -> Self {
        let listed = iam(cloud, "ListRolePolicies", &[("RoleName", &role)]).await;
        let mut policies = Vec::new();
        for name in texts(&listed, "member") {
            let answer = iam(cloud, "GetRolePolicy", &[("RoleName", &role), ("PolicyName", &name)]).await;
            let document = serde_json::from_str(&decoded(&texts(&answer, "PolicyDocument")[0])).unwrap();
            let permissions = permissions(&name, &document);
            policies.push(Policy { name, document, permissions });
        }
        Self { role, policies }
    }

    pub(crate) fn permissions(&self) -> Vec<Permission> {
        self.policies.iter().flat_map(|policy| policy.permissions.clone()).collect()
    }

    /// Writes the policies without these permissions.
    pub(crate) async fn take_away(&self, cloud: &Cloud, permissions: &[Permission]) {
        for policy in self.touched(permissions) {
            let left: Vec<_> = policy
                .permissions
                .iter()
                .filter(|permission| !permissions.contains(permission))
                .map(|p| json!({ "Effect": "Allow", "Action": p.action, "Resource": p.resource }))
                .collect();
            if left.is_empty() {
                let named = [("RoleName", self.role.as_str()), ("PolicyName", &policy.name)];
                iam(cloud, "DeleteRolePolicy", &named).await;
            } else {
                self.write(cloud, policy, &json!({ "Version": "2012-10-17", "Statement": left })).await;
            }
        }
    }

    /// Writes the policies as they were.
    pub(crate) async fn give_back(&self, cloud: &Cloud, permissions: &[Permission]) {
        for policy in self.touched(permissions) {
            self.write(cloud, policy, &policy.document).await;
        }
    }

    fn touched(&self, permissions: &[Permission]) -> impl Iterator<Item = &Policy> {
        self.policies.iter().filter(|policy| permissions.iter().any(|p| p.policy == policy.name))
    }

    async fn write(&self, cloud: &Cloud, policy: &Policy, document: &Value) {
        let document = document.to_string();
        let fields =
            [("RoleName", self.role.as_str()), ("PolicyName", &policy.name), ("PolicyDocument", &document)];
        iam(cloud, "PutRolePolicy", &fields).await;
    }
}

/// Every action of every statement on every resource of it.
fn permissions(policy: &str, document: &Value) -> Vec<Permission> {
    let mut all = Vec::new();
    for statement in several(&document["Statement"]) {
        let keys: Vec<_> = statement.as_object().unwrap().keys().map(String::as_str).collect();
        let understood = keys.iter().all(|key| ["Effect", "Action", "Resource"].contains(key));
        assert!(understood && statement["Effect"] == "Allow", "{statement}");
        for action in several(&statement["Action"]) {
            for resource in several(&statement["Resource"]) {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                all.push(Permission {
                    policy: policy.to_owned(),
                    action: text(action),
                    resource: text(resource),
                });
            }
        }
    }
    all
}

fn several(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

async fn iam(cloud: &Cloud, action: &str, fields: &[(&str, &str)]) -> String {
    cloud.query("iam", &[&[("Action", action), ("Version", "2010-05-08")], fields].concat()).await
}

/// What stands in the elements of that name, which hold nothing but text.
fn texts(xml: &str, element: &str) -> Vec<String> {
    let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&begin).skip(1).map(|rest| rest.split(&end).next().unwrap().to_owned()).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (hex, after) = rest.split_at(2);
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap());
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
