//! The identifiers that every crate speaks of: offsets, epochs, brokers, topics and partitions.
//!
//! They are newtypes, so that an epoch never stands where an offset belongs. The wire structs carry the bare integers;
//! a handler wraps them when it takes a request apart and unwraps them when it builds the response.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A record's place in its partition, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

/// Counts the leaders of one partition, from 0; −1 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

/// `node.id` of a broker; −1 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

impl Offset {
    /// What Kafka writes where an offset is not known.
    pub const UNKNOWN: Offset = Offset(-1);
}

impl LeaderEpoch {
    /// What Kafka writes where an epoch is not known.
    pub const UNKNOWN: LeaderEpoch = LeaderEpoch(-1);
}

impl BrokerId {
    /// What Kafka writes where there is no broker, a partition without a leader for one.
    pub const NONE: BrokerId = BrokerId(-1);

    /// `Some` unless it is [`BrokerId::NONE`].
    pub fn known(self) -> Option<BrokerId> {
        (self.0 >= 0).then_some(self)
    }
}

impl Add<i64> for Offset {
    type Output = Offset;
    fn add(self, records: i64) -> Offset {
        Offset(self.0 + records)
    }
}

impl AddAssign<i64> for Offset {
    fn add_assign(&mut self, records: i64) {
        self.0 += records;
    }
}

impl Sub<i64> for Offset {
    type Output = Offset;
    fn sub(self, records: i64) -> Offset {
        Offset(self.0 - records)
    }
}

/// How many records lie between two offsets.
impl Sub for Offset {
    type Output = i64;
    fn sub(self, earlier: Offset) -> i64 {
        self.0 - earlier.0
    }
}

macro_rules! displays_as_its_number {
    ($($name:ident($inner:ty)),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                $name(value)
            }
        }
        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    )*};
}
displays_as_its_number!(Offset(i64), LeaderEpoch(i32), BrokerId(i32));

/// A topic's identity (KIP-516): 16 random bytes, printed as Kafka prints them, in URL-safe base64 of 22 characters.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// A text that is no [`Uuid`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a Kafka uuid: 22 characters of URL-safe base64 are expected")]
pub struct UuidError(pub String);

impl Uuid {
    /// "No uuid": what the wire carries where a topic is known by its name alone.
    pub const ZERO: Uuid = Uuid([0; 16]);

    /// A fresh random uuid (version 4, as Java makes them), whose text never begins with a dash, as Kafka's never do.
    pub fn random() -> Result<Uuid, getrandom::Error> {
        loop {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes)?;
            bytes[6] = (bytes[6] & 0x0f) | 0x40;
            bytes[8] = (bytes[8] & 0x3f) | 0x80;
            let uuid = Uuid(bytes);
            if !uuid.to_string().starts_with('-') {
                return Ok(uuid);
            }
        }
    }

    /// Whether it is [`Uuid::ZERO`].
    pub fn is_zero(self) -> bool {
        self == Uuid::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = UuidError;
    fn from_str(text: &str) -> Result<Uuid, UuidError> {
        let refuse = || UuidError(text.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse())?;
        bytes.try_into().map(Uuid).map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_back_what_it_prints() {
        let uuid = Uuid::random().expect("the kernel has randomness");
        assert_eq!(uuid.to_string().parse(), Ok(uuid));
        assert_eq!(uuid.to_string().len(), 22);
    }

    #[test]
    fn a_text_that_is_no_uuid_is_refused() {
        assert_eq!("short".parse::<Uuid>(), Err(UuidError("short".into())));
    }
}
