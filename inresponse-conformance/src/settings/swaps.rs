//! Laws of swaps.

use futures_util::future::join_all;
use inresponse_core::settings::{Settings, Swapped};

use super::{swap, value};
use crate::Harness;

/// A setting that was never written is absent, even if its name is a part of an existing name.
pub async fn what_was_never_kept_is_absent<H: Harness<Subject: Settings>>(harness: &H) {
    let settings = harness.fresh().await;
    assert_eq!(value(&settings, "sessions:jo").await, None);
    assert_eq!(swap(&settings, "sessions:jo", None, b"one").await, Swapped::Done);
    for name in ["sessions:", "sessions:jo ", "sessions:Jo", "SESSIONS:JO", "sessions:joe"] {
        assert_eq!(value(&settings, name).await, None, "{name:?}");
    }
}

/// A value is returned exactly, for any bytes up to 40 KB.
pub async fn a_value_is_answered_exactly<H: Harness<Subject: Settings>>(harness: &H) {
    let settings = harness.fresh().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let values = [every_byte.clone(), vec![0], vec![0xff, 0xfe], b"\"'%".to_vec(), every_byte.repeat(160)];
    for (name, kept) in ["a", "b c", "sessions:Αθήνα", "d\"'%", &"n".repeat(120)].iter().zip(&values) {
        assert_eq!(swap(&settings, name, None, kept).await, Swapped::Done, "{name:?}");
        assert_eq!(value(&settings, name).await.as_ref(), Some(kept), "{name:?}");
    }
}

/// A swap is done only if the current value is the expected one. A swap that was already done counts as done.
pub async fn a_swap_is_done_only_from_the_value_that_it_names<H: Harness<Subject: Settings>>(harness: &H) {
    let settings = harness.fresh().await;
    let is = async |expected: Option<&[u8]>| {
        assert_eq!(value(&settings, "name").await.as_deref(), expected);
    };
    assert_eq!(
        swap(&settings, "name", Some(b"one"), b"two").await,
        Swapped::Changed,
        "the setting has no value yet"
    );
    is(None).await;
    assert_eq!(swap(&settings, "name", None, b"one").await, Swapped::Done);
    is(Some(b"one")).await;
    assert_eq!(
        swap(&settings, "name", None, b"two").await,
        Swapped::Changed,
        "the setting already has a value"
    );
    assert_eq!(
        swap(&settings, "name", Some(b"One"), b"two").await,
        Swapped::Changed,
        "the setting has another value"
    );
    is(Some(b"one")).await;
    assert_eq!(swap(&settings, "name", Some(b"one"), b"two").await, Swapped::Done);
    is(Some(b"two")).await;
    assert_eq!(
        swap(&settings, "name", Some(b"one"), b"two").await,
        Swapped::Done,
        "the swap was already done"
    );
    assert_eq!(swap(&settings, "name", Some(b"one"), b"three").await, Swapped::Changed);
    is(Some(b"two")).await;
}

/// Of concurrent swaps one is done, so that no other write is lost.
pub async fn of_swaps_at_once_one_is_done<H: Harness<Subject: Settings>>(harness: &H) {
    let settings = harness.fresh().await;
    for was in [None, Some(vec![0])] {
        let name = if was.is_none() { "new" } else { "old" };
        if let Some(was) = &was {
            assert_eq!(swap(&settings, name, None, was).await, Swapped::Done);
        }
        let values: Vec<Vec<u8>> = (1..=16).map(|n| vec![n]).collect();
        let swaps = values.iter().map(|value| swap(&settings, name, was.as_deref(), value));
        let done = join_all(swaps).await;
        let won: Vec<_> = values.iter().zip(&done).filter(|(_, done)| **done == Swapped::Done).collect();
        assert_eq!(won.len(), 1, "one of 16 swaps from {was:?} is done");
        assert_eq!(value(&settings, name).await.as_ref(), Some(won[0].0));
    }
}
