//! Work on many things at once, for what would take a good part of a second on one core.

use std::{panic::resume_unwind, thread};

/// What `work` makes of each, in their order; on as many threads as there are cores, but each with `least` of them. It blocks.
pub fn on_all_cores<T: Sync, R: Send>(all: &[T], least: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(cores).max(least).max(1);
    if all.len() <= share {
        return all.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let parts: Vec<_> =
            all.chunks(share).map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>())).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_stays() {
        let numbers: Vec<usize> = (0..1001).collect();
        for least in [0, 1, 10, 5000] {
            let doubled = on_all_cores(&numbers, least, |number| number * 2);
            assert!(doubled.iter().enumerate().all(|(at, doubled)| *doubled == at * 2) && doubled.len() == 1001);
        }
        assert!(on_all_cores(&[] as &[usize], 1, |number| *number).is_empty());
    }
}
