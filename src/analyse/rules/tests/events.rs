//! What is told when.

use super::scenes::{Course, hidden, person, rule};
use crate::analyse::Clock;
use crate::attribute::Value;
use crate::scene::{Swap, Track};

#[test]
fn who_waits_long_enough_is_told_once_with_when_it_began_and_ended() {
    let mut course = Course::new("person in square for 5s");
    course.run(2.0, |_| vec![person(1, 0.0, 200.0)]);
    course.run(4.8, |_| vec![person(1, 0.0, 700.0)]);
    assert!(course.take().is_empty());
    course.run(5.2, |_| vec![person(1, 0.0, 700.0)]);
    // Its feet crossed the edge in the middle between two frames.
    assert_eq!(course.take(), ["start r-1@7.0 t1"]);
    assert_eq!(course.active(), [1]);
    course.run(3.0, |_| vec![person(1, 0.0, 200.0)]);
    assert_eq!(course.take(), ["end r-1@11.9 t1 (4.9)"]);
    assert_eq!(course.active(), [0]);
    // Again, it is another event.
    course.run(6.0, |_| vec![person(1, 0.0, 700.0)]);
    assert_eq!(course.take(), ["start r-2@20.0 t1"]);
}

#[test]
fn an_event_has_what_is_known_of_its_object() {
    let mut course = Course::new("person in square and speed_px_per_s > 100");
    let fast = |x| Track { velocity: [150.0, 0.0, 0.0, 0.0], ..person(4, 0.0, x) };
    course.run(0.2, |_| vec![fast(700.0)]);
    let [start] = course.told.as_slice() else { panic!("{:?}", course.told) };
    let text = |name| start.detail(name).and_then(Value::as_text);
    let number = |name| start.detail(name).and_then(Value::as_number);
    assert_eq!((text("rule"), text("zone"), text("class")), (Some("r"), Some("square"), Some("person")));
    assert_eq!((number("speed_px_per_s"), number("x"), number("y")), (Some(150.0), Some(700.0), Some(500.0)));
}

#[test]
fn a_short_hidden_moment_ends_nothing_and_who_is_hidden_starts_nothing() {
    let mut course = Course::new("person in square and speed_px_per_s > 100");
    let fast = |id| Track { velocity: [150.0, 0.0, 0.0, 0.0], ..person(id, 0.0, 700.0) };
    course.run(1.0, |_| vec![fast(1)]);
    course.run(0.9, |_| vec![hidden(fast(1))]);
    course.run(1.0, |_| vec![fast(1)]);
    assert_eq!(course.take(), ["start r-1@0.0 t1"]);
    course.run(2.0, |_| vec![hidden(fast(1))]);
    assert_eq!(course.take(), ["end r-1@2.8 t1 (2.8)"]);
    // Hidden while it comes in.
    let mut course = Course::new("person in square for 1s");
    course.run(0.5, |_| vec![person(1, 0.0, 700.0)]);
    course.run(2.0, |_| vec![hidden(person(1, 0.0, 700.0))]);
    assert!(course.take().is_empty());
    course.run(0.1, |_| vec![person(1, 0.0, 700.0)]);
    assert_eq!(course.take(), ["start r-1@1.0 t1"]);
}

#[test]
fn an_object_that_gets_another_id_goes_on() {
    let mut course = Course::new("person in square for 2s");
    course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
    course.run(0.5, |_| vec![]);
    course.run(3.0, |_| vec![person(2, 3.5, 710.0)]);
    course.run(3.0, |_| vec![]);
    let told = course.take();
    assert_eq!(told, ["start r-1@2.0 t1", "update r-1@3.5 t2", "end r-1@6.4 t2 (4.4)"]);
    // Before it has lasted long enough, too.
    let mut course = Course::new("person in square for 2s");
    course.run(1.5, |_| vec![person(1, 0.0, 700.0)]);
    course.run(1.5, |_| vec![person(2, 1.5, 710.0)]);
    assert_eq!(course.take(), ["start r-1@2.0 t2"]);
}

/// A chain of places is one stay.
#[test]
fn one_or_another_lasts_over_the_change_between_them() {
    let mut course = Course::new("(person in square or person not in square) for 5 s");
    course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
    course.run(4.0, |_| vec![person(1, 0.0, 200.0)]);
    let told = course.take();
    assert!(told.first().is_some_and(|told| told.starts_with("start r-1@5.0")), "{told:?}");
}

