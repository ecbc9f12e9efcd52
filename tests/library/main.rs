//! The library through its public names: detection, tracking, enhancing, sources, recorders and settings, each against
//! references, golden files, hostile input and damaged files.
//!
//! One program for all of them, for each one more is linked with the model and the fonts. Without the feature `cli` what
//! needs no more than the tracker remains.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and say what they leave out"
)]

#[cfg(feature = "cli")]
#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "cli")]
mod fuzz;
mod scenes;

mod architecture;
#[cfg(feature = "camera")]
mod camera_missing;
#[cfg(feature = "cli")]
mod class_numbers;
#[cfg(feature = "cli")]
mod config_live;
mod counting;
#[cfg(feature = "messages")]
mod delivery;
#[cfg(feature = "cli")]
mod detection_golden;
#[cfg(feature = "cli")]
mod engine;
#[cfg(feature = "cli")]
mod enhance;
#[cfg(feature = "cli")]
mod enhance_geometry;
#[cfg(feature = "cli")]
mod enhance_light;
#[cfg(feature = "cli")]
mod enhance_motion;
#[cfg(feature = "cli")]
mod enhance_noise;
mod examples;
#[cfg(feature = "cli")]
mod extras;
#[cfg(feature = "cli")]
mod families;
#[cfg(feature = "cli")]
mod format_files;
#[cfg(feature = "cli")]
mod fuzz_files;
#[cfg(feature = "cli")]
mod fuzz_pictures;
#[cfg(feature = "detector")]
mod heads;
#[cfg(feature = "cli")]
mod input_shapes;
#[cfg(feature = "cli")]
mod live_network;
#[cfg(feature = "detector")]
mod model_files;
#[cfg(feature = "cli")]
mod native;
#[cfg(feature = "cli")]
mod record_avi;
#[cfg(feature = "cli")]
mod record_ffmpeg;
#[cfg(feature = "cli")]
mod source_changes;
#[cfg(feature = "cli")]
mod source_http;
#[cfg(feature = "cli")]
mod source_seek;
#[cfg(feature = "cli")]
mod source_video;
#[cfg(all(feature = "cli", unix))]
mod streams;
mod track_camera;
mod track_classes;
mod track_golden;
mod track_hostile;
mod track_memory;
mod track_properties;
mod track_scenes;
