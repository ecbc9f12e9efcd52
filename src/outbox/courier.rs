//! What brings a message to its consumer.

use super::queue::Message;

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The consumer cannot take it now: it is tried again.
    Later(String),
    /// The consumer will never take this message.
    Refused(String),
}

/// Brings messages to one consumer, on a thread of its own.
pub trait Courier: Send {
    /// Delivers a message; returns once the consumer has said that it has it. Must end by itself within some seconds, whatever
    /// the consumer does.
    ///
    /// # Errors
    /// [`Failure`]: whether it is worth another try.
    fn deliver(&mut self, message: &Message) -> Result<(), Failure>;

    /// Tells how things stand now: `body` takes the place of what was told under this topic before. A consumer that knows
    /// messages alone is not told.
    ///
    /// # Errors
    /// As [`Courier::deliver`].
    fn state(&mut self, _topic: &str, _body: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// Nothing is to be delivered; called about once a second, to keep a connection alive.
    ///
    /// # Errors
    /// As [`Courier::deliver`].
    fn idle(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Counts the connections that were made: behind a new one, all states are told again.
    fn connections(&self) -> u64 {
        0
    }

    /// The program ends in order.
    fn goodbye(&mut self) {}
}
