#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(trailsight_fuzz::readers::model_table(bytes)));
