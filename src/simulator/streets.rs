//! The streets of one district, drawn: a lattice, bent and shaken until it looks grown.

use std::collections::VecDeque;

use super::names::DistrictPlan;

/// What a road is for; it decides its speed limit and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoadClass {
    Primary,
    Secondary,
    Tertiary,
    Residential,
}

impl RoadClass {
    /// Its name in `state.full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Tertiary => "tertiary",
            Self::Residential => "residential",
        }
    }
}

/// A crossing as drawn: metres east and north of the city's centre.
pub struct NodeDraft {
    pub district: usize,
    pub at: [f64; 2],
}

/// A piece of street between two crossings, before it becomes one or two directed edges.
pub struct StreetDraft {
    pub district: usize,
    pub from: usize,
    pub to: usize,
    pub class: RoadClass,
    pub name: String,
    /// From `from` to `to`, both included, in metres.
    pub shape: Vec<[f64; 2]>,
    /// Which lattice line it lies on; neighbours have neighbouring numbers. Arterials have none.
    pub line: Option<i32>,
    /// Traffic flows from `from` to `to` only.
    pub one_way: bool,
    /// Speed limit in km/h, where it is not its class's.
    pub limit: Option<u32>,
}

/// A city as drawn.
#[derive(Default)]
pub struct Draft {
    pub nodes: Vec<NodeDraft>,
    pub streets: Vec<StreetDraft>,
}

/// How one district's lattice lies on the ground.
struct Lattice<'a> {
    plan: &'a DistrictPlan,
    centre: [f64; 2],
    waves: [[f64; 4]; 4],
    outline: [f64; 4],
    cell: f64,
}

impl Lattice<'_> {
    /// Whether the lattice point lies inside the town's outline.
    fn contains(&self, i: f64, j: f64) -> bool {
        let (x, y) = (i * self.cell, j * self.cell);
        let angle = y.atan2(x);
        let [two, lobes, three, five] = self.outline;
        let reach = 1.0
            + 0.11 * (2.0 * angle + two).sin()
            + lobes * (3.0 * angle + three).sin()
            + 0.05 * (5.0 * angle + five).sin();
        x.hypot(y) < reach
    }

    /// Where the lattice point lies: denser in the core, slightly twisted, stretched, turned, and bent by long waves.
    fn place(&self, i: f64, j: f64) -> [f64; 2] {
        let (x, y) = (i * self.cell, j * self.cell);
        let radius = (x * x + y * y).sqrt();
        let dense = 0.74 + 0.26 * radius;
        let twist = self.plan.crooked * 0.55 * (1.0 - radius.min(1.2));
        let (sin, cos) = twist.sin_cos();
        let (x, y) =
            ((x * cos - y * sin) * dense * self.plan.extent[0], (x * sin + y * cos) * dense * self.plan.extent[1]);
        let (sin, cos) = self.plan.turn.to_radians().sin_cos();
        let (mut east, mut north) = (x * cos - y * sin, x * sin + y * cos);
        let bend = 18.0 + 34.0 * self.plan.crooked;
        let (x, y) = (east, north);
        for [kx, ky, phase, side] in self.waves {
            let wave = bend * (kx * x + ky * y + phase).sin();
            east += wave * side.cos();
            north += wave * side.sin();
        }
        [self.centre[0] + east, self.centre[1] + north]
    }
}

/// The class of the lattice line `k`, counted from the middle.
fn line_class(k: i32) -> RoadClass {
    match k.rem_euclid(12) {
        0 if k == 0 => RoadClass::Primary,
        0 | 6 => RoadClass::Secondary,
        3 | 9 => RoadClass::Tertiary,
        _ => RoadClass::Residential,
    }
}

/// Hands out street names of one district, each once.
struct Names<'a> {
    plan: &'a DistrictPlan,
    small: Vec<&'static str>,
    avenues: usize,
    lanes: usize,
}

