//! Running a law against an adapter that it must catch.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Runs a law on one thread, where time passes at once whenever everybody waits.
///
/// # Errors
/// What the law has to complain about.
pub(crate) fn holds(law: impl Future<Output = ()>) -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(3600), law).await };
    match catch_unwind(AssertUnwindSafe(|| runtime.block_on(limited))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => panic!("the law did not end"),
        Err(complaint) => Err(match complaint.downcast::<String>() {
            Ok(text) => *text,
            Err(other) => other.downcast_ref::<&str>().map_or_else(String::new, |s| (*s).to_owned()),
        }),
    }
}

/// Sees that a law complains.
pub(crate) fn must_catch(law: impl Future<Output = ()>) {
    let complaint = holds(law).expect_err("the law passes an adapter that breaks it");
    // Laws complain in words. A scene that cannot be played, or a model that trips, is no catch.
    assert!(!complaint.contains("the scene") && !complaint.contains("called `"), "{complaint}");
}

/// `suite, maker; law: defects; …` → a test per law and defect, named `law::defect`, and one that sees that no
/// law of the suite is missing.
///
/// Each defect is one way to break the suite's model, which is sound without. `maker` makes a harness of it.
macro_rules! broken {
    ($suite:ident, $maker:path; $( $law:ident: $($defect:ident),+ $(,)?; )+) => {
        /// What is wrong with a model.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(non_camel_case_types, reason = "each is the name of a test, too")]
        pub(crate) enum Defect {
            none,
            $( $( $defect, )+ )+
        }

        $(
            mod $law {
                $(
                    #[test]
                    fn $defect() {
                        let harness = $maker(super::Defect::$defect);
                        $crate::support::must_catch(async {
                            inresponse_conformance::$suite::$law(&harness).await;
                        });
                    }
                )+
            }
        )+

        #[test]
        fn every_law_catches_a_broken_model() {
            let mut laws = inresponse_conformance::$suite::LAWS.to_vec();
            let mut catching = vec![$( stringify!($law) ),+];
            laws.sort_unstable();
            catching.sort_unstable();
            assert_eq!(laws, catching);
        }
    };
}
