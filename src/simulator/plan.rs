//! From drawn streets to a plan with exact counts: clean, joined by arterials, thinned out, and with one-way streets.

use super::geo::{Frame, Point};
use super::names::{ARTERIALS, CITY_CENTRE, DISTRICTS};
use super::streets::{Adjacency, Draft, NodeDraft, RoadClass, StreetDraft, draw_district};

/// Directed edges in each district.
pub const EDGES_PER_DISTRICT: usize = 3000;

/// Streets (two-way or not) in each district, where thinning finds enough: three quarters of them are then two-way.
const STREETS_PER_DISTRICT: usize = 1714;

/// The flat map on which the city is drawn.
pub fn frame() -> Frame {
    Frame::around(Point::new(CITY_CENTRE[0], CITY_CENTRE[1]))
}

/// Draws the whole city.
pub fn draw_city(rng: &mut fastrand::Rng) -> Draft {
    let frame = frame();
    let mut draft = Draft::default();
    for (d, plan) in DISTRICTS.iter().enumerate() {
        let centre = frame.metres(Point::new(plan.centre[0], plan.centre[1]));
        draw_district(&mut draft, d, plan, centre, 1035.0, rng);
    }
    keep_largest_parts(&mut draft);
    for (from, to, name, bow) in ARTERIALS {
        join(&mut draft, [from, to], name, bow, &frame);
    }
    for district in 0..DISTRICTS.len() {
        thin(&mut draft, district, rng);
    }
    for district in 0..DISTRICTS.len() {
        make_one_ways(&mut draft, district, rng);
    }
    draft
}

/// Drops what the town's outline cut off from the rest of its district.
fn keep_largest_parts(draft: &mut Draft) {
    let mut adjacency = Adjacency::new(draft);
    let mut keep = vec![false; draft.nodes.len()];
    for district in 0..DISTRICTS.len() {
        let mut best: Vec<usize> = Vec::new();
        let mut visited = vec![false; draft.nodes.len()];
        for node in 0..draft.nodes.len() {
            if draft.nodes[node].district == district && !visited[node] {
                let part = adjacency.component(node);
                for &n in &part {
                    visited[n] = true;
                }
                if part.len() > best.len() {
                    best = part;
                }
            }
        }
        for n in best {
            keep[n] = true;
        }
    }
    let mut renumbered = vec![usize::MAX; draft.nodes.len()];
    let mut nodes = Vec::with_capacity(draft.nodes.len());
    for (n, node) in std::mem::take(&mut draft.nodes).into_iter().enumerate() {
        if keep[n] {
            renumbered[n] = nodes.len();
            nodes.push(node);
        }
    }
    draft.nodes = nodes;
    draft.streets.retain(|s| keep[s.from]);
    for street in &mut draft.streets {
        street.from = renumbered[street.from];
        street.to = renumbered[street.to];
    }
}

/// How many metres further away a gate may lie where a main street ends there.
const MAIN_STREET_BONUS: f64 = 450.0;

/// Joins two districts by a road between the crossings that lie nearest to each other's side (rather where a main street
/// ends), and makes the way from there to each district's middle a through road.
fn join(draft: &mut Draft, districts: [usize; 2], name: &str, bow: f64, frame: &Frame) {
    let centres = districts.map(|d| frame.metres(Point::new(DISTRICTS[d].centre[0], DISTRICTS[d].centre[1])));
    let along = [centres[1][0] - centres[0][0], centres[1][1] - centres[0][1]];
    let length = along[0].hypot(along[1]);
    let normal = [-along[1] / length, along[0] / length];
    let adjacency = Adjacency::new(draft);
    let ends_main_street = |n: usize| {
        let main = adjacency
            .around(n)
            .iter()
            .filter(|(s, _)| draft.streets[*s].class == RoadClass::Primary && draft.streets[*s].line.is_some());
        main.count() == 1
    };
    let gates = [0, 1].map(|side| {
        let sign = if side == 0 { 1.0 } else { -1.0 };
        // Look where the bowed road comes from, so that it does not cut through the district first.
        let toward = [0, 1].map(|d| sign * along[d] / length + normal[d] * bow * 4.0);
        (0..draft.nodes.len())
            .filter(|&n| draft.nodes[n].district == districts[side])
            .map(|n| {
                let at = draft.nodes[n].at;
                let ahead = (at[0] - centres[side][0]) * toward[0] + (at[1] - centres[side][1]) * toward[1];
                (n, if ends_main_street(n) { ahead + MAIN_STREET_BONUS } else { ahead })
            })
            .fold((0, f64::MIN), |best, next| if next.1 > best.1 { next } else { best })
            .0
    });
    for side in [0, 1] {
        widen(draft, gates[side], districts[side], centres[side]);
    }
    let [start, end] = gates.map(|g| draft.nodes[g].at);
    let way = [end[0] - start[0], end[1] - start[1]];
    let distance = way[0].hypot(way[1]);
    let at = |t: f64| {
        let lift = bow * 1.3 * (std::f64::consts::PI * t).sin()
            + 0.012 * (std::f64::consts::TAU * 1.5 * t).sin() * (t * (1.0 - t) * 4.0);
        [start[0] + way[0] * t - way[1] * lift, start[1] + way[1] * t + way[0] * lift]
    };
    let pieces = (distance / 240.0).ceil().max(2.0) as usize;
    let mut from = gates[0];
    for piece in 0..pieces {
        let district = districts[usize::from(piece * 2 >= pieces)];
        let to = if piece + 1 == pieces {
            gates[1]
        } else {
            let place = at((piece + 1) as f64 / pieces as f64);
            draft.nodes.push(NodeDraft { district, at: place });
            draft.nodes.len() - 1
        };
        let shape = (0..=4).map(|n| at((piece as f64 + f64::from(n) / 4.0) / pieces as f64)).collect();
        draft.streets.push(StreetDraft {
            district,
            from,
            to,
            class: RoadClass::Primary,
            name: name.to_owned(),
            shape,
            line: None,
            one_way: false,
            limit: Some(70),
        });
        from = to;
    }
}