impl Names<'_> {
    fn next(&mut self, class: RoadClass, across: bool) -> String {
        match class {
            RoadClass::Primary => return self.plan.main_streets[usize::from(across)].to_owned(),
            RoadClass::Secondary if self.avenues < self.plan.avenues.len() => {
                self.avenues += 1;
                return self.plan.avenues[self.avenues - 1].to_owned();
            }
            _ => {}
        }
        let name = self.small[self.lanes % self.small.len()];
        let kind = match class {
            RoadClass::Secondary => "Viale",
            _ => ["Via", self.plan.lanes[1], "Largo"][(self.lanes / self.small.len()).min(2)],
        };
        self.lanes += 1;
        format!("{kind} {name}")
    }
}

/// Draws the streets of district number `district` around `centre` (metres) into `draft`, with about `crossings` crossings.
pub fn draw_district(
    draft: &mut Draft,
    district: usize,
    plan: &DistrictPlan,
    centre: [f64; 2],
    crossings: f64,
    rng: &mut fastrand::Rng,
) {
    let mut wave = |long: f64| {
        let (angle, length) = (rng.f64() * std::f64::consts::TAU, long * (0.8 + 0.5 * rng.f64()));
        let k = std::f64::consts::TAU / length;
        [k * angle.cos(), k * angle.sin(), rng.f64() * 6.3, angle + 1.2]
    };
    let waves = [wave(1500.0), wave(1100.0), wave(900.0), wave(1300.0)];
    let outline = [rng.f64() * 6.3, 0.05 + 0.05 * rng.f64(), rng.f64() * 6.3, rng.f64() * 6.3];
    let cell = (std::f64::consts::PI / crossings).sqrt();
    let lattice = Lattice { plan, centre, waves, outline, cell };
    let mut small = super::names::STREETS.to_vec();
    rng.shuffle(&mut small);
    let mut names = Names { plan, small, avenues: 0, lanes: 0 };

    let reach = (1.4 / cell).ceil() as i32;
    let side = (2 * reach + 1) as usize;
    let slot = |i: i32, j: i32| (i + reach) as usize * side + (j + reach) as usize;
    // Parks and squares: a few places without crossings.
    let greens: Vec<[f64; 3]> = (0..6)
        .map(|_| [rng.f64() * 1.6 - 0.8, rng.f64() * 1.6 - 0.8, 1.0 + 0.9 * rng.f64()])
        .map(|[x, y, size]| [(x / cell).round() + 0.5, (y / cell).round() + 0.5, size])
        .collect();
    let inside = |i: i32, j: i32| {
        let (i, j) = (f64::from(i), f64::from(j));
        i.abs() <= f64::from(reach)
            && j.abs() <= f64::from(reach)
            && lattice.contains(i, j)
            && !(i != 0.0
                && j != 0.0
                && greens.iter().any(|[x, y, size]| (i - x).powi(2) + (j - y).powi(2) < size * size))
    };
    let mut taken = vec![usize::MAX; side * side];
    let step = cell * (plan.extent[0] * plan.extent[1]).sqrt();
    let shake = step * (0.09 + 0.13 * plan.crooked);
    let mut shifts = Vec::new();
    let first = draft.nodes.len();
    for i in -reach..=reach {
        for j in -reach..=reach {
            if inside(i, j) {
                let shift = [(rng.f64() * 2.0 - 1.0) * shake, (rng.f64() * 2.0 - 1.0) * shake];
                let place = lattice.place(f64::from(i), f64::from(j));
                taken[slot(i, j)] = draft.nodes.len();
                shifts.push(shift);
                draft.nodes.push(NodeDraft { district, at: [place[0] + shift[0], place[1] + shift[1]] });
            }
        }
    }
    for across in [false, true] {
        for k in -reach..=reach {
            let class = line_class(k);
            let run = match class {
                RoadClass::Primary => i32::MAX,
                RoadClass::Secondary => 18,
                RoadClass::Tertiary => rng.i32(10..15),
                RoadClass::Residential => rng.i32(5..11),
            };
            let mut name: Option<String> = None;
            let mut length = 0;
            for m in -reach..reach {
                let (a, b) = if across { ((k, m), (k, m + 1)) } else { ((m, k), (m + 1, k)) };
                let (from, to) = (taken[slot(a.0, a.1)], taken[slot(b.0, b.1)]);
                if from == usize::MAX || to == usize::MAX {
                    continue;
                }
                if name.is_none() || length >= run {
                    name = Some(names.next(class, across));
                    length = 0;
                }
                length += 1;
                let ends = [shifts[from - first], shifts[to - first]];
                let shape = draw_street(&lattice, a, b, ends, class, rng);
                draft.streets.push(StreetDraft {
                    district,
                    from,
                    to,
                    class,
                    name: name.clone().unwrap_or_default(),
                    shape,
                    line: Some(if across { k + 1000 } else { k }),
                    one_way: false,
                    limit: None,
                });
            }
        }
    }
}

