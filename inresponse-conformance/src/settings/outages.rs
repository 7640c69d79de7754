//! Laws of promise 4: an outage tells the truth. If an answer was lost, the swap may have happened.

use inresponse_core::settings::{Settings, Swapped};

use super::{swap, value};
use crate::Interrupted;
use crate::line::{Line, Loss, losses, tells_undone};

/// If the answer to a swap was lost, an outage that says that nothing was changed is a lie, and so is *changed*: the
/// caller would believe that somebody else was faster.
pub async fn p04_a_swap_whose_answer_was_lost_is_not_told_as_undone<H: Interrupted<Subject: Settings>>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let line = Line::new();
    let settings = harness.over(&first, &line).await;
    let mut undone = Vec::new();
    for (key, loss) in losses() {
        for was in [None, Some(b"before")] {
            let (name, was) = (format!("{key} from {was:?}"), was.map(|was| &was[..]));
            if let Some(was) = was {
                assert_eq!(swap(&first, &name, None, was).await, Swapped::Done);
            }
            line.lose(loss);
            let swapped = settings.swap_setting(&name, was, b"after").await;
            line.lose(Loss::None);
            let stored = value(&first, &name).await;
            match swapped {
                Ok(Swapped::Done) => {
                    assert_eq!(stored.as_deref(), Some(&b"after"[..]), "{name}: as answered")
                }
                Ok(Swapped::Changed) => panic!(
                    "{name}: nobody else has swapped, but the settings answered that the value was another: they must \
                     recognise their own swap when they repeat it"
                ),
                Err(outage) if tells_undone(&outage) => undone.push((name, was, outage)),
                Err(_) => assert!(stored.as_deref() == was || stored.as_deref() == Some(b"after"), "{name}"),
            }
        }
    }
    for (name, was, outage) in undone {
        assert_eq!(
            value(&first, &name).await.as_deref(),
            was,
            "{name}: an outage of kind {:?} says that nothing was changed, but the swap happened: after a lost answer \
             the kind must be Unknown ({outage})",
            outage.kind()
        );
    }
}