/// Makes the shortest way from `gate` to the crossing nearest to the district's `centre` at least a secondary road.
fn widen(draft: &mut Draft, gate: usize, district: usize, centre: [f64; 2]) {
    let adjacency = Adjacency::new(draft);
    let far = |at: [f64; 2]| (at[0] - centre[0]).hypot(at[1] - centre[1]);
    let mut node = gate;
    // Downhill to the centre, preferring what is a main road already; at most as many steps as a district is wide.
    for _ in 0..60 {
        let here = far(draft.nodes[node].at);
        let next = adjacency
            .around(node)
            .iter()
            .filter(|(s, n)| draft.streets[*s].district == district && far(draft.nodes[*n].at) < here)
            .map(|&(s, n)| {
                let main = if draft.streets[s].class <= RoadClass::Secondary { 0.6 } else { 0.0 };
                let gain = (here - far(draft.nodes[n].at)) / draft.streets[s].shape.len().max(1) as f64;
                (s, n, main + gain / 100.0)
            })
            .fold(None, |best: Option<(usize, usize, f64)>, next| match best {
                Some(b) if b.2 >= next.2 => Some(b),
                _ => Some(next),
            });
        let Some((street, to, _)) = next else { return };
        let street = &mut draft.streets[street];
        street.class = street.class.min(RoadClass::Secondary);
        node = to;
    }
}

/// Takes small streets away where at least three meet, until the district has its number of streets: T-junctions come
/// about, and no place is cut off.
fn thin(draft: &mut Draft, district: usize, rng: &mut fastrand::Rng) {
    let mut adjacency = Adjacency::new(draft);
    let own: Vec<usize> = (0..draft.streets.len()).filter(|&s| draft.streets[s].district == district).collect();
    let mut excess = own.len().saturating_sub(STREETS_PER_DISTRICT);
    let mut candidates: Vec<usize> =
        own.into_iter().filter(|&s| draft.streets[s].class >= RoadClass::Tertiary).collect();
    rng.shuffle(&mut candidates);
    let mut gone = vec![false; draft.streets.len()];
    // First crossings of four become crossings of three; then, if need be, some of three become bends.
    for least in [4, 3] {
        for &street in &candidates {
            let (from, to) = (draft.streets[street].from, draft.streets[street].to);
            let (a, b) = (adjacency.degree(from), adjacency.degree(to));
            if excess == 0 || gone[street] || a.min(b) < 3 || a.max(b) < least {
                continue;
            }
            if adjacency.reaches(draft, from, to, street) {
                adjacency.remove(draft, street);
                gone[street] = true;
                excess -= 1;
            }
        }
    }
    let mut gone = gone.into_iter();
    draft.streets.retain(|_| !gone.next().unwrap_or(false));
}

/// Makes small streets one-way until the district has exactly its number of directed edges. Whole lines go together, a line
/// and its neighbour in opposite directions, and whoever could drive somewhere before still can.
fn make_one_ways(draft: &mut Draft, district: usize, rng: &mut fastrand::Rng) {
    let mut adjacency = Adjacency::new(draft);
    let own: Vec<usize> = (0..draft.streets.len()).filter(|&s| draft.streets[s].district == district).collect();
    let mut wanted = (2 * own.len()).saturating_sub(EDGES_PER_DISTRICT);
    let mut pairs: Vec<i32> = own.iter().filter_map(|&s| draft.streets[s].line).map(|l| l.div_euclid(2)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    rng.shuffle(&mut pairs);
    for class in [RoadClass::Residential, RoadClass::Tertiary] {
        for pair in &pairs {
            for &street in &own {
                let piece = &draft.streets[street];
                let Some(line) = piece.line.filter(|l| l.div_euclid(2) == *pair) else { continue };
                if wanted == 0 || piece.one_way || piece.class != class {
                    continue;
                }
                let (from, to) = if line.rem_euclid(2) == 0 { (piece.from, piece.to) } else { (piece.to, piece.from) };
                if adjacency.reaches(draft, to, from, street) {
                    let piece = &mut draft.streets[street];
                    if piece.from != from {
                        piece.shape.reverse();
                        (piece.from, piece.to) = (from, to);
                    }
                    piece.one_way = true;
                    wanted -= 1;
                }
            }
        }
    }
}
