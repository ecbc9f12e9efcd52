//! What the tests of kernels share.

use super::isa;
use super::{View, ViewMut};

/// Runs a kernel on random samples of a size; gives these, and what it made of them.
pub(super) fn run(
    (width, height): (usize, usize),
    channels: usize,
    apply: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>),
) -> (Vec<u8>, Vec<u8>) {
    let mut random = fastrand::Rng::with_seed((width * 1000 + height) as u64);
    let from: Vec<u8> = (0..width * height * channels).map(|_| random.u8(..)).collect();
    let made = run_on(&from, (width, height), channels, apply);
    (from, made)
}

/// Runs a kernel on samples, with gaps behind the rows that have to stay, with AVX2 and without.
pub(super) fn run_on(
    from: &[u8],
    (width, height): (usize, usize),
    channels: usize,
    apply: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>),
) -> Vec<u8> {
    let (row, stride) = (width * channels, width * channels + 7);
    let view = View::new(from, (width, height), channels, row).unwrap();
    let mut make = || {
        let mut made = vec![0xA5; stride * height];
        apply(&view, &mut ViewMut::new(&mut made, (width, height), channels, stride).unwrap());
        assert!(made.chunks(stride).all(|row| row[stride - 7..].iter().all(|&byte| byte == 0xA5)));
        made.chunks(stride).flat_map(|chunk| chunk[..row].to_vec()).collect::<Vec<u8>>()
    };
    let made = make();
    assert_eq!(made, isa::portable(&mut make), "{width}x{height}x{channels}");
    made
}

/// Sizes with sides of one pixel, odd ones, and some that no vector divides.
pub(super) const SIZES: [(usize, usize); 9] =
    [(1, 1), (2, 1), (1, 2), (3, 2), (1, 9), (17, 1), (33, 20), (61, 47), (128, 3)];
