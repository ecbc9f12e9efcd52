//! Texts, right and wrong; and trees that are printed and read again.

use proptest::prelude::*;

use super::super::condition::{At, Comparison, Condition, Name, What, Who};
use super::super::parse::parse;
use super::super::{Known, When};
use crate::labels::Labels;

#[test]
fn what_is_right_is_printed_in_one_form() {
    for (text, printed) in [
        ("person in square for 5s", "person in square for 5 s"),
        ("PERSON IN square FOR 90 sec", "PERSON in square for 90 s"),
        ("count(person in square) >= 3 for 2s", "count(person in square) >= 3 for 2 s"),
        ("person crosses door in", "person crosses door in"),
        ("crosses door", "crosses door"),
        ("crosses door/gate out", "crosses door/gate out"),
        ("car/truck in 'north gate'", "car/truck in 'north gate'"),
        ("\"traffic light\" in square", "'traffic light' in square"),
        ("anything in square", "anything in square"),
        ("in square for 1 min 30 s", "in square for 90 s"),
        ("car and speed_px_per_s > 200", "car and speed_px_per_s > 200"),
        ("car speed_px_per_s>200 for 500ms", "car speed_px_per_s > 200 for 0.5 s"),
        ("person not in square", "person not in square"),
        ("person and not in square for 2h", "person and not in square for 2 h"),
        ("person and not (in square for 2h)", "person and not (in square for 2 h)"),
        ("not nobody in square", "not nobody in square"),
        ("nobody in square for 10 min", "nobody in square for 10 min"),
        ("no person in square", "nobody in square"),
        ("nothing", "nothing"),
        ("no car/bus in a/b", "no car/bus in a/b"),
        ("suitcase still in square for 30 s", "suitcase still in square for 30 s"),
        ("suitcase still for 30 s and in hall", "suitcase still for 30 s and in hall"),
        ("between 22:00 and 06:00 and person", "between 22:00 and 06:00 and person"),
        ("person and between 7:05:30 and 24:00", "person and between 07:05:30 and 00:00"),
        ("a and b or c and (d or e)", "a and b or c and (d or e)"),
        ("((a and b)) and c", "(a and b) and c"),
        ("(a or b) for 3 s", "(a or b) for 3 s"),
        ("a\n  and\n  score == 0.50", "a and score = 0.5"),
        ("count(a and score >= -1) != 0", "count(a and score >= -1) != 0"),
        ("straßenbahn in straße-3", "straßenbahn in straße-3"),
    ] {
        let when = text.parse::<When>().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(when.to_string(), printed, "{text}");
        assert_eq!(when.to_string().parse::<When>().unwrap().condition, when.condition, "{text}");
    }
}

