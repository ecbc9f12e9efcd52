//! Linear assignment: which row goes with which column so that the sum of the costs is the least.
//!
//! Both solvers use shortest augmenting paths with potentials, and keep their buffers from call to call. They differ in
//! what is known of the costs:
//!
//! | file | for | pairs | a row without a partner | ties |
//! |---|---|---|---|---|
//! | `sparse` | the tracker: tracks × detections | a list of edges, in practice few for each row | costs a fixed limit | the lowest column |
//! | `dense` | the metrics: truth × results | a full matrix; pairs that are not given cost 0 | only where columns run out | as in TrackEval, since ties are part of a score |

pub(crate) mod dense;
pub(crate) mod sparse;
