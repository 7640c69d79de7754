//! Runs libFuzzer with the target that `INRESPONSE_FUZZ_TARGET` names.

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer is C++ and calls what the macro exports")]

use std::sync::OnceLock;

use inresponse_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("INRESPONSE_FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|target| target.name == name);
        let found = found.expect("INRESPONSE_FUZZ_TARGET must name a target");
        TARGET.set(found).ok();
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
