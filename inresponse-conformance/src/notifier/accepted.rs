//! Laws of promise 10: an accepted message has arrived, once, with its delivery id.

use inresponse_core::model::OutcomeKind;

use super::NotifierHarness;
use super::post::{AMPLE, Post, any_texts};
use crate::waiting::together;

/// One attempt delivers the message once, with the delivery's id and the incident's number.
pub async fn p10_an_accepted_alert_has_arrived_once<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    let alert = post.alert(0, 1, 1);
    assert_eq!(post.tell(&alert, AMPLE).await.kind(), OutcomeKind::Accepted);
    let arrived = post.has_arrived(0, 1).await;
    assert_eq!(arrived[0].delivery_id, alert.delivery_id().as_str());
    let number = alert.incident().number().to_string();
    assert!(
        arrived[0].text.contains(&number),
        "the number {number} is missing in the message {:?}",
        arrived[0].text
    );
    post.tried_at_most(0, 1).await;
}

/// The delivery id is the same in each attempt of one delivery, so that a recipient can recognise a repeat. Each
/// delivery has a different id.
pub async fn p10_every_attempt_bears_the_name_of_its_delivery<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    let alerts = [post.alert(0, 1, 1), post.alert(0, 1, 2), post.alert(0, 2, 1), post.alert(0, 1, 3)];
    for (alert, messages) in alerts.iter().zip(1..) {
        assert_eq!(post.tell(alert, AMPLE).await.kind(), OutcomeKind::Accepted);
        let arrived = post.has_arrived(0, messages).await;
        let names: Vec<_> = arrived.iter().map(|arrival| arrival.delivery_id.as_str()).collect();
        let expected: Vec<_> = alerts[..messages].iter().map(|a| a.delivery_id().as_str()).collect();
        assert_eq!(names, expected, "after attempt {messages}");
    }
}

/// Concurrent alerts do not mix: every recipient gets their own alert, and nobody gets another recipient's claim link.
pub async fn alerts_at_once_do_not_mix<H: NotifierHarness>(harness: &H) {
    const RECIPIENTS: usize = 12;
    let post = Post::new(harness).await;
    let alerts: Vec<_> = (0..RECIPIENTS).map(|n| post.alert(n, 100 + n as u64, 1)).collect();
    let sends = alerts.iter().cloned().map(|alert| {
        let notifier = post.notifier.clone();
        async move { inresponse_core::notify::Notifier::notify(&*notifier, &alert, AMPLE).await }
    });
    for outcome in together(sends).await {
        assert_eq!(outcome.kind(), OutcomeKind::Accepted);
    }
    for (n, alert) in alerts.iter().enumerate() {
        let arrived = post.has_arrived(n, 1).await;
        assert_eq!(arrived[0].delivery_id, alert.delivery_id().as_str());
        let number = alert.incident().number().to_string();
        assert!(
            arrived[0].text.contains(&number),
            "the number {number} is missing in the message {:?}",
            arrived[0].text
        );
        for other in alerts.iter().filter(|other| other.contact() != alert.contact()) {
            let link = other.claim_url().expect("every alert has a link");
            assert!(
                !arrived[0].text.contains(link),
                "{:?} got the claim link of another recipient",
                alert.contact()
            );
        }
    }
}

/// An alert arrives as one message, whatever its text contains: line breaks, ends of messages, headers, markup, any
/// script, any length.
pub async fn any_text_arrives_as_one_message<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    for (n, text) in any_texts().into_iter().enumerate() {
        let alert = post.alert_about(text, n, n as u64, 1);
        assert_eq!(
            post.tell(&alert, AMPLE).await.kind(),
            OutcomeKind::Accepted,
            "{:?}",
            alert.incident().title()
        );
        let arrived = post.has_arrived(n, 1).await;
        assert_eq!(arrived[0].delivery_id, alert.delivery_id().as_str());
    }
}

/// The notifier's debug output shows neither its secrets nor the claim link, before an alert or after it.
pub async fn secrets_do_not_show_in_debug_output<H: NotifierHarness>(harness: &H) {
    let post = Post::new(harness).await;
    let alert = post.alert(0, 1, 1);
    for _ in 0..2 {
        post.keeps_secrets(&format!("{:?} {:#?}", post.notifier, post.notifier), &alert);
        assert_eq!(post.tell(&alert, AMPLE).await.kind(), OutcomeKind::Accepted);
    }
    post.keeps_secrets(&format!("{:?} {:#?}", post.notifier, post.notifier), &alert);
}
