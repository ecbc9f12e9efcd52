//! What Home Assistant has to be told to show lines, zones and rules by itself: one device for a run, with a sensor for each
//! number, and for each rule one that is on while an event of the rule is under way
//! (MQTT discovery, "device" form of 2024.11 and later).

use serde_json::{Map, Value as Json, json};

use crate::counts::{Counts, RuleState};

/// How things stand.
#[derive(Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) counts: &'a Counts,
    pub(super) rules: &'a [RuleState],
}

/// The topic, from the root on (with a slash before it), and the message, which the broker has to keep.
/// `before`: what was told of last; what is not there any more is taken away.
pub(super) fn discovery(
    prefix: &str,
    source: &str,
    Standing { counts, rules }: Standing<'_>,
    before: Option<Standing<'_>>,
) -> (String, Json) {
    let device = format!("trailsight_{}", word(prefix));
    let mut components = Map::new();
    let mut add = |key: String, component: Json| {
        let mut component = component;
        if component.get("platform").is_none() {
            component["platform"] = json!("sensor");
        }
        component["unique_id"] = json!(format!("{device}_{key}"));
        components.insert(key, component);
    };
    let total = |name: String, topic: String, field: &str, icon: &str| {
        json!({
            "name": name,
            "state_topic": topic,
            "value_template": format!("{{{{ value_json.{field} }}}}"),
            "state_class": "total_increasing",
            "icon": icon,
        })
    };
    for line in &counts.lines {
        let (name, topic) = (&line.name, format!("{prefix}/lines/{}", level(&line.name)));
        for (field, icon) in [("in", "mdi:arrow-right-bold"), ("out", "mdi:arrow-left-bold")] {
            let component = total(format!("{name} {field}"), topic.clone(), field, icon);
            add(format!("line_{}_{field}", word(name)), component);
        }
    }
    for zone in &counts.zones {
        let (name, topic) = (&zone.name, format!("{prefix}/zones/{}", level(&zone.name)));
        let now = json!({
            "name": name.to_string(),
            "state_topic": topic,
            "value_template": "{{ value_json.occupancy }}",
            "state_class": "measurement",
            "icon": "mdi:account-group",
        });
        add(format!("zone_{}", word(name)), now);
        let entered = total(format!("{name} entered"), topic, "in", "mdi:location-enter");
        add(format!("zone_{}_in", word(name)), entered);
    }
    for RuleState { name, .. } in rules {
        let on = json!({
            "platform": "binary_sensor",
            "name": name.to_string(),
            "state_topic": format!("{prefix}/rules/{}", level(name)),
            "value_template": "{{ 'ON' if value_json.active > 0 else 'OFF' }}",
            "json_attributes_topic": format!("{prefix}/rules/{}", level(name)),
            "icon": "mdi:bell-ring",
        });
        add(format!("rule_{}", word(name)), on);
    }
    for key in before.into_iter().flat_map(keys) {
        // A component that has nothing but its kind is removed.
        components.entry(key.clone()).or_insert_with(|| {
            let kind = if key.starts_with("rule_") { "binary_sensor" } else { "sensor" };
            json!({ "platform": kind })
        });
    }
    let version = env!("CARGO_PKG_VERSION");
    let document = json!({
        "device": {
            "identifiers": [device],
            "name": format!("trailsight {source}"),
            "manufacturer": "trailsight",
            "sw_version": version,
        },
        "origin": { "name": "trailsight", "sw_version": version },
        "availability_topic": format!("{prefix}/available"),
        "components": components,
    });
    (format!("/homeassistant/device/{device}/config"), document)
}

/// The sensors of lines and zones.
fn keys(Standing { counts, rules }: Standing<'_>) -> Vec<String> {
    let lines = counts.lines.iter().map(|line| word(&line.name));
    let lines = lines.flat_map(|name| ["in", "out"].map(|field| format!("line_{name}_{field}")));
    let zones = counts.zones.iter().map(|zone| word(&zone.name));
    let zones = zones.flat_map(|name| [format!("zone_{name}"), format!("zone_{name}_in")]);
    lines.chain(zones).chain(rules.iter().map(|rule| format!("rule_{}", word(&rule.name)))).collect()
}

/// A name as one level of a topic: what has a meaning there is coded as in addresses.
pub(super) fn level(name: &str) -> String {
    let coded = |c: char| matches!(c, '/' | '+' | '#' | '%').then(|| format!("%{:02X}", u32::from(c)));
    name.chars().map(|c| coded(c).unwrap_or_else(|| c.to_string())).collect()
}

/// Letters, digits and underscores alone; other characters by their number, so that two names stay two.
fn word(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
        } else {
            word.push_str(&format!("_{:x}_", u32::from(c)));
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::{ByClass, LineCounts};

    #[test]
    fn each_number_is_a_sensor_with_a_name_of_its_own() {
        let line = |name: &str| LineCounts {
            name: name.into(),
            points: Vec::new(),
            crossed: ByClass::default(),
            speeds: Default::default(),
        };
        let counts = Counts { lines: vec![line("a b"), line("a/b"), line("tür")], ..Counts::default() };
        let rule = RuleState { name: "somebody waits".into(), active: 1, since: Some(2.0), started: 3 };
        let rules = [rule];
        let now = Standing { counts: &counts, rules: &rules };
        let (topic, document) = discovery("yard/north", "clip.avi", now, None);
        assert_eq!(topic, "/homeassistant/device/trailsight_yard_2f_north/config");
        let components = document["components"].as_object().unwrap();
        assert_eq!(components.len(), 7);
        let rule = &components["rule_somebody_20_waits"];
        assert_eq!(
            (&rule["platform"], &rule["state_topic"]),
            (&json!("binary_sensor"), &json!("yard/north/rules/somebody waits"))
        );
        assert_eq!(rule["value_template"], "{{ 'ON' if value_json.active > 0 else 'OFF' }}");
        let one = &components["line_a_2f_b_in"];
        assert_eq!(
            (&one["platform"], &one["state_topic"]),
            (&json!("sensor"), &json!("yard/north/lines/a%2Fb"))
        );
        assert_eq!(one["value_template"], "{{ value_json.in }}");
        assert_eq!(one["unique_id"], "trailsight_yard_2f_north_line_a_2f_b_in");
        assert_eq!(document["availability_topic"], "yard/north/available");
        // A line that is gone is taken away, and the others stay.
        let fewer = Counts { lines: vec![line("a b")], ..Counts::default() };
        let fewer = Standing { counts: &fewer, rules: &[] };
        let (_, document) = discovery("yard/north", "clip.avi", fewer, Some(now));
        let components = document["components"].as_object().unwrap();
        assert_eq!(components["line_a_2f_b_in"], json!({ "platform": "sensor" }));
        assert_eq!(components["rule_somebody_20_waits"], json!({ "platform": "binary_sensor" }));
        assert_eq!(
            (components.len(), &components["line_a_20_b_in"]["state_topic"]),
            (7, &json!("yard/north/lines/a b"))
        );
    }
}
