//! The steps of a long command. Each step has a time limit, a failure stops no other step, and all failures are
//! listed at the end.

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::tools::{Failure, target_dir, within};

/// A step that can be named on the command line.
pub(crate) trait Step: ValueEnum + Copy + PartialEq + 'static {
    /// The command that the step belongs to.
    const COMMAND: &'static str;

    /// The time limit of the step: far longer than it takes, so that only a hanging step reaches it.
    fn limit(self) -> Duration;

    /// The steps that must have succeeded before this one.
    fn needs(self) -> &'static [Self];

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The result of one step.
enum End {
    Passed,
    Failed(Failure),
    /// The step was not run, because a step that it needs had failed.
    NotRun {
        missing: String,
    },
}

/// The results of all steps.
pub(crate) struct Account<S> {
    ended: Vec<(S, Duration, End)>,
}

impl<S: Step> Account<S> {
    /// Runs these steps in their order by calling `perform`.
    #[expect(clippy::disallowed_methods, reason = "the time is only printed, and decides nothing")]
    pub(crate) fn of(steps: &[S], mut perform: impl FnMut(S) -> Result<(), Failure>) -> Self {
        let mut account = Self { ended: Vec::new() };
        for (place, step) in steps.iter().copied().enumerate() {
            if let Some(missing) = account.missing(step) {
                account.ended.push((step, Duration::ZERO, End::NotRun { missing: missing.name() }));
                continue;
            }
            println!("\n===== {}/{}: {}", place + 1, steps.len(), step.name());
            let began = Instant::now();
            let end = match within(step.limit(), || perform(step)) {
                Ok(()) => End::Passed,
                Err(failure) => {
                    println!("\n===== {} FAILED, and the next step begins: {failure}", step.name());
                    End::Failed(failure)
                }
            };
            println!("===== {}: {}; {}", step.name(), shown(began.elapsed()), free_space());
            account.ended.push((step, began.elapsed(), end));
        }
        account
    }

    /// A step that this one needs and that did not pass. A step that was not chosen counts as passed.
    fn missing(&self, step: S) -> Option<S> {
        let failed = |(other, _, end): &&(S, Duration, End)| {
            step.needs().contains(other) && !matches!(end, End::Passed)
        };
        self.ended.iter().find(failed).map(|(other, ..)| *other)
    }

    /// Prints the table, and fails if a step did. `options` were given to the command beside the steps.
    pub(crate) fn close(self, options: &str) -> Result<(), Failure> {
        println!("\n{}", self.table());
        let failed = self.ended.iter().filter(|(.., end)| !matches!(end, End::Passed)).count();
        if failed == 0 {
            println!("everything passed");
            return Ok(());
        }
        println!("{}", self.failures(options));
        Err(format!("{failed} of {} steps did not pass", self.ended.len()).into())
    }

    fn table(&self) -> String {
        let mut table = String::from("| step | took | ended |\n|---|---|---|\n");
        for (step, took, end) in &self.ended {
            let end = match end {
                End::Passed => "passed".to_owned(),
                End::Failed(_) => "FAILED".to_owned(),
                End::NotRun { missing } => format!("not run: it needs {missing}"),
            };
            let _infallible = writeln!(table, "| {} | {} | {end} |", step.name(), shown(*took));
        }
        let all = self.ended.iter().map(|(_, took, _)| *took).sum();
        let _infallible = write!(table, "| all | {} | |", shown(all));
        table
    }

    fn failures(&self, options: &str) -> String {
        let mut list = String::from("failed:");
        for (step, _, end) in &self.ended {
            let why = match end {
                End::Passed => continue,
                End::Failed(failure) => failure.to_string(),
                End::NotRun { missing } => format!("not run, because {missing} failed"),
            };
            let _infallible = write!(list, "\n- {}: {}", step.name(), why.replace('\n', "\n    "));
            let _infallible =
                write!(list, "\n    again: cargo xtask {} {}{options}", S::COMMAND, step.name());
        }
        list
    }
}

