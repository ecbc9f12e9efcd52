//! Run lengths as COCO's tools have them (pycocotools, `maskApi.c`): of all pixels of a picture, column by column from the left,
//! each from the top, how many are not the object's, how many are, how many are not, and so on.

/// The pixels of an object in a whole picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rle {
    width: u32,
    height: u32,
    /// Begins with those that are not the object's; their sum is `width × height`.
    counts: Vec<u32>,
}

impl Rle {
    /// Run lengths for a picture of this width and height; `None` where they have another sum.
    pub fn new((width, height): (u32, u32), counts: Vec<u32>) -> Option<Self> {
        let sum: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        (sum == u64::from(width) * u64::from(height)).then_some(Self { width, height, counts })
    }

    /// Width and height of the picture in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The lengths, the first of what is not the object.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// How many pixels are the object's.
    pub fn area(&self) -> u64 {
        self.counts.iter().skip(1).step_by(2).map(|&count| u64::from(count)).sum()
    }

    /// The lengths as the text that COCO's files hold (`counts`): each as a difference to the one two before, in groups of five
    /// bits.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (number, &count) in self.counts.iter().enumerate() {
            let mut rest = i64::from(count);
            if number > 2 {
                rest -= i64::from(self.counts[number - 2]);
            }
            loop {
                let group = (rest & 0x1F) as u8;
                rest >>= 5;
                let more = rest != if group & 0x10 == 0 { 0 } else { -1 };
                text.push(char::from((group | if more { 0x20 } else { 0 }) + b'0'));
                if !more {
                    break;
                }
            }
        }
        text
    }

    /// Reads that text, for a picture of this width and height; `None` where it is none for it.
    pub fn parse(size: (u32, u32), text: &str) -> Option<Self> {
        let mut counts: Vec<u32> = Vec::new();
        let (mut value, mut shift) = (0i64, 0u32);
        for byte in text.bytes() {
            let group = byte.checked_sub(b'0').filter(|group| *group < 0x40)?;
            // Seven groups hold any length.
            if shift > 30 {
                return None;
            }
            value |= i64::from(group & 0x1F) << shift;
            shift += 5;
            if group & 0x20 == 0 {
                if group & 0x10 != 0 {
                    value |= -1 << shift;
                }
                if counts.len() > 2 {
                    value += i64::from(counts[counts.len() - 2]);
                }
                counts.push(u32::try_from(value).ok()?);
                (value, shift) = (0, 0);
            }
        }
        if shift == 0 { Self::new(size, counts) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_those_of_pycocotools() {
        // encode() of 7 × 5 with a rectangle of 4 × 3, a full one, an empty one; a chessboard of 5 × 6.
        for (size, counts, text) in [
            ((7, 5), vec![11, 3, 2, 3, 2, 3, 2, 3, 6], ";32000004"),
            ((7, 5), vec![0, 35], "0S1"),
            ((7, 5), vec![35], "S1"),
        ] {
            let rle = Rle::new(size, counts).unwrap();
            assert_eq!(rle.text(), text);
            assert_eq!(Rle::parse(size, text), Some(rle));
        }
        let read = Rle::parse((5, 6), "01100010O0010O0010O0010O000").unwrap();
        assert_eq!((read.counts().len(), read.area()), (27, 15));
        assert_eq!(read.text(), "01100010O0010O0010O0010O000");
    }

    #[test]
    fn what_is_no_such_text_is_refused() {
        for text in ["", "S2", "S", "s1", " ", "ünlaut", "oooooooooo", "0S10000000000S", "1O4"] {
            assert_eq!(Rle::parse((7, 5), text), None, "{text}");
        }
        assert_eq!(Rle::new((7, 5), vec![36]), None);
        assert_eq!(Rle::new((0, 0), vec![]).map(|rle| rle.area()), Some(0));
    }

    proptest! {
        #[test]
        fn texts_lead_back(counts in prop::collection::vec(prop_oneof![0u32..40, 0u32..70_000_000], 1..40)) {
            let sum: u64 = counts.iter().map(|&count| u64::from(count)).sum();
            prop_assume!(u32::try_from(sum).is_ok());
            let rle = Rle::new((sum as u32, 1), counts).unwrap();
            prop_assert_eq!(Rle::parse((sum as u32, 1), &rle.text()), Some(rle));
        }

        #[test]
        fn no_text_is_too_odd(text in "[\\x00-\\x7f]{0,40}", width in 0u32..100, height in 0u32..100) {
            let read = Rle::parse((width, height), &text);
            prop_assert!(read.is_none_or(|rle| rle.area() <= u64::from(width) * u64::from(height)));
        }
    }
}