/// The line of a street between two lattice points: it follows the bent lattice, with a bow of its own.
fn draw_street(
    lattice: &Lattice<'_>,
    a: (i32, i32),
    b: (i32, i32),
    shifts: [[f64; 2]; 2],
    class: RoadClass,
    rng: &mut fastrand::Rng,
) -> Vec<[f64; 2]> {
    let main = class <= RoadClass::Secondary;
    let bow =
        if main || rng.f64() < 0.35 { 0.0 } else { (rng.f64() * 2.0 - 1.0) * (0.05 + 0.07 * lattice.plan.crooked) };
    let inner = match (main, bow.abs() > 0.03) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => usize::from(rng.f64() < 0.4),
    };
    let pieces = inner + 1;
    let (a, b) = ([f64::from(a.0), f64::from(a.1)], [f64::from(b.0), f64::from(b.1)]);
    let (start, end) = (lattice.place(a[0], a[1]), lattice.place(b[0], b[1]));
    let normal = [start[1] - end[1], end[0] - start[0]];
    (0..=pieces)
        .map(|n| {
            let t = n as f64 / pieces as f64;
            let place = lattice.place(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t);
            let lift = bow * (std::f64::consts::PI * t).sin();
            [0, 1].map(|d| place[d] + shifts[0][d] + (shifts[1][d] - shifts[0][d]) * t + normal[d] * lift)
        })
        .collect()
}

/// Neighbours along streets, for walks over a draft: for each node its (street, other end, may be walked this way).
pub struct Adjacency {
    around: Vec<Vec<(usize, usize)>>,
    seen: Vec<u32>,
    walk: u32,
    queue: VecDeque<usize>,
}

impl Adjacency {
    /// Of all streets of `draft`.
    pub fn new(draft: &Draft) -> Self {
        let mut around = vec![Vec::new(); draft.nodes.len()];
        for (s, street) in draft.streets.iter().enumerate() {
            around[street.from].push((s, street.to));
            around[street.to].push((s, street.from));
        }
        Self { seen: vec![0; around.len()], around, walk: 0, queue: VecDeque::new() }
    }

    /// How many streets meet at `node`.
    pub fn degree(&self, node: usize) -> usize {
        self.around[node].len()
    }

    /// The streets at `node` and their other ends.
    pub fn around(&self, node: usize) -> &[(usize, usize)] {
        &self.around[node]
    }

    /// Takes a street away.
    pub fn remove(&mut self, draft: &Draft, street: usize) {
        for node in [draft.streets[street].from, draft.streets[street].to] {
            self.around[node].retain(|(s, _)| *s != street);
        }
    }

    /// Whether one can drive from `from` to `to` without using street `without`, keeping to one-way streets.
    pub fn reaches(&mut self, draft: &Draft, from: usize, to: usize, without: usize) -> bool {
        self.walk += 1;
        self.queue.clear();
        self.queue.push_back(from);
        self.seen[from] = self.walk;
        while let Some(node) = self.queue.pop_front() {
            if node == to {
                return true;
            }
            for &(s, next) in &self.around[node] {
                let street = &draft.streets[s];
                let open = !street.one_way || street.from == node;
                if s != without && open && self.seen[next] != self.walk {
                    self.seen[next] = self.walk;
                    self.queue.push_back(next);
                }
            }
        }
        false
    }

    /// The nodes that hang together with `from`.
    pub fn component(&mut self, from: usize) -> Vec<usize> {
        self.walk += 1;
        self.seen[from] = self.walk;
        let mut found = vec![from];
        let mut done = 0;
        while done < found.len() {
            for &(_, next) in &self.around[found[done]] {
                if self.seen[next] != self.walk {
                    self.seen[next] = self.walk;
                    found.push(next);
                }
            }
            done += 1;
        }
        found
    }
}
