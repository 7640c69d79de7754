//! Settings in some lines, sound or with one defect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use inresponse_conformance::{Durable, Harness, Interrupted, Line, Shared};
use inresponse_core::Outage;
use inresponse_core::settings::{Settings, Swapped};
use tokio::task::yield_now;

use super::Defect::{self, *};

/// Makes models with a defect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Models(pub(crate) Defect);

type Values = BTreeMap<String, Vec<u8>>;

/// Settings on a disk that handles share.
#[derive(Debug)]
pub(crate) struct Model {
    defect: Defect,
    /// The values, and those before the last change.
    disk: Arc<Mutex<(Values, Values)>>,
    /// What this handle has read.
    copy: Mutex<Values>,
    line: Line,
}

impl Harness for Models {
    type Subject = Model;

    async fn fresh(&self) -> Model {
        Model { defect: self.0, disk: Arc::default(), copy: Mutex::default(), line: Line::new() }
    }
}

impl Durable for Models {
    async fn reopen(&self, crashed: Model) -> Model {
        let (now, before) = crashed.disk().clone();
        let left = match self.0 {
            forgets_everything_in_a_crash => Values::new(),
            forgets_the_last_swap_in_a_crash => before,
            _ => now,
        };
        Model { disk: Arc::new(Mutex::new((left, Values::new()))), ..self.fresh().await }
    }
}

impl Shared for Models {
    async fn another(&self, first: &Model) -> Model {
        Model { disk: first.disk.clone(), ..self.fresh().await }
    }
}

impl Interrupted for Models {
    async fn over(&self, first: &Model, line: &Line) -> Model {
        Model { line: line.clone(), ..self.another(first).await }
    }
}

impl Model {
    fn disk(&self) -> MutexGuard<'_, (Values, Values)> {
        self.disk.lock().unwrap()
    }

    fn name(&self, name: &str) -> String {
        if self.defect == compares_names_without_case { name.to_lowercase() } else { name.to_owned() }
    }
}

#[async_trait]
impl Settings for Model {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, Outage> {
        let now = self.disk().0.get(&self.name(name)).cloned();
        Ok(match self.defect {
            answers_something_of_every_name => Some(now.unwrap_or_default()),
            answers_what_it_read_before => {
                let mut copy = self.copy.lock().unwrap();
                match (copy.get(name), now) {
                    (Some(known), _) => Some(known.clone()),
                    (None, Some(now)) => Some(copy.entry(name.to_owned()).or_insert(now).clone()),
                    (None, None) => None,
                }
            }
            _ => now,
        })
    }

    async fn swap_setting(&self, name: &str, was: Option<&[u8]>, value: &[u8]) -> Result<Swapped, Outage> {
        let name = self.name(name);
        let now = self.disk().0.get(&name).cloned();
        if self.defect == compares_before_it_writes {
            yield_now().await;
        }
        let is_expected = match self.defect {
            swaps_from_any_value => now.is_some() == was.is_some(),
            swaps_from_nothing_though_there_is_one => was.is_none() || now.as_deref() == was,
            makes_what_was_to_be_replaced => now.is_none() || now.as_deref() == was,
            _ => now.as_deref() == was,
        };
        let is_done = now.as_deref() == Some(value) && self.defect != refuses_what_is_done_already;
        if !is_expected && !is_done {
            return Ok(Swapped::Changed);
        }
        let value = match self.defect {
            keeps_texts_only => String::from_utf8_lossy(value).into_owned().into_bytes(),
            cuts_long_values => value[..value.len().min(8192)].to_vec(),
            _ => value.to_vec(),
        };
        let mut disk = self.disk();
        disk.1 = disk.0.clone();
        if self.defect != swaps_nothing {
            disk.0.insert(name, value);
        }
        match self.defect {
            _ if !self.line.loses_answer() => Ok(Swapped::Done),
            tells_a_lost_swap_as_undone => Err(Outage::retryable("no answer")),
            takes_its_own_swap_for_anothers => Ok(Swapped::Changed),
            _ => Err(Outage::unknown("no answer")),
        }
    }
}
