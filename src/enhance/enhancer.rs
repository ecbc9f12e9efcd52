//! Both chains, one after the other, for a caller without threads.

use std::sync::Arc;

use super::enhanced::Enhanced;
use super::network_chain::NetworkChain;
use super::settings::EnhanceSettings;
use super::shown_chain::ShownChain;
use crate::frame::Picture;

/// Prepares the pictures of one source, one after the other: for showing and for the network.
///
/// It is a [`ShownChain`] and a [`NetworkChain`]; a program with threads of its own can run each on another one.
#[derive(Debug)]
pub struct Enhancer {
    shown: ShownChain,
    network: NetworkChain,
}

impl Enhancer {
    /// An enhancer that has seen no picture.
    pub fn new(settings: EnhanceSettings) -> Self {
        Self { shown: ShownChain::new(settings.clone()), network: NetworkChain::new(settings) }
    }

    /// Whether pictures do not follow one another, such as photographs in a folder: each is then treated as the first.
    pub fn separate(self, separate: bool) -> Self {
        Self { shown: self.shown.separate(separate), network: self.network.separate(separate) }
    }

    /// For a network with an input of this width and height; see [`NetworkChain::set_input`].
    pub fn for_network(mut self, input: (usize, usize)) -> Self {
        self.network.set_input(Some(input));
        self
    }

    /// The network's input has this width and height from the next picture on; see [`NetworkChain::set_input`].
    pub fn set_input(&mut self, input: Option<(usize, usize)>) {
        self.network.set_input(input);
    }

    /// Changes the settings from the next picture on.
    pub fn set(&mut self, settings: EnhanceSettings) {
        self.shown.set(settings.clone());
        self.network.set(settings);
    }

    /// The next picture does not follow on the one before.
    pub fn begin_anew(&mut self) {
        self.shown.begin_anew();
        self.network.begin_anew();
    }

    /// Gives the picture as it may be shown and written, and what was made of it for the network. `time` is its source time
    /// in seconds.
    pub fn enhance(&mut self, picture: &Arc<Picture>, time: f64) -> (Arc<Picture>, Enhanced) {
        let (shown, mut enhanced) = self.show(picture, time);
        self.network.enhance(&shown, time, &mut enhanced);
        (shown, enhanced)
    }

    /// The first half of [`Enhancer::enhance`]: the picture as it may be shown and written.
    pub fn show(&mut self, picture: &Arc<Picture>, time: f64) -> (Arc<Picture>, Enhanced) {
        self.shown.show(picture, time)
    }

    /// The second half: what is made of that picture for the network.
    pub fn prepare(&mut self, shown: &Picture, time: f64, enhanced: &mut Enhanced) {
        self.network.enhance(shown, time, enhanced);
    }
}
