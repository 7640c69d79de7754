//! The page with every metric, read from where the metrics are described.

use std::collections::BTreeSet;
use std::fmt::Write;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{Visit, visit_macro};
use syn::{Lit, Macro};

use crate::prose::files;
use crate::tools::{Failure, root};

const DESCRIBED: &str = "inresponse-http/src/metrics.rs";

const HEAD: &str = "\
# Metrics

<!-- `cargo xtask reference` writes this page from the source. -->

`GET /metrics` answers in the text format of Prometheus. It needs an API key with any scope. The counters and histograms are
those of one process, and begin at zero when it starts. The gauges about incidents are read from the database at each
request.

[alerts.yml](../operations/alerts.yml) has alert rules for Prometheus, and [dashboard.json](../operations/dashboard.json) a
dashboard for Grafana.

| metric | kind | counts or measures |
|---|---|---|
";

/// A metric with its description.
#[derive(Debug, PartialEq, Eq)]
struct Described {
    name: String,
    kind: &'static str,
    words: String,
}

pub(super) fn page() -> Result<String, Failure> {
    let described = described(&std::fs::read_to_string(root().join(DESCRIBED))?)?;
    let mut page = HEAD.to_owned();
    for Described { name, kind, words } in &described {
        writeln!(page, "| `{name}` | {kind} | {words} |")?;
    }
    let named: BTreeSet<&str> = described.iter().map(|metric| metric.name.as_str()).collect();
    let missing: Vec<String> = used()?.into_iter().filter(|name| !named.contains(name.as_str())).collect();
    if missing.is_empty() {
        return Ok(page);
    }
    Err(format!("{DESCRIBED} does not describe {}", missing.join(", ")).into())
}

fn described(source: &str) -> Result<Vec<Described>, Failure> {
    let mut calls = Calls { described: Vec::new(), used: Vec::new() };
    calls.visit_file(&syn::parse_file(source)?);
    calls.described.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(calls.described)
}

/// The names of all metrics that the crates count or set.
fn used() -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for file in files()?.iter().filter(|file| file.path.ends_with(".rs") && file.path.contains("/src/")) {
        if file.text.contains("counter!(")
            || file.text.contains("gauge!(")
            || file.text.contains("histogram!(")
        {
            let mut calls = Calls { described: Vec::new(), used: Vec::new() };
            calls.visit_file(&syn::parse_file(&file.text)?);
            names.extend(calls.used);
        }
    }
    Ok(names)
}

/// The calls of macros about metrics.
struct Calls {
    described: Vec<Described>,
    used: Vec<String>,
}

impl<'a> Visit<'a> for Calls {
    fn visit_macro(&mut self, call: &'a Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let mut texts = texts(&call.tokens).into_iter();
        let kind = match name.as_str() {
            "describe_counter" => Some("counter"),
            "describe_gauge" => Some("gauge"),
            "describe_histogram" => Some("histogram"),
            _ => None,
        };
        match (kind, texts.next()) {
            (Some(kind), Some(name)) => {
                let words = texts.next_back().unwrap_or_default();
                self.described.push(Described { name, kind, words });
            }
            (None, Some(metric)) if ["counter", "gauge", "histogram"].contains(&name.as_str()) => {
                self.used.push(metric);
            }
            _ => {}
        }
        visit_macro(self, call);
    }
}

/// The texts among the arguments of a macro.
fn texts(arguments: &TokenStream) -> Vec<String> {
    let texts = arguments.clone().into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => match Lit::new(literal) {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_is_read_with_its_kind() {
        let source = r#"fn describe() {
            describe_gauge!("b", Count, "How many.");
            describe_counter!("a_total", "With \
                two lines.");
            counter!("c_total", "reason" => "x").increment(1);
        }"#;
        let described = described(source).unwrap();
        let read: Vec<_> = described.iter().map(|m| (m.name.as_str(), m.kind, m.words.as_str())).collect();
        assert_eq!(read, [("a_total", "counter", "With two lines."), ("b", "gauge", "How many.")]);
    }
}
