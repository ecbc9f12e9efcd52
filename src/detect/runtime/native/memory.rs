//! Floats in memory that begins at the start of a cache line, so that a vector never lies across two.
#![allow(unsafe_code, reason = "a vector of lines is seen as a slice of floats")]

/// One cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct CacheLine([f32; PER_LINE]);

/// Floats a cache line.
pub(super) const PER_LINE: usize = 16;

/// A buffer of floats, aligned to cache lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Floats(Vec<CacheLine>);

impl Floats {
    /// Room for at least `len` floats, all 0.
    pub(super) fn zeroed(len: usize) -> Self {
        Self(vec![CacheLine([0.0; PER_LINE]); len.div_ceil(PER_LINE)])
    }

    /// All of it.
    pub(super) fn as_slice(&self) -> &[f32] {
        // SAFETY: a cache line is sixteen floats and nothing else, and lines follow each other without a gap.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * PER_LINE) }
    }

    /// Whether all of them are the same to the bit.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let bits = |value: &f32| value.to_bits();
        self.as_slice().iter().map(bits).eq(other.as_slice().iter().map(bits))
    }

    /// The address of the first one, for those who share them out among threads.
    pub(super) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.0.as_mut_ptr().cast()
    }

    /// All of it, to be written.
    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above; whoever holds `self` exclusively holds the floats so.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * PER_LINE) }
    }

    /// Puts `values` behind what is there, from the next cache line on; gives where they begin.
    pub(super) fn append(&mut self, values: &[f32]) -> usize {
        let begin = self.0.len() * PER_LINE;
        self.0.resize(self.0.len() + values.len().div_ceil(PER_LINE), CacheLine([0.0; PER_LINE]));
        self.as_mut_slice()[begin..begin + values.len()].copy_from_slice(values);
        begin
    }
}
