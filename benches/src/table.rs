//! The figures of several runs, and the tables made from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::systems::System;

/// A row of the table: one measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// The number of digits after the point.
    pub(crate) digits: usize,
}

/// The bound of a goal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A goal for a median of InResponse: for its ratio to the other system's, or for the median itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) row: Row,
    pub(crate) peer: Option<System>,
    pub(crate) bound: Bound,
}

/// All figures.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    figures: BTreeMap<(Row, System), Vec<f64>>,
}

impl Table {
    pub(crate) fn add(&mut self, row: Row, system: System, figure: f64) {
        if !self.rows.contains(&row) {
            self.rows.push(row);
        }
        self.figures.entry((row, system)).or_default().push(figure);
    }

    fn median(&self, row: Row, system: System) -> Option<f64> {
        let mut figures = self.figures.get(&(row, system))?.clone();
        figures.sort_unstable_by(f64::total_cmp);
        let (low, high) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Some(f64::midpoint(low, high))
    }

    /// A table of the medians side by side, in Markdown.
    pub(crate) fn medians(&self, systems: &[System]) -> String {
        let mut text = String::from("| |");
        for system in systems {
            let _ = write!(text, " {system} |");
        }
        text.push_str("\n|---|");
        text.push_str(&"---:|".repeat(systems.len()));
        for row in &self.rows {
            let _ = write!(text, "\n| {}, {} |", row.name, row.unit);
            for system in systems {
                let median = self.median(*row, *system);
                let _ =
                    write!(text, " {} |", median.map_or_else(|| "–".to_owned(), |m| number(m, row.digits)));
            }
        }
        text
    }

    /// A table of the goals for which both systems were measured, in Markdown.
    pub(crate) fn goals(&self, goals: &[Goal]) -> String {
        let mut text = String::from("| goal | measured | |\n|---|---:|---|");
        for Goal { row, peer, bound } in goals {
            let ours = self.median(*row, System::InResponse);
            let theirs = peer.map_or(Some(1.0), |peer| self.median(*row, peer));
            let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
            let (measured, of) = match peer {
                Some(peer) => (ours / theirs, format!("× {peer}")),
                None => (ours, row.unit.to_owned()),
            };
            let (met, words) = match bound {
                Bound::AtLeast(least) => (measured >= *least, format!("at least {least:.2} {of}")),
                Bound::AtMost(most) => (measured <= *most, format!("at most {most:.2} {of}")),
            };
            let met = if met { "met" } else { "**not met**" };
            let _ = write!(text, "\n| {}: {words} | {measured:.2} | {met} |", row.name);
        }
        text
    }

    /// All figures in the order of the runs.
    pub(crate) fn all(&self, systems: &[System]) -> String {
        let mut text = String::from("| every run | | |\n|---|---|---|");
        for row in &self.rows {
            for system in systems {
                let Some(figures) = self.figures.get(&(*row, *system)) else { continue };
                let figures: Vec<_> = figures.iter().map(|f| number(*f, row.digits)).collect();
                let _ = write!(text, "\n| {}, {} | {system} | {} |", row.name, row.unit, figures.join("; "));
            }
        }
        text
    }
}

/// A number with separated thousands.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}