/// The space that is left on the disk of the target folder, as text. A full disk fails steps in ways that do not tell so.
fn free_space() -> String {
    let mut df = Command::new("df");
    let printed =
        df.args(["--output=avail", "--block-size=GiB"]).arg(target_dir()).stderr(Stdio::null()).output();
    let space = printed.ok().and_then(|printed| String::from_utf8(printed.stdout).ok());
    let space = space.as_deref().and_then(|text| text.lines().nth(1)).map(str::trim);
    space.map_or_else(
        || "free space on the disk is unknown".to_owned(),
        |space| format!("{space} free on the disk"),
    )
}

/// The named steps, or the usual ones if none was named, in the order of their declaration.
pub(crate) fn chosen<S: Step>(named: &[S], usual: impl Fn(S) -> Usual) -> Vec<S> {
    let asked = |step: &&S| match named {
        [] => usual(**step) == Usual::Run,
        named => named.contains(step),
    };
    S::value_variants().iter().filter(asked).copied().collect()
}

/// Whether a step is run if none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    Run,
    OnlyByName,
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// A duration as text, such as minutes and seconds.
pub(crate) fn shown(took: Duration) -> String {
    match took.as_secs() {
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        seconds @ 10..100 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::run;

    #[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
    enum Three {
        Build,
        Tests,
        Docs,
    }

    impl Step for Three {
        const COMMAND: &'static str = "test";

        fn limit(self) -> Duration {
            Duration::from_secs(1)
        }

        fn needs(self) -> &'static [Self] {
            match self {
                Self::Build | Self::Docs => &[],
                Self::Tests => &[Self::Build],
            }
        }
    }

    #[test]
    fn a_run_goes_on_after_a_failure_and_lists_all_of_them_with_what_repeats_each() {
        let account = Account::of(Three::value_variants(), |step| match step {
            Three::Build => Err("two\nlines".into()),
            Three::Tests => unreachable!("it needs what failed"),
            Three::Docs => Err("a link leads nowhere".into()),
        });
        let list = account.failures("");
        for expected in [
            "- build: two\n    lines\n    again: cargo xtask test build",
            "- tests: not run, because build failed\n    again: cargo xtask test tests",
            "- docs: a link leads nowhere\n    again: cargo xtask test docs",
        ] {
            assert!(list.contains(expected), "{list}");
        }
        let table = account.table();
        assert!(table.contains("| tests | 0.0 s | not run: it needs build |"), "{table}");
        assert_eq!(account.close("").unwrap_err().to_string(), "3 of 3 steps did not pass");
    }

    #[test]
    fn what_hangs_is_ended_with_all_that_it_started_and_the_next_step_runs() {
        let mut docs = false;
        let file = std::env::temp_dir().join(format!("inresponse-hangs-{}", std::process::id()));
        // It must not end by itself, nor must what it started.
        let script = format!("sleep 3600 & echo $! > {}; sleep 3600; true", file.display());
        let hang = || run(Command::new("sh").args(["-c", script.as_str()]));
        let account = Account::of(&[Three::Tests, Three::Docs], |step| match step {
            Three::Docs => {
                docs = true;
                run(&mut Command::new("true"))
            }
            Three::Tests | Three::Build => hang(),
        });
        assert!(docs, "nothing ran after what hung");
        let list = account.failures("");
        assert!(list.contains("TIME LIMIT"), "{list}");
        let Ok(started) = std::fs::read_to_string(&file) else { return };
        let stat = format!("/proc/{}/stat", started.trim());
        // Killed: gone, or not yet taken note of by its new parent.
        let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        while runs() {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn only_what_is_named_is_run_and_in_its_usual_order() {
        let usual = |step| if step == Three::Docs { Usual::OnlyByName } else { Usual::Run };
        assert_eq!(chosen(&[], usual), [Three::Build, Three::Tests]);
        assert_eq!(chosen(&[Three::Docs, Three::Build], usual), [Three::Build, Three::Docs]);
    }
}
