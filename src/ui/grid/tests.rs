//! Whole grids without a window.

use super::*;
use crate::ui::memory::{MemorySurface, Presented};
use crate::ui::testing::{Colours, SIZE, Step, live, script};

const SHADES: [u8; 2] = [90, 200];

fn setup(folder: &tempfile::TempDir) -> GridSetup {
    let (live, _) = live(folder, "[overlay]\nhud = false\n[detector]\ninput = \"32x32\"\nthreads = 1\n");
    let source = |shade: u8| {
        let open: Open = Box::new(move || {
            let again = move || Ok(Box::new(Colours::new(30, shade)) as Box<dyn crate::source::Source>);
            Ok(Opened { source: again()?, reopen: Some(Box::new(again)), note: None })
        });
        GridSource { name: format!("{shade}"), live: false, give_up: None, open: Arc::new(open) }
    };
    GridSetup {
        sources: SHADES.map(source).into(),
        detector: DetectionSource::load(&live.settings().detect_for_tracking()).unwrap(),
        live,
        repeat: true,
        exit_at_end: false,
        status_file: Some(folder.path().join("status.json")),
        stop: Stop::default(),
    }
}

fn status(folder: &tempfile::TempDir) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.path().join("status.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// How many pixels are of each source.
fn counts(presented: &Presented) -> [usize; 2] {
    SHADES.map(|shade| {
        presented.canvas.pixels().iter().filter(|pixel| (*pixel >> 8) & 0xFF == u32::from(shade)).count()
    })
}

#[test]
fn two_sources_share_the_window_and_a_network_that_is_changed_while_they_run() {
    let folder = tempfile::tempdir().unwrap();
    let (work, config) = (&folder, folder.path().join("config.toml"));
    let area = (SIZE.0 * SIZE.1) as usize;
    let steps: Vec<(&str, Step<'_>)> = vec![
        (
            "both pictures",
            Box::new(move |shown| {
                counts(shown).iter().all(|count| *count > area / 2).then(|| vec![Event::Char('2')])
            }),
        ),
        (
            "the second alone",
            Box::new(move |shown| {
                let alone = counts(shown)[0] == 0 && counts(shown)[1] > area / 2;
                alone.then(|| {
                    let text = "[overlay]\nhud = false\n[detector]\ninput = \"64x64\"\nthreads = 1\n";
                    std::fs::write(&config, text).unwrap();
                    Vec::new()
                })
            }),
        ),
        (
            "another network",
            Box::new(move |_| {
                let status = status(work);
                let loaded = status["message"].as_str().is_some_and(|told| told.contains("64x64"));
                loaded.then(|| vec![Event::Escape])
            }),
        ),
        (
            "both pictures again",
            Box::new(move |shown| counts(shown).iter().all(|count| *count > 0).then(|| vec![Event::Escape])),
        ),
    ];
    let mut surface = MemorySurface::new((2 * SIZE.0 as usize + 2, SIZE.1 as usize), script(steps));
    setup(&folder).run(&mut surface).unwrap();
    let status = status(&folder);
    assert_eq!(status["closed"], true);
    assert_eq!(status["sources"][0]["input"], "64x64");
}
