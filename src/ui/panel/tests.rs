//! What the panel answers, and what it looks like.

use super::*;
use crate::frame::Picture;

const MOUSE_UP: Event = Event::MouseUp { x: 5.0, y: 5.0 };

fn key(key: NamedKey) -> Event {
    Event::Key { key, shift: false }
}

fn mouse_down(x: f32, y: f32) -> Event {
    Event::MouseDown { x, y }
}

fn mouse_move(x: f32, y: f32) -> Event {
    Event::MouseMove { x, y }
}

fn wheel(x: f32, y: f32, steps: f32) -> Event {
    Event::Wheel { x, y, steps }
}

fn row(
    path: &'static str,
    label: &'static str,
    value: &str,
    unit: &'static str,
    control: Control,
) -> PanelRow {
    PanelRow {
        path,
        label,
        value: value.into(),
        unit,
        control,
        changed: false,
        origin: "config.toml:12".into(),
        comment: "an object is reported from this score on; weaker boxes only help to follow what is known already",
    }
}

fn rows() -> Vec<PanelRow> {
    let mut rows = vec![
        row("detector.confidence", "confidence", "0.65", "", Control::Slider(0.65)),
        row("detector.nms_iou", "overlap dropped", "0.65", "", Control::Slider(0.65)),
        row("detector.input", "network input", "auto", "", Control::Choice),
        row("detector.min_interval", "rest", "0.00", "s", Control::Slider(0.0)),
        row("detector.classes", "classes", "person, car, bicycle, dog, traffic light", "", Control::Shown),
    ];
    let names =
        ["first match from", "second match from", "first similarity", "second similarity", "shown from"];
    rows.extend(names.map(|name| row("tracker.high_score", name, "0.60", "", Control::Slider(0.6))));
    let names = ["keep margin", "duplicate from", "memory", "reach", "position noise", "speed noise"];
    rows.extend(names.map(|name| row("tracker.buffer", name, "1.25", "s", Control::Slider(0.25))));
    rows.push(row("tracker.smoothing", "smoothing", "0.50", "", Control::Slider(0.5)));
    rows.push(row("trails.seconds", "trails", "3.0", "s", Control::Slider(0.15)));
    rows.push(row("trails.anchor", "trails from", "bottom", "", Control::Choice));
    rows.push(row("overlay.scale", "size of letters", "auto", "", Control::Choice));
    rows[0].changed = true;
    rows[3].changed = true;
    rows
}

/// Scores as a street has them: many weak ones, some sure ones.
fn scores() -> Vec<f32> {
    let weak = (0..60).map(|i| 0.05 + (i * i % 37) as f32 / 100.0);
    weak.chain([0.48, 0.58, 0.62, 0.67, 0.71, 0.74, 0.82, 0.83, 0.84, 0.88, 0.91, 0.92]).collect()
}

fn draw(panel: &mut Panel, canvas: &mut Canvas, rows: &[PanelRow], scale: f32) {
    let scores = scores();
    let data = PanelData { rows, scores: &scores, threshold: Some(0.65), weak: Some(0.05) };
    panel.draw(canvas, &mut Text::new(), &data, scale);
}

fn drawn() -> Panel {
    let mut panel = Panel::new();
    draw(&mut panel, &mut Canvas::new(1280, 720), &rows(), 1.0);
    panel
}

