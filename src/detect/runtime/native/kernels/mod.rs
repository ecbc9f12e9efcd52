//! The innermost loops, written once over vectors ([`lanes`]) and compiled for each instruction set; which one is used is
//! decided when the program starts.
//!
//! | instruction set | lanes | registers | tiles of a convolution, pixels × vectors |
//! |---|---|---|---|
//! | AVX-512 | 16 | 32 | 6 × 4, 8 × 3, 12 × 2, 14 × 1 |
//! | AVX2 and FMA | 8 | 16 | 5 × 2, 8 × 1 |
//! | any other | 8 | – | 2 × 2, 4 × 1 |
//!
//! AVX2's tiles leave registers free: measured, one of 4 × 3, which with its weights and an input needs all sixteen, is half as
//! fast as 5 × 2, because the compiler then keeps sums in memory.
//!
//! To add an instruction set (NEON, say): a file that implements [`lanes::Lanes`], a line in [`Isa`], a `kernels!` below.
#![allow(
    unsafe_code,
    reason = "kernels read and write through pointers whose extent their callers have checked"
)]

mod activation;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod conv;
mod depthwise;
mod distribution;
mod lanes;
mod portable;

use std::fmt;

pub(super) use activation::Activation;
pub(super) use conv::{Block, Line};
pub(super) use depthwise::{Filter, Row};
pub(super) use distribution::{Distributions, MOST_VALUES};

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isa {
    /// AVX-512 Foundation.
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// What the program was compiled for.
    Portable,
}

impl Isa {
    /// Those that this processor has, the best first.
    pub(super) fn available() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") {
                all.push(Self::Avx512);
            }
            if avx2 {
                all.push(Self::Avx2);
            }
        }
        all.push(Self::Portable);
        all
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Portable => "portable",
        })
    }
}

/// The kernels of one instruction set.
#[derive(Debug)]
pub(super) struct Kernels {
    /// Which one.
    pub(super) isa: Isa,
    /// Floats a vector.
    pub(super) lanes: usize,
    /// The most vectors that a block of a convolution may have.
    pub(super) most_vectors: usize,
    conv: unsafe fn(&Line, &Block<'_>),
    depthwise: unsafe fn(&Row, &Filter<'_>),
    max_pool: unsafe fn(&Row),
    means: unsafe fn(&Distributions<'_>),
    widen: unsafe fn(&[u8], &mut [f32]),
}

impl Kernels {
    /// Those of `isa`; of the portable ones where the processor has not what was asked for.
    pub(super) fn of(isa: Isa) -> &'static Self {
        // What runs later may rely on the processor because of this.
        if !Isa::available().contains(&isa) {
            return &PORTABLE;
        }
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => &AVX512,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &AVX2,
            _ => &PORTABLE,
        }
    }

    /// Computes a block's channels for all pixels of a line.
    ///
    /// # Safety
    /// Every run of every pixel must be readable, `block.channels` floats writable at each output pixel and readable at
    /// each pixel of `add`; the output must not overlap what is read. The weights must be packed for these kernels.
    pub(super) unsafe fn conv(&self, line: &Line, block: &Block<'_>) {
        // SAFETY: as the caller promises; `Kernels::of` gives a table only where the processor has its instructions.
        unsafe { (self.conv)(line, block) };
    }

    /// Computes one row of a depthwise convolution.
    ///
    /// # Safety
    /// The kernel's rows from `first_row` to `end_row` must be readable over `input_width` pixels, the output's `columns`
    /// writable, each `channels` floats; output and input must not overlap. The filter must be packed for these kernels.
    pub(super) unsafe fn depthwise(&self, row: &Row, filter: &Filter<'_>) {
        // SAFETY: as the caller promises; `Kernels::of` gives a table only where the processor has its instructions.
        unsafe { (self.depthwise)(row, filter) };
    }

    /// Computes one row of the largest values under a window; minus infinity where it holds no pixel.
    ///
    /// # Safety
    /// As [`Kernels::depthwise`].
    pub(super) unsafe fn max_pool(&self, row: &Row) {
        // SAFETY: as the caller promises; `Kernels::of` gives a table only where the processor has its instructions.
        unsafe { (self.max_pool)(row) };
    }

    /// Computes the means of the distributions of a row.
    ///
    /// # Safety
    /// At each pixel as many floats as its distributions have must be readable, one a distribution writable.
    pub(super) unsafe fn means(&self, row: &Distributions<'_>) {
        // SAFETY: as the caller promises; `Kernels::of` gives a table only where the processor has its instructions.
        unsafe { (self.means)(row) };
    }

    /// Turns bytes into floats of the same value, as many as there are of both.
    pub(super) fn widen(&self, bytes: &[u8], floats: &mut [f32]) {
        // SAFETY: `Kernels::of` gives a table only where the processor has its instructions.
        unsafe { (self.widen)(bytes, floats) }
    }
}

/// The loop behind [`Kernels::widen`].
#[inline(always)]
fn widen(bytes: &[u8], floats: &mut [f32]) {
    for (float, byte) in floats.iter_mut().zip(bytes) {
        *float = f32::from(*byte);
    }
}

/// Compiles the kernels for one instruction set: tiles as `vectors => pixels`, then the pixels of a depthwise tile.
macro_rules! kernels {
    ($table:ident, $isa:expr, $lanes:ty, $(#[$feature:meta])?, [$($vectors:literal => $pixels:literal),+], $depthwise:literal) => {
        static $table: Kernels = {
            $(#[$feature])?
            unsafe fn conv(line: &Line, block: &Block<'_>) {
                match block.vectors {
                    // SAFETY: `Kernels::of` gives this table only where the processor has the features; the caller answers for
                    // the rest.
                    $($vectors => unsafe { conv::line::<$lanes, $pixels, $vectors>(line, block) },)+
                    _ => unreachable!("no block has {} vectors", block.vectors),
                }
            }

            $(#[$feature])?
            unsafe fn depthwise(row: &Row, filter: &Filter<'_>) {
                // SAFETY: as above.
                unsafe { depthwise::row::<$lanes, $depthwise>(row, filter) };
            }

            $(#[$feature])?
            unsafe fn max_pool(row: &Row) {
                // SAFETY: as above.
                unsafe { depthwise::max_row::<$lanes>(row) };
            }

            $(#[$feature])?
            unsafe fn means(row: &Distributions<'_>) {
                // SAFETY: as above.
                unsafe { distribution::means::<$lanes>(row) };
            }

            $(#[$feature])?
            unsafe fn widen(bytes: &[u8], floats: &mut [f32]) {
                super::kernels::widen(bytes, floats);
            }

            Kernels {
                isa: $isa,
                lanes: <$lanes as lanes::Lanes>::N,
                most_vectors: [$($vectors),+].len(),
                conv,
                depthwise,
                max_pool,
                means,
                widen,
            }
        };
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(AVX512, Isa::Avx512, avx512::Avx512, #[target_feature(enable = "avx512f,avx2,fma")], [1 => 14, 2 => 12, 3 => 8, 4 => 6], 8);
#[cfg(target_arch = "x86_64")]
kernels!(AVX2, Isa::Avx2, avx2::Avx2, #[target_feature(enable = "avx2,fma")], [1 => 8, 2 => 5], 4);
kernels!(PORTABLE, Isa::Portable, portable::Eight, , [1 => 4, 2 => 2], 2);
