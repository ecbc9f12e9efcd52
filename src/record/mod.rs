//! What leaves the program: track files, annotated video, snapshots. Knows scenes and canvases; knows no source, no
//! window, no thread.
