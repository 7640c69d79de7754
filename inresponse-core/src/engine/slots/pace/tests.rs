use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn crowd(alerts: usize) -> Crowd {
    Crowd { alerts, worst: Worst::Less }
}

fn crits(alerts: usize) -> Crowd {
    Crowd { alerts, worst: Worst::Crit }
}

/// What happened to a contact, at a time in milliseconds.
#[derive(Debug, Clone, Copy)]
enum Was {
    Single,
    /// A bundle that left nobody behind, and was accepted at once.
    Bundle,
    /// The same, and more waited than it could hold.
    Full,
    /// A bundle that the carrier did not take, with more waiting.
    Failed,
    /// A bundle for which the carrier asked for a pause, with more waiting.
    Paused,
    /// A single alert that was not sent after all.
    TakenBack,
}

fn ids(of: std::ops::Range<usize>) -> Vec<String> {
    of.map(|n| n.to_string()).collect()
}

fn after(singles: u32, history: &[(u64, Was)]) -> Pace {
    let mut pace = Pace::default();
    for (at, was) in history {
        let at = ms(*at);
        match was {
            Was::Single => pace.single(singles, at),
            Was::TakenBack => {
                pace.single(singles, at);
                pace.take_back(at);
            }
            Was::Bundle => {
                pace.bundle(singles, at);
                pace.ended(at, &ids(0..9), Fate::Settled, Filled::InPart);
            }
            Was::Full => {
                pace.bundle(singles, at);
                pace.ended(at, &ids(0..MOST), Fate::Settled, Filled::Fully);
            }
            Was::Failed => {
                pace.bundle(singles, at);
                pace.ended(at, &ids(0..9), Fate::Failed, Filled::Fully);
            }
            Was::Paused => {
                pace.bundle(singles, at);
                pace.ended(at, &ids(0..MOST), Fate::Paused, Filled::Fully);
            }
        }
    }
    pace
}

