//! The page that lists planted bugs and what found them.

use std::fmt::Write as _;

use super::Caught;

/// The promises that must have a planted bug.
const PROMISES: [u8; 18] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20];

/// The promises that no found bug breaks.
pub fn without_any(caught: &[Caught]) -> Vec<u8> {
    let is_broken = |promise: &u8| caught.iter().any(|c| c.mutant.promise() == *promise && c.is_found());
    PROMISES.into_iter().filter(|promise| !is_broken(promise)).collect()
}

/// The page as Markdown.
pub fn page(caught: &[Caught]) -> String {
    let mut page = format!(
        "# Planted bugs\n\n\
         `cargo xtask mutants` writes this page. The command plants each of these {} bugs alone, and looks for it by \
         simulation and by model check. The command fails if a bug is not found, or if a promise has no bug.\n\n\
         The column *seed* has the first seed of the simulation that breaks a promise with the bug planted, and the \
         promise that the checker names. This promise is often another one than the promise that the bug was meant to \
         break. To watch a bug:\n\n    \
         cargo xtask sim --plant WaitFromCreation\n\n\
         The column *model check* names the first promise that breaks within the small limits. A dash means that the \
         model does not have this part, or that the bug needs more than the limits allow.\n\n\
         | promise | planted bug | what it does | seed | model check |\n|---|---|---|---|---|\n",
        caught.len()
    );
    let mut sorted: Vec<&Caught> = caught.iter().collect();
    sorted.sort_by_key(|c| c.mutant.promise());
    for one in sorted {
        let (promise, name, what) = (one.mutant.promise(), one.mutant.name(), one.mutant.what());
        let seed = one.simulation.as_ref();
        let seed = seed.map_or("–".into(), |f| format!("{}: P{}", f.run.seed, f.violation.promise));
        let model = one.model.as_deref().and_then(|name| name.split(':').next()).unwrap_or("–");
        // Writing into a string does not fail.
        let _ = writeln!(page, "| P{promise} | `{name}` | {what} | {seed} | {model} |");
    }
    page
}
