//! What became of each of several things, where one failure does not keep the others back.

use anyhow::bail;
use client::Error;

use crate::remedy;

/// One outcome a thing, in the order in which they were added.
pub struct Outcomes<K, T> {
    outcomes: Vec<(K, Result<T, Error>)>,
}

impl<K, T> Default for Outcomes<K, T> {
    fn default() -> Outcomes<K, T> {
        Outcomes { outcomes: Vec::new() }
    }
}

impl<K, T> FromIterator<(K, Result<T, Error>)> for Outcomes<K, T> {
    fn from_iter<I: IntoIterator<Item = (K, Result<T, Error>)>>(outcomes: I) -> Outcomes<K, T> {
        Outcomes { outcomes: outcomes.into_iter().collect() }
    }
}

impl<K, T> Outcomes<K, T> {
    pub fn add(&mut self, thing: K, outcome: Result<T, Error>) {
        self.outcomes.push((thing, outcome));
    }

    pub fn iter(&self) -> impl Iterator<Item = &(K, Result<T, Error>)> {
        self.outcomes.iter()
    }

    /// Works over what came of those that succeeded.
    pub fn each_mut(&mut self, mut work: impl FnMut(&mut T)) {
        self.outcomes.iter_mut().filter_map(|(_, outcome)| outcome.as_mut().ok()).for_each(&mut work);
    }

    pub fn successes(&self) -> impl Iterator<Item = (&K, &T)> {
        self.outcomes.iter().filter_map(|(thing, outcome)| Some((thing, outcome.as_ref().ok()?)))
    }

    /// The command's end: an error if anything failed. Where many things failed each is explained before, on stderr; a
    /// single one is the error itself.
    pub fn end(self, what_failed: &str) -> anyhow::Result<()> {
        let all = self.outcomes.len();
        let mut failed: Vec<Error> = self.outcomes.into_iter().filter_map(|(_, it)| it.err()).collect();
        match failed.len() {
            0 => Ok(()),
            1 => Err(failed.remove(0).into()),
            many => {
                failed.into_iter().for_each(|error| remedy::explain(&error.into()));
                bail!("{many} of {all} {what_failed}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcomes: [Result<(), Error>; 3]) -> Option<String> {
        let outcomes = Outcomes::from_iter((0..).zip(outcomes));
        outcomes.end("of them failed").err().map(|error| error.to_string())
    }

    #[test]
    fn a_single_failure_is_the_error_and_many_are_counted() {
        let failure = || Err(Error::ProducerClosed);
        assert_eq!(ended([Ok(()), Ok(()), Ok(())]), None);
        assert_eq!(ended([Ok(()), failure(), Ok(())]).as_deref(), Some("the producer is closed"));
        assert_eq!(ended([failure(), failure(), Ok(())]).as_deref(), Some("2 of 3 of them failed"));
    }
}
