//! Real-time object tracking: finds the people, cars, animals and things in a camera or a recording, keeps each
//! one's identity from frame to frame, and shows it with boxes, names and fading motion trails.
//!
//! Data flows one way:
//!
//! ```text
//! source ──Frame──▶ enhance ──▶ detect ──Detections──▶ track ──Scene──▶ view (window), sink (files)
//! ```
//!
//! | room | what it is for | cargo feature |
//! |---|---|---|
//! | [`frame`], [`geometry`], [`detection`], [`kind`], [`labels`], [`scene`], [`attribute`], [`event`], [`counts`], [`ground`], [`heat`] | the nouns that travel | – |
//! | [`analyse`] | stages: what is made of a scene, frame by frame (attributes, events, counts at lines and in zones, rules, places on the ground) | – |
//! | [`track`] | the tracker: boxes in, identities out | – |
//! | [`engine`] | one call from a picture, or from detections, to tracks and trails | – |
//! | [`dataset`] | data sets with truth and detections, read from disk | – |
//! | [`metrics`] | how good tracks are: HOTA, CLEAR MOT and identity metrics | – |
//! | [`kernels`] | loops over pixels: filters, tables, shrinking | `detector` |
//! | [`enhance`] | pictures made better before the network sees them; the camera's motion | `detector` |
//! | [`attention`] | whether the network has to look, or rests because nothing moves | `detector` |
//! | [`background`] | whatever moves, told without a network | `detector` |
//! | [`detect`] | the network: a picture in, boxes out | `detector` |
//! | [`source`] | cameras, videos, streams, images: each turned into frames | `cli` |
//! | [`view`] | drawing: pictures, tracks, numbers and text | `cli` |
//! | [`sink`] | what leaves: track files, annotated video, snapshots | `cli` |
//! | [`history`] | what was tracked already, for going back in a recording | `cli` |
//! | [`tuning`] | what settings of the tracker are worth: ablation and search | `cli` |
//! | [`config`] | the typed settings, their checks and where they came from | `cli` |
//! | [`pipeline`] | threads, links, pacing and counters | `cli` |
//! | [`zoo`] | models known by name: the table, the cache, fetching | `cli`, `pull` |
//! | [`ui`] | the window program: one source, or a grid of several | `cli`, `window` |
//! | [`commands`] | the command line: one function a command | `cli` |
//!
//! Pictures are 8-bit interleaved RGB, top row first. Coordinates are pixels of the source picture, x to the right,
//! y down, the top-left corner of the top-left pixel at (0, 0). Times are seconds.

pub mod analyse;
mod assignment;
#[cfg(feature = "cli")]
mod atomic_file;
pub mod attribute;
mod bounded;
pub mod counts;
pub mod dataset;
pub mod detection;
pub mod engine;
pub mod event;
pub mod frame;
pub mod geometry;
pub mod ground;
pub mod heat;
pub mod kind;
pub mod labels;
pub mod metrics;
pub mod scene;
pub mod sink;
pub mod track;

#[cfg(feature = "detector")]
pub mod attention;
#[cfg(feature = "detector")]
pub mod background;
#[cfg(feature = "detector")]
pub mod detect;
#[cfg(feature = "detector")]
pub mod enhance;
#[cfg(feature = "detector")]
pub mod kernels;
#[cfg(feature = "detector")]
pub mod suggest;
#[cfg(feature = "detector")]
mod sync;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod commands;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "cli")]
pub mod history;
#[cfg(feature = "cli")]
mod latest;
#[cfg(feature = "cli")]
mod natural_order;
#[cfg(feature = "messages")]
pub mod outbox;
#[cfg(feature = "cli")]
pub mod pipeline;
#[cfg(feature = "cli")]
pub mod source;
#[cfg(feature = "cli")]
pub mod tuning;
#[cfg(feature = "cli")]
pub mod ui;
#[cfg(feature = "cli")]
pub mod view;
#[cfg(feature = "cli")]
pub mod zoo;
