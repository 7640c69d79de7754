//! Laws of promise 13: a carrier that does not answer delays nobody else.

use std::time::Duration;

use futures_util::future::{Either, join_all, select, select_all};
use inresponse_core::model::OutcomeKind;
use inresponse_core::notify::{Notifier, Outcome};
use tokio::time::timeout;

use super::post::{AMPLE, Post, SHORT};
use super::{Behaviour, NotifierHarness};
use crate::waiting::eventually;

/// An attempt at a silent carrier ends at the deadline. The outcome is neither accepted nor rejected, and there was
/// only one attempt.
pub async fn p13_a_silent_carrier_is_given_up_at_the_deadline<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Hang).await;
    for attempt in 1..=2 {
        let outcome = post.tell(&post.alert(0, 1, attempt), SHORT).await;
        let may_be = matches!(outcome, Outcome::Unknown { .. } | Outcome::Unavailable { .. });
        assert!(may_be, "the carrier did not answer, but the notifier answered {outcome:?}");
        post.tried_at_most(0, attempt as usize).await;
    }
}

/// An alert arrives while several other alerts of the same notifier hang.
pub async fn p13_a_hanging_alert_delays_no_other<H: NotifierHarness>(harness: &H) {
    const HANGING: usize = 3;
    let post = Post::new(harness).await;
    let mut hanging = Vec::new();
    for n in 1..=HANGING {
        post.behave(n, Behaviour::Hang).await;
        let (notifier, alert) = (post.notifier.clone(), post.alert(n, 1, 1));
        hanging.push(tokio::spawn(async move { notifier.notify(&alert, AMPLE).await }));
    }
    eventually(&true, || async {
        let mut attempts = 0;
        for n in 1..=HANGING {
            attempts += post.attempts(n).await;
        }
        attempts > 0
    })
    .await;
    let alert = post.alert(0, 1, 1);
    let told = std::pin::pin!(post.tell(&alert, AMPLE));
    match select(told, select_all(hanging)).await {
        Either::Left((outcome, _)) => assert_eq!(outcome.kind(), OutcomeKind::Accepted),
        Either::Right(((ended, _, _), _)) => {
            panic!("a hanging alert ended before the others, with {ended:?}")
        }
    }
    post.has_arrived(0, 1).await;
}

/// An abandoned attempt blocks no later one: the engine drops an attempt that exceeds its deadline.
pub async fn p13_an_abandoned_alert_blocks_nothing<H: NotifierHarness>(harness: &H) {
    /// More abandoned attempts than a notifier is likely to have connections.
    const ABANDONED: u32 = 24;
    let post = Post::new(harness).await;
    post.behave(1, Behaviour::Hang).await;
    let alerts: Vec<_> = (1..=ABANDONED).map(|attempt| post.alert(1, 1, attempt)).collect();
    let sends = join_all(alerts.iter().map(|alert| post.notifier.notify(alert, AMPLE)));
    if let Ok(outcomes) = timeout(Duration::from_millis(50), sends).await {
        assert!(
            !outcomes.iter().any(|outcome| outcome.kind() == OutcomeKind::Accepted),
            "the carrier did not answer, but the notifier answered {outcomes:?}"
        );
    }
    assert_eq!(post.tell(&post.alert(0, 1, 1), AMPLE).await.kind(), OutcomeKind::Accepted);
    post.has_arrived(0, 1).await;
    post.is_reached_again(1).await;
}

/// A missing reply is *unknown*: the message has arrived, but the notifier cannot know that. So the notifier may report
/// neither success nor failure.
pub async fn p10_a_reply_that_does_not_come_is_unknown<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::TakeAndHang).await;
    let outcome = post.tell(&post.alert(0, 1, 1), Duration::from_secs(1)).await;
    post.tried_at_most(0, 1).await;
    let taken = post.arrived(0).await.len();
    match outcome {
        Outcome::Unknown { .. } => {}
        // On a very slow machine the deadline may come before the message was handed over.
        Outcome::Unavailable { .. } if taken == 0 => {}
        other => panic!("the carrier took the message without a reply, but the notifier answered {other:?}"),
    }
}
