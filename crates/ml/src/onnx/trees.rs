//! Ensembles of trees in the form of ONNX (`TreeEnsembleClassifier`, `TreeEnsembleRegressor`), read into [`Tree`]s.
//!
//! ONNX has six kinds of branches. `<`, `>=` and `>` become "up to" by the next smaller `f32` and by exchanging children;
//! `==` and `!=` become sets of categories: the column's value is looked up in the list of all values that the trees compare
//! it with. So every row takes the same path as in ONNX, whatever its numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::read::Operator;
use crate::MlError;
use crate::tree::{Node, Test, Tree};

/// How many values a column may be compared with for being the same.
const MOST_CODES: usize = 1024;

/// What was read.
pub(super) struct Ensemble {
    pub(super) trees: Vec<Tree>,
    /// Columns whose values are looked up, in the order of the columns that their places become, behind the others.
    pub(super) codes: Vec<(usize, Vec<f32>)>,
    /// Whether no leaf has a number below 0.
    pub(super) positive: bool,
    /// Whether all numbers are for one and the same output.
    pub(super) single: bool,
}

/// The lists of an operator, an entry for each node.
struct Lists<'a> {
    operator: Operator<'a>,
    tree: &'a [i64],
    node: &'a [i64],
    column: &'a [i64],
    mode: &'a [Vec<u8>],
    value: Vec<f64>,
    yes: &'a [i64],
    no: &'a [i64],
    missing: &'a [i64],
    /// A node's place in the lists by its tree and number.
    places: BTreeMap<(i64, i64), usize>,
    /// Tree, node, output and number of each entry for leaves, in order.
    weights: Vec<(i64, i64, i64, f64)>,
}

/// Reads the trees of an operator over `columns` columns. `prefix` is what the names of the leaves' lists begin
/// with; the numbers of all leaves are taken from `budget`.
pub(super) fn read(
    operator: Operator<'_>,
    prefix: &str,
    columns: usize,
    outputs: usize,
    budget: &mut usize,
) -> Result<Ensemble, MlError> {
    let lists = Lists::new(operator, prefix)?;
    let ids: BTreeSet<i64> = lists.weights.iter().map(|weight| weight.2).collect();
    if let Some(id) = ids.iter().find(|id| **id < 0 || **id >= outputs as i64) {
        return Err(operator.bad(format!("a leaf adds to output {id} of {outputs}")));
    }
    let single = ids.len() <= 1 && (outputs == 1 || (prefix == "class" && outputs == 2));
    let outputs = if single { 1 } else { outputs };
    let leaves = lists.mode.iter().filter(|mode| *mode == b"LEAF").count();
    let rest = leaves.checked_mul(outputs).and_then(|numbers| budget.checked_sub(numbers));
    *budget = rest.ok_or_else(|| operator.bad(format!("{leaves} leaves with {outputs} outputs are too many")))?;
    let codes = lists.codes(columns)?;
    let mut by_tree: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (place, tree) in lists.tree.iter().enumerate() {
        by_tree.entry(*tree).or_default().push(place);
    }
    let trees = by_tree.values().map(|nodes| lists.tree(nodes, columns, outputs, single, &codes));
    let trees = trees.collect::<Result<Vec<Tree>, MlError>>()?;
    let positive = lists.weights.iter().all(|weight| weight.3 >= 0.0);
    Ok(Ensemble { trees, codes, positive, single })
}

impl<'a> Lists<'a> {
    fn new(operator: Operator<'a>, prefix: &str) -> Result<Self, MlError> {
        let list = |name: &str| operator.ints(&format!("{prefix}_{name}"));
        let (tree, node, id) = (list("treeids"), list("nodeids"), list("ids"));
        let weight = operator.numbers(&format!("{prefix}_weights"))?;
        if [node.len(), id.len(), weight.len()] != [tree.len(); 3] {
            return Err(operator.bad("the lists for leaves have different lengths"));
        }
        let mut weights: Vec<(i64, i64, i64, f64)> =
            (0..tree.len()).map(|at| (tree[at], node[at], id[at], weight[at])).collect();
        weights.sort_by_key(|weight| (weight.0, weight.1));
        let mut lists = Self {
            operator,
            tree: operator.ints("nodes_treeids"),
            node: operator.ints("nodes_nodeids"),
            column: operator.ints("nodes_featureids"),
            mode: operator.texts("nodes_modes"),
            value: operator.numbers("nodes_values")?,
            yes: operator.ints("nodes_truenodeids"),
            no: operator.ints("nodes_falsenodeids"),
            missing: operator.ints("nodes_missing_value_tracks_true"),
            places: BTreeMap::new(),
            weights,
        };
        let nodes = lists.tree.len();
        let lengths = [lists.node, lists.column, lists.yes, lists.no].map(<[i64]>::len);
        let missing = [0, nodes].contains(&lists.missing.len());
        if lengths != [nodes; 4] || lists.mode.len() != nodes || lists.value.len() != nodes || !missing {
            return Err(operator.bad("the lists for nodes have different lengths"));
        }
        for (place, key) in lists.tree.iter().copied().zip(lists.node.iter().copied()).enumerate() {
            if lists.places.insert(key, place).is_some() {
                return Err(operator.bad(format!("node {} of tree {} is there twice", key.1, key.0)));
            }
        }
        Ok(lists)
    }