fn command(answer: PanelAnswer) -> PanelCommand {
    match answer {
        PanelAnswer::Do(command) => command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_choose_and_change() {
    let mut panel = drawn();
    assert_eq!(command(panel.handle(key(NamedKey::Right))), PanelCommand::Steps("detector.confidence", 1));
    assert_eq!(panel.handle(key(NamedKey::Down)), PanelAnswer::Taken);
    assert_eq!(
        command(panel.handle(Event::Key { key: NamedKey::Left, shift: true })),
        PanelCommand::Steps("detector.nms_iou", -10)
    );
    assert_eq!(command(panel.handle(Event::Char('3'))), PanelCommand::Share("detector.nms_iou", 0.3));
    assert_eq!(command(panel.handle(Event::Char('Z'))), PanelCommand::Reset("detector.nms_iou"));
    assert_eq!(command(panel.handle(Event::Char('w'))), PanelCommand::Write);
    assert_eq!(panel.handle(Event::Char('q')), PanelAnswer::Ignored);
    panel.handle(key(NamedKey::Up));
    panel.handle(key(NamedKey::Up));
    assert_eq!(panel.selected(), 19, "the list is a ring");
    panel.handle(key(NamedKey::Down));
    assert_eq!(panel.selected(), 0);
    for _ in 0..4 {
        panel.handle(key(NamedKey::Down));
    }
    assert_eq!(panel.handle(key(NamedKey::Right)), PanelAnswer::Taken, "what is only shown stays");
}

#[test]
fn the_mouse_drags_sliders_and_chooses_rows() {
    let mut panel = drawn();
    let place = panel.places[1];
    let (middle, y) = (place.slider.left + place.slider.width / 2.0, place.rect.top + 3.0);
    let PanelCommand::Share(path, share) = command(panel.handle(mouse_down(middle, y))) else { panic!() };
    assert_eq!((path, panel.selected()), ("detector.nms_iou", 1));
    assert!((share - 0.5).abs() < 0.01);
    // Once it is held, the pointer may leave the row, and the panel.
    let moved = panel.handle(mouse_move(0.0, 700.0));
    assert_eq!(command(moved), PanelCommand::Share("detector.nms_iou", 0.0));
    assert_eq!(panel.handle(MOUSE_UP), PanelAnswer::Taken);
    assert_eq!(panel.handle(mouse_move(5.0, 5.0)), PanelAnswer::Ignored);
    assert_eq!(panel.handle(mouse_down(5.0, 5.0)), PanelAnswer::Ignored);
    assert_eq!(panel.handle(MOUSE_UP), PanelAnswer::Ignored);
    // The name of a row only chooses it.
    let place = panel.places[3];
    assert_eq!(panel.handle(mouse_down(place.rect.left + 20.0, place.rect.top + 3.0)), PanelAnswer::Taken);
    assert_eq!(panel.selected(), 3);
    // A choice goes back at its left and on at its right.
    let place = panel.places[2];
    let at = |x: f32| mouse_down(x, place.rect.top + 3.0);
    assert_eq!(command(panel.handle(at(place.slider.left + 5.0))), PanelCommand::Steps("detector.input", -1));
    assert_eq!(
        command(panel.handle(at(place.rect.right() - 15.0))),
        PanelCommand::Steps("detector.input", 1)
    );
}

#[test]
fn the_wheel_changes_the_row_below_it_and_counts_parts_of_a_notch() {
    let mut panel = drawn();
    let place = panel.places[0];
    let (x, y) = (place.rect.left + 30.0, place.rect.top + 3.0);
    assert_eq!(panel.handle(wheel(x, y, 0.5)), PanelAnswer::Taken);
    assert_eq!(command(panel.handle(wheel(x, y, 0.5))), PanelCommand::Steps("detector.confidence", 1));
    assert_eq!(panel.handle(wheel(10.0, 10.0, 1.0)), PanelAnswer::Ignored);
}

#[test]
fn on_low_windows_the_rows_scroll_with_the_chosen_one() {
    let mut panel = Panel::new();
    let mut canvas = Canvas::new(640, 300);
    let rows = rows();
    for step in 0..40 {
        draw(&mut panel, &mut canvas, &rows, 0.75);
        let shown: Vec<_> = panel.places.iter().map(|place| place.row).collect();
        assert!(shown.contains(&panel.selected()) && shown.len() < 20, "{shown:?}");
        panel.handle(if step < 25 { key(NamedKey::Down) } else { key(NamedKey::Up) });
    }
    // All of them on a window of the usual small size.
    draw(&mut panel, &mut Canvas::new(640, 480), &rows, 0.75);
    assert_eq!(panel.places.len(), 20);
}

#[test]
fn any_window_and_any_rows_are_borne() {
    let mut odd = rows();
    odd[0].control = Control::Slider(f32::NAN);
    odd[1].control = Control::Slider(7.0);
    odd[2].value = "x".repeat(5000);
    odd[3].comment = "";
    for (width, height) in [(0, 0), (1, 1), (30, 20), (120, 90), (4000, 100)] {
        for rows in [&odd[..], &[]] {
            let mut panel = Panel::new();
            let mut canvas = Canvas::new(width, height);
            draw(&mut panel, &mut canvas, rows, 1.0);
            for input in [
                key(NamedKey::Up),
                key(NamedKey::Down),
                Event::Key { key: NamedKey::Right, shift: true },
                Event::Char('5'),
            ] {
                panel.handle(input);
            }
            panel.handle(mouse_down(f32::NAN, f32::INFINITY));
            panel.handle(wheel(1.0, 1.0, f32::NAN));
            draw(&mut panel, &mut canvas, &rows[rows.len() / 2..], 8.0);
        }
    }
}

#[test]
fn what_is_changed_is_marked() {
    let mut plain = rows();
    let count = |rows: &[PanelRow]| {
        let mut canvas = Canvas::new(1280, 720);
        draw(&mut Panel::new(), &mut canvas, rows, 1.0);
        canvas.pixels().iter().filter(|&&pixel| pixel == ACCENT).count()
    };
    let marked = count(&plain);
    plain.iter_mut().for_each(|row| row.changed = false);
    assert!(marked > count(&plain) + 30, "dot, name, value and slider");
}

/// Writes pictures of the panel to look at: `PANEL_PICTURES=FOLDER cargo test --release --lib
/// pictures_to_look_at -- --ignored --nocapture`.
#[test]
#[ignore = "for people to look at"]
fn pictures_to_look_at() {
    let Ok(folder) = std::env::var("PANEL_PICTURES") else { return };
    let demo = image::open("assets/tracked.webp").unwrap().into_rgb8();
    for (width, height, selected) in [(1280, 720, 0), (640, 480, 12), (640, 300, 18), (1920, 1080, 2)] {
        let fitted = image::imageops::resize(&demo, width, height, image::imageops::FilterType::Triangle);
        let pixels = fitted.pixels().map(|pixel| pixel.0).collect::<Vec<_>>();
        let mut picture = Picture::filled(width, height, [0; 3]).unwrap();
        picture.rgb_mut().copy_from_slice(&pixels);
        let mut canvas = Canvas::new(width as usize, height as usize);
        canvas.copy_from(&picture);
        let mut panel = Panel { selected, ..Panel::new() };
        let scale = crate::view::Scale::Auto.factor(width as usize, height as usize);
        let (rows, scores, mut text) = (rows(), scores(), Text::new());
        let data = PanelData { rows: &rows, scores: &scores, threshold: Some(0.65), weak: Some(0.05) };
        panel.draw(&mut canvas, &mut text, &data, scale);
        // The time is that of a second drawing, with all letters known.
        let (started, mut again) = (std::time::Instant::now(), canvas.clone());
        let copied = started.elapsed();
        panel.draw(&mut again, &mut text, &data, scale);
        println!("{width}x{height}: drawn in {:?}", started.elapsed() - copied);
        let mut rgb = Vec::new();
        canvas.write_rgb(&mut rgb);
        let path = format!("{folder}/panel-{width}x{height}.png");
        image::save_buffer(path, &rgb, width, height, image::ExtendedColorType::Rgb8).unwrap();
    }
}
