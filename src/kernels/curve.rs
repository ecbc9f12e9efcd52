//! Tables of 256 entries applied to samples: gamma, levels, white balance, and any of them composed. A plain loop reads
//! and writes one sample after the other: gathering them to be written together costs more than it saves.

use super::{View, ViewMut};

/// What each level becomes.
pub type Table = [u8; 256];

/// The table that changes nothing.
pub const IDENTITY: Table = {
    let mut table = [0; 256];
    let mut level = 0;
    while level < 256 {
        table[level] = level as u8;
        level += 1;
    }
    table
};

/// Replaces each sample of `from`, of all channels, by its entry in the table. Both have the same size and channels; of
/// another, what both have is written.
pub fn apply(from: &View<'_>, table: &Table, to: &mut ViewMut<'_>) {
    for (from, to) in from.rows().zip(to.rows()) {
        apply_row(from, table, to);
    }
}

/// Replaces the samples of each channel of an RGB view by their entries in the channel's table, red first. Both have the
/// same size and three channels; where not, nothing is written.
pub fn apply_channels(from: &View<'_>, tables: &[Table; 3], to: &mut ViewMut<'_>) {
    if (from.channels(), to.channels()) != (3, 3) {
        return;
    }
    for (from, to) in from.rows().zip(to.rows()) {
        for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
            *to = pixel(*from, tables);
        }
    }
}

/// [`apply_channels`] within one picture.
pub fn apply_channels_in_place(samples: &mut ViewMut<'_>, tables: &[Table; 3]) {
    if samples.channels() != 3 {
        return;
    }
    for row in samples.rows() {
        row.as_chunks_mut().0.iter_mut().for_each(|samples| *samples = pixel(*samples, tables));
    }
}

fn apply_row(from: &[u8], table: &Table, to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = table[usize::from(*from)]);
}

#[inline(always)]
fn pixel([r, g, b]: [u8; 3], [red, green, blue]: &[Table; 3]) -> [u8; 3] {
    [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(seed: u64) -> Table {
        let mut random = fastrand::Rng::with_seed(seed);
        std::array::from_fn(|_| random.u8(..))
    }

    #[test]
    fn each_sample_is_looked_up_and_gaps_stay() {
        let mut random = fastrand::Rng::with_seed(5);
        let tables = [table(1), table(2), table(3)];
        for (width, height, channels) in
            [(1, 1, 1), (1, 1, 3), (9, 1, 3), (1, 17, 1), (33, 20, 3), (61, 47, 1)]
        {
            let (row, stride) = (width * channels, width * channels + 7);
            let bytes: Vec<u8> = (0..stride * height).map(|_| random.u8(..)).collect();
            let view = View::new(&bytes, (width, height), channels, stride).unwrap();
            let check = |out: &[u8], gap: Option<u8>, table: &dyn Fn(usize) -> Table| {
                for (at, value) in out.iter().enumerate() {
                    let inside = at % stride < row;
                    let wanted = if inside {
                        table(at % stride % channels)[usize::from(bytes[at])]
                    } else {
                        gap.unwrap_or(bytes[at])
                    };
                    assert_eq!(*value, wanted);
                }
            };
            let mut out = vec![77; stride * height];
            apply(&view, &tables[0], &mut ViewMut::new(&mut out, (width, height), channels, stride).unwrap());
            check(&out, Some(77), &|_| tables[0]);
            let mut out = vec![77; stride * height];
            let mut to = ViewMut::new(&mut out, (width, height), channels, stride).unwrap();
            apply_channels(&view, &tables, &mut to);
            if channels == 3 {
                check(&out, Some(77), &|channel| tables[channel]);
                let mut out = bytes.clone();
                let mut samples = ViewMut::new(&mut out, (width, height), channels, stride).unwrap();
                apply_channels_in_place(&mut samples, &tables);
                check(&out, None, &|channel| tables[channel]);
            } else {
                assert!(out.iter().all(|value| *value == 77));
            }
        }
    }

    #[test]
    fn identity_changes_nothing() {
        assert!((0..=255).zip(IDENTITY).all(|(level, entry)| level == entry));
    }
}
