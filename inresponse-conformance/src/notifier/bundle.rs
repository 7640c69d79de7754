//! Laws of promise 23: many alerts in one message, whose outcome is that of each of them.
//!
//! They pass for a notifier without a [bundler](inresponse_core::notify::Notifier::bundler): the engine gives it single
//! alerts only.

use inresponse_core::model::OutcomeKind;
use inresponse_core::notify::{Bundle, Outcome};

use super::post::{AMPLE, Post, SHORT};
use super::{Behaviour, NotifierHarness};

/// A bundle arrives as one message, however many alerts it has and whatever they contain. The message says how many
/// incidents there are, or names each of them.
pub async fn p23_a_bundle_arrives_as_one_message<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    for (n, alerts) in [2, 13, Bundle::MOST].into_iter().enumerate() {
        let bundle = post.bundle(n, alerts);
        let Some(outcome) = post.tell_many(&bundle, AMPLE).await else { return };
        assert_eq!(outcome.kind(), OutcomeKind::Accepted, "{alerts} alerts: {outcome:?}");
        let arrived = post.has_arrived(n, 1).await;
        post.tried_at_most(n, 1).await;
        let text = &arrived[0].text;
        let is_named = |number: &u64| text.contains(&number.to_string());
        let numbers = bundle.alerts().iter().map(|alert| alert.incident().number().value());
        let unnamed: Vec<u64> = numbers.filter(|number| !is_named(number)).collect();
        assert!(
            text.contains(&alerts.to_string()) || unnamed.is_empty(),
            "the message says neither that there are {alerts} incidents, nor names {unnamed:?}: {text:?}"
        );
    }
}

/// A permanent refusal of the recipient of a bundle is *rejected*: all its deliveries end.
pub async fn p23_a_refused_bundle_is_rejected<H: NotifierHarness>(harness: &H) {
    let is_right = |outcome: &Outcome| matches!(outcome, Outcome::Rejected { .. });
    ends(harness, Behaviour::Reject, is_right).await;
}

/// A refusal of a bundle for another reason than the recipient is not *rejected*.
pub async fn p23_a_bundle_whose_sender_is_refused_is_tried_again<H: NotifierHarness>(harness: &H) {
    let is_right =
        |outcome: &Outcome| matches!(outcome, Outcome::Unavailable { .. } | Outcome::Throttled { .. });
    ends(harness, Behaviour::RefuseSender, is_right).await;
}

/// The notifier tries a busy carrier only once with a bundle, which is not dead then.
pub async fn p23_a_bundle_for_a_busy_carrier_is_tried_once_and_is_not_dead<H: NotifierHarness>(harness: &H) {
    let is_right =
        |outcome: &Outcome| matches!(outcome, Outcome::Unavailable { .. } | Outcome::Throttled { .. });
    ends(harness, Behaviour::Busy, is_right).await;
}

/// If a carrier asks for a pause after a bundle, the outcome says so with the pause.
pub async fn p23_a_pause_that_is_asked_of_a_bundle_is_told<H: NotifierHarness>(harness: &H) {
    let is_right =
        |outcome: &Outcome| matches!(outcome, Outcome::Throttled { after, .. } if *after == Behaviour::PAUSE);
    ends(harness, Behaviour::Throttle, is_right).await;
}

/// A bundle for an unreachable carrier is *unavailable*.
pub async fn p23_a_bundle_for_an_unreachable_carrier_is_unavailable<H: NotifierHarness>(harness: &H) {
    let is_right = |outcome: &Outcome| matches!(outcome, Outcome::Unavailable { .. });
    ends(harness, Behaviour::Unreachable, is_right).await;
}

/// A bundle whose message arrives at the recipient without a reply is *unknown*, after one attempt.
pub async fn p23_a_bundle_whose_reply_is_lost_is_unknown<H: NotifierHarness>(harness: &H) {
    let is_right = |outcome: &Outcome| matches!(outcome, Outcome::Unknown { .. });
    ends(harness, Behaviour::TakeAndClose, is_right).await;
}

/// A bundle for a silent carrier ends at the deadline, after one attempt, neither accepted nor rejected.
pub async fn p23_a_bundle_for_a_silent_carrier_is_given_up_at_the_deadline<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    post.behave(0, Behaviour::Hang).await;
    let Some(outcome) = post.tell_many(&post.bundle(0, 3), SHORT).await else { return };
    let may_be = matches!(outcome, Outcome::Unknown { .. } | Outcome::Unavailable { .. });
    assert!(may_be, "the carrier did not answer, but the notifier answered {outcome:?}");
    post.tried_at_most(0, 1).await;
}

async fn ends<H: NotifierHarness>(harness: &H, behaviour: Behaviour, is_right: impl Fn(&Outcome) -> bool) {
    let post = Post::new(harness).await;
    post.behave(0, behaviour).await;
    let Some(outcome) = post.tell_many(&post.bundle(0, 3), AMPLE).await else { return };
    assert!(is_right(&outcome), "to {behaviour:?} the notifier answered {outcome:?}");
    post.tried_at_most(0, 1).await;
    post.has_arrived(0, usize::from(behaviour == Behaviour::TakeAndClose)).await;
}
