//! What recordings are called in the names of their results: `{name}` in the name of an output.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::cli::OutputArgs;
use crate::sink::RecordSettings;
use crate::source::{SourceSpec, redact};

/// What stands for the recording's name.
pub(super) const NAME: &str = "{name}";

/// Whether a name holds the placeholder.
pub(super) fn has_name(template: &Path) -> bool {
    template.to_str().is_some_and(|text| text.contains(NAME))
}

/// The names of the outputs as they were typed or set.
pub(super) fn templates<'a>(
    typed: &'a OutputArgs,
    settings: &'a RecordSettings,
) -> impl Iterator<Item = &'a Path> {
    let video = typed.video.as_ref().or(settings.path.as_ref());
    let data = typed.tracks.iter().chain(&typed.events).chain(&typed.counts).chain(&typed.heat);
    data.chain(video).chain(&typed.gif).map(PathBuf::as_path)
}

/// What a source is called without the ending of its file: never empty, never a path.
pub(super) fn name_of(spec: &SourceSpec) -> OsString {
    let name = match spec {
        SourceSpec::Video(path) | SourceSpec::Image(path) => path.file_stem().map(OsStr::to_owned),
        SourceSpec::Folder(path) => folder_name(path),
        // The folder of the images; a pattern for folders has no name.
        SourceSpec::Pattern(pattern) => Path::new(pattern).parent().and_then(folder_name),
        SourceSpec::Url(url) => Some(of_address(url).into()),
        SourceSpec::Simulation { recording, .. } => Some(name_of(&SourceSpec::parse(recording))),
        SourceSpec::Camera(index) => Some(format!("camera-{index}").into()),
        SourceSpec::Name(name) => Some(plain(name).into()),
    };
    let usable = |name: &OsString| !name.is_empty() && name != "." && name != "..";
    name.filter(usable).unwrap_or_else(|| "recording".into())
}

/// A folder's own name, also of `..` and `.`.
fn folder_name(path: &Path) -> Option<OsString> {
    let named = path.file_name().map(OsStr::to_owned);
    named
        .or_else(|| path.canonicalize().ok()?.file_name().map(OsStr::to_owned))
        .filter(|name| !name.to_string_lossy().contains(['*', '?', '[']))
}

/// The last part of an address, or its host, without what is secret.
fn of_address(url: &str) -> String {
    let shown = redact(url);
    let rest = shown.split_once("://").map_or(shown.as_str(), |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    plain(match path.rsplit_once('/') {
        Some((_, last)) => Path::new(last).file_stem().and_then(OsStr::to_str).unwrap_or(last),
        None => path,
    })
}

/// Only what any file name may hold.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || " -_.".contains(c) { c } else { '_' }).collect()
}

/// Makes the names differ, also where capitals do not count: the second `a` becomes `a-2`, or the next number that no
/// other one has.
pub(super) fn unique(names: Vec<OsString>) -> Vec<OsString> {
    let folded = |name: &OsStr| name.to_string_lossy().to_lowercase();
    let own: HashSet<String> = names.iter().map(|name| folded(name)).collect();
    let mut used = HashSet::new();
    let mut free = |name: OsString| {
        if used.insert(folded(&name)) {
            return name;
        }
        let numbered = (2_u64..).map(|number| {
            let mut numbered = name.clone();
            numbered.push(format!("-{number}"));
            numbered
        });
        let mut fresh = numbered.filter(|name| !own.contains(&folded(name)) && used.insert(folded(name)));
        fresh.next().unwrap_or(name)
    };
    names.into_iter().map(&mut free).collect()
}

/// The outputs with the name put in.
pub(super) fn expand(
    typed: &OutputArgs,
    settings: &RecordSettings,
    name: &OsStr,
) -> (OutputArgs, RecordSettings) {
    let put = |template: &PathBuf| put_name(template, name);
    let output = OutputArgs {
        tracks: typed.tracks.iter().map(put).collect(),
        events: typed.events.iter().map(put).collect(),
        counts: typed.counts.as_ref().map(put),
        metrics: typed.metrics,
        heat: typed.heat.iter().map(put).collect(),
        video: typed.video.as_ref().map(put),
        gif: typed.gif.as_ref().map(put),
        mot_class: typed.mot_class,
    };
    (output, RecordSettings { path: settings.path.as_ref().map(put), ..settings.clone() })
}

/// The name in the place of each `{name}`.
fn put_name(template: &Path, name: &OsStr) -> PathBuf {
    let Some(text) = template.to_str() else { return template.to_owned() };
    let mut whole = OsString::new();
    for (place, part) in text.split(NAME).enumerate() {
        if place > 0 {
            whole.push(name);
        }
        whole.push(part);
    }
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_names_that_are_file_names() {
        for (source, name) in [
            ("no/such/a.b.mp4", "a.b"),
            ("no/such/-i.avi", "-i"),
            ("no/such/...mp4", "recording"),
            ("src", "src"),
            ("none/shots/*.png", "shots"),
            ("none/*/x?.png", "recording"),
            ("*.png", "trailsight"),
            ("rtsp://me:secret@cam.local:554/live/", "live"),
            ("http://cam.local:8080", "cam.local_8080"),
            ("https://host/v/clip.mp4?token=abc#t", "clip"),
            ("3", "camera-3"),
            ("simulate:clips/a.mp4?stall 5", "a"),
            ("HD Webcam (04f2:b6d0)", "HD Webcam _04f2_b6d0_"),
            ("demo", "demo"),
        ] {
            let found = name_of(&SourceSpec::parse(source));
            if source == "*.png" {
                // The folder that the tests run in.
                assert!(!found.is_empty() && found != ".", "{found:?}");
            } else {
                assert_eq!(found, name, "{source}");
            }
        }
    }

    #[test]
    fn names_differ_and_keep_who_had_them_by_nature() {
        let unique = |names: &[&str]| unique(names.iter().map(OsString::from).collect());
        assert_eq!(unique(&["a", "b", "a", "a"]), ["a", "b", "a-2", "a-3"]);
        assert_eq!(unique(&["a", "a", "a-2"]), ["a", "a-3", "a-2"]);
        assert_eq!(unique(&["A", "a"]), ["A", "a-2"]);
    }

    #[test]
    fn the_name_is_put_in_everywhere() {
        for (template, whole) in
            [("out/{name}/{name}.txt", "out/a b/a b.txt"), ("-", "-"), ("{Name}.txt", "{Name}.txt")]
        {
            assert_eq!(put_name(Path::new(template), OsStr::new("a b")), Path::new(whole));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_two_are_called_the_same(names in proptest::collection::vec("[aA](-[23]){0,2}", 0..12)) {
            let made = unique(names.iter().map(OsString::from).collect());
            let folded: HashSet<_> = made.iter().map(|name| name.to_string_lossy().to_lowercase()).collect();
            proptest::prop_assert_eq!(folded.len(), names.len());
        }
    }
}
