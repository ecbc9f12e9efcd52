//! What is done to each value behind a convolution.

use super::lanes::Lanes;

/// An activation function.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::detect::runtime::native) enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `x / (1 + exp(-x))` (Ramachandran et al. 2017, arXiv:1710.05941).
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x · min(max(x + 3, 0), 6) / 6` (Howard et al. 2019, arXiv:1905.02244).
    HardSwish,
    /// `x` where positive, else `slope · x`.
    Leaky(f32),
    /// `min(max(x, low), high)`: ReLU is from 0 to infinity.
    Clip(f32, f32),
}

impl std::fmt::Display for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Silu => f.write_str("SiLU"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::HardSwish => f.write_str("HardSwish"),
            Self::Leaky(_) => f.write_str("LeakyReLU"),
            Self::Clip(low, high) if (*low, *high) == (0.0, f32::INFINITY) => f.write_str("ReLU"),
            Self::Clip(..) => f.write_str("clip"),
        }
    }
}

/// `2^f` for `f` from -1/2 to 1/2: the polynomial of degree 5 with the least greatest relative error, 2.4e-7 as evaluated
/// here; from the constant on.
const EXP2: [f32; 6] = [1.000_000_1, 0.693_146_94, 0.240_221_2, 0.055_507_13, 0.009_675_541, 0.001_327_647_1];

/// `1 / (1 + exp(-x))` with a relative error below 1e-6, for any `x`; beyond ±87 the argument counts as ±87, and what is
/// not a number stays none.
///
/// # Safety
/// The processor must have the instruction set of `L`.
#[inline(always)]
unsafe fn sigmoid<L: Lanes>(x: L) -> L {
    // SAFETY: as the caller promises.
    unsafe { exp2(x.mul(L::splat(-std::f32::consts::LOG2_E))).add(L::splat(1.0)).reciprocal() }
}

/// `exp(x)` likewise.
///
/// # Safety
/// The processor must have the instruction set of `L`.
#[inline(always)]
pub(super) unsafe fn exp<L: Lanes>(x: L) -> L {
    // SAFETY: as the caller promises.
    unsafe { exp2(x.mul(L::splat(std::f32::consts::LOG2_E))) }
}

/// `2^t` with a relative error below 1e-6; beyond ±126 `t` counts as ±126, and what is not a number stays none.
///
/// # Safety
/// The processor must have the instruction set of `L`.
#[inline(always)]
unsafe fn exp2<L: Lanes>(t: L) -> L {
    // SAFETY: as the caller promises.
    unsafe {
        // 2^n · 2^f with whole n and |f| <= 1/2. The operand on the right is kept where t is not a number.
        let t = L::splat(-126.0).max(L::splat(126.0).min(t));
        let n = t.round();
        let f = n.mul_add(L::splat(-1.0), t);
        let mut p = L::splat(EXP2[5]);
        for i in (0..5).rev() {
            p = p.mul_add(f, L::splat(EXP2[i]));
        }
        p.scale(n)
    }
}

impl Activation {
    /// Applies it to one vector.
    ///
    /// # Safety
    /// The processor must have the instruction set of `L`.
    #[inline(always)]
    pub(super) unsafe fn apply<L: Lanes>(self, x: L) -> L {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::None => x,
                Self::Silu => x.mul(sigmoid(x)),
                Self::Sigmoid => sigmoid(x),
                Self::HardSwish => {
                    let gate = x.add(L::splat(3.0)).max(L::splat(0.0)).min(L::splat(6.0));
                    x.mul(gate).mul(L::splat(1.0 / 6.0))
                }
                Self::Leaky(slope) => x.max(L::splat(0.0)).add(x.min(L::splat(0.0)).mul(L::splat(slope))),
                Self::Clip(low, high) => x.max(L::splat(low)).min(L::splat(high)),
            }
        }
    }

    /// Applies it to each of several vectors.
    ///
    /// # Safety
    /// The processor must have the instruction set of `L`.
    #[inline(always)]
    pub(super) unsafe fn apply_all<L: Lanes, const P: usize, const V: usize>(self, all: &mut [[L; V]; P]) {
        // SAFETY: as the caller promises.
        unsafe {
            // One branch for all of them, not one for each.
            macro_rules! each {
                ($activation:expr) => {
                    for row in all.iter_mut() {
                        for x in row.iter_mut() {
                            *x = $activation.apply(*x);
                        }
                    }
                };
            }
            match self {
                Self::None => {}
                Self::Silu => each!(Self::Silu),
                Self::Sigmoid => each!(Self::Sigmoid),
                Self::HardSwish => each!(Self::HardSwish),
                Self::Leaky(slope) => each!(Self::Leaky(slope)),
                Self::Clip(low, high) => each!(Self::Clip(low, high)),
            }
        }
    }
}
