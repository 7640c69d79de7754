//! Finds circles in a graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A circle: nodes each of which leads to every other one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Circle {
    pub(super) nodes: BTreeSet<usize>,
    /// The shortest way from a node back to itself. The first node is not repeated.
    pub(super) shortest: Vec<usize>,
}

/// All circles of more than one node, each as large as possible.
pub(super) fn circles(edges: impl Iterator<Item = (usize, usize)>) -> Vec<Circle> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let ways: BTreeMap<usize, BTreeMap<usize, usize>> =
        next.keys().map(|from| (*from, before(&next, *from))).collect();
    let leads = |from: &usize, to: &usize| ways.get(from).is_some_and(|before| before.contains_key(to));
    let mut circles: Vec<Circle> = Vec::new();
    for node in next.keys() {
        if !leads(node, node) || circles.iter().any(|circle| circle.nodes.contains(node)) {
            continue;
        }
        let nodes: BTreeSet<usize> =
            next.keys().filter(|other| leads(node, other) && leads(other, node)).copied().collect();
        let shortest = nodes.iter().map(|node| way_round(*node, &ways[node])).min_by_key(Vec::len);
        circles.push(Circle { nodes, shortest: shortest.unwrap_or_default() });
    }
    circles.retain(|circle| circle.nodes.len() > 1);
    circles
}

/// Every node that can be reached, with the node before it on the shortest way.
fn before(next: &BTreeMap<usize, BTreeSet<usize>>, from: usize) -> BTreeMap<usize, usize> {
    let mut before = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        for to in next.get(&node).into_iter().flatten() {
            before.entry(*to).or_insert_with(|| {
                waiting.push_back(*to);
                node
            });
        }
    }
    before
}

fn way_round(node: usize, before: &BTreeMap<usize, usize>) -> Vec<usize> {
    let mut way = vec![node];
    let mut at = before[&node];
    while at != node {
        way.push(at);
        at = before[&at];
    }
    way[1..].reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_circle_is_found_once_with_its_shortest_way_round() {
        // 0 → 1 → 2 → 0 with a short cut 2 → 1; 3 ↔ 4, which 0 leads to; 5 leads to itself only.
        let edges = [(0, 1), (1, 2), (2, 0), (2, 1), (0, 3), (3, 4), (4, 3), (5, 5), (5, 0)];
        let found = circles(edges.into_iter());
        assert_eq!(
            found,
            [
                Circle { nodes: [0, 1, 2].into(), shortest: vec![1, 2] },
                Circle { nodes: [3, 4].into(), shortest: vec![3, 4] },
            ]
        );
        assert_eq!(circles([(0, 1), (1, 2), (0, 2)].into_iter()), []);
    }
}
