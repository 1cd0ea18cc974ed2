//! Who is connected: open sockets and event streams, counted by address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::task::TaskTracker;

use super::meter::Running;
use crate::telemetry;

/// The open sockets and event streams of this process. Clones share one count.
#[derive(Clone, Default)]
pub struct Connections {
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    /// The tasks of open sockets, which outlive their HTTP connections; [`super::serve`] waits for them at the end.
    pub(super) sockets: TaskTracker,
}

impl Connections {
    /// A place for one more socket or stream of this address, given back when it is dropped; `None` where `max` of it
    /// are open.
    pub fn enter(&self, address: IpAddr, max: usize) -> Option<Place> {
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let open = counts.get(&address).copied().unwrap_or(0);
        if open >= max {
            return None;
        }
        counts.insert(address, open + 1);
        Some(Place { address, of: self.clone(), _counted: Running::new(telemetry::sockets()) })
    }

    /// How many sockets and event streams are open.
    pub fn open(&self) -> usize {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

/// One open socket or event stream.
pub struct Place {
    address: IpAddr,
    of: Connections,
    _counted: Running,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.of.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = counts.get_mut(&self.address) {
            *open -= 1;
            if *open == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_places_and_no_more_until_one_is_given_back() {
        let connections = Connections::default();
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 0, 0, 1]));
        let first = connections.enter(here, 2);
        let second = connections.enter(here, 2);
        assert!(first.is_some() && second.is_some());
        assert!(connections.enter(here, 2).is_none());
        assert!(connections.enter(there, 2).is_some());
        drop(first);
        let third = connections.enter(here, 2);
        assert!(third.is_some());
        assert_eq!(connections.open(), 2);
        drop((second, third));
        assert_eq!(connections.open(), 0);
    }
}
