//! Whether a tree that came from outside keeps what [`Tree`] promises, so that walking it cannot panic or run in circles.

use super::{Node, Test, Tree};
use crate::{MlError, sound};

/// How many words a set of categories may have: 32 million categories.
const MOST_WORDS: usize = 1 << 20;

impl Tree {
    /// Refuses a tree whose parts do not fit together: children that do not stand behind their parent or have two, leaves
    /// without their numbers, a threshold or a number of a leaf that is none.
    pub fn check(&self) -> Result<(), MlError> {
        let wrong = |what: String| Err(MlError::Shape(format!("a tree is damaged: {what}")));
        if self.nodes.is_empty() || self.nodes.len() > u32::MAX as usize {
            return wrong(format!("it has {} nodes", self.nodes.len()));
        }
        if self.outputs == 0 {
            return wrong("its leaves have no numbers".to_owned());
        }
        if self.cover.len() != self.nodes.len() {
            return wrong(format!("{} nodes, {} covers", self.nodes.len(), self.cover.len()));
        }
        if let Some(cover) = self.cover.iter().find(|cover| !(**cover >= 0.0 && cover.is_finite())) {
            return wrong(format!("a cover is {cover}"));
        }
        sound::numbers("a leaf", &self.values)?;
        let mut has_parent = vec![false; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            if at > 0 && !has_parent[at] {
                return wrong(format!("node {at} has no parent"));
            }
            match node {
                Node::Leaf { value } => {
                    let end = u64::from(*value) + u64::from(self.outputs);
                    if end > self.values.len() as u64 {
                        return wrong(format!("the numbers of leaf {at} end at {end} of {}", self.values.len()));
                    }
                }
                Node::Split { test, left, right, .. } => {
                    if matches!(test, Test::AtMost(threshold) if threshold.is_nan()) {
                        return wrong(format!("the threshold of node {at} is not a number"));
                    }
                    if matches!(test, Test::In(words) if words.len() > MOST_WORDS) {
                        return wrong(format!("the set of categories of node {at} is too large"));
                    }
                    for child in [*left as usize, *right as usize] {
                        if child <= at || child >= self.nodes.len() || has_parent[child] {
                            return wrong(format!("node {child} cannot be a child of node {at}"));
                        }
                        has_parent[child] = true;
                    }
                }
            }
        }
        Ok(())
    }
}
