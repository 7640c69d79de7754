//! Builds the tests once, with all features, and runs them in parts.

use std::process::{Command, Stdio};

use crate::tools::{Failure, cargo, run, target_dir};

/// The features of everything that is run: the server and the simulation on AWS. All parts use the same features and
/// the whole workspace, because cargo builds again for another package or other features.
pub(crate) const FEATURES: &str = "inresponse-server/aws,inresponse-sim/dynamo,inresponse-sim/postgres";

/// Installs the test runner if it is missing.
pub(crate) fn install() -> Result<(), Failure> {
    let found = cargo().args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    println!("cargo-nextest is missing and is installed now; that takes some minutes");
    run(cargo().args(["install", "cargo-nextest", "--locked"]))
}

/// Adds arguments that make cargo use what [`build`] has built.
pub(crate) fn as_built(command: &mut Command) -> &mut Command {
    command.args(["--workspace", "--locked", "--features", FEATURES])
}

/// Builds all tests, and the programs that they run.
pub(crate) fn build() -> Result<(), Failure> {
    run(as_built(cargo().args(["nextest", "run", "--no-run"])))
}

/// A selection of tests.
pub(crate) struct Tests {
    pub(crate) command: Command,
}

impl Tests {
    /// The tests that the filter of the test runner selects, narrowed by `only`.
    pub(crate) fn of(filter: &str, only: Option<&str>) -> Self {
        let mut command = cargo();
        as_built(command.args(["nextest", "run"]));
        command.arg("--filterset");
        match only {
            Some(only) => command.arg(format!("({filter}) and ({only})")),
            None => command.arg(filter),
        };
        Self { command }
    }

    /// Runs the selected tests. Prints which failed, and how to run each of these again in the step of that name.
    pub(crate) fn run(&mut self, step: &str) -> Result<(), Failure> {
        let report = target_dir().join("nextest/default/junit.xml");
        // Removes the report of an earlier run, so that it is not read if this run cannot even be built.
        let _missing = std::fs::remove_file(&report);
        let ran = run(&mut self.command);
        let failed = std::fs::read_to_string(&report).map(|report| failed(&report)).unwrap_or_default();
        match ran {
            Err(failure) if !failed.is_empty() => {
                let again = failed.iter().map(|(binary, test)| {
                    let one = format!("binary_id(={binary}) and test(={test})");
                    format!("\n{binary} {test}\n    again: cargo xtask test {step} --only '{one}'")
                });
                Err(format!("{failure}{}", again.collect::<String>()).into())
            }
            other => other,
        }
    }
}

/// The failed tests in a JUnit report: the program, and the test's name.
fn failed(report: &str) -> Vec<(String, String)> {
    let cases = report.split("<testcase ").skip(1);
    let failed = cases.filter(|case| {
        let case = case.split_once("</testcase>").map_or(*case, |(case, _)| case);
        // A test that failed at first and then passed has others.
        case.contains("<failure") || case.contains("<error")
    });
    let attribute = |case: &str, name: &str| {
        let case = format!(" {case}");
        let (_, value) = case.split_once(&format!(" {name}=\""))?;
        Some(value.split_once('"')?.0.to_owned())
    };
    failed.filter_map(|case| Some((attribute(case, "classname")?, attribute(case, "name")?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_that_failed_are_read_from_the_report() {
        let report = r#"<testsuites name="nextest-run"><testsuite name="inresponse-core" tests="3">
            <testcase name="plan::p08_never_early" classname="inresponse-core" time="0.01"/>
            <testcase name="plan::p09_never_lost" classname="inresponse-core" time="0.01">
                <failure type="test failure with exit code 101">left != right</failure>
            </testcase>
            <testcase name="p03_one" classname="inresponse-dynamo::laws" time="900">
                <error type="test timeout"/></testcase></testsuite></testsuites>"#;
        let expected = [("inresponse-core", "plan::p09_never_lost"), ("inresponse-dynamo::laws", "p03_one")];
        let expected = expected.map(|(binary, test)| (binary.to_owned(), test.to_owned()));
        assert_eq!(failed(report), expected);
    }
}
