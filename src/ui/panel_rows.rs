//! The rows of the panel, from the settings in force.

use crate::config::Live;
use crate::config::adjust::{Motion, adjustable};
use crate::ui::panel::{Control, PanelRow};

/// The rows as they stand, in their order.
pub(crate) fn rows(live: &Live) -> Vec<PanelRow> {
    let changed = live.changed();
    let rows = adjustable(live.settings()).map(|setting| PanelRow {
        path: setting.parameter.path,
        label: setting.label,
        value: setting.value,
        unit: setting.parameter.unit,
        control: match setting.motion {
            Motion::Range(share) => Control::Slider(share),
            Motion::Words => Control::Choice,
            Motion::Fixed => Control::Shown,
        },
        changed: changed.contains(&setting.parameter.path),
        origin: live.origin(setting.parameter).to_string(),
        comment: setting.parameter.comment,
    });
    rows.collect()
}
