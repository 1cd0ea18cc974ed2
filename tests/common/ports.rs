//! Ports on 127.0.0.1 that nobody listens on.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// First port handed out. All of them stay below 32768, where Linux begins to give ports to outgoing connections: a port
/// chosen there could be taken between the choice and the server's `bind`.
const FIRST: u16 = 23_000;
/// How many ports are handed out before the count begins anew.
const COUNT: u16 = 6_900;
/// Redis Cluster's bus listens 10,000 above its port, so cluster nodes need a range of their own.
const FIRST_PAIR: u16 = 20_000;
const COUNT_PAIR: u16 = 2_700;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A different start for each process, so that two test runs on one machine do not choose the same ports at the same time.
fn step(range: u16) -> u16 {
    let process = (std::process::id() % u32::from(range)) as u16;
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    ((u32::from(process) * 37 + u32::from(next)) % u32::from(range)) as u16
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// A port that is free now and that no other call of this process returns.
pub fn free() -> u16 {
    (0..COUNT).map(|_| FIRST + step(COUNT)).find(|&port| is_free(port)).expect("no free port")
}

/// A port such that it and the port 10,000 above it are free.
pub fn free_with_bus() -> u16 {
    (0..COUNT_PAIR)
        .map(|_| FIRST_PAIR + step(COUNT_PAIR))
        .find(|&port| is_free(port) && is_free(port + 10_000))
        .expect("no free pair of ports")
}
