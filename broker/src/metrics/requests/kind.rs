//! What requests are told apart by: their API, and fetches by who fetches, as Kafka does.

use protocol::ApiKey;

/// How many kinds there are.
pub const KINDS: usize = ApiKey::ALL.len() + 2;

/// A kind of request: the place of its API in [`ApiKey::ALL`], or one of the two behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

impl Kind {
    /// A consumer's fetch, or that of anybody who is no replica.
    pub const FETCH_CONSUMER: Kind = Kind(ApiKey::ALL.len() as u8);
    /// A replica's fetch.
    pub const FETCH_FOLLOWER: Kind = Kind(ApiKey::ALL.len() as u8 + 1);

    pub fn of(api: ApiKey) -> Kind {
        // Every key is among all of them.
        Kind(ApiKey::ALL.binary_search(&api).unwrap_or_default() as u8)
    }

    /// A fetch by this replica; by a consumer, below 0.
    pub fn of_fetch(replica: i32) -> Kind {
        if replica < 0 { Kind::FETCH_CONSUMER } else { Kind::FETCH_FOLLOWER }
    }

    pub fn all() -> impl Iterator<Item = Kind> {
        (0..KINDS as u8).map(Kind)
    }

    /// Where its row is.
    pub fn row(self) -> usize {
        self.0.into()
    }

    /// As Kafka's metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::FETCH_CONSUMER => "FetchConsumer",
            Kind::FETCH_FOLLOWER => "FetchFollower",
            Kind(at) => ApiKey::ALL[usize::from(at)].name(),
        }
    }

    /// The kind that sums it up; the fetches have one.
    pub fn sum(self) -> Option<Kind> {
        let is_fetch = matches!(self, Kind::FETCH_CONSUMER | Kind::FETCH_FOLLOWER);
        is_fetch.then(|| Kind::of(ApiKey::Fetch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_row_and_a_name_of_its_own() {
        let mut names: Vec<_> = Kind::all().map(Kind::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KINDS);
        assert_eq!(Kind::of(ApiKey::Produce).name(), "Produce");
        assert_eq!(Kind::FETCH_FOLLOWER.sum().map(Kind::name), Some("Fetch"));
        assert_eq!(Kind::of(ApiKey::Fetch).sum(), None);
    }
}
