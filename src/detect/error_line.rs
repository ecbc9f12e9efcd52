//! Errors of tract in one line.

use tract_onnx::prelude::TractError;

/// The outermost and the innermost sentence of an error; tract's chains between are for its developers.
pub(super) fn first_line(error: &TractError) -> String {
    let outer = error.to_string();
    let root = error.root_cause().to_string();
    let line = |text: &str| text.lines().next().unwrap_or_default().chars().take(300).collect::<String>();
    if outer == root { line(&outer) } else { format!("{} ({})", line(&outer), line(&root)) }
}
