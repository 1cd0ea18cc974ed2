//! Which request fails: a few, in an order that is the same for the same seed.

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `Retry-After: 1`.
    TooMany,
    /// 500.
    Internal,
}

/// One request in forty or so is refused, one in seventy fails.
pub fn fault(seed: u64, request: u64) -> Option<Fault> {
    let place = request.wrapping_add(seed);
    match (place % 41, place % 71) {
        (17, _) => Some(Fault::TooMany),
        (_, 23) => Some(Fault::Internal),
        _ => None,
    }
}
