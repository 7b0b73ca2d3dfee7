//! The sensors: quiet, then ten times as busy, then quiet again.
//!
//! What is sent depends on its number alone, so that one can count in the end, and go on after a crash with the first reading
//! that was not acknowledged.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// A reading on its way: its number and its text.
pub type Reading = (u32, String);

const TICK: Duration = Duration::from_millis(10);

/// How many readings are sent, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many in all.
    pub readings: u32,
    /// How many in 10 ms when it is quiet; in the burst, ten times as many.
    pub quiet: u32,
}

impl Load {
    /// Whether the reading of this number belongs to the burst: the middle four fifths.
    #[must_use]
    pub fn is_burst(self, number: u32) -> bool {
        (self.readings / 10..self.readings / 10 * 9).contains(&number)
    }

    /// Sends every reading from `first` on. Where the queue is full, it waits: that is the back-pressure.
    pub async fn send(self, first: u32, queue: mpsc::Sender<Reading>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number = first;
        while number < self.readings {
            ticks.tick().await;
            let count = if self.is_burst(number) { self.quiet * 10 } else { self.quiet };
            let end = self.readings.min(number.saturating_add(count.max(1)));
            for number in number..end {
                if queue.send((number, text(number))).await.is_err() {
                    return;
                }
            }
            number = end;
        }
    }

    /// How many of the readings are of no use.
    #[must_use]
    pub fn useless(self) -> u32 {
        (0..self.readings).filter(|number| is_useless(*number)).count().try_into().unwrap_or(u32::MAX)
    }
}

/// What the reading of this number says. One in ten cannot be read, one in twenty comes from a sensor that nobody knows, and
/// one in a hundred is out of bounds.
fn text(number: u32) -> String {
    let (sensor, usual) = match number % 5 {
        0 => ("t-1", -19.0),
        1 => ("t-2", 20.0),
        2 => ("t-3", 20.0),
        3 => ("h-1", 45.0),
        _ => ("p-1", 17.0),
    };
    let value = usual + f64::from(number % 7) - if number % 100 == 50 { 30.0 } else { 3.0 };
    match number % 20 {
        3 | 11 => format!("{sensor}=?"),
        17 => format!("x-{}={value}", number % 7),
        _ => format!("{sensor}={value}"),
    }
}

fn is_useless(number: u32) -> bool {
    matches!(number % 20, 3 | 11 | 17)
}
