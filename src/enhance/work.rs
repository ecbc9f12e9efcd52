//! A picture on its way through the chain.

use std::borrow::Cow;
use std::time::Instant;

use super::kernels::{View, ViewMut};
use super::pool::Pool;
use super::report::{Report, Step};
use crate::frame::Picture;

/// What has become of a picture so far, and what was done.
pub(super) struct Work<'a> {
    came: &'a Picture,
    /// What it has become; `None`: nothing was changed yet.
    now: Option<Picture>,
    pool: &'a mut Pool,
    report: Report,
}

impl<'a> Work<'a> {
    /// Goes on with `report`.
    pub(super) fn new(came: &'a Picture, pool: &'a mut Pool, report: Report) -> Self {
        Self { came, now: None, pool, report }
    }

    /// A step from one picture into another.
    pub(super) fn make(
        &mut self,
        step: Step,
        why: impl Into<Cow<'static, str>>,
        make: impl FnOnce(View<'_>, &mut ViewMut<'_>),
    ) {
        let started = Instant::now();
        let mut made = self.pool.take(self.came);
        make(View::from(self.now.as_ref().unwrap_or(self.came)), &mut ViewMut::from(&mut made));
        if let Some(before) = self.now.replace(made) {
            self.pool.put_back(before);
        }
        self.report.add(step, why, started.elapsed());
    }

    /// A step within a picture.
    pub(super) fn change(
        &mut self,
        step: Step,
        why: impl Into<Cow<'static, str>>,
        change: impl FnOnce(&mut ViewMut<'_>),
    ) {
        let started = Instant::now();
        let mut now = self.now.take().unwrap_or_else(|| {
            let mut copy = self.pool.take(self.came);
            copy.rgb_mut().copy_from_slice(self.came.rgb());
            copy
        });
        change(&mut ViewMut::from(&mut now));
        self.now = Some(now);
        self.report.add(step, why, started.elapsed());
    }

    /// What it has become, where it was changed, and what was done.
    pub(super) fn finish(self) -> (Option<Picture>, Report) {
        (self.now, self.report)
    }
}