    /// The values that columns are compared with for being the same.
    fn codes(&self, columns: usize) -> Result<Vec<(usize, Vec<f32>)>, MlError> {
        let mut codes: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
        for (place, mode) in self.mode.iter().enumerate() {
            if matches!(mode.as_slice(), b"BRANCH_EQ" | b"BRANCH_NEQ") {
                codes.entry(self.column(place, columns)?).or_default().push(exact(self.value[place]) + 0.0);
            }
        }
        for values in codes.values_mut() {
            values.retain(|value| !value.is_nan());
            values.sort_by(f32::total_cmp);
            values.dedup();
            if values.len() > MOST_CODES {
                return Err(self.operator.bad(format!("a column is compared with more than {MOST_CODES} values")));
            }
        }
        Ok(codes.into_iter().collect())
    }

    fn column(&self, place: usize, columns: usize) -> Result<usize, MlError> {
        let column = self.column[place];
        usize::try_from(column)
            .ok()
            .filter(|column| *column < columns)
            .ok_or_else(|| self.operator.bad(format!("a branch looks at column {column} of {columns}")))
    }

    fn tree(
        &self,
        nodes: &[usize],
        columns: usize,
        outputs: usize,
        single: bool,
        codes: &[(usize, Vec<f32>)],
    ) -> Result<Tree, MlError> {
        let number = self.tree[nodes[0]];
        let wrong = |what: &str| self.operator.bad(format!("tree {number} {what}"));
        let leaf = |place: usize| self.mode[place] == b"LEAF";
        let mut children = BTreeSet::new();
        for place in nodes.iter().filter(|place| !leaf(**place)) {
            children.extend([self.child(*place, self.yes)?, self.child(*place, self.no)?]);
        }
        let mut roots = nodes.iter().filter(|place| !children.contains(place));
        let (Some(root), None) = (roots.next(), roots.next()) else { return Err(wrong("does not have one root")) };
        let blank = Node::Leaf { value: 0 };
        let mut tree =
            Tree { outputs: outputs as u32, nodes: vec![blank.clone()], values: Vec::new(), cover: Vec::new() };
        let mut seen = BTreeSet::new();
        let mut waiting = vec![(*root, 0)];
        while let Some((place, at)) = waiting.pop() {
            if !seen.insert(place) {
                return Err(wrong("has a node with two parents"));
            }
            tree.nodes[at] = if leaf(place) {
                let start = tree.values.len();
                tree.values.resize(start + outputs, 0.0);
                self.add_weights(place, single, &mut tree.values[start..]);
                Node::Leaf { value: start as u32 }
            } else {
                let left = tree.nodes.len() as u32;
                tree.nodes.extend([blank.clone(), blank.clone()]);
                let branch = self.branch(place, self.column(place, columns)?, columns, codes, &mut seen)?;
                waiting.extend([(branch.right, left as usize + 1), (branch.left, left as usize)]);
                let Branch { column, test, missing_left, .. } = branch;
                Node::Split { column: column as u32, test, missing_left, left, right: left + 1 }
            };
        }
        if seen.len() != nodes.len() {
            return Err(wrong("has nodes that lead in a circle"));
        }
        // ONNX does not tell how many rows came through.
        tree.cover = vec![0.0; tree.nodes.len()];
        Ok(tree)
    }

    /// The place of a child of the node at a place.
    fn child(&self, place: usize, list: &[i64]) -> Result<usize, MlError> {
        let key = (self.tree[place], list[place]);
        let missing = || self.operator.bad(format!("tree {} has no node {}", key.0, key.1));
        self.places.get(&key).copied().ok_or_else(missing)
    }

    fn add_weights(&self, place: usize, single: bool, values: &mut [f64]) {
        let key = (self.tree[place], self.node[place]);
        let first = self.weights.partition_point(|weight| (weight.0, weight.1) < key);
        let own = self.weights[first..].iter().take_while(|weight| (weight.0, weight.1) == key);
        own.for_each(|weight| values[if single { 0 } else { weight.2 as usize }] += weight.3);
    }