/// What may have been meant is told where the program is built.
#[cfg(feature = "detector")]
#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_meant() {
    let known = Known {
        zones: &["square", "north gate"],
        lines: &["door"],
        classes: Some(&Labels::coco()),
        ..Known::default()
    };
    let beginnings = "a class, anything, nobody, nothing, no, count(, crosses, in, still, between, not or (";
    for (text, told) in [
        ("", format!("1:1: the text ends here: expected is {beginnings}")),
        ("  \n ", format!("1:1: the text ends here: expected is {beginnings}")),
        ("person in", "1:10: the text ends here: expected is a zone's name".into()),
        ("person in for 5s", "1:11: \"for\" cannot stand here: expected is a zone's name (in quotes, if it is called so)".into()),
        ("person inn square", "1:8: \"inn\" cannot stand here: expected is and, or, for or the end; did you mean \"in\"?".into()),
        ("traffic light in square", "1:9: \"light\" cannot stand here: expected is and, or, for or the end; a name of several words stands in quotes".into()),
        ("person in square for", "1:21: the text ends here: expected is a time, as in for 5 s or for 10 min".into()),
        ("person in square for 5", "1:23: the text ends here: expected is a unit of time: ms, s, min or h".into()),
        ("person in square for 5 secnds", "1:24: \"secnds\" cannot stand here: expected is a unit of time: ms, s, min or h; did you mean \"seconds\"?".into()),
        ("person in square for 0 s", "1:22: this time is out of range: expected is more than 0 s and at most 168 h".into()),
        ("person in square annd car", "1:18: \"annd\" cannot stand here: expected is and, or, for or the end; did you mean \"and\"?".into()),
        ("person in square and", format!("1:21: the text ends here: expected is {beginnings}")),
        ("person in square or or", format!("1:21: \"or\" cannot stand here: expected is {beginnings}")),
        ("count person", "1:7: \"person\" cannot stand here: expected is ( and what is counted, as in count(person in square) >= 3".into()),
        ("count(person) >= ", "1:17: the text ends here: expected is a number".into()),
        ("count(person)", "1:14: the text ends here: expected is one of > >= < <= = != and a number".into()),
        ("count(person > 3", "1:17: the text ends here: expected is and, or, for or )".into()),
        ("count(person > 3) > 1", "1:7: of an object no \"person\" is known (known: score, age_s, dwell_s, speed_px_per_s, speed_m_per_s, width_px, height_px)".into()),
        ("(person", "1:8: the text ends here: expected is and, or, for or )".into()),
        ("person)", "1:7: \")\" cannot stand here: expected is and, or, for or the end".into()),
        ("person crosses", "1:15: the text ends here: expected is a line's name".into()),
        ("person not", "1:11: the text ends here: expected is in, crosses, still or a comparison".into()),
        ("person & car", "1:8: the sign & has no meaning here".into()),
        ("person in 'square", "1:11: the name that begins here has no ' at its end".into()),
        ("person and score > high", "1:20: \"high\" cannot stand here: expected is a number".into()),
        ("between 22:00 or 06:00", "1:15: \"or\" cannot stand here: expected is and, as in between 22:00 and 06:00".into()),
        ("between 25:00 and 06:00", "1:9: this is no time of day: expected is one from 00:00 to 24:00".into()),
        ("between 22:0 and 06:00", "1:9: this is no time of day: expected is one from 00:00 to 24:00".into()),
        ("between 22 and 06:00", "1:9: this is no time of day: expected is one from 00:00 to 24:00".into()),
        ("between 06:00 and 6:00", "1:19: both times are the same: expected are two times".into()),
        // Names that nothing has.
        ("persn in square", "1:1: there is no class \"persn\"; did you mean \"person\"? (known: person, bicycle, car, motorcycle, airplane, bus, train, truck, …)".into()),
        ("person in square and\ncar in sqare", "2:8: there is no zone \"sqare\"; did you mean \"square\"? (known: square, north gate)".into()),
        ("nobody in 'north gat'", "1:11: there is no zone \"north gat\"; did you mean \"north gate\"? (known: square, north gate)".into()),
        ("person crosses doors", "1:16: there is no line \"doors\"; did you mean \"door\"? (known: door)".into()),
        ("car and speed > 5", "1:9: of an object no \"speed\" is known; did you mean \"speed_px_per_s\"? (known: score, age_s, dwell_s, speed_px_per_s, speed_m_per_s, width_px, height_px)".into()),
        // Parts that do not go together.
        ("person crosses door for 5 s", "1:21: a crossing is a moment, which does not last: leave out \"for\"".into()),
        ("person and not crosses door", "1:12: a crossing is a moment: nearly always it does not happen; leave out \"not\"".into()),
        ("person not crosses door", "1:1: a crossing is a moment: nearly always it does not happen; leave out \"not\"".into()),
        ("count(nobody) > 1", "1:7: expected is what is counted, as in count(person in square)".into()),
        ("count(crosses door) > 1", "1:7: crossings are moments, which cannot be counted here: see [[line]] and --counts".into()),
        ("not person in square", "1:1: this holds for every object that is something else: say which ones are meant, as in \"person and not in square\", or \"nobody in square\" where none may be there".into()),
        ("person in square or nobody", "1:21: one side of \"or\" speaks of an object, the other does not: make two rules of them".into()),
    ] {
        let error = match text.parse::<When>() {
            Ok(when) => when.check(&known).expect_err(text),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), told, "{text}");
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let told = |text: String| text.parse::<When>().unwrap_err().problem;
    assert!(told(format!("a{}", " ".repeat(2000))).contains("2000 letters"));
    assert!(told(format!("{}a", "(".repeat(33))).contains("nested"));
    assert!(told(format!("{}nobody", "not ".repeat(33))).contains("nested"));
    assert!(told(vec!["a"; 250].join(" or ")).contains("200 parts"));
    assert!(format!("{}a{}", "(".repeat(30), ")".repeat(30)).parse::<When>().is_ok());
}

#[test]
fn classes_are_not_checked_before_they_are_known() {
    let when: When = "unicorn in square".parse().unwrap();
    let mut known = Known { zones: &["square"], ..Known::default() };
    assert!(when.check(&known).is_ok());
    let labels = Labels::coco();
    known.classes = Some(&labels);
    assert!(when.check(&known).is_err());
    let none: When = "person crosses door".parse().unwrap();
    assert!(none.check(&known).unwrap_err().problem.contains("there is no [[line]]"));
}

