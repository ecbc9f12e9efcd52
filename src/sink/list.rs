//! The sinks of a run, called one after the other: each call reaches all, whichever fails.

use super::under_way::UnderWay;
use super::{End, FrameFacts, Needs, Pictures, RunInfo, Sink, SinkError, SinkPicture};
use crate::scene::Scene;

/// Sinks that have begun. A sink that fails is dropped; go on with the others, or end the run with [`Sinks::finish`].
/// Dropped without it, sinks leave what they leave for [`End::Stopped`].
///
/// ```
/// # use trailsight::sink::{End, FrameFacts, RunInfo, Sink, SinkError, Sinks};
/// # struct Counts;
/// # impl Sink for Counts {
/// #     fn name(&self) -> &str { "counts" }
/// #     fn finish(self: Box<Self>, _: End) -> Result<(), SinkError> { Ok(()) }
/// # }
/// # use trailsight::{labels::Labels, scene::Scene};
/// let run = RunInfo { source: "camera 0".into(), labels: Labels::coco().into(), rate: Some(25.0), sound: None };
/// let mut sinks = Sinks::begin(vec![Box::new(Counts)], &run)?;
/// sinks.scene(&Scene::default(), &FrameFacts { size: (640, 480), wall: None, file: None })?;
/// sinks.finish(End::Complete)?;
/// # Ok::<(), SinkError>(())
/// ```
#[derive(Default)]
pub struct Sinks {
    begun: Vec<Begun>,
    under_way: UnderWay,
}

struct Begun {
    sink: Box<dyn Sink>,
    needs: Needs,
}

impl Sinks {
    /// Begins all sinks.
    ///
    /// # Errors
    /// The [`SinkError`] of the first that cannot begin. All get [`End::Discarded`] then: nothing is left behind.
    pub fn begin(sinks: Vec<Box<dyn Sink>>, run: &RunInfo) -> Result<Self, SinkError> {
        let mut begun = Self::default();
        for mut sink in sinks {
            let outcome = sink.begin(run);
            let needs = sink.needs();
            begun.begun.push(Begun { sink, needs });
            if let Err(error) = outcome {
                // The first error is the one that is told.
                if let Err(more) = begun.finish(End::Discarded) {
                    log::debug!("{more}");
                }
                return Err(error);
            }
        }
        Ok(begun)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// Whether any sink needs scenes.
    pub fn need_scenes(&self) -> bool {
        self.begun.iter().any(|begun| begun.needs.scenes)
    }

    /// Whether any sink needs such pictures.
    pub fn need_pictures(&self, pictures: Pictures) -> bool {
        self.begun.iter().any(|begun| begun.needs.pictures == pictures)
    }

    /// Hands the scene of a frame and its events to all sinks that need scenes.
    ///
    /// # Errors
    /// The first [`SinkError`]; the other sinks have got the scene.
    pub fn scene(&mut self, scene: &Scene, frame: &FrameFacts) -> Result<(), SinkError> {
        self.under_way.take(scene, frame);
        self.each(
            |needs| needs.scenes,
            |sink| {
                sink.scene(scene, frame)?;
                scene.events.iter().try_for_each(|event| sink.event(event))
            },
        )
    }

    /// Hands a picture to all sinks that need such `pictures`.
    ///
    /// # Errors
    /// As [`Sinks::scene`].
    pub fn picture(&mut self, pictures: Pictures, picture: &SinkPicture<'_>) -> Result<(), SinkError> {
        self.each(|needs| needs.pictures == pictures, |sink| sink.picture(picture))
    }

    /// Ends all sinks.
    ///
    /// # Errors
    /// The first [`SinkError`]; all other sinks have been ended as `end` asks.
    pub fn finish(mut self, end: End) -> Result<(), SinkError> {
        let mut errors = Errors::default();
        if let Some((scene, frame)) = self.under_way.end().filter(|_| end != End::Discarded) {
            errors.keep(self.each(|needs| needs.scenes, |sink| sink.last(&scene, &frame)));
        }
        for begun in self.begun {
            errors.keep(begun.sink.finish(end));
        }
        errors.first()
    }

    fn each(
        &mut self,
        wants: impl Fn(&Needs) -> bool,
        mut call: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let mut errors = Errors::default();
        // What failed is dropped at once: more written behind a gap would look whole.
        self.begun.retain_mut(|begun| !wants(&begun.needs) || errors.keep(call(&mut *begun.sink)));
        errors.first()
    }
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.begun.iter().map(|begun| begun.sink.name())).finish()
    }
}

