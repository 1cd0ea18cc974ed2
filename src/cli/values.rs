//! Values of flags that have a form of their own.

use std::str::FromStr;

use clap::ValueEnum;
use jiff::Timestamp;

/// Where a recording begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFrom {
    /// At the oldest record that each topic holds
    Earliest,
    /// With what comes from now on
    Now,
}

/// Which times the replayed records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stamp {
    /// Moved as a whole, so that the first record is now
    Now,
    /// Those in the recording
    Held,
}

/// How fast a recording is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times as fast as it was recorded.
    Times(f64),
    /// As fast as the broker takes it.
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        // A hundred thousand plays a day in less than a second; a thousandth stretches it over three years.
        let times = text.parse().ok().filter(|times| (0.001..=100_000.0).contains(times));
        times.map(Self::Times).ok_or_else(|| "accepted is a number from 0.001 to 100000, or max".to_owned())
    }
}

/// Where stored offsets are moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetTo {
    /// The oldest record that each partition holds.
    Earliest,
    /// Behind the newest record.
    End,
    /// The first record at or after this time.
    At(Timestamp),
}

impl FromStr for ResetTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "end" => Ok(Self::End),
            time => time.parse().map(Self::At).map_err(|_| {
                "accepted is earliest, end, or a time in RFC 3339 such as 2026-01-05T00:00:00Z".to_owned()
            }),
        }
    }
}
