//! The core alone, on one thread, with the same events that the rest is measured with. `benches/core.rs` has it topic by topic.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use citytwin::{
    simulator::{DemoCity, SimEvent, Simulation, SimulationConfig},
    twin::{
        city::City,
        delta::write_delta,
        event::{Judgement, Topic, decode},
        snapshot::{CityFile, write_full},
        time::Time,
    },
};

use crate::{
    cities,
    events::{Load, SEED},
    machine,
    report::Figure,
};

pub const JUDGEMENT: Judgement = Judgement { max_clock_skew_ms: 300_000, max_event_bytes: 1 << 20 };
const EVENTS: usize = 1_000_000;
const DAY: Option<i64> = Some(86_400_000);

/// CPU and wall time of `work`, once.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, Duration, T) {
    let (cpu, wall) = (machine::own_cpu(), Instant::now());
    let result = work();
    (machine::own_cpu().saturating_sub(cpu), wall.elapsed(), result)
}

/// Reads a city file that the bench itself wrote.
pub fn city(file: &str) -> City {
    let file = CityFile::parse(file).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut city = City::new(&file.city_id.clone(), "bench", DAY);
    city.import(file);
    city
}

/// Applies events as one partition's; how many were refused.
pub fn apply<'a>(city: &mut City, events: impl IntoIterator<Item = &'a SimEvent>) -> usize {
    let refused = events.into_iter().filter(|event| {
        let topic = Topic::from_name(event.topic).expect("one of the nine");
        let event = decode(topic, Some(event.value.as_bytes()), Time(event.timestamp_ms), &JUDGEMENT);
        event.and_then(|event| city.apply(0, event)).is_err()
    });
    refused.count()
}

pub fn run() -> Vec<Figure> {
    let mut figures = vec![decode_and_apply()];
    figures.extend(delta());
    figures.extend(full());
    figures
}

fn decode_and_apply() -> Figure {
    let load = Load::open();
    let events: Vec<SimEvent> = load.events(EVENTS).collect();
    let mut city = city(&load.city_file);
    city.track(true);
    let (cpu, _, refused) = timed(|| apply(&mut city, &events));
    Figure::new("decode and apply one event", cpu.as_secs_f64() * 1e6 / EVENTS as f64, "us CPU")
        .at_most(0.5)
        .note(format!("{EVENTS} events of {:.0} B ({}), {refused} refused", load.mean_bytes(), load.source))
}

fn delta() -> [Figure; 2] {
    let start = 1_764_597_600_000;
    let demo = DemoCity::laquila(SEED);
    let mut city = city(&demo.city_file(start));
    let config = SimulationConfig { events_per_second: 10_000.0, ..SimulationConfig::default() };
    let mut simulation = Simulation::with_config(&demo, start, SEED, config);
    let mut events = Vec::new();
    let (mut out, mut changed, mut cpu) = (Vec::new(), 0, Duration::ZERO);
    city.track(true);
    for tick in 1..=8 {
        events.clear();
        simulation.step(start + tick * 5000, &mut events);
        apply(&mut city, &events);
        let (changes, view) = (city.take_changes(), city.view().clone());
        // Often enough for clocks that tick every 10 ms.
        let (took, ..) = timed(|| {
            for _ in 0..20 {
                out.clear();
                black_box(write_delta(&changes, &view, Time(start), Time(start + 5000), &mut out));
            }
        });
        changed += changes.befores.len() * 20;
        cpu += took;
    }
    let (changes, view) = (city.take_changes(), city.view().clone());
    let (idle, ..) = timed(|| {
        for _ in 0..1_000_000 {
            out.clear();
            black_box(write_delta(black_box(&changes), &view, Time(start), Time(start + 5000), &mut out));
        }
    });
    [
        Figure::new("delta, each changed entity", cpu.as_secs_f64() * 1e6 / changed as f64, "us CPU")
            .at_most(0.5)
            .note(format!("8 ticks of 5 s at 10,000 events/s, {} changes each, demo city", changed / 160)),
        Figure::new("delta of nothing", idle.as_secs_f64() * 1e9 / 1e6, "ns CPU").at_most(100.0).note("idle city"),
    ]
}

fn full() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, copies, goal) in [("6 MB", 1, Some(2.0)), ("20 MB", 3, None)] {
        let mut city = city(&cities::copies(copies));
        let mut out = Vec::with_capacity(48 << 20);
        write_full(city.view(), Time(0), &mut out);
        let bytes = out.len();
        let (cpu, ..) = timed(|| {
            for _ in 0..100 {
                out.clear();
                write_full(city.view(), Time(0), &mut out);
            }
        });
        let figure = Figure::new(format!("state.full of {name}, joined"), cpu.as_secs_f64() * 1e3 / 100.0, "ms CPU")
            .note(format!("{bytes} B, every entity's JSON made before"));
        figures.push(match goal {
            Some(goal) => figure.at_most(goal),
            None => figure,
        });
        // What changed since the last full is encoded anew: here every twentieth entity.
        let pause = pause_of_the_fold(&mut city);
        figures.push(
            Figure::new(format!("pause of the fold for it ({name})"), pause.as_secs_f64() * 1e3, "ms wall")
                .at_most(1.0)
                .note("the longest of 50 looks at the city under its lock; the full is written outside of it"),
        );
    }
    figures
}

fn pause_of_the_fold(city: &mut City) -> Duration {
    let looks = (0..50).map(|_| {
        let start = Instant::now();
        let view = Arc::new(city.view().clone());
        let took = start.elapsed();
        drop(black_box(view));
        took
    });
    looks.max().unwrap_or_default()
}
