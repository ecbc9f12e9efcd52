#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(trailsight_fuzz::readers::rule(bytes)));