fn name() -> impl Strategy<Value = Name> {
    let text =
        prop_oneof!["[a-z_][a-z0-9_-]{0,8}", "[a-zA-Z0-9 '/().-]{1,8}", "(in|For|count)", "[ä-ü\"]{1,4}"];
    text.prop_map(|text| Name { text, at: At(0) })
}

fn names() -> impl Strategy<Value = Vec<Name>> {
    prop::collection::vec(name(), 1..4)
}

fn comparison() -> impl Strategy<Value = (Comparison, f64)> {
    (0..6usize, prop_oneof![(-1000..1000i32).prop_map(f64::from), -1e6..1e6f64])
        .prop_map(|(sign, number)| (Comparison::SIGNS[sign].1, number))
}

fn condition() -> impl Strategy<Value = Condition> {
    let who = || prop_oneof![Just(Who::Anything), names().prop_map(Who::Classes)];
    let attribute = "[a-z_][a-z0-9_]{3,8}x".prop_map(|text| Name { text, at: At(0) });
    let what = prop_oneof![
        names().prop_map(What::In),
        (names(), any::<Option<bool>>()).prop_map(|(lines, way)| What::Crosses(lines, way)),
        prop::collection::vec(name(), 0..3).prop_map(What::Still),
        (attribute, comparison()).prop_map(|(name, (comparison, number))| What::Is(name, comparison, number)),
    ];
    let object =
        (prop::option::of(who()), any::<bool>(), prop::option::of(what)).prop_map(|(who, not, what)| {
            let who = if what.is_none() { who.or(Some(Who::Anything)) } else { who };
            Condition::Object { at: At(0), not: not && who.is_some() && what.is_some(), who, what }
        });
    let leaf = prop_oneof![
        4 => object,
        1 => (who(), prop::collection::vec(name(), 0..3)).prop_map(|(who, zones)| Condition::None { at: At(0), who, zones }),
        1 => (0..86400u32, 1..86400u32).prop_map(|(from, apart)| Condition::Between { at: At(0), from, to: (from + apart) % 86400 }),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            some.clone().prop_map(Condition::All),
            some.prop_map(Condition::Any),
            inner.clone().prop_map(|part| Condition::Not(At(0), Box::new(part))),
            (
                inner.clone(),
                prop_oneof![0.001..600.0f64, (1..1000u32).prop_map(|minutes| f64::from(minutes) * 60.0)]
            )
                .prop_map(|(part, seconds)| Condition::For(At(0), Box::new(part), seconds)),
            (inner, comparison()).prop_map(|(part, (comparison, number))| Condition::Count {
                at: At(0),
                part: Box::new(part),
                comparison,
                number
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_is_read_as_the_same(condition in condition()) {
        // A name with both kinds of quotes cannot be written.
        let mut printable = true;
        condition.walk(&mut |part| {
            let text = format!("{part:?}");
            printable &= !(text.contains('\'') && text.contains("\\\""));
        });
        let text = condition.to_string();
        prop_assume!(printable && text.chars().count() <= 2000);
        let read = parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&condition), "{}", text);
    }

    #[test]
    fn no_text_is_too_much(text in "[a-z0-9 ()'\"/<>=:.!\n-]{0,60}", garbage in ".{0,40}") {
        for text in [&text, &garbage] {
            if let Ok(when) = text.parse::<When>() {
                let again = when.to_string().parse::<When>();
                prop_assert_eq!(again.map(|when| when.condition), Ok(when.condition));
            }
        }
    }
}

#[test]
fn a_class_that_a_zone_does_not_count_is_refused() {
    let cars = ["car".to_owned()];
    let known = Known {
        zones: &["square"],
        lines: &["square"],
        narrow: &[("zone", "square", &cars)],
        ..Known::default()
    };
    let check = |text: &str| text.parse::<When>().unwrap().check(&known).map_err(|error| error.to_string());
    for text in ["person in square for 2 s", "no person in square", "count(car/person in square) > 3"] {
        let error = check(text).unwrap_err();
        assert!(
            error.contains("\"square\" counts only car") && error.contains("no person is ever there"),
            "{error}"
        );
    }
    assert_eq!(check("car in square"), Ok(()));
    // Names of classes have no case, and a line of that name is another place.
    assert_eq!(check("Car in square"), Ok(()));
    assert_eq!(check("person crosses square"), Ok(()));
    assert_eq!(check("anything in square and person"), Ok(()));
}
