//! What a client held some batches ago: it may have lost the last ones on the way.

use std::collections::VecDeque;

use crate::twin::{change::Marks, entity::Handle};

/// The most batches that are held: nearly a minute's at 20 a second. A connection that breaks is noticed by then, and no
/// more can be on their way through one.
const BATCHES: usize = 1024;
/// The most bytes that they may take: 16 full pages, which is more than fits the buffers between server and client.
const BYTES: usize = 64 * 1024;

/// The last batches of a feed, as what must be undone.
#[derive(Debug)]
pub struct Undo {
    /// The newest batch's number; 0 before the first.
    newest: u64,
    steps: VecDeque<Step>,
    bytes: usize,
}

/// One batch.
#[derive(Debug)]
struct Step {
    /// After it, everything that its client held was at least as new as this revision.
    base: u64,
    /// What it brought or took.
    toggled: Toggled,
}

/// Some entities: a list where they are few, else a bit for each there is.
#[derive(Debug)]
enum Toggled {
    Few(Box<[Handle]>),
    Many(Marks),
}

impl Toggled {
    fn new(handles: &[Handle]) -> Self {
        let highest = handles.iter().map(|handle| handle.0 as usize).max().unwrap_or_default();
        if size_of_val(handles) <= highest / 8 + 8 {
            return Self::Few(handles.into());
        }
        let mut marks = Marks::default();
        marks.toggle(handles.iter().copied());
        Self::Many(marks)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Few(handles) => size_of_val(&**handles),
            Self::Many(marks) => marks.bytes(),
        }
    }

    fn apply(&self, to: &mut Marks) {
        match self {
            Self::Few(handles) => to.toggle(handles.iter().copied()),
            Self::Many(marks) => to.toggle(marks.iter()),
        }
    }
}

impl Default for Undo {
    fn default() -> Self {
        // The empty batch 0, so that a cursor of no batch is held like any other.
        let start = Step { base: 0, toggled: Toggled::new(&[]) };
        Self { newest: 0, steps: VecDeque::from([start]), bytes: 0 }
    }
}

impl Undo {
    /// The newest batch's number.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Notes a batch: what it brought or took, and how old what its client then holds may be. Gives its number.
    pub fn note(&mut self, toggled: &[Handle], base: u64) -> u64 {
        let toggled = Toggled::new(toggled);
        self.bytes += toggled.bytes();
        self.steps.push_back(Step { base, toggled });
        self.newest += 1;
        while self.steps.len() > BATCHES || (self.bytes > BYTES && self.steps.len() > 1) {
            self.steps.pop_front();
            // Nothing older is held, so nobody goes back beyond this one.
            if let Some(oldest) = self.steps.front_mut() {
                self.bytes -= oldest.toggled.bytes();
                oldest.toggled = Toggled::new(&[]);
            }
        }
        self.newest
    }

    /// What a client had after a batch: what differs in what it held from what it holds after the newest one, and the
    /// revision that all of it was at least as new as. `None` where that is no longer held.
    pub fn since(&self, number: u64) -> Option<(Marks, u64)> {
        let later = usize::try_from(self.newest.checked_sub(number)?).ok()?;
        let at = self.steps.len().checked_sub(later + 1)?;
        let mut differs = Marks::default();
        self.steps.range(at + 1..).for_each(|step| step.toggled.apply(&mut differs));
        Some((differs, self.steps[at].base))
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes + self.steps.len() * size_of::<Step>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_last_batches_can_be_gone_back_to() {
        let random = &mut fastrand::Rng::with_seed(1);
        let (mut undo, mut held, mut past) = (Undo::default(), Marks::default(), vec![(0, Vec::new())]);
        for n in 1..=600_u64 {
            let most = if random.u32(0..10) == 0 { 500 } else { 3 };
            let mut toggled = Marks::default();
            (0..random.u32(0..most)).for_each(|_| {
                toggled.set(Handle(random.u32(0..3000)));
            });
            let toggled: Vec<_> = toggled.iter().collect();
            held.toggle(toggled.iter().copied());
            assert_eq!(undo.note(&toggled, n * 10), n);
            past.push((n * 10, held.iter().collect::<Vec<_>>()));
        }
        let mut reached = 0;
        for (number, (base, then)) in past.iter().enumerate() {
            let Some((differs, of)) = undo.since(number as u64) else { continue };
            reached += 1;
            let mut back = held.clone();
            back.toggle(differs.iter());
            assert_eq!((of, &back.iter().collect::<Vec<_>>()), (*base, then));
        }
        assert!(reached > 100, "{reached}");
        assert!(undo.since(601).is_none(), "a batch that was never given");
    }

    #[test]
    fn it_has_its_bounds() {
        let mut undo = Undo::default();
        let page: Vec<_> = (0..1000).map(|n| Handle(n * 1000)).collect();
        for _ in 0..5000 {
            undo.note(&page, 1);
        }
        assert!(undo.bytes() < BYTES + 2 * 4000, "{}", undo.bytes());
        assert!(undo.since(5000 - 15).is_some() && undo.since(5000 - 17).is_none());
        let mut undo = Undo::default();
        for _ in 0..5000 {
            undo.note(&[], 1);
        }
        assert!(undo.since(5000 - 1023).is_some() && undo.since(5000 - 1024).is_none());
        let mut undo = Undo::default();
        let all: Vec<_> = (0..2_000_000).map(Handle).collect();
        undo.note(&all, 1);
        assert!(undo.since(1).is_some() && undo.since(0).is_none(), "one that is larger than all may be");
    }
}
