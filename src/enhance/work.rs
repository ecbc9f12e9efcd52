//! A picture on its way through the chain.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::pool::Pool;
use super::report::{Report, Step};
use crate::frame::Picture;
use crate::kernels::area::Area;
use crate::kernels::{View, ViewMut};

/// What has become of a picture so far, and what was done.
pub(super) struct Work<'a> {
    came: &'a Picture,
    /// What it has become; `None`: nothing was changed yet.
    now: Option<Picture>,
    /// The size that the steps to come work at; `None`: that of the picture.
    size: Option<(u32, u32)>,
    tools: &'a mut Tools,
    report: Report,
}

/// What is kept from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Pictures of the size that they come in, and of the size that the network looks at.
    pool: Pool,
    small: Pool,
    area: Area,
}

impl Tools {
    /// Gives a picture out for good; `came`: the size that pictures come in.
    pub(super) fn give(&mut self, picture: Picture, came: (u32, u32)) -> Arc<Picture> {
        let pool = if picture.size() == came { &mut self.pool } else { &mut self.small };
        pool.give(picture)
    }
}

impl<'a> Work<'a> {
    /// Nothing was done yet.
    pub(super) fn new(came: &'a Picture, tools: &'a mut Tools) -> Self {
        Self { came, now: None, size: None, tools, report: Report::default() }
    }

    /// Goes on with the report of what was done before.
    pub(super) fn go_on(self, report: Report) -> Self {
        Self { report, ..self }
    }

    /// Has the steps to come work at another size, no larger on any side. Where none is taken the picture stays as it is.
    pub(super) fn resize(&mut self, size: Option<(u32, u32)>) {
        self.size = size;
    }

    /// Nothing has become of the picture yet: a step within it would have to copy it first.
    pub(super) fn is_untouched(&self) -> bool {
        self.now.is_none() && self.size.is_none()
    }

    /// Where memory for the picture is taken from, as it is now.
    fn pool(&mut self) -> &mut Pool {
        if self.now().size() == self.came.size() { &mut self.tools.pool } else { &mut self.tools.small }
    }

    fn now(&self) -> &Picture {
        self.now.as_ref().unwrap_or(self.came)
    }

    /// Shrinks the picture where it has not the size yet that was asked for.
    fn settle(&mut self) {
        let Some(size) = self.size.filter(|size| *size != self.now().size()) else { return };
        let started = Instant::now();
        let Some(mut made) = self.tools.small.take(size) else { return };
        let now = self.now.take();
        let from = now.as_ref().unwrap_or(self.came);
        self.tools.area.shrink(&from.into(), &mut (&mut made).into());
        if let Some(before) = now {
            self.tools.pool.put_back(before);
        }
        self.now = Some(made);
        self.report.add(Step::Shrink, format!("to {}×{}", size.0, size.1), started.elapsed());
    }

    /// A step from one picture into another.
    pub(super) fn make(
        &mut self,
        step: Step,
        why: impl Into<Cow<'static, str>>,
        make: impl FnOnce(View<'_>, &mut ViewMut<'_>),
    ) {
        self.settle();
        let started = Instant::now();
        let size = self.now().size();
        let Some(mut made) = self.pool().take(size) else { return };
        make(View::from(self.now()), &mut ViewMut::from(&mut made));
        if let Some(before) = self.now.replace(made) {
            self.pool().put_back(before);
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
        self.settle();
        let started = Instant::now();
        let mut now = match self.now.take() {
            Some(now) => now,
            None => {
                let Some(mut copy) = self.tools.pool.take(self.came.size()) else { return };
                copy.rgb_mut().copy_from_slice(self.came.rgb());
                copy
            }
        };
        change(&mut ViewMut::from(&mut now));
        self.now = Some(now);
        self.report.add(step, why, started.elapsed());
    }

    /// What it has become, where it was changed, and what was done.
    pub(super) fn finish(self) -> (Option<Picture>, Report) {
        (self.now, self.report)
    }
}