#[test]
fn p23_past_a_few_singles_a_minute_what_waits_goes_out_together_with_a_growing_gap() {
    use Was::{Bundle, Failed, Full, Paused, Single, TakenBack};
    let five = [(0, Single), (10, Single), (20, Single), (30, Single), (40, Single)];
    let storm = |more: &[(u64, Was)]| [&five[..], more].concat();
    let at = |milliseconds| Turn::At(ms(milliseconds));
    // (what, singles a minute, history, what waits, now, turn)
    type Case = (&'static str, u32, Vec<(u64, Was)>, Crowd, u64, Turn);
    let cases: Vec<Case> = vec![
        ("the first alert", 5, vec![], crowd(1), 0, Turn::Single),
        ("the fifth", 5, five[..4].to_vec(), crowd(1), 30, Turn::Single),
        ("two, where one is left", 5, five[..4].to_vec(), crowd(2), 30, at(1_000)),
        ("the sixth waits a second", 5, five.to_vec(), crowd(1), 50, at(1_000)),
        ("and then goes", 5, five.to_vec(), crowd(1), 1_000, Turn::Bundle),
        ("a CRIT waits as long", 5, five.to_vec(), crits(1), 50, at(1_000)),
        ("one more does not put it off", 5, vec![(0, Single), (900, Single)], crowd(4), 950, at(1_000)),
        ("one a second later does", 5, vec![(0, Single), (1_000, Single)], crowd(4), 1_001, at(2_000)),
        ("a minute later", 5, five.to_vec(), crowd(5), 60_040, Turn::Single),
        ("more than five, a minute later", 5, five.to_vec(), crowd(6), 60_040, Turn::Bundle),
        ("one that was not sent does not count", 1, vec![(0, TakenBack)], crowd(1), 10, Turn::Single),
        ("it never bundles", 0, vec![], crowd(9_000), 0, Turn::Single),
        ("never, whatever came before", 0, five.to_vec(), crowd(9_000), 50, Turn::Single),
        ("after a bundle a second", 5, storm(&[(2_000, Bundle)]), crowd(1), 2_001, at(3_000)),
        ("then two", 5, storm(&[(2_000, Bundle), (3_000, Bundle)]), crowd(1), 3_001, at(5_000)),
        ("then four", 1, vec![(0, Bundle), (1_000, Bundle), (3_000, Bundle)], crowd(1), 3_001, at(7_000)),
        (
            "at most thirty",
            1,
            vec![
                (0, Bundle),
                (1_000, Bundle),
                (3_000, Bundle),
                (7_000, Bundle),
                (15_000, Bundle),
                (31_000, Bundle),
            ],
            crowd(1),
            31_001,
            at(61_000),
        ),
        (
            "five for a CRIT",
            1,
            vec![
                (0, Bundle),
                (1_000, Bundle),
                (3_000, Bundle),
                (7_000, Bundle),
                (15_000, Bundle),
                (31_000, Bundle),
            ],
            crits(1),
            31_001,
            at(36_000),
        ),
        (
            "after a quiet minute",
            1,
            vec![(0, Bundle), (1_000, Bundle), (61_000, Bundle)],
            crowd(1),
            61_001,
            at(62_000),
        ),
        ("a full one is followed at once", 5, storm(&[(2_000, Full)]), crowd(1), 2_001, Turn::Bundle),
        (
            "and does not lengthen the gap",
            5,
            storm(&[(2_000, Full), (2_001, Bundle)]),
            crowd(1),
            2_002,
            at(3_001),
        ),
        ("one that failed is not followed at once", 5, storm(&[(2_000, Failed)]), crowd(1), 2_001, at(3_000)),
        ("but after its gap", 5, storm(&[(2_000, Failed)]), crowd(1), 3_000, Turn::Bundle),
        ("a pause is kept", 5, storm(&[(2_000, Paused)]), crowd(1), 2_999, at(3_000)),
        ("bundles count as messages", 3, vec![(0, Bundle), (1_000, Bundle)], crowd(2), 2_000, at(3_000)),
        (
            "one more is within the count",
            3,
            vec![(0, Bundle), (1_000, Bundle)],
            crowd(1),
            1_500,
            Turn::Single,
        ),
    ];
    for (what, singles, history, crowd, now, turn) in cases {
        assert_eq!(after(singles, &history).turn(singles, crowd, ms(now)), turn, "{what}");
    }
}

#[test]
fn p23_what_no_longer_matters_is_forgotten_after_a_minute() {
    let storm = after(5, &[(0, Was::Single), (2_000, Was::Bundle)]);
    assert!(!storm.is_over(ms(61_999)) && storm.is_over(ms(62_000)));
    assert!(Pace::default().is_over(ms(0)));
}

#[test]
fn p23_what_failed_together_is_blamed_unless_nothing_arrives_at_all() {
    use Fate::{Failed, Paused, Settled};
    let all = || ids(0..9);
    // (what, bundles and how they ended, how often the deliveries 0 and 8 are blamed)
    type Bundles<'a> = &'a [(Vec<String>, Fate)];
    let cases: [(&str, Bundles<'_>, [u32; 2]); 8] = [
        ("one failed", &[(all(), Failed)], [1, 1]),
        ("one was taken", &[(all(), Settled)], [0, 0]),
        ("a pause blames nobody", &[(all(), Paused)], [0, 0]),
        ("the half that was taken is innocent", &[(all(), Failed), (ids(0..4), Settled)], [0, 1]),
        ("the other half is not", &[(all(), Failed), (ids(0..4), Failed), (ids(4..9), Settled)], [2, 0]),
        (
            "three that fail in a row are an outage",
            &[(all(), Failed), (all(), Failed), (ids(0..4), Failed), (ids(4..6), Settled)],
            [0, 0],
        ),
        (
            "one that fails alone is no outage",
            &[(all(), Failed), (ids(0..1), Failed), (ids(0..1), Failed), (ids(1..2), Settled)],
            [3, 1],
        ),
        ("an outage that lasts", &[(all(), Failed), (all(), Failed), (all(), Failed)], [3, 3]),
    ];
    for (what, bundles, blamed) in cases {
        let mut pace = Pace::default();
        for (riders, fate) in bundles {
            pace.bundle(5, ms(0));
            pace.ended(ms(0), riders, *fate, Filled::InPart);
        }
        let of = |id: &str| pace.blamed().get(id).copied().unwrap_or_default();
        assert_eq!([of("0"), of("8")], blamed, "{what}");
    }
}

#[test]
fn only_so_many_are_remembered_as_blamed() {
    let mut pace = Pace::default();
    for n in 0..100 {
        pace.bundle(5, ms(0));
        pace.ended(ms(0), &ids(n * MOST..(n + 1) * MOST), Fate::Failed, Filled::Fully);
    }
    assert!(pace.blamed().len() <= BLAMED);
}
