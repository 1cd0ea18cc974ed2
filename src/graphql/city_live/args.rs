//! Arguments that several fields take, within their bounds.

use async_graphql::Result;

use crate::{
    city_live::{HOUR_MS, now},
    graphql::{error::bad_input, scalar::DateTime},
    twin::time::Time,
};

/// The longest history that can be asked for in hours: 90 days.
const MOST_HOURS: i32 = 2160;
/// How far a history goes back where nobody says, in hours.
const USUAL_HOURS: i32 = 24;

/// A number of entries within 0 to `most`; `preset` where it is absent.
///
/// # Errors
/// `BAD_USER_INPUT` outside of it.
pub fn page(name: &str, first: Option<i32>, preset: usize, most: i32) -> Result<usize> {
    match first {
        None => Ok(preset.min(most as usize)),
        Some(first) if (0..=most).contains(&first) => Ok(first as usize),
        Some(first) => Err(bad_input(name, first, &format!("a whole number from 0 to {most}"))),
    }
}

/// Where a history begins.
///
/// # Errors
/// `BAD_USER_INPUT` for hours outside of 1 to 2160, and for both arguments together.
pub fn beginning(since: Option<DateTime>, last_hours: Option<i32>) -> Result<Time> {
    match (since, last_hours) {
        (Some(since), None) => Ok(since.0),
        (Some(_), Some(hours)) => Err(bad_input("lastHours", hours, "no value beside `since`")),
        (None, hours) => {
            let hours = hours.unwrap_or(USUAL_HOURS);
            if !(1..=MOST_HOURS).contains(&hours) {
                return Err(bad_input("lastHours", hours, &format!("a whole number from 1 to {MOST_HOURS}")));
            }
            Ok(Time(now().0 - i64::from(hours) * HOUR_MS))
        }
    }
}
