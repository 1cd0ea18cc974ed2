//! The road network: crossings and directed edges, as `state.full` has them.

use super::geo::{Point, Polyline};
use super::plan::{draw_city, frame};
use super::rhythm;
use super::streets::RoadClass;

/// A crossing.
#[derive(Clone, Debug)]
pub struct Node {
    pub district: usize,
    pub at: Point,
    /// `intersection`, `traffic_light`, `roundabout` or `dead_end`.
    pub kind: &'static str,
}

/// A directed piece of road between two crossings.
#[derive(Clone, Debug)]
pub struct Edge {
    pub district: usize,
    pub from: u32,
    pub to: u32,
    /// Number of the road segment; both directions of a two-way street share it.
    pub segment: u32,
    pub class: RoadClass,
    pub name: String,
    /// Metres, at one decimal.
    pub length: f64,
    /// km/h.
    pub speed_limit: u32,
    pub lanes: u32,
    pub line: Polyline,
    /// Part of a road between two districts, outside the towns.
    pub arterial: bool,
    /// The other direction, where there is one.
    pub twin: Option<u32>,
    /// How much traffic it draws at full demand, about 0.2 to 1.
    pub pull: f64,
    /// 1 where it leads to the middle of the city, -1 where it leads out.
    pub inbound: f64,
}

/// All crossings and edges of the city. An edge's number is its place in `edges`; its id counts from 1.
#[derive(Clone, Debug)]
pub struct RoadNetwork {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    outgoing: Vec<Vec<u32>>,
}

impl RoadNetwork {
    /// The network of the city with this seed.
    pub fn laquila(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut draft = draw_city(&mut rng);
        // Ids run through the districts one after the other.
        draft.streets.sort_by_key(|s| s.district);
        let frame = frame();
        let mut meets = vec![(0u32, 0u32, false); draft.nodes.len()];
        for street in &draft.streets {
            for node in [street.from, street.to] {
                meets[node].0 += 1;
                meets[node].1 += u32::from(street.class <= RoadClass::Secondary);
                meets[node].2 |= street.line.is_none();
            }
        }
        let nodes: Vec<Node> = draft
            .nodes
            .iter()
            .zip(&meets)
            .map(|(node, &(streets, main, arterial))| Node {
                district: node.district,
                at: frame.point(node.at),
                kind: match (streets, main) {
                    (0 | 1, _) => "dead_end",
                    (3.., _) if arterial => "roundabout",
                    (4.., 3..) => "traffic_light",
                    _ => "intersection",
                },
            })
            .collect();
        let mut network = Self { outgoing: vec![Vec::new(); nodes.len()], nodes, edges: Vec::new() };
        for (segment, street) in draft.streets.into_iter().enumerate() {
            let line = Polyline::new(street.shape.iter().map(|p| frame.point(*p)).collect());
            let (speed_limit, lanes) = match street.class {
                RoadClass::Primary => (50, 2),
                RoadClass::Secondary => (50, if rng.f64() < 0.3 { 2 } else { 1 }),
                RoadClass::Tertiary => (40, 1),
                RoadClass::Residential => (30, 1),
            };
            let base = match street.class {
                RoadClass::Primary => 0.92,
                RoadClass::Secondary => 0.80,
                RoadClass::Tertiary => 0.58,
                RoadClass::Residential => 0.36,
            };
            let edge = Edge {
                district: street.district,
                from: street.from as u32,
                to: street.to as u32,
                segment: segment as u32,
                class: street.class,
                name: street.name,
                length: super::geo::round_to(line.length(), 1),
                speed_limit: street.limit.unwrap_or(speed_limit),
                lanes,
                line,
                arterial: street.line.is_none(),
                twin: None,
                pull: base * (0.72 + 0.5 * rhythm::unit(seed, segment as u64)),
                inbound: 0.0,
            };
            let back = (!street.one_way).then(|| Edge {
                from: edge.to,
                to: edge.from,
                line: edge.line.reversed(),
                ..edge.clone()
            });
            let first = network.add(edge);
            if let Some(back) = back {
                let second = network.add(back);
                network.edges[first as usize].twin = Some(second);
                network.edges[second as usize].twin = Some(first);
            }
        }
        network
    }

    fn add(&mut self, mut edge: Edge) -> u32 {
        let centre = frame().point([0.0, 0.0]);
        let [from, to] = [edge.from, edge.to].map(|n| self.nodes[n as usize].at.distance(centre));
        edge.inbound = ((from - to) / edge.length.max(1.0)).clamp(-1.0, 1.0);
        let number = self.edges.len() as u32;
        self.outgoing[edge.from as usize].push(number);
        self.edges.push(edge);
        number
    }

    /// The edges that leave a crossing.
    pub fn outgoing(&self, node: u32) -> &[u32] {
        &self.outgoing[node as usize]
    }

    /// The edge with this number.
    pub fn edge(&self, number: u32) -> &Edge {
        &self.edges[number as usize]
    }
}
