//! How many threads a network gets.

/// How many threads the setting `detector.threads` means: 0 is as many as there are processors.
pub fn thread_count(setting: usize) -> usize {
    if setting == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { setting }
}
