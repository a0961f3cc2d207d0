//! How well clusters are apart (Rousseeuw 1987).

use super::KMeans;
use crate::{Context, Matrix, MlError, Random, pieces};

/// The mean over at most `sample` rows, drawn by `seed`, of (b - a) / max(a, b): a is a row's mean distance to the others
/// of its cluster, b the least of its mean distances to other clusters. From -1 to 1; a row alone in its cluster
/// counts 0. An error if the drawn rows are all of one cluster.
pub fn silhouette(
    model: &KMeans,
    rows: &Matrix,
    sample: usize,
    seed: u64,
    context: &Context<'_>,
) -> Result<f64, MlError> {
    let mut places: Vec<usize> = (0..rows.rows()).collect();
    if places.len() > sample {
        Random::new(seed, 0).shuffle(&mut places);
        places.truncate(sample);
        places.sort_unstable();
    }
    let points: Vec<(usize, Vec<f64>)> = places
        .iter()
        .map(|place| {
            let row = rows.row(*place);
            let values = model.standards.iter().zip(row).map(|(standard, value)| standard.apply(*value)).collect();
            (model.nearest(row).0, values)
        })
        .collect();
    let mut sizes = vec![0.0; model.clusters()];
    points.iter().for_each(|(cluster, _)| sizes[*cluster] += 1.0);
    if sizes.iter().filter(|size| **size > 0.0).count() < 2 {
        return Err(MlError::Shape("the rows are all of one cluster; take a larger sample".to_owned()));
    }
    let parts = pieces::map(context, points.len(), |at| {
        let (own, point) = &points[at];
        let mut sums = vec![0.0; sizes.len()];
        for (cluster, other) in &points {
            sums[*cluster] += point.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        }
        if sizes[*own] < 2.0 {
            return 0.0;
        }
        let inside = sums[*own] / (sizes[*own] - 1.0);
        let others = (0..sizes.len()).filter(|cluster| cluster != own && sizes[*cluster] > 0.0);
        let outside = others.map(|cluster| sums[cluster] / sizes[cluster]).fold(f64::INFINITY, f64::min);
        let larger = inside.max(outside);
        if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
    })?;
    Ok(parts.iter().sum::<f64>() / parts.len() as f64)
}
