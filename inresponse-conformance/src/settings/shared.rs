//! Laws of several processes on one storage.

use inresponse_core::settings::{Settings, Swapped};

use super::{swap, value};
use crate::Shared;

/// One handle returns at once what another swapped, in both directions, even if it has read an older value before.
pub async fn what_one_handle_swaps_another_answers_at_once<H: Shared<Subject: Settings>>(harness: &H) {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    let mut was: Option<Vec<u8>> = None;
    for (n, (one, other)) in [(&first, &second), (&second, &first), (&first, &second)].into_iter().enumerate()
    {
        assert_eq!(value(other, "name").await, was);
        let new = vec![u8::try_from(n).expect("three are few"), 0xff];
        assert_eq!(swap(one, "name", was.as_deref(), &new).await, Swapped::Done);
        assert_eq!(value(other, "name").await.as_ref(), Some(&new));
        assert_eq!(swap(other, "name", was.as_deref(), b"late").await, Swapped::Changed);
        was = Some(new);
    }
}
