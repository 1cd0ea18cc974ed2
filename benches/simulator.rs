//! What the demo city costs: laying it out, its file, and one event at the default rate and at the highest advertised.
//! Goal: under 3 us of CPU an event, so that 20,000 events/s take less than a tenth of a core.

use citytwin::simulator::{DemoCity, SimEvent, Simulation, SimulationConfig};
use divan::{Bencher, counter::ItemsCount};

/// Monday 2025-12-01 15:00 in L'Aquila.
const START: i64 = 1_764_597_600_000;

/// How much of the city's time one sample covers, in milliseconds.
const SAMPLE_MS: i64 = 2000;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5)]
fn city() -> DemoCity {
    DemoCity::laquila(42)
}

#[divan::bench(sample_count = 10)]
fn city_file(bencher: Bencher) {
    let city = DemoCity::laquila(42);
    bencher.bench_local(|| city.city_file(START));
}

/// Time per item is time per event.
#[divan::bench(args = [500.0, 20_000.0], sample_count = 50)]
fn events(bencher: Bencher, events_per_second: f64) {
    let city = DemoCity::laquila(42);
    let config = SimulationConfig { events_per_second, ..SimulationConfig::default() };
    let mut simulation = Simulation::with_config(&city, START, 42, config);
    let mut events: Vec<SimEvent> = Vec::new();
    let mut now = START;
    let count = (events_per_second * SAMPLE_MS as f64 / 1000.0) as u64;
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        events.clear();
        now += SAMPLE_MS;
        simulation.step(now, &mut events);
        events.len()
    });
}
