//! Laws for promises 9 and 10: the outcomes of failed attempts, and their effect on the next attempt.

use inresponse_core::model::OutcomeKind;
use inresponse_core::notify::Outcome;

use super::post::{AMPLE, Post};
use super::{Behaviour, NotifierHarness};

/// A permanent refusal of this recipient is *rejected*. Only this outcome ends a delivery, so nothing else may be
/// *rejected*.
pub async fn p09_a_refusal_for_good_is_rejected<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Reject).await;
    let outcome = post.tell(&post.alert(0, 1, 1), AMPLE).await;
    assert!(
        matches!(outcome, Outcome::Rejected { .. }),
        "the carrier refused permanently, but the notifier answered {outcome:?}"
    );
    post.tried_at_most(0, 1).await;
    post.nothing_arrived(0).await;
}

/// A refusal for another reason than the recipient is not *rejected*. An operator can correct the reason, and until
/// then every recipient would be refused alike, so no delivery may end.
pub async fn p09_a_refusal_of_somebody_else_is_tried_again<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::RefuseSender).await;
    let outcome = post.tell(&post.alert(0, 1, 1), AMPLE).await;
    let may_be = matches!(outcome, Outcome::Unavailable { .. } | Outcome::Throttled { .. });
    assert!(may_be, "the carrier refused the sender, but the notifier answered {outcome:?}");
    post.tried_at_most(0, 1).await;
    post.nothing_arrived(0).await;
    post.is_reached_again(0).await;
}

/// A refused recipient affects nobody else: others are reached before and after the refusal.
pub async fn p13_a_refusal_is_its_recipients_only<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Reject).await;
    for (messages, attempt) in (1..=3).zip(1..) {
        let outcome = post.tell(&post.alert(0, 1, attempt), AMPLE).await;
        assert!(
            matches!(outcome, Outcome::Rejected { .. }),
            "the carrier refused permanently, but the notifier answered {outcome:?}"
        );
        assert_eq!(post.tell(&post.alert(1, 1, attempt), AMPLE).await.kind(), OutcomeKind::Accepted);
        post.has_arrived(1, messages).await;
    }
}

/// The notifier tries a busy carrier only once. The planner tries again, and counts attempts durably before they are
/// made.
pub async fn p09_a_busy_carrier_is_tried_once_and_is_not_dead<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Busy).await;
    for attempt in 1..=2 {
        let outcome = post.tell(&post.alert(0, 1, attempt), AMPLE).await;
        let may_be = matches!(outcome, Outcome::Unavailable { .. } | Outcome::Throttled { .. });
        assert!(may_be, "the carrier was busy, but the notifier answered {outcome:?}");
        post.tried_at_most(0, attempt as usize).await;
    }
    post.nothing_arrived(0).await;
}

/// A carrier that was busy is reached again by the next attempt.
pub async fn p09_a_carrier_that_was_busy_is_reached_again<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Busy).await;
    let outcome = post.tell(&post.alert(0, 1, 1), AMPLE).await;
    assert_ne!(outcome.kind(), OutcomeKind::Accepted, "the carrier was busy");
    post.is_reached_again(0).await;
}

/// If a carrier asks for a pause, the outcome says so with the pause, after one attempt.
pub async fn p09_an_asked_for_pause_is_told<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Throttle).await;
    let outcome = post.tell(&post.alert(0, 1, 1), AMPLE).await;
    let asked_for = matches!(&outcome, Outcome::Throttled { after, .. } if *after == Behaviour::PAUSE);
    assert!(
        asked_for,
        "the carrier asked for a pause of {:?}, but the notifier answered {outcome:?}",
        Behaviour::PAUSE
    );
    post.tried_at_most(0, 1).await;
    post.nothing_arrived(0).await;
}

/// An unreachable carrier is *unavailable*: certainly nothing was handed over, and the recipient is not at fault.
pub async fn p09_an_unreachable_carrier_is_unavailable<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Unreachable).await;
    for attempt in 1..=2 {
        let outcome = post.tell(&post.alert(0, 1, attempt), AMPLE).await;
        assert!(
            matches!(outcome, Outcome::Unavailable { .. }),
            "the carrier could not be reached, but the notifier answered {outcome:?}"
        );
    }
    post.nothing_arrived(0).await;
}

/// A carrier that was unreachable is reached again, even if there was a connection to it before.
pub async fn p09_a_carrier_that_is_back_is_reached_again<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    assert_eq!(post.tell(&post.alert(0, 1, 1), AMPLE).await.kind(), OutcomeKind::Accepted);
    post.behave(0, Behaviour::Unreachable).await;
    let outcome = post.tell(&post.alert(0, 2, 1), AMPLE).await;
    assert_ne!(outcome.kind(), OutcomeKind::Accepted, "nobody was there");
    post.is_reached_again(0).await;
}

/// A lost reply is *unknown*: the message has arrived, but the notifier cannot know that. So the notifier must not
/// report success or failure, and must not send the message again.
pub async fn p10_a_lost_reply_is_unknown_and_not_tried_again<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    // Over the first connection, and where it can be, over one that has worked before.
    for n in 0..2 {
        post.behave(n, Behaviour::TakeAndClose).await;
        let outcome = post.tell(&post.alert(n, 1, 1), AMPLE).await;
        assert!(
            matches!(outcome, Outcome::Unknown { .. }),
            "the reply was lost, but the notifier answered {outcome:?}"
        );
        post.has_arrived(n, 1).await;
        post.tried_at_most(n, 1).await;
        post.is_reached_again(n + 10).await;
    }
}

/// After a lost reply, the next attempt does not use the lost connection.
pub async fn p09_a_carrier_whose_reply_was_lost_is_reached_again<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::TakeAndClose).await;
    let outcome = post.tell(&post.alert(0, 1, 1), AMPLE).await;
    assert!(
        matches!(outcome, Outcome::Unknown { .. }),
        "the reply was lost, but the notifier answered {outcome:?}"
    );
    post.is_reached_again(0).await;
}
