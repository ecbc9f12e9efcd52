//! What is wrong with a condition beyond its grammar: parts that do not go together, and names that nothing has.

use super::condition::{At, Condition, Name, What, Who};
use super::error::{RuleError, hint};
use super::{ATTRIBUTES, Known};
use crate::labels::Labels;

/// No condition has more parts.
const MOST_PARTS: usize = 200;

/// Whether the parts of a condition go together.
pub(super) fn check_sense(text: &str, condition: &Condition) -> Result<(), RuleError> {
    let mut parts = 0;
    condition.walk(&mut |_| parts += 1);
    if parts > MOST_PARTS {
        return Err(RuleError::at(text, 0, format!("a rule has at most {MOST_PARTS} parts")));
    }
    check_parts(text, condition)?;
    if condition.is_of_object() { check_names_objects(text, condition) } else { Ok(()) }
}

fn check_parts(text: &str, condition: &Condition) -> Result<(), RuleError> {
    let wrong = |at: At, problem: &str| Err(RuleError::at(text, at.0, problem));
    match condition {
        Condition::For(at, part, _) if has_moment(part) => {
            return wrong(*at, "a crossing is a moment, which does not last: leave out \"for\"");
        }
        Condition::Not(at, part) if has_moment(part) => {
            return wrong(*at, "a crossing is a moment: nearly always it does not happen; leave out \"not\"");
        }
        Condition::Object { at, not: true, what: Some(What::Crosses(..)), .. } => {
            return wrong(*at, "a crossing is a moment: nearly always it does not happen; leave out \"not\"");
        }
        Condition::Any(parts) => {
            let first = parts.first().is_some_and(Condition::is_of_object);
            if let Some(other) = parts.iter().find(|part| part.is_of_object() != first) {
                return wrong(
                    other.at(),
                    "one side of \"or\" speaks of an object, the other does not: make two rules of them",
                );
            }
        }
        Condition::Count { part, .. } => {
            if !part.is_of_object() {
                return wrong(part.at(), "expected is what is counted, as in count(person in square)");
            }
            if has_moment(part) {
                return wrong(
                    part.at(),
                    "crossings are moments, which cannot be counted here: see [[line]] and --counts",
                );
            }
            check_names_objects(text, part)?;
            check_parts(text, part)?;
        }
        _ => {}
    }
    condition.parts().iter().try_for_each(|part| check_parts(text, part))
}

/// Whether a part of it holds for a moment only.
fn has_moment(condition: &Condition) -> bool {
    matches!(condition, Condition::Object { what: Some(What::Crosses(..)), .. })
        || condition.parts().iter().any(has_moment)
}

/// A condition of objects has to say which ones: `not person in square` would hold for every car.
fn check_names_objects(text: &str, condition: &Condition) -> Result<(), RuleError> {
    if names_objects(condition) {
        return Ok(());
    }
    let mut not = condition.at();
    condition.walk(&mut |part| {
        if let Condition::Not(at, _) = part {
            not = *at;
        }
    });
    let problem = "this holds for every object that is something else: say which ones are meant, as in \
                   \"person and not in square\", or \"nobody in square\" where none may be there";
    Err(RuleError::at(text, not.0, problem))
}

fn names_objects(condition: &Condition) -> bool {
    match condition {
        Condition::Object { .. } => true,
        Condition::All(parts) => parts.iter().any(names_objects),
        Condition::Any(parts) => parts.iter().all(names_objects),
        Condition::For(_, part, _) => names_objects(part),
        Condition::Not(..) | Condition::Count { .. } | Condition::None { .. } | Condition::Between { .. } => {
            false
        }
    }
}

/// Whether there is everything that a condition names.
pub(super) fn check_known(text: &str, condition: &Condition, known: &Known<'_>) -> Result<(), RuleError> {
    let mut found = Ok(());
    condition.walk(&mut |part| {
        if found.is_ok() {
            found = check_part(text, part, known);
        }
    });
    found
}

fn check_part(text: &str, condition: &Condition, known: &Known<'_>) -> Result<(), RuleError> {
    let (who, what, places): (_, _, &[Name]) = match condition {
        Condition::Object { who, what, .. } => (who.as_ref(), what.as_ref(), &[]),
        Condition::None { who, zones, .. } => (Some(who), None, zones),
        _ => return Ok(()),
    };
    if let (Some(Who::Classes(classes)), Some(labels)) = (who, known.classes) {
        classes.iter().try_for_each(|class| check_class(text, class, labels))?;
    }
    let names = |names: &[Name], known: &[&str], what: &str| {
        names.iter().try_for_each(|name| check_name(text, name, known, what))
    };
    names(places, known.zones, "zone")?;
    if let Some(Who::Classes(classes)) = who {
        let (kind, places): (_, &[Name]) = match what {
            Some(What::In(zones) | What::Still(zones)) => ("zone", zones),
            Some(What::Crosses(lines, _)) => ("line", lines),
            _ => ("zone", places),
        };
        places.iter().try_for_each(|place| check_narrow(text, classes, (kind, place), known))?;
    }
    match what {
        Some(What::In(zones) | What::Still(zones)) => names(zones, known.zones, "zone"),
        Some(What::Crosses(lines, _)) => names(lines, known.lines, "line"),
        Some(What::Is(name, ..)) => {
            let attributes = ATTRIBUTES.map(|(name, _)| name);
            if attributes.contains(&name.text.as_str()) {
                return Ok(());
            }
            let hint = hint(&name.text, attributes);
            let problem = format!(
                "of an object no \"{}\" is known{hint} (known: {})",
                name.text,
                attributes.join(", ")
            );
            Err(RuleError::at(text, name.at.0, problem))
        }
        None => Ok(()),
    }
}

/// A zone or line with classes of its own knows nothing of others: nobody would ever be there.
fn check_narrow(
    text: &str,
    classes: &[Name],
    (kind, place): (&str, &Name),
    known: &Known<'_>,
) -> Result<(), RuleError> {
    let narrow = known.narrow.iter().find(|(what, name, _)| *what == kind && *name == place.text);
    let Some((.., counted)) = narrow else { return Ok(()) };
    // As names of classes are found: whatever their case.
    let counts =
        |class: &Name| counted.iter().any(|name| name.trim().eq_ignore_ascii_case(class.text.trim()));
    match classes.iter().find(|class| !counts(class)) {
        None => Ok(()),
        Some(class) => {
            let problem = format!(
                "\"{}\" counts only {} (its classes), so that no {} is ever there: add it to them, or leave them out",
                place.text,
                counted.join(", "),
                class.text
            );
            Err(RuleError::at(text, place.at.0, problem))
        }
    }
}

fn check_class(text: &str, class: &Name, labels: &Labels) -> Result<(), RuleError> {
    if labels.find(&class.text).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = labels.iter().take(8).collect();
    let more = if labels.len() > known.len() { ", …" } else { "" };
    let hint = hint(&class.text, labels.iter());
    let problem = format!("there is no class \"{}\"{hint} (known: {}{more})", class.text, known.join(", "));
    Err(RuleError::at(text, class.at.0, problem))
}

fn check_name(text: &str, name: &Name, known: &[&str], what: &str) -> Result<(), RuleError> {
    if known.contains(&name.text.as_str()) {
        return Ok(());
    }
    let known = match known {
        [] => format!(": there is no [[{what}]]"),
        known => format!("{} (known: {})", hint(&name.text, known.iter().copied()), known.join(", ")),
    };
    Err(RuleError::at(text, name.at.0, format!("there is no {what} \"{}\"{known}", name.text)))
}
