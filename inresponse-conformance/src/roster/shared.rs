//! Several processes on one storage.

use std::time::Duration;

use inresponse_core::roster::{Roster, TeamDeleted};

use super::scene::{
    day, entry, knows, owner, put_day, put_service, put_team, rota, service, settings, settings_of, team,
};
use crate::Shared;
use crate::waiting::within;

/// A second or so; on a machine that is busy with other tests it may be very much later.
const NOTICED: Duration = Duration::from_secs(60);

const DAY: &str = "2026-03-29";

/// All that a handle answers about one service and one team of the same name.
type Seen =
    (Option<String>, Option<inresponse_core::roster::Team>, Option<inresponse_core::roster::Rota>, bool);

async fn seen(roster: &impl Roster, name: &str) -> Seen {
    let owner = owner(roster, name).await.map(|team| team.as_str().to_owned());
    (owner, settings_of(roster, name).await, entry(roster, name, DAY).await, knows(roster, name).await)
}

/// Also what replaces something that the other one has read before, and in both directions.
pub async fn what_one_handle_puts_another_notices<H: Shared<Subject: Roster>>(harness: &H) {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    for (one, other, person) in [(&first, &second, "jo"), (&second, &first, "ann"), (&first, &second, "bob")]
    {
        seen(one, "athens").await;
        seen(other, "athens").await;
        put_service(one, "athens", person).await;
        put_team(one, "athens", &settings(person)).await;
        put_day(one, "athens", DAY, &rota(person)).await;
        let expected = (Some(person.to_owned()), Some(settings(person)), Some(rota(person)), true);
        assert_eq!(seen(one, "athens").await, expected, "as seen by who wrote it");
        within(NOTICED, &expected, || seen(other, "athens")).await;
    }
}

/// What was read before is not answered for ever.
pub async fn what_one_handle_deletes_another_notices<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    put_service(&one, "athens", "devops").await;
    put_team(&one, "athens", &settings("jo")).await;
    put_day(&one, "athens", DAY, &rota("jo")).await;
    let full = (Some("devops".to_owned()), Some(settings("jo")), Some(rota("jo")), true);
    within(NOTICED, &full, || seen(&other, "athens")).await;

    let _ = one.delete_day(&team("athens"), day(DAY)).await.expect("the roster deletes a day");
    let without_day = (full.0.clone(), full.1.clone(), None, true);
    within(NOTICED, &without_day, || seen(&other, "athens")).await;

    let _ = one.delete_service(&service("athens")).await.expect("the roster deletes a service");
    let _ = one.delete_team(&team("athens")).await.expect("the roster deletes a team");
    within(NOTICED, &(None, None, None, false), || seen(&other, "athens")).await;
}

/// At once, and all of it: who is told is decided by what is read after that.
pub async fn p12_a_handle_that_looks_again_answers_what_another_has_just_written<
    H: Shared<Subject: Roster>,
>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    for (one, other, person) in [(&first, &second, "jo"), (&second, &first, "ann")] {
        let put = (Some(person.to_owned()), Some(settings(person)), Some(rota(person)), true);
        seen(other, "athens").await;
        put_service(one, "athens", person).await;
        other.refresh().await.expect("the roster looks again");
        assert_eq!(seen(other, "athens").await.0, put.0, "a service that {person} was just given");
        put_team(one, "athens", &settings(person)).await;
        other.refresh().await.expect("the roster looks again");
        assert_eq!(seen(other, "athens").await.1, put.1, "settings that were just put");
        put_day(one, "athens", DAY, &rota(person)).await;
        other.refresh().await.expect("the roster looks again");
        assert_eq!(seen(other, "athens").await, put, "an entry that was just put");
    }
    let _ = first.delete_day(&team("athens"), day(DAY)).await.expect("the roster deletes a day");
    let _ = first.delete_service(&service("athens")).await.expect("the roster deletes a service");
    let _ = first.delete_team(&team("athens")).await.expect("the roster deletes a team");
    second.refresh().await.expect("the roster looks again");
    assert_eq!(seen(&second, "athens").await, (None, None, None, false), "what was just deleted");
}

/// Whether a team may be deleted is decided by what is stored, not by what a handle remembers.
pub async fn a_service_of_another_handle_keeps_its_team<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    put_team(&one, "devops", &settings("jo")).await;
    assert_eq!(owner(&one, "athens").await, None);
    put_service(&other, "athens", "devops").await;
    let deleted = one.delete_team(&team("devops")).await.expect("the roster deletes a team");
    assert_eq!(deleted, TeamDeleted::OwnsService(service("athens")));
}
