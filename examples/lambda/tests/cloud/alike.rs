//! What the cloud does as every other deployment does.

use crate::cloud::Cloud;
use crate::contract;

#[tokio::test]
async fn p08_p11_escalates_until_it_is_claimed() {
    contract::p08_p11_escalates_until_it_is_claimed(&Cloud::here()).await;
}

#[tokio::test]
async fn p06_the_link_in_the_mail_claims() {
    contract::p06_the_link_in_the_mail_claims(&Cloud::here()).await;
}

#[tokio::test]
async fn p05_a_release_alerts_again() {
    contract::p05_a_release_alerts_again(&Cloud::here()).await;
}

#[tokio::test]
async fn p12_the_fallback_is_alerted_if_nobody_is_on_call() {
    contract::p12_the_fallback_is_alerted_if_nobody_is_on_call(&Cloud::here()).await;
}

#[tokio::test]
async fn p03_reports_at_once_under_one_key_are_one_incident() {
    contract::p03_reports_at_once_under_one_key_are_one_incident(&Cloud::here()).await;
}

#[tokio::test]
async fn p16_every_route_answers() {
    contract::p16_every_route_answers(&Cloud::here()).await;
}
