//! Models that are given by a name: their file is the one in the cache, and its bytes are those of the table's SHA-256.

use std::borrow::Cow;

use super::error::DetectError;
use super::settings::DetectSettings;

/// What is to be loaded.
pub(super) struct Found<'a> {
    /// With a path for a model, or none for the bundled one.
    pub(super) settings: Cow<'a, DetectSettings>,
    /// Its bytes, where the model was given by a name.
    pub(super) bytes: Option<Vec<u8>>,
    /// That name.
    pub(super) name: Option<String>,
}

/// Settings whose model is a path or the bundled one; that there is such a file is looked at for names alone.
#[cfg(feature = "cli")]
pub(super) fn locate(settings: &DetectSettings) -> Result<Cow<'_, DetectSettings>, DetectError> {
    Ok(find(settings, false)?.settings)
}

/// The same, with the bytes of a model that is given by a name.
#[cfg(feature = "cli")]
pub(super) fn read(settings: &DetectSettings) -> Result<Found<'_>, DetectError> {
    find(settings, true)
}

#[cfg(feature = "cli")]
fn find(settings: &DetectSettings, read: bool) -> Result<Found<'_>, DetectError> {
    use crate::zoo::{Cache, ZooError, announce, is_auto, named};
    let as_it_is = || Found { settings: Cow::Borrowed(settings), bytes: None, name: None };
    let fail = |error: ZooError| DetectError::Named { why: error.to_string() };
    let Some(value) = settings.model.as_deref() else { return Ok(as_it_is()) };
    let Some(entry) = named(value).map_err(fail)? else { return Ok(as_it_is()) };
    if read && is_auto(value) {
        announce(&format!(
            "detector.model = \"auto\" is {}: of the models that are here the most accurate",
            entry.name
        ));
    }
    let (model, bytes) = if entry.built_in {
        (None, None)
    } else {
        let cache = Cache::of_user().map_err(fail)?;
        let bytes = if read { Some(cache.read(&entry).map_err(fail)?) } else { None };
        (Some(cache.file(&entry).map_err(fail)?), bytes)
    };
    let settings = Cow::Owned(DetectSettings { model, ..settings.clone() });
    Ok(Found { settings, bytes, name: Some(entry.name) })
}

/// Without the table of models there are no names.
#[cfg(not(feature = "cli"))]
pub(super) fn locate(settings: &DetectSettings) -> Result<Cow<'_, DetectSettings>, DetectError> {
    Ok(Cow::Borrowed(settings))
}

#[cfg(not(feature = "cli"))]
pub(super) fn read(settings: &DetectSettings) -> Result<Found<'_>, DetectError> {
    Ok(Found { settings: Cow::Borrowed(settings), bytes: None, name: None })
}
