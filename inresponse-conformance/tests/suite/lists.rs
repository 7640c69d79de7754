//! No law that was written is missing in its suite's list.

use std::fs;
use std::path::Path;

/// The names of all public functions in a folder of the sources, which are the laws.
fn written(suite: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(suite);
    let mut laws = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        let public = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        laws.extend(public.map(|line| line.split('<').next().unwrap().to_owned()));
    }
    laws.sort_unstable();
    laws
}

#[test]
fn every_law_that_is_written_is_listed() {
    for (suite, listed) in [
        ("store", inresponse_conformance::store::LAWS),
        ("roster", inresponse_conformance::roster::LAWS),
        ("settings", inresponse_conformance::settings::LAWS),
        ("notifier", inresponse_conformance::notifier::LAWS),
    ] {
        let mut listed = listed.to_vec();
        listed.sort_unstable();
        assert_eq!(written(suite), listed, "{suite}");
    }
}
