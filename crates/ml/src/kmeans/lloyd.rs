//! One run of k-means: seeds, then steps until no row moves.

use crate::{Context, MlError, Random};

/// Rows in standard deviations, all of a weight above 0.
pub(super) struct Rows {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl Rows {
    fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.columns..][..self.columns]
    }

    /// How many different rows there are, counted no further than `enough`.
    pub(super) fn distinct_up_to(&self, enough: usize) -> usize {
        let mut seen: Vec<&[f64]> = Vec::new();
        for index in 0..self.weights.len() {
            if seen.len() >= enough {
                break;
            }
            if !seen.contains(&self.row(index)) {
                seen.push(self.row(index));
            }
        }
        seen.len()
    }
}

/// What a run found.
pub(super) struct Clustering {
    pub(super) centers: Vec<f64>,
    pub(super) sizes: Vec<f64>,
    pub(super) inertia: f64,
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// Runs once.
pub(super) fn run(
    rows: &Rows,
    clusters: usize,
    steps: usize,
    random: &mut Random,
    context: &Context<'_>,
) -> Result<Clustering, MlError> {
    let mut state = Lloyd::new(rows, seeds(rows, clusters, random));
    for _ in 0..steps {
        context.go_on()?;
        if !state.assign() {
            break;
        }
        state.move_centers();
    }
    Ok(state.result())
}

/// k-means++: each next seed is a row drawn by the square of its distance to the nearest seed so far.
fn seeds(rows: &Rows, clusters: usize, random: &mut Random) -> Vec<f64> {
    let mut centers: Vec<f64> = Vec::with_capacity(clusters * rows.columns);
    let mut odds = rows.weights.clone();
    let mut nearest = vec![f64::INFINITY; rows.weights.len()];
    for _ in 0..clusters {
        let seed = rows.row(draw(&odds, random)).to_vec();
        for (row, nearest) in nearest.iter_mut().enumerate() {
            *nearest = nearest.min(distance(rows.row(row), &seed).powi(2));
            odds[row] = rows.weights[row] * *nearest;
        }
        centers.extend(seed);
    }
    centers
}

/// A place by its odds, none of them negative, not all 0.
fn draw(odds: &[f64], random: &mut Random) -> usize {
    let mut left = random.uniform() * odds.iter().sum::<f64>();
    let mut last = 0;
    for (place, odds) in odds.iter().enumerate().filter(|(_, odds)| **odds > 0.0) {
        last = place;
        left -= odds;
        if left < 0.0 {
            break;
        }
    }
    last
}

struct Lloyd<'a> {
    rows: &'a Rows,
    clusters: usize,
    centers: Vec<f64>,
    cluster_of: Vec<usize>,
    /// No row is farther from its centre than this.
    upper: Vec<f64>,
    /// No row is nearer to any other centre than this.
    lower: Vec<f64>,
}

impl<'a> Lloyd<'a> {
    fn new(rows: &'a Rows, centers: Vec<f64>) -> Self {
        let n = rows.weights.len();
        let clusters = centers.len() / rows.columns;
        Self {
            rows,
            clusters,
            centers,
            cluster_of: vec![usize::MAX; n],
            upper: vec![f64::INFINITY; n],
            lower: vec![0.0; n],
        }
    }

    fn center(&self, cluster: usize) -> &[f64] {
        &self.centers[cluster * self.rows.columns..][..self.rows.columns]
    }

    /// Brings each row to its nearest centre; whether one moved.
    fn assign(&mut self) -> bool {
        let mut moved = false;
        let half_gap: Vec<f64> = (0..self.clusters).map(|cluster| self.half_gap(cluster)).collect();
        for row in 0..self.cluster_of.len() {
            let own = self.cluster_of[row];
            if own != usize::MAX {
                let safe = half_gap[own].max(self.lower[row]);
                if self.upper[row] <= safe {
                    continue;
                }
                self.upper[row] = distance(self.rows.row(row), self.center(own));
                if self.upper[row] <= safe {
                    continue;
                }
            }
            let (mut best, mut next) = ((f64::INFINITY, 0), f64::INFINITY);
            for cluster in 0..self.clusters {
                let distance = distance(self.rows.row(row), self.center(cluster));
                if distance < best.0 {
                    next = best.0;
                    best = (distance, cluster);
                } else {
                    next = next.min(distance);
                }
            }
            (self.upper[row], self.lower[row]) = (best.0, next);
            moved |= best.1 != own;
            self.cluster_of[row] = best.1;
        }
        moved
    }

    /// Half of the distance to the nearest other centre: rows nearer than that are at home.
    fn half_gap(&self, cluster: usize) -> f64 {
        let others = (0..self.clusters).filter(|other| *other != cluster);
        others.map(|other| distance(self.center(cluster), self.center(other))).fold(f64::INFINITY, f64::min) / 2.0
    }

    /// Puts each centre into the middle of its rows. One without rows goes to the row that is farthest from its own.
    fn move_centers(&mut self) {
        let columns = self.rows.columns;
        let (mut sums, sizes) = self.sums();
        for (cluster, size) in sizes.iter().enumerate() {
            let sum = &mut sums[cluster * columns..][..columns];
            if *size > 0.0 {
                sum.iter_mut().for_each(|sum| *sum /= size);
            } else {
                let far = |row: &usize| distance(self.rows.row(*row), self.center(self.cluster_of[*row]));
                let farthest = (0..self.cluster_of.len()).max_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0);
                sum.copy_from_slice(self.rows.row(farthest));
            }
        }
        let shifts: Vec<f64> = (0..self.clusters)
            .map(|cluster| distance(self.center(cluster), &sums[cluster * columns..][..columns]))
            .collect();
        let longest = shifts.iter().copied().fold(0.0, f64::max);
        self.centers = sums;
        for (row, cluster) in self.cluster_of.iter().enumerate() {
            self.upper[row] += shifts[*cluster];
            self.lower[row] -= longest;
        }
    }

    /// The weighted sum of the rows of each cluster, and their weight.
    fn sums(&self) -> (Vec<f64>, Vec<f64>) {
        let columns = self.rows.columns;
        let mut sums = vec![0.0; self.centers.len()];
        let mut sizes = vec![0.0; self.clusters];
        for (row, cluster) in self.cluster_of.iter().enumerate() {
            let weight = self.rows.weights[row];
            sizes[*cluster] += weight;
            for (sum, value) in sums[cluster * columns..][..columns].iter_mut().zip(self.rows.row(row)) {
                *sum += weight * value;
            }
        }
        (sums, sizes)
    }

    /// Rows as they belong to the centres where they are now, also where the steps ran out.
    fn result(mut self) -> Clustering {
        self.assign();
        let sizes = self.sums().1;
        let part = |(row, cluster): (usize, &usize)| {
            self.rows.weights[row] * distance(self.rows.row(row), self.center(*cluster)).powi(2)
        };
        let inertia = self.cluster_of.iter().enumerate().map(part).sum();
        Clustering { inertia, sizes, centers: self.centers }
    }
}
