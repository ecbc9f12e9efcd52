//! "Did you mean …": the known name that a mistyped one is nearest to.

/// The known name nearest to `typed`, when it is near enough to be what was meant: at most a third of its letters
/// differ (Damerau–Levenshtein), or one is the beginning of the other.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.trim().to_lowercase();
    // A hostile name of a million letters is not worth comparing.
    if typed.is_empty() || typed.len() > 200 {
        return None;
    }
    known
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let starts = typed.len() >= 3 && (lower.starts_with(&typed) || typed.starts_with(&lower));
            let distance = if starts { 1 } else { strsim::damerau_levenshtein(&typed, &lower) };
            (distance, lower.chars().count().max(typed.chars().count()), name)
        })
        .filter(|&(distance, length, _)| distance * 3 <= length.max(3))
        .min_by_key(|&(distance, ..)| distance)
        .map(|(.., name)| name)
}

/// `; did you mean "x"?` or nothing, to be put behind an error.
pub fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["person", "car", "potted plant", "confidence", "nms_iou"];
        for (typed, meant) in [
            ("persn", "person"),
            ("Persno", "person"),
            ("confidenze", "confidence"),
            ("potted", "potted plant"),
        ] {
            assert_eq!(nearest(typed, known), Some(meant), "{typed}");
        }
        for typed in ["", "zebra crossing", "x", &"a".repeat(1000)] {
            assert_eq!(nearest(typed, known), None, "{typed}");
        }
        assert_eq!(hint("persn", known), "; did you mean \"person\"?");
    }
}
