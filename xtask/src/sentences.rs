//! Draws sentences of this tree by a seed, to judge how plain they are.

use std::collections::BTreeSet;

use crate::prose::{self, File, Passage, files};
use crate::tools::Failure;

/// The number of sentences that are drawn.
const DRAWN: usize = 50;
/// The minimum number of words in a sentence.
const FEWEST: usize = 4;

/// Prints fifty sentences of docs, doc comments, errors and pages. The same seed draws the same sentences from the same
/// tree.
pub(crate) fn sentences(seed: u64) -> Result<(), Failure> {
    let mut all = BTreeSet::new();
    for file in files()? {
        for passage in passages(&file) {
            all.extend(split(&passage.text).map(|text| (text, file.path.clone(), passage.line)));
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    let mut random = Random(seed);
    for drawn in 0..DRAWN.min(all.len()) {
        let place = drawn + random.below(all.len() - drawn);
        all.swap(drawn, place);
    }
    all.truncate(DRAWN);
    for (number, (text, path, line)) in (1..).zip(&all) {
        println!("{number:>2}  {path}:{line}\n    {text}");
    }
    Ok(())
}

fn passages(file: &File) -> Vec<Passage> {
    let ending = file.path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_test = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
    match ending {
        "md" => prose::markdown((1..).zip(file.text.lines())),
        "rs" if !is_test => prose::rust(&file.text),
        "html" | "txt" if file.path.contains("/templates/") => prose::template(&file.text),
        _ => Vec::new(),
    }
}

/// Splits a passage into sentences.
fn split(text: &str) -> impl Iterator<Item = String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut sentences, mut begins) = (Vec::new(), 0);
    for (place, end) in text.match_indices(['.', '!', '?']) {
        let after = &text[place + end.len()..];
        let is_end = after.strip_prefix(' ').is_some_and(|next| {
            next.starts_with(|c: char| c.is_uppercase() || matches!(c, '`' | '*' | '(' | '[' | '"'))
        });
        if is_end || after.is_empty() {
            sentences.push(text[begins..place + end.len()].trim().to_owned());
            begins = place + end.len();
        }
    }
    sentences.push(text[begins..].trim().to_owned());
    sentences.into_iter().filter(|sentence| is_sentence(sentence))
}

/// Whether a text has enough words for a sentence, and is not SQL or code.
fn is_sentence(text: &str) -> bool {
    let words = text.split(' ').filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
    let is_code = text.contains("::") || text.contains(" = ") || text.contains("();");
    words.count() >= FEWEST && !is_code
}

/// The random number generator SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let text = "The first one ends here. `code` begins the second one! It costs 0.5 s of one core, e.g. here. No.";
        let found: Vec<_> = split(text).collect();
        assert_eq!(
            found,
            [
                "The first one ends here.",
                "`code` begins the second one!",
                "It costs 0.5 s of one core, e.g. here."
            ]
        );
    }

    #[test]
    fn a_seed_draws_the_same_numbers_and_another_seed_others() {
        let drawn = |seed| {
            let mut random = Random(seed);
            [(); 8].map(|()| random.below(1000))
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!(drawn(3).iter().all(|n| *n < 1000));
    }
}