/// A box that is odd for a moment is no movement.
#[test]
fn one_odd_box_is_no_movement() {
    let mut course = Course::new("person still for 5 s");
    course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
    course.run(0.1, |_| vec![person(1, 0.0, 760.0)]);
    course.run(4.0, |_| vec![person(1, 0.0, 700.0)]);
    let told = course.take();
    assert!(told.first().is_some_and(|told| told.starts_with("start r-1@5.")), "{told:?}");
}

/// The scene's event does not go on over a jump.
#[test]
fn an_event_of_the_scene_ends_with_a_jump() {
    let mut course = Course::new("count(person) >= 1");
    course.run(4.0, |_| vec![person(1, 0.0, 700.0)]);
    course.jump(60.0);
    course.run(4.0, |_| vec![person(2, 60.0, 700.0)]);
    let told = course.take();
    assert!(told.iter().any(|told| told.starts_with("end r-1@3.")), "{told:?}");
}

/// One who gets another id is one, also while the old track is remembered.
#[test]
fn who_gets_another_id_is_counted_once() {
    let mut course = Course::new("count(person) = 1");
    course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
    course.run(0.3, |_| vec![hidden(person(1, 0.0, 700.0))]);
    course.run(3.0, |_| vec![hidden(person(1, 0.0, 700.0)), person(2, 3.3, 710.0)]);
    let told = course.take();
    assert!(told.len() == 1 && told[0].starts_with("start r-1@0.0"), "{told:?}");
}

