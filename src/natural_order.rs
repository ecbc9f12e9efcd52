//! Names in the order in which people count: `2` before `10`, whatever zeros stand before a number.

use std::cmp::Ordering;
use std::path::Path;

/// Compares two paths part by part. In a part, runs of digits compare as numbers of any length and letters without regard to
/// capitals; of equal numbers the one with fewer zeros before it comes first. Only equal paths are equal.
pub(crate) fn compare(a: &Path, b: &Path) -> Ordering {
    let (mut left, mut right) = (a.components(), b.components());
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => {
                compare_names(&left.as_os_str().to_string_lossy(), &right.as_os_str().to_string_lossy())
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_names(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    let mut zeros = Ordering::Equal;
    loop {
        let (left, right) = (number(a), number(b));
        if let (Some(left), Some(right)) = (left, right) {
            let [x, y] = [left, right].map(|digits| digits.trim_start_matches('0'));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order.is_ne() {
                return order;
            }
            zeros = zeros.then(left.len().cmp(&right.len()));
            (a, b) = (&a[left.len()..], &b[right.len()..]);
            continue;
        }
        let (mut x, mut y) = (a.chars(), b.chars());
        match (x.next(), y.next()) {
            (None, None) => return zeros,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => {
                let order = left.to_lowercase().cmp(right.to_lowercase());
                if order.is_ne() {
                    return order;
                }
            }
        }
        (a, b) = (x.as_str(), y.as_str());
    }
}

/// The digits that a text begins with.
fn number(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).filter(|digits| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_count_as_people_count() {
        let sorted = [
            "1.png",
            "2.png",
            "003.png",
            "9.png",
            "10.png",
            "13.png",
            "014.png",
            "A/2",
            "A/10",
            "a-1/1",
            "b.png",
            "B2x",
            "b02x",
            "b10x",
            "b10y",
            "img99999999999999999999998",
            "img99999999999999999999999",
            "x",
            "x1",
        ];
        let mut mixed = sorted;
        mixed.reverse();
        mixed.sort_by(|a, b| compare(Path::new(a), Path::new(b)));
        assert_eq!(mixed, sorted);
    }

    #[test]
    fn ties_are_broken_the_same_way_each_time() {
        for (first, second) in [("1", "01"), ("1", "001"), ("a01b1", "a1b2"), ("A", "a"), ("0", "00")] {
            assert_eq!(compare(Path::new(first), Path::new(second)), Ordering::Less, "{first} {second}");
            assert_eq!(compare(Path::new(second), Path::new(first)), Ordering::Greater, "{first} {second}");
        }
    }

    proptest! {
        #[test]
        fn it_is_an_order(names in prop::collection::vec("[aA01/é٣]{0,6}", 3)) {
            let [a, b, c] = [0, 1, 2].map(|i| Path::new(&names[i]));
            prop_assert_eq!(compare(a, b), compare(b, a).reverse());
            prop_assert_eq!(compare(a, b).is_eq(), a == b);
            if compare(a, b).is_le() && compare(b, c).is_le() {
                prop_assert!(compare(a, c).is_le());
            }
        }
    }
}
