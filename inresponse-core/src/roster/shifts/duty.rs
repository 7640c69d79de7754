//! Somebody on call, and the source that put them there.

use super::shift::Source;
use super::whom::Known;
use crate::model::{LayerName, OverrideId};
use crate::roster::FeedId;

/// Somebody on call, or nobody, and the source that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duty<'a> {
    /// `None` stands for an override that leaves a gap.
    pub(super) who: Option<Known<'a>>,
    pub(super) source: Origin<'a>,
}

/// A source, as the roster has it, with its place from the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    pub(super) height: usize,
    pub(super) name: Name<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name<'a> {
    Feed(&'a FeedId),
    Layer(&'a LayerName),
    Override(&'a OverrideId),
}

impl From<Origin<'_>> for Source {
    fn from(origin: Origin<'_>) -> Self {
        match origin.name {
            Name::Feed(feed) => Self::Feed(feed.clone()),
            Name::Layer(layer) => Self::Layer(layer.clone()),
            Name::Override(id) => Self::Override(id.clone()),
        }
    }
}
