//! Rules: what is wrong with them that a table alone does not tell.

use super::Settings;
use crate::analyse::{Known, KnownNames, RuleSettings, When};
use crate::labels::Labels;

/// Names that two rules have, and zones, lines and attributes that a rule names and that are not there.
pub(super) fn mistakes(settings: &Settings) -> Vec<String> {
    let rules = &settings.rules;
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names.iter().take(index).position(|other| other == name) {
            found.push(format!(
                "rule.{} is called \"{name}\" like rule.{}: give each rule a name of its own",
                index + 1,
                first + 1
            ));
        }
    }
    let names = KnownNames::of(&settings.counting);
    let known = names.with(None);
    found.extend(rules.iter().filter_map(|rule| problem(rule, &known)));
    found
}

/// Whether all classes that rules name are among these.
///
/// # Errors
/// The setting and what is wrong, with what may have been meant.
pub fn check_rule_classes(settings: &Settings, labels: &Labels) -> Result<(), (&'static str, String)> {
    let names = KnownNames::of(&settings.counting);
    let known = names.with(Some(labels));
    let wrong = settings.rules.iter().find_map(|rule| problem(rule, &known));
    wrong.map_or(Ok(()), |problem| Err(("rule", problem)))
}

fn problem(rule: &RuleSettings, known: &Known<'_>) -> Option<String> {
    let checked = rule.when.parse::<When>().and_then(|when| when.check(known));
    checked.err().map(|error| format!("rule \"{}\": when {error}", rule.name))
}
