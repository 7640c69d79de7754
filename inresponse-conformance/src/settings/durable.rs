//! Laws of durability: a swapped value survives a crash.

use inresponse_core::settings::{Settings, Swapped};

use super::{swap, value};
use crate::Durable;

/// The first value of a setting and later values survive a crash.
pub async fn what_was_swapped_survives_a_crash<H: Durable<Subject: Settings>>(harness: &H) {
    let settings = harness.fresh().await;
    assert_eq!(swap(&settings, "once", None, b"one").await, Swapped::Done);
    assert_eq!(swap(&settings, "twice", None, b"one").await, Swapped::Done);
    assert_eq!(swap(&settings, "twice", Some(b"one"), b"two").await, Swapped::Done);
    let settings = harness.reopen(settings).await;
    assert_eq!(value(&settings, "once").await.as_deref(), Some(&b"one"[..]));
    assert_eq!(value(&settings, "twice").await.as_deref(), Some(&b"two"[..]));
}
