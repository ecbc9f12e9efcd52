//! The ways in which bytes are changed.

use fastrand::Rng;

/// Numbers that programs stumble over.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// And as text.
const TEXTS: [&str; 22] = [
    "0",
    "-0",
    "1",
    "-1",
    "1e308",
    "1e-320",
    "-1e308",
    "nan",
    "inf",
    "-inf",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "0.1",
    "1000000",
    "2500000",
    "99999999",
    "65536",
    "",
    "-",
    "1e999",
];

/// One of the seeds, changed in a few places.
pub(super) fn mutated(seeds: &[Vec<u8>], words: &[&[u8]], longest: usize, random: &mut Rng) -> Vec<u8> {
    let Some(seed) = random.choice(seeds) else { return Vec::new() };
    let mut bytes = seed.clone();
    for _ in 0..1 << random.u32(0..4) {
        change(&mut bytes, seeds, words, random);
    }
    bytes.truncate(longest);
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&[u8]], random: &mut Rng) {
    let at = random.usize(0..=bytes.len());
    match random.u32(0..14) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.u32(0..8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        2 | 3 => number(bytes, at, random),
        4 => bytes.truncate(at),
        5 | 6 => {
            let range = range(bytes, at, random);
            bytes.drain(range);
        }
        7 => {
            let copy = bytes[range(bytes, at, random)].to_vec();
            let times = 1 << random.u32(0..5);
            insert(bytes, random, &copy.repeat(times));
        }
        8 => {
            let noise: Vec<u8> = (0..random.usize(1..24)).map(|_| random.u8(..)).collect();
            insert(bytes, random, &noise);
        }
        9 => {
            if let Some(other) = random.choice(seeds) {
                let from = random.usize(0..=other.len());
                let piece = &other[range(other, from, random)];
                insert(bytes, random, piece);
            }
        }
        10 => {
            if let Some(word) = random.choice(words) {
                insert(bytes, random, word);
            }
        }
        _ => text_number(bytes, at, random),
    }
}

/// A piece from `at` on, mostly a short one.
fn range(bytes: &[u8], at: usize, random: &mut Rng) -> std::ops::Range<usize> {
    let left = bytes.len() - at.min(bytes.len());
    let most = if random.u32(0..4) == 0 { left } else { left.min(40) };
    at..at + random.usize(0..=most)
}

fn insert(bytes: &mut Vec<u8>, random: &mut Rng, piece: &[u8]) {
    let at = random.usize(0..=bytes.len());
    bytes.splice(at..at, piece.iter().copied());
}

/// A binary number of some width and order.
fn number(bytes: &mut [u8], at: usize, random: &mut Rng) {
    let number = random.choice(NUMBERS).unwrap_or_default().wrapping_add(u64::from(random.u8(..4)));
    let width = 1 << random.u32(0..4);
    let (little, big) = (number.to_le_bytes(), number.to_be_bytes());
    let chosen = if random.bool() { &little[..width] } else { &big[8 - width..] };
    if let Some(place) = bytes.get_mut(at..at + width) {
        place.copy_from_slice(chosen);
    }
}

/// The digits behind `at` become another number.
fn text_number(bytes: &mut Vec<u8>, at: usize, random: &mut Rng) {
    let is_number = |byte: &u8| byte.is_ascii_digit() || b".-+e".contains(byte);
    let Some(begin) = bytes.iter().skip(at).position(u8::is_ascii_digit).map(|offset| at + offset) else {
        return;
    };
    let length = bytes.iter().skip(begin).take_while(|byte| is_number(byte)).count();
    let text = random.choice(TEXTS).unwrap_or_default();
    bytes.splice(begin..begin + length, text.bytes());
}
