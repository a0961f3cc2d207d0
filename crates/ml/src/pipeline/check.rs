//! Whether a pipeline that came from outside codes rows as it says: what it tells of its outputs is what its coders make.

use super::coder::Coder;
use super::{Pipeline, described};
use crate::{MlError, sound};

impl Pipeline {
    /// Refuses a pipeline whose parts do not fit together, so that coding a row cannot panic or write beside its outputs.
    pub(crate) fn check(&self) -> Result<(), MlError> {
        sound::fits(self.sources.len() == self.coders.len(), "a column has no preprocessing")?;
        // A coder that is sound has as many outputs as it has names or numbers, so what is described is bounded by the file.
        self.coders.iter().try_for_each(Coder::check)?;
        let (starts, names, kinds, origin) = described(&self.sources, &self.coders);
        let is_told = (&self.starts, &self.names, &self.kinds, &self.origin) == (&starts, &names, &kinds, &origin);
        sound::fits(is_told, "the preprocessing makes other columns than it says")?;
        sound::fits(!self.names.is_empty(), "the preprocessing makes no column")
    }
}
