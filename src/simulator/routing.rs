//! The quickest way through the network.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::network::RoadNetwork;

/// Dijkstra's algorithm with its tables kept from one question to the next.
#[derive(Clone, Debug, Default)]
pub struct Router {
    best: Vec<u64>,
    by: Vec<u32>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Router {
    /// The edges of the way from one crossing to another with the least sum of `cost` (milliseconds of an edge); empty where they
    /// are the same, `None` where there is no way.
    pub fn way(&mut self, network: &RoadNetwork, from: u32, to: u32, cost: impl Fn(u32) -> u64) -> Option<Vec<u32>> {
        self.best.clear();
        self.best.resize(network.nodes.len(), u64::MAX);
        self.by.clear();
        self.by.resize(network.nodes.len(), u32::MAX);
        self.heap.clear();
        self.best[from as usize] = 0;
        self.heap.push(Reverse((0, from)));
        while let Some(Reverse((spent, node))) = self.heap.pop() {
            if node == to {
                break;
            }
            if spent > self.best[node as usize] {
                continue;
            }
            for &number in network.outgoing(node) {
                let next = network.edge(number).to;
                let total = spent + cost(number).max(1);
                if total < self.best[next as usize] {
                    self.best[next as usize] = total;
                    self.by[next as usize] = number;
                    self.heap.push(Reverse((total, next)));
                }
            }
        }
        if self.best[to as usize] == u64::MAX {
            return None;
        }
        let mut way = Vec::new();
        let mut node = to;
        while node != from {
            let number = self.by[node as usize];
            way.push(number);
            node = network.edge(number).from;
        }
        way.reverse();
        Some(way)
    }
}
