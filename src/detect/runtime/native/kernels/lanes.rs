//! What a kernel needs of an instruction set: a vector of floats. Kernels are written once over this trait; an
//! instruction set is one file that implements it.

/// A vector of [`Lanes::N`] 32-bit floats.
///
/// # Safety
/// Every method may be called only on a processor that has the instruction set. Pointers must be good for `N` floats, or
/// for the `n <= N` that are named; they need no alignment.
pub(super) trait Lanes: Copy {
    /// How many floats it holds.
    const N: usize;

    /// All lanes the same.
    unsafe fn splat(value: f32) -> Self;
    /// `N` floats.
    unsafe fn load(from: *const f32) -> Self;
    /// The first `n` floats, the others 0.
    unsafe fn load_first(from: *const f32, n: usize) -> Self;
    /// `N` floats.
    unsafe fn store(self, to: *mut f32);
    /// The first `n` lanes; nothing else is touched.
    unsafe fn store_first(self, to: *mut f32, n: usize);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self · other`.
    unsafe fn mul(self, other: Self) -> Self;
    /// `self · factor + term`, rounded once where the processor can.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The larger of each pair; `other` where `self` is not a number.
    unsafe fn max(self, other: Self) -> Self;
    /// The smaller of each pair; `other` where `self` is not a number.
    unsafe fn min(self, other: Self) -> Self;
    /// The nearest whole number, for `|x| < 2²²`.
    unsafe fn round(self) -> Self;
    /// `self · 2^n`, for whole `n` from -126 to 127.
    unsafe fn scale(self, n: Self) -> Self;
    /// `1 / self` within 3 units in the last place, for `self` from 1 to 2¹²⁶.
    unsafe fn reciprocal(self) -> Self;
}

/// `N` floats, or the first `n` where there are fewer.
///
/// # Safety
/// As [`Lanes::load`] and [`Lanes::load_first`].
#[inline(always)]
pub(super) unsafe fn load_up_to<L: Lanes>(from: *const f32, n: usize) -> L {
    // SAFETY: as the caller promises.
    unsafe { if n >= L::N { L::load(from) } else { L::load_first(from, n) } }
}

/// `N` lanes, or the first `n` where there is room for fewer.
///
/// # Safety
/// As [`Lanes::store`] and [`Lanes::store_first`].
#[inline(always)]
pub(super) unsafe fn store_up_to<L: Lanes>(vector: L, to: *mut f32, n: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        if n >= L::N {
            vector.store(to);
        } else {
            vector.store_first(to, n);
        }
    }
}
