//! Points in a tree of boxes (a k-d tree; Friedman, Bentley, Finkel 1977, with the bounds of each box kept).

use serde::{Deserialize, Serialize};

use crate::{Context, Examples, Kind, MlError, standard::Standard};

/// Boxes with no more points than this are looked through.
const LEAF: usize = 24;
/// More columns than this are refused: among so many all rows are about equally far, and a row that is asked stands on the
/// stack.
const COLUMNS_MAX: usize = 1024;
/// The code of a missing category.
const MISSING: f64 = -1.0;

/// A point that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// The square of the distance.
    pub(super) squared: f64,
    pub(super) point: u32,
    /// Its row in the examples: of equally distant ones the earlier is nearer, so the shape of the tree does not matter.
    row: u32,
}

impl Found {
    pub(super) const NONE: Self = Self { squared: f64::INFINITY, point: 0, row: u32::MAX };

    fn nearer(&self, other: &Self) -> bool {
        (self.squared, self.row) < (other.squared, other.row)
    }
}

/// How two values of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    Number(Standard),
    Category,
}

impl Measure {
    /// A value in the unit in which distances are taken.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Number(standard) => standard.apply(value),
            Self::Category if value.is_nan() => MISSING,
            Self::Category => value,
        }
    }

    fn squared(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Number(_) => (a - b) * (a - b),
            Self::Category => f64::from(u8::from(a != b)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Node {
    begin: u32,
    end: u32,
    /// The second child; the first one follows its parent. 0 in a leaf.
    second: u32,
}

/// Points in the order of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Points {
    measures: Vec<Measure>,
    /// The column of each measure: numbers come first, so that their distances are one loop without a question in it.
    columns: Vec<u32>,
    /// How many measures are of numbers.
    numbers: u32,
    values: Vec<f64>,
    rows: Vec<u32>,
    nodes: Vec<Node>,
    /// The lowest and highest value of each column in each node.
    bounds: Vec<(f64, f64)>,
}

impl Points {
    /// The points of `kept` rows, and the rows in the order of the points.
    pub(super) fn new(
        examples: &Examples<'_>,
        mut kept: Vec<usize>,
        context: &Context<'_>,
    ) -> Result<(Self, Vec<usize>), MlError> {
        if u32::try_from(examples.target.len()).is_err() {
            return Err(MlError::Shape("nearest neighbours take less than 2^32 rows; draw a sample".to_owned()));
        }
        if examples.kinds.len() > COLUMNS_MAX {
            let columns = examples.kinds.len();
            let told = format!("nearest neighbours take at most {COLUMNS_MAX} columns, not {columns}");
            return Err(MlError::Shape(format!("{told}; leave out those that matter least")));
        }
        let (mut columns, categories): (Vec<u32>, Vec<u32>) =
            (0..examples.kinds.len() as u32).partition(|column| examples.kinds[*column as usize] == Kind::Number);
        let numbers = columns.len() as u32;
        let number = |column: &u32| Standard::of(examples.rows, *column as usize, |row| examples.weight(row));
        let mut measures: Vec<Measure> = columns.iter().map(|column| Measure::Number(number(column))).collect();
        measures.resize(examples.kinds.len(), Measure::Category);
        columns.extend(categories);
        let (values, rows, nodes, bounds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut points = Self { measures, columns, numbers, values, rows, nodes, bounds };
        points.grow(examples, &mut kept, 0, context)?;
        points.rows = kept.iter().map(|row| *row as u32).collect();
        points.values = kept.iter().flat_map(|row| points.placed(examples.rows.row(*row))).collect();
        Ok((points, kept))
    }

    /// A row in the units in which distances are taken.
    fn placed(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.measures.iter().zip(&self.columns).map(|(measure, column)| measure.place(row[*column as usize]))
    }

    /// Makes the node of the rows, which stand at `begin`, and those below it; each half has half of the rows.
    fn grow(
        &mut self,
        examples: &Examples<'_>,
        rows: &mut [usize],
        begin: usize,
        context: &Context<'_>,
    ) -> Result<(), MlError> {
        context.go_on()?;
        let node = self.nodes.len();
        self.nodes.push(Node { begin: begin as u32, end: (begin + rows.len()) as u32, second: 0 });
        let columns = self.columns.clone();
        let value = |measures: &[Measure], row: usize, place: usize| {
            measures[place].place(examples.rows.row(row)[columns[place] as usize])
        };
        let mut bounds = vec![(f64::INFINITY, f64::NEG_INFINITY); self.measures.len()];
        for row in rows.iter() {
            for (column, (low, high)) in bounds.iter_mut().enumerate() {
                let value = value(&self.measures, *row, column);
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
        let widest = (0..bounds.len()).max_by(|a, b| {
            let width = |column: &usize| self.measures[*column].squared(bounds[*column].0, bounds[*column].1);
            width(a).total_cmp(&width(b)).then(b.cmp(a))
        });
        let apart = widest.filter(|column| bounds[*column].0 < bounds[*column].1);
        self.bounds.extend(bounds);
        let Some(column) = apart.filter(|_| rows.len() > LEAF) else { return Ok(()) };
        let middle = rows.len() / 2;
        let measures = &self.measures;
        rows.select_nth_unstable_by(middle, |a, b| {
            value(measures, *a, column).total_cmp(&value(measures, *b, column)).then(a.cmp(b))
        });
        let (first, second) = rows.split_at_mut(middle);
        self.grow(examples, first, begin, context)?;
        self.nodes[node].second = self.nodes.len() as u32;
        self.grow(examples, second, begin + middle, context)
    }

    /// The points nearest to a row, nearest first, in as many places as there are points for.
    pub(super) fn nearest<'a>(&self, row: &[f64], places: &'a mut [Found]) -> &'a [Found] {
        let count = places.len().min(self.rows.len());
        let places = &mut places[..count];
        let mut asked = [0.0; COLUMNS_MAX];
        let asked = &mut asked[..self.measures.len()];
        asked.iter_mut().zip(self.placed(row)).for_each(|(asked, value)| *asked = value);
        self.search(0, self.bound(0, asked), asked, places);
        places
    }

    /// The least squared distance of a row to anything in the box of a node.
    fn bound(&self, node: usize, row: &[f64]) -> f64 {
        let columns = self.measures.len();
        let bounds = &self.bounds[node * columns..][..columns];
        self.squared(row, bounds, |asked, (low, high)| asked - asked.clamp(*low, *high))
    }

    fn search(&self, node: usize, bound: f64, row: &[f64], places: &mut [Found]) {
        let worst = places.len() - 1;
        // An equally distant point may still come from an earlier row.
        if bound > places[worst].squared {
            return;
        }
        let Node { begin, end, second } = self.nodes[node];
        if second == 0 {
            for point in begin..end {
                let found = self.found(point, row);
                if found.nearer(&places[worst]) {
                    let at = places.partition_point(|place| place.nearer(&found));
                    places[at..].rotate_right(1);
                    places[at] = found;
                }
            }
            return;
        }
        let (first, second) = (node + 1, second as usize);
        let (to_first, to_second) = (self.bound(first, row), self.bound(second, row));
        if to_first <= to_second {
            self.search(first, to_first, row, places);
            self.search(second, to_second, row, places);
        } else {
            self.search(second, to_second, row, places);
            self.search(first, to_first, row, places);
        }
    }

    fn found(&self, point: u32, row: &[f64]) -> Found {
        let columns = self.measures.len();
        let values = &self.values[point as usize * columns..][..columns];
        let squared = self.squared(row, values, |asked, known| asked - known);
        Found { squared, point, row: self.rows[point as usize] }
    }

    /// The square of the distance of a row to `known`, which has an entry for each column. Numbers are added in four lanes,
    /// which the compiler turns into vector instructions; every distance is added in this order, so that a bound, each part
    /// of which is no more than that of a point, is no more than the point's distance after rounding either.
    #[inline]
    fn squared<K>(&self, row: &[f64], known: &[K], apart: impl Fn(f64, &K) -> f64) -> f64 {
        let (numbers, categories) = row.split_at(self.numbers as usize);
        let (known_numbers, known_categories) = known.split_at(numbers.len());
        let ((chunks, rest), (known_chunks, known_rest)) = (numbers.as_chunks::<4>(), known_numbers.as_chunks::<4>());
        let mut lanes = [0.0; 4];
        let mut add = |lane: usize, asked: f64, known: &K| {
            let apart = apart(asked, known);
            lanes[lane] += apart * apart;
        };
        for (asked, known) in chunks.iter().zip(known_chunks) {
            (0..4).for_each(|lane| add(lane, asked[lane], &known[lane]));
        }
        rest.iter().zip(known_rest).enumerate().for_each(|(lane, (asked, known))| add(lane, *asked, known));
        let different = categories.iter().zip(known_categories).filter(|(asked, known)| apart(**asked, known) != 0.0);
        (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + different.count() as f64
    }
}