/// A rule that is changed, or taken out and put back, goes on with its numbers.
#[test]
fn no_number_of_an_event_comes_twice() {
    let mut course = Course::new("person in square");
    course.run(1.5, |_| vec![person(1, 0.0, 700.0)]);
    course.set_rules(vec![]);
    course.run(1.5, |_| vec![person(1, 0.0, 700.0)]);
    course.set_rules(vec![rule("r", "person in square", 1.0)]);
    course.run(1.5, |_| vec![person(1, 0.0, 700.0)]);
    let told = course.take();
    assert_eq!(told.iter().filter(|told| told.starts_with("start")).count(), 2, "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("start r-2@")), "{told:?}");
}

#[test]
fn two_that_change_their_ids_change_their_events() {
    let mut course = Course::new("person in square");
    let both = |a: u64, b: u64| vec![person(a, 0.0, 700.0), person(b, 0.0, 200.0)];
    course.run(1.0, |_| both(1, 2));
    course.step_as(&both(2, 1), vec![Swap { from: 1, to: 2, since: 0.5 }], false);
    course.run(1.0, |_| both(2, 1));
    assert_eq!(course.take(), ["start r-1@0.0 t1", "update r-1@1.0 t2"]);
    assert_eq!(course.active(), [1]);
}

#[test]
fn while_a_rule_cools_down_nothing_starts_and_what_holds_still_starts_then() {
    let mut course = Course::of(vec![rule("r", "person in square", 5.0)], Clock::Unknown);
    let at = |now: f64| {
        let mut tracks =
            vec![person(1, 0.0, if now < 1.0 || (3.0..4.0).contains(&now) { 700.0 } else { 200.0 })];
        if now >= 2.5 {
            tracks.push(person(2, 2.5, 900.0));
        }
        tracks
    };
    course.run(12.0, at);
    // The second came while it cooled down from the end of the first, told at 1.0.
    assert_eq!(course.take(), ["start r-1@0.0 t1", "end r-1@0.9 t1 (0.9)", "start r-2@6.0 t2"]);
}

#[test]
fn a_crossing_is_a_moment_that_starts_and_ends() {
    let mut course = Course::new("person crosses door in");
    course.run(3.0, |now| vec![person(1, 0.0, 300.0 + 100.0 * now as f32 + 50.0)]);
    assert_eq!(course.take(), ["start r-1@1.5 t1", "end r-1@1.5 t1 (0.0)"]);
    let mut other = Course::new("person crosses door out");
    other.run(3.0, |now| vec![person(1, 0.0, 350.0 + 100.0 * now as f32)]);
    assert!(other.take().is_empty());
    // Who crosses and is seen no more.
    let mut course = Course::new("person crosses door");
    course.run(1.6, |now| vec![person(1, 0.0, 350.0 + 100.0 * now as f32)]);
    course.run(4.0, |_| vec![]);
    assert_eq!(course.take(), ["start r-1@1.5 t1", "end r-1@1.5 t1 (0.0)"]);
}

#[test]
fn the_scene_is_asked_as_a_whole() {
    let some =
        |count: u64| (1..=count).map(|id| person(id, 0.0, 600.0 + 50.0 * id as f32)).collect::<Vec<_>>();
    let mut course = Course::new("count(person in square) >= 3 for 2s");
    course.run(5.0, |_| some(2));
    course.run(3.0, |_| some(3));
    course.run(0.5, |_| some(2));
    course.run(1.0, |_| some(3));
    course.run(6.0, |_| some(2));
    // One is hidden for a moment; and it has been gone since it was last seen, though an heir might have come.
    assert_eq!(course.take(), ["start r-1@7.0", "end r-1@9.4 (2.4)"]);
    let mut course = Course::new("nobody in square for 10 s");
    course.run(12.0, |now| if now < 3.0 { some(1) } else { vec![] });
    assert!(course.take().is_empty());
    course.run(4.0, |_| vec![person(9, 0.0, 200.0)]);
    assert_eq!(course.take(), ["start r-1@13.0"]);
    course.run(3.0, |_| some(1));
    assert!(course.take()[0].starts_with("end r-1@15.9"));
}

#[test]
fn classes_places_and_negations() {
    let car = |x: f32| Track { class: 2, ..person(7, 0.0, x) };
    for (when, tracks, told) in [
        ("car in square", vec![car(700.0)], 1),
        ("person in square", vec![car(700.0)], 0),
        ("person/car in square", vec![car(700.0)], 1),
        ("anything in square", vec![car(700.0)], 1),
        ("in square", vec![car(700.0)], 1),
        ("car not in square", vec![car(700.0)], 0),
        ("car not in square", vec![car(200.0)], 1),
        ("car and not (in square or score < 0.5)", vec![car(200.0)], 1),
        ("car in square or person in square", vec![car(700.0), person(1, 0.0, 700.0)], 2),
        ("car in square and count(person in square) = 1", vec![car(700.0), person(1, 0.0, 700.0)], 1),
        ("car in square and nobody", vec![car(700.0), person(1, 0.0, 200.0)], 0),
        ("car and nobody in square", vec![car(700.0), person(1, 0.0, 200.0)], 1),
        ("no car", vec![person(1, 0.0, 200.0)], 1),
        ("nothing", vec![], 1),
        ("nothing", vec![car(10.0)], 0),
        ("car and width_px = 40 and height_px >= 100 and age_s >= 0", vec![car(10.0)], 1),
        ("car and dwell_s > 0.1", vec![car(700.0)], 1),
        ("car and dwell_s > 0.1", vec![car(100.0)], 0),
    ] {
        let mut course = Course::new(when);
        course.run(0.3, |_| tracks.clone());
        assert_eq!(course.take().len(), told, "{when}");
    }
}

#[test]
fn what_does_not_move_is_still() {
    let mut course = Course::new("suitcase still in square for 3 s");
    let case = |x: f32| Track { class: 28, ..person(1, 0.0, x) };
    // Carried in, put down, and trembling.
    let place = |now: f64| 600.0 + 60.0 * now.min(2.0) as f32 + 3.0 * (now * 40.0).sin() as f32;
    course.run(4.9, |now| vec![case(place(now))]);
    assert!(course.take().is_empty());
    course.run(2.0, |now| vec![case(place(now))]);
    let told = course.take();
    assert!(told.len() == 1 && told[0].starts_with("start r-1@4."), "{told:?}");
}

#[test]
fn the_time_of_day_counts_where_it_is_known() {
    let night = "person in square and between 22:00 and 06:00";
    let told = |clock| {
        let mut course = Course::of(vec![rule("r", night, 0.0)], clock);
        course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
        course.take()
    };
    let clock = |hours: f64| Clock::Began(hours * 3600.0);
    assert_eq!(told(clock(23.0)), ["start r-1@0.0 t1"]);
    assert_eq!(told(clock(30.0 - 24.0 - 0.001)).len(), 1);
    assert!(told(clock(12.0)).is_empty() && told(Clock::Unknown).is_empty());
    // What is unknown is not the contrary either.
    let by_day = |clock| {
        let mut course =
            Course::of(vec![rule("r", "person in square and not between 22:00 and 06:00", 0.0)], clock);
        course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
        course.take().len()
    };
    assert_eq!([by_day(clock(12.0)), by_day(clock(23.0)), by_day(Clock::Unknown)], [1, 0, 0]);
    let mut course = Course::new("person and not (between 22:00 and 06:00 or between 12:00 and 13:00)");
    course.run(3.0, |_| vec![person(1, 0.0, 700.0)]);
    assert!(course.take().is_empty());
    // It begins at ten sharp.
    let began = told(Clock::Began(22.0 * 3600.0 - 1.5));
    assert_eq!(began, ["start r-1@1.5 t1"]);
    assert_eq!(told(Clock::Now(|| Some(3600.0))).len(), 1);
}

#[test]
fn what_is_played_again_is_told_once_and_goes_on_behind_it() {
    let mut course = Course::new("person in square for 2s");
    course.run(4.0, |_| vec![person(1, 0.0, 700.0)]);
    assert_eq!(course.take(), ["start r-1@2.0 t1"]);
    // Back, where frames are remembered; and on with the same tracks.
    course.jump(5.0);
    course.run(1.0, |_| vec![person(1, 0.0, 700.0)]);
    assert!(course.take().is_empty());
    assert_eq!(course.active(), [1]);
    course.run(3.0, |_| vec![]);
    assert_eq!(course.take(), ["end r-1@5.9 t1 (3.9)"]);
    // Who was told and has gone is not told again, when its part is tracked again and played on.
    course.jump(1.0);
    for _ in 0..40 {
        course.step_as(&[person(1, 0.0, 700.0)], Vec::new(), true);
    }
    course.run(2.0, |_| vec![person(1, 0.0, 700.0)]);
    assert!(course.take().is_empty());
    // Elsewhere everybody is new.
    course.jump(60.0);
    course.run(5.0, |_| vec![person(9, 60.0, 700.0)]);
    assert_eq!(course.take(), ["start r-2@62.0 t9"]);
}

#[test]
fn a_jump_away_ends_what_is_not_found_again() {
    let mut course = Course::new("person in square for 2s");
    course.run(4.0, |_| vec![person(1, 0.0, 700.0)]);
    course.jump(50.0);
    course.run(0.5, |_| vec![]);
    assert_eq!(course.take(), ["start r-1@2.0 t1"]);
    course.run(1.0, |_| vec![]);
    assert_eq!(course.take(), ["end r-1@3.9 t1 (1.9)"]);
    assert_eq!(course.active(), [0]);
}

#[test]
fn another_source_ends_all_though_its_ids_are_the_same() {
    let mut course = Course::new("person in square");
    course.run(1.0, |_| vec![person(1, 0.0, 700.0)]);
    course.rules.close();
    course.jump(0.0);
    course.run(0.2, |_| vec![person(1, 0.0, 700.0)]);
    assert_eq!(course.take(), ["start r-1@0.0 t1", "end r-1@0.9 t1 (0.9)", "start r-2@0.0 t1"]);
}

#[test]
fn rules_change_while_they_run() {
    let first = rule("a", "person in square", 0.0);
    let mut course = Course::of(vec![first.clone()], Clock::Unknown);
    course.run(1.0, |_| vec![person(1, 0.0, 700.0)]);
    course.set_rules(vec![rule("b", "anything in square for 0.5 s", 0.0), first]);
    course.run(1.0, |_| vec![person(1, 0.0, 700.0)]);
    // The one that stays goes on; the new one holds as soon as it is there, and not before.
    assert_eq!(course.take(), ["start a-1@0.0 t1", "start b-1@1.0 t1"]);
    assert_eq!(course.active(), [1, 1]);
    course.set_rules(vec![rule("b", "anything in square for 0.5 s", 0.0)]);
    course.run(0.1, |_| vec![person(1, 0.0, 700.0)]);
    assert_eq!(course.take(), ["end a-1@1.9 t1 (1.9)"]);
    course.set_rules(Vec::new());
    course.run(0.2, |_| vec![]);
    assert_eq!(course.take(), ["end b-1@2.0 t1 (1.0)"]);
}

#[test]
fn a_rule_of_a_place_that_another_source_has_never_holds() {
    for when in ["nobody in yard", "no unicorn", "not nobody", "person in"] {
        let mut course = Course::new(when);
        course.run(0.5, |_| vec![]);
        assert!(course.take().is_empty(), "{when}");
        assert_eq!(course.active(), [0]);
    }
}

#[test]
fn nothing_lasts_over_a_gap_and_memory_is_bounded() {
    let mut course = Course::new("nobody in square for 10 s");
    course.run(5.0, |_| vec![]);
    for _ in 0..400 {
        course.frame_without();
    }
    course.run(5.0, |_| vec![]);
    assert!(course.take().is_empty());
    let mut course = Course::new("person in square or person crosses door");
    for id in 1..3000_u64 {
        course.step(&[person(id, course.now(), 600.0 + (id % 7) as f32 * 50.0)]);
    }
    assert!(course.rules.remembered() < 60, "{}", course.rules.remembered());
}
