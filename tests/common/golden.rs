//! Small pictures that another program made, and how far a kernel is from them.

use trailsight::kernels::{View, ViewMut};

pub struct Golden {
    pub size: (usize, usize),
    pub channels: usize,
    pub samples: Vec<u8>,
}

impl Golden {
    /// Reads `tests/golden/enhance/NAME.png`.
    pub fn read(name: &str) -> Self {
        let path = super::root().join("tests/golden/enhance").join(name).with_extension("png");
        let picture = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let size = (picture.width() as usize, picture.height() as usize);
        let channels = usize::from(picture.color().channel_count());
        Self { size, channels, samples: picture.into_bytes() }
    }

    /// How far each sample is from what a kernel makes of another picture.
    pub fn differences(&self, from: &Self, run: &mut dyn FnMut(&View<'_>, &mut ViewMut<'_>)) -> Vec<u8> {
        assert_eq!(from.channels, self.channels);
        let view = View::new(&from.samples, from.size, from.channels, from.size.0 * from.channels).unwrap();
        // With a gap behind each row, that has to stay as it is.
        let row = self.size.0 * self.channels;
        let mut made = vec![0xA5; self.size.1 * (row + 5)];
        run(&view, &mut ViewMut::new(&mut made, self.size, self.channels, row + 5).unwrap());
        let rows = made.chunks(row + 5).zip(self.samples.chunks(row));
        let differences = rows.flat_map(|(made, wanted)| {
            assert!(made[row..].iter().all(|&byte| byte == 0xA5), "wrote behind a row");
            made.iter().zip(wanted).map(|(made, wanted)| made.abs_diff(*wanted))
        });
        differences.collect()
    }
}
