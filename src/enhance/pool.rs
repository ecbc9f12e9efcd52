//! Pictures to write into; their memory is reused once no other part holds them.

use std::sync::Arc;

use crate::frame::Picture;

/// As many pictures are kept: those that wait in links, and the one on the screen.
const KEPT: usize = 12;

/// Keeps the pictures that it gave out, and gives them again: a new picture of several megabytes a frame costs more than
/// most of what is done to it.
#[derive(Debug, Default)]
pub(super) struct Pool {
    given: Vec<Arc<Picture>>,
}

impl Pool {
    /// A picture of this size; what it shows is not defined. `None`: there is no such size.
    pub(super) fn take(&mut self, size: (u32, u32)) -> Option<Picture> {
        self.given.retain(|picture| picture.size() == size);
        let free = self.given.iter().position(|picture| Arc::strong_count(picture) == 1);
        let free = free.and_then(|index| Arc::into_inner(self.given.swap_remove(index)));
        free.or_else(|| Picture::filled(size.0, size.1, [0; 3]).ok())
    }

    /// Gives a picture out for good, and keeps an eye on it.
    pub(super) fn give(&mut self, picture: Picture) -> Arc<Picture> {
        let picture = Arc::new(picture);
        if self.given.len() < KEPT {
            self.given.push(Arc::clone(&picture));
        }
        picture
    }

    /// Takes back a picture that is no longer needed.
    pub(super) fn put_back(&mut self, picture: Picture) {
        drop(self.give(picture));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_looks_at_is_used_again_and_nothing_else() {
        let mut pool = Pool::default();
        let shown = pool.take((4, 2)).unwrap();
        let shown = pool.give(shown);
        let second = pool.take((4, 2)).unwrap();
        let address = second.pixels().as_ptr();
        assert_ne!(shown.pixels().as_ptr(), address);
        pool.put_back(second);
        assert_eq!(pool.take((4, 2)).unwrap().pixels().as_ptr(), address);
        assert_eq!(pool.take((2, 4)).unwrap().size(), (2, 4));
        assert!(pool.take((0, 4)).is_none());
    }
}
