//! Since when something holds, over short lapses.

/// What ceases to hold for so many seconds at most has held on: an object is hidden, a number trembles.
pub(super) const LAPSE: f64 = 1.0;

/// Something holds, or held a moment ago.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// Since when, in seconds of source time.
    pub(super) since: f64,
    /// When it held last for certain.
    pub(super) last: f64,
    /// It holds in this very frame, for certain: a hidden object is where it was, but not for certain.
    pub(super) sure: bool,
}

/// What is remembered from frame to frame of a part of a condition.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Slot {
    on: bool,
    since: f64,
    last: f64,
    /// Of a number: when it was last as it should be, hidden objects counted.
    counted: f64,
    /// Since when it would be as it should be without hidden objects.
    seen_since: Option<f64>,
}

impl Slot {
    /// Takes in whether something holds now; `None`: nobody knows. `since`: since when, where that is known better.
    pub(super) fn take(&mut self, holds: Option<bool>, now: f64, since: Option<f64>) -> Option<Span> {
        let sure = holds == Some(true);
        if sure {
            if !std::mem::replace(&mut self.on, true) {
                self.since = since.unwrap_or(now).min(now);
            }
            self.last = now;
        } else if now - self.last > LAPSE {
            self.on = false;
        }
        self.span(sure)
    }

    /// Takes in that one or another of several holds, and tells since when one of them has without a break.
    pub(super) fn take_chain(&mut self, span: Option<Span>, now: f64) -> Option<Span> {
        let Some(span) = span else {
            self.on &= now - self.last <= LAPSE;
            return None;
        };
        if !std::mem::replace(&mut self.on, true) {
            self.since = span.since;
        }
        self.since = self.since.min(span.since);
        self.last = now;
        Some(Span { since: self.since, ..span })
    }

    /// Takes in a moment, such as a crossing, where there was one by now. It holds for as long as a lapse may last.
    pub(super) fn take_moment(&mut self, moment: Option<f64>, now: f64) -> Option<Span> {
        if let Some(moment) = moment {
            // `last` is when it was told.
            *self = Self { on: true, since: moment, last: now, ..Self::default() };
        } else if now - self.last > LAPSE {
            self.on = false;
        }
        self.on.then_some(Span { since: self.since, last: self.since, sure: true })
    }

    /// Takes in whether the number of objects is as it should be: with those that are hidden, and of those that are seen. A hidden
    /// object is where it was until nobody can find it again; then it has been gone since it was last seen.
    pub(super) fn take_number(&mut self, with_hidden: bool, of_seen: bool, now: f64) -> Option<Span> {
        let seen_since = self.seen_since.take();
        self.seen_since = of_seen.then(|| seen_since.unwrap_or(now));
        if with_hidden {
            if !std::mem::replace(&mut self.on, true) {
                self.since = self.seen_since.unwrap_or(now);
                self.last = self.since;
            }
            self.counted = now;
            if of_seen {
                self.last = now;
            }
        } else if now - self.counted > LAPSE {
            self.on = false;
        }
        self.span(with_hidden && of_seen)
    }

    /// Takes in whether something that has to last has lasted long enough, as it is certain only in `part`.
    pub(super) fn take_lasting(&mut self, part: Option<Span>, seconds: f64, now: f64) -> Option<Span> {
        let Some(part) = part else {
            self.on = false;
            return None;
        };
        self.on |= part.sure && now - part.since >= seconds;
        self.on.then_some(Span { since: part.since + seconds, ..part })
    }

    fn span(&self, sure: bool) -> Option<Span> {
        self.on.then_some(Span { since: self.since, last: self.last, sure })
    }

    /// Nothing is remembered any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// All hold: since the last of them began, until the first ceased.
pub(super) fn all(spans: impl Iterator<Item = Option<Span>>) -> Option<Span> {
    let mut whole: Option<Span> = None;
    for span in spans.collect::<Vec<_>>() {
        let span = span?;
        whole = Some(whole.map_or(span, |known| Span {
            since: known.since.max(span.since),
            last: known.last.min(span.last),
            sure: known.sure && span.sure,
        }));
    }
    whole
}

/// One of them holds: since the first of those began that hold.
pub(super) fn any(spans: impl Iterator<Item = Option<Span>>) -> Option<Span> {
    let join = |known: Span, span: Span| match (known.sure, span.sure) {
        (true, false) => known,
        (false, true) => span,
        _ => Span { since: known.since.min(span.since), last: known.last.max(span.last), sure: known.sure },
    };
    // Each has to be asked, so that each remembers.
    spans.collect::<Vec<_>>().into_iter().flatten().reduce(join)
}