/// The first of several errors; a failure counts more than a reader that went away. The others go to the log.
#[derive(Default)]
struct Errors(Option<SinkError>);

impl Errors {
    /// Whether it went well.
    fn keep(&mut self, outcome: Result<(), SinkError>) -> bool {
        let Err(error) = outcome else { return true };
        match &self.0 {
            Some(first) if !first.is_closed() || error.is_closed() => log::warn!("{error}"),
            _ => self.0 = Some(error),
        }
        false
    }

    fn first(self) -> Result<(), SinkError> {
        self.0.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::event::Event;
    use crate::labels::Labels;

    /// Writes down which calls came, and fails in one of them.
    struct Told {
        name: &'static str,
        fails_in: &'static str,
        calls: Arc<Mutex<Vec<String>>>,
    }

    impl Told {
        fn call(&self, what: &str) -> Result<(), SinkError> {
            self.calls.lock().unwrap().push(format!("{} {what}", self.name));
            if what == self.fails_in { Err(SinkError::failed(self.name, "broken")) } else { Ok(()) }
        }
    }

    impl Sink for Told {
        fn name(&self) -> &str {
            self.name
        }

        fn begin(&mut self, _: &RunInfo) -> Result<(), SinkError> {
            self.call("begin")
        }

        fn scene(&mut self, scene: &Scene, _: &FrameFacts) -> Result<(), SinkError> {
            self.call(&format!("scene {}", scene.sequence))
        }

        fn event(&mut self, event: &Event) -> Result<(), SinkError> {
            self.call(&event.kind)
        }

        fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
            self.call(&format!("{end:?}"))
        }
    }

    type Calls = Arc<Mutex<Vec<String>>>;

    /// Sinks `a` and `b`, `a` fails in this call.
    fn pair(fails_in: &'static str) -> (Result<Sinks, SinkError>, Calls) {
        let calls = Calls::default();
        let told = |name, fails_in| -> Box<dyn Sink> {
            Box::new(Told { name, fails_in, calls: Arc::clone(&calls) })
        };
        let run = RunInfo { source: "test".into(), labels: Labels::coco().into(), rate: None, sound: None };
        (Sinks::begin(vec![told("a", fails_in), told("b", "")], &run), calls)
    }

    fn scene(sequence: u64) -> Scene {
        let events = vec![Event::new(sequence, 0.0, "appeared")];
        Scene { sequence, events, ..Scene::default() }
    }

    const FACTS: FrameFacts = FrameFacts { size: (4, 3), wall: None, file: None };

    #[test]
    fn calls_come_in_order_to_all() {
        let (sinks, calls) = pair("");
        let mut sinks = sinks.unwrap();
        sinks.scene(&scene(0), &FACTS).unwrap();
        sinks.finish(End::Complete).unwrap();
        let wanted = [
            "a begin",
            "b begin",
            "a scene 0",
            "a appeared",
            "b scene 0",
            "b appeared",
            "a Complete",
            "b Complete",
        ];
        assert_eq!(*calls.lock().unwrap(), wanted);
    }

    #[test]
    fn one_that_fails_is_dropped_and_the_others_are_closed() {
        let (sinks, calls) = pair("scene 1");
        let mut sinks = sinks.unwrap();
        sinks.scene(&scene(0), &FACTS).unwrap();
        let error = sinks.scene(&scene(1), &FACTS).unwrap_err();
        assert_eq!(error.to_string(), "writing a failed: broken");
        sinks.finish(End::Stopped).unwrap();
        let calls = calls.lock().unwrap();
        assert_eq!(calls[calls.len() - 4..], ["a scene 1", "b scene 1", "b appeared", "b Stopped"]);
    }

    #[test]
    fn where_one_cannot_begin_nothing_is_left() {
        let (sinks, calls) = pair("begin");
        assert!(sinks.is_err());
        assert_eq!(*calls.lock().unwrap(), ["a begin", "a Discarded"]);
    }

    #[test]
    fn where_one_cannot_finish_the_others_do() {
        let (sinks, calls) = pair("Complete");
        assert!(sinks.unwrap().finish(End::Complete).is_err());
        assert_eq!(calls.lock().unwrap().last().unwrap(), "b Complete");
    }
}