    fn branch(
        &self,
        place: usize,
        column: usize,
        columns: usize,
        codes: &[(usize, Vec<f32>)],
        seen: &mut BTreeSet<usize>,
    ) -> Result<Branch, MlError> {
        let value = self.value[place];
        let near = value as f32;
        let missing_yes = self.missing_yes(place);
        let (yes, no) = (self.child(place, self.yes)?, self.child(place, self.no)?);
        // Nothing compares with what is not a number, and nothing is less than the least. A threshold in double precision
        // lies between two numbers of single precision, which is what rows have.
        let never = || Test::In(Box::default());
        let up_to = |over: bool| if over { near.next_down() } else { near };
        let at_most = || if value.is_nan() { never() } else { Test::AtMost(up_to(f64::from(near) > value)) };
        let below = || {
            if value.is_nan() || near == f32::NEG_INFINITY {
                never()
            } else {
                Test::AtMost(up_to(f64::from(near) >= value))
            }
        };
        let (test, turned) = match self.mode[place].as_slice() {
            b"BRANCH_LEQ" => (at_most(), false),
            b"BRANCH_LT" => (below(), false),
            b"BRANCH_GT" if !value.is_nan() => (at_most(), true),
            b"BRANCH_GTE" if !value.is_nan() => (below(), true),
            b"BRANCH_GT" | b"BRANCH_GTE" => (never(), false),
            b"BRANCH_EQ" => return self.set(place, columns, codes, seen),
            b"BRANCH_NEQ" => {
                let (column, code) = place_of(codes, column, columns, exact(value));
                // A missing value is not the same as any.
                let test = code.map_or_else(never, |code| set_of(&[code]));
                return Ok(Branch { column, test, missing_left: false, left: no, right: yes });
            }
            other => {
                let name = String::from_utf8_lossy(other);
                return Err(self.operator.bad(format!("branches of kind {name} are not supported")));
            }
        };
        let (left, right) = if turned { (no, yes) } else { (yes, no) };
        Ok(Branch { column, test, missing_left: missing_yes != turned, left, right })
    }

    /// A branch for "the same", with those behind it that send other values of the column to the same node: the way in which
    /// ONNX files say that a value is in a set.
    fn set(
        &self,
        place: usize,
        columns: usize,
        codes: &[(usize, Vec<f32>)],
        seen: &mut BTreeSet<usize>,
    ) -> Result<Branch, MlError> {
        let column = self.column(place, columns)?;
        let left = self.child(place, self.yes)?;
        let mut last = place;
        let mut found = Vec::new();
        let mut missing_left = false;
        loop {
            let (_, code) = place_of(codes, column, columns, exact(self.value[last]));
            found.extend(code);
            missing_left |= self.missing_yes(last);
            let next = self.child(last, self.no)?;
            let goes_on = self.mode[next] == b"BRANCH_EQ"
                && self.column[next] == self.column[place]
                && self.yes[next] == self.yes[place];
            if !goes_on || !seen.insert(next) {
                let (column, _) = place_of(codes, column, columns, f32::NAN);
                return Ok(Branch { column, test: set_of(&found), missing_left, left, right: next });
            }
            last = next;
        }
    }

    fn missing_yes(&self, place: usize) -> bool {
        self.missing.get(place).is_some_and(|missing| *missing != 0)
    }
}

/// A split, with the places of its children.
struct Branch {
    column: usize,
    test: Test,
    missing_left: bool,
    left: usize,
    right: usize,
}

/// The column that holds the codes of a column, and the code of a value.
fn place_of(codes: &[(usize, Vec<f32>)], column: usize, columns: usize, value: f32) -> (usize, Option<usize>) {
    let list = codes.binary_search_by_key(&column, |codes| codes.0);
    let list = list.expect("the values of all such columns were collected");
    (columns + list, codes[list].1.binary_search_by(|known| known.total_cmp(&(value + 0.0))).ok())
}

/// A number as `f32` if that holds it, so that something can be the same.
fn exact(value: f64) -> f32 {
    if f64::from(value as f32) == value { value as f32 } else { f32::NAN }
}

/// The set of some categories.
fn set_of(codes: &[usize]) -> Test {
    let mut words = vec![0; codes.iter().max().map_or(0, |most| most / 32 + 1)];
    codes.iter().for_each(|code| words[code / 32] |= 1 << (code % 32));
    Test::In(words.into())
}
