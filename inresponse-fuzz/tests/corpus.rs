//! Every target takes what its corpus holds, and changes of that.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::path::PathBuf;

use inresponse_fuzz::{TARGETS, Target};

/// How many changed inputs each target is fed.
const CHANGES: u64 = 10_000;

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

fn changed(corpus: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    const INTERESTING: [&[u8]; 8] =
        [b"\0", b"\r\n", b"\"", b"{", b"\xff", "\u{202e}".as_bytes(), b"18446744073709551616", b"\\u0000"];
    let mut data = corpus[numbers.below(corpus.len())].clone();
    for _ in 0..=numbers.below(4) {
        let place = numbers.below(data.len() + 1);
        match numbers.below(5) {
            0 => data.truncate(place),
            1 if place < data.len() => data[place] ^= 1 << numbers.below(8),
            2 => drop(data.splice(place..place, INTERESTING[numbers.below(8)].iter().copied())),
            3 => {
                let end = (place + numbers.below(16)).min(data.len());
                data.drain(place..end);
            }
            _ => {
                let other = &corpus[numbers.below(corpus.len())];
                let from = numbers.below(other.len() + 1);
                data.truncate(place);
                data.extend_from_slice(&other[from..]);
            }
        }
    }
    data
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{name} has no corpus");
    corpus.iter().for_each(|data| (target.run)(data));
    let mut numbers = Numbers(1);
    for _ in 0..CHANGES {
        let data = changed(&corpus, &mut numbers);
        (target.run)(&data);
    }
}

macro_rules! replays {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )+

        #[test]
        fn every_target_is_replayed() {
            let replayed = [$(stringify!($name)),+];
            for target in TARGETS {
                assert!(replayed.contains(&target.name), "{} is not", target.name);
            }
        }
    };
}

replays!(
    report,
    update,
    team,
    day,
    silence,
    alertmanager_silence,
    heartbeat,
    cursor,
    token,
    contact,
    time,
    amazon_url,
    request_id,
    matcher,
    alertmanager,
    prometheus,
    grafana,
    nagios,
    pagerduty,
    opsgenie,
    generic,
    sns,
    cloudwatch,
    forwarded,
    session,
    mail,
    config,
    notice,
    sms,
    twilio,
    ical,
    api,
    telegram_update,
    slack_request,
    command_end,
    pushover_receipt,
);
