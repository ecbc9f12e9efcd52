//! Eight numbers at a time, without branches: written so that the compiler makes one instruction of each function.

use super::grid::LANES;

/// Eight numbers.
pub(super) type Lanes = [f32; LANES];
/// All bits or none, for each of eight numbers.
pub(super) type Bits = [u32; LANES];

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> Lanes {
    let mut out = [0.0; LANES];
    let mut at = 0;
    while at < LANES {
        out[at] = f(at);
        at += 1;
    }
    out
}

#[inline(always)]
fn each_bits(f: impl Fn(usize) -> u32) -> Bits {
    let mut out = [0; LANES];
    let mut at = 0;
    while at < LANES {
        out[at] = f(at);
        at += 1;
    }
    out
}

#[inline(always)]
pub(super) fn add(a: Lanes, b: Lanes) -> Lanes {
    each(|at| a[at] + b[at])
}

#[inline(always)]
pub(super) fn sub(a: Lanes, b: Lanes) -> Lanes {
    each(|at| a[at] - b[at])
}

#[inline(always)]
pub(super) fn mul(a: Lanes, b: Lanes) -> Lanes {
    each(|at| a[at] * b[at])
}

#[inline(always)]
pub(super) fn div(a: Lanes, b: Lanes) -> Lanes {
    each(|at| a[at] / b[at])
}

#[inline(always)]
pub(super) fn scale(a: Lanes, by: f32) -> Lanes {
    each(|at| a[at] * by)
}

#[inline(always)]
pub(super) fn min(a: Lanes, b: Lanes) -> Lanes {
    each(|at| if a[at] < b[at] { a[at] } else { b[at] })
}

#[inline(always)]
pub(super) fn max(a: Lanes, b: Lanes) -> Lanes {
    each(|at| if a[at] > b[at] { a[at] } else { b[at] })
}

#[inline(always)]
pub(super) fn root(a: Lanes) -> Lanes {
    each(|at| a[at].sqrt())
}

#[inline(always)]
pub(super) fn less(a: Lanes, b: Lanes) -> Bits {
    each_bits(|at| if a[at] < b[at] { u32::MAX } else { 0 })
}

#[inline(always)]
pub(super) fn at_most(a: Lanes, b: Lanes) -> Bits {
    each_bits(|at| if a[at] <= b[at] { u32::MAX } else { 0 })
}

#[inline(always)]
pub(super) fn both(a: Bits, b: Bits) -> Bits {
    each_bits(|at| a[at] & b[at])
}

#[inline(always)]
pub(super) fn either(a: Bits, b: Bits) -> Bits {
    each_bits(|at| a[at] | b[at])
}

/// What is of `a` and not of `b`.
#[inline(always)]
pub(super) fn without(a: Bits, b: Bits) -> Bits {
    each_bits(|at| a[at] & !b[at])
}

#[inline(always)]
pub(super) fn select(is: Bits, yes: Lanes, no: Lanes) -> Lanes {
    each(|at| f32::from_bits((is[at] & yes[at].to_bits()) | (!is[at] & no[at].to_bits())))
}

/// The number where it is, else 0.
#[inline(always)]
pub(super) fn only(is: Bits, yes: Lanes) -> Lanes {
    each(|at| f32::from_bits(is[at] & yes[at].to_bits()))
}
