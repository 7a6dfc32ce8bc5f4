//! Messages filled at random, of every kind and version, for tests that want many. Not part of a release.
//!
//! A message is filled for one version: what that version lacks keeps its default, so that it reads back as it was
//! written. Edge values (0, −1, the least, the greatest, null, empty) come more often than chance would have them.

use bytes::Bytes;
use fastrand::Rng;

use crate::types::Uuid;
use crate::wire::{DecodeError, Format, Message, Nullable, Reader, RecordSet, Str, Struct, Writer};

/// A struct that can be filled; the generator writes this for each.
pub trait Arbitrary: Struct {
    fn fill(&mut self, s: &mut Source, f: Format);
}

/// A value that can be made.
pub trait Value: Sized {
    fn make(s: &mut Source, f: Format) -> Self;
}

/// Where the values come from. Equal seeds give equal messages.
pub struct Source {
    rng: Rng,
    /// How many array elements the message may still have, so that nested arrays stay small.
    room: usize,
}

/// A message has at most about this many array elements.
const ELEMENTS_MAX: usize = 60;

impl Source {
    pub fn new(seed: u64) -> Source {
        Source { rng: Rng::with_seed(seed), room: ELEMENTS_MAX }
    }

    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Fills a field.
    pub fn fill<T: Value>(&mut self, f: Format, into: &mut T) {
        *into = T::make(self, f);
    }

    /// Fills a field that may be null, but not in this version.
    pub fn fill_some<T: Value>(&mut self, f: Format, into: &mut Option<T>) {
        *into = Some(T::make(self, f));
    }

    /// A message of `version`.
    pub fn message<M: Message + Arbitrary>(&mut self, version: i16) -> M {
        self.room = ELEMENTS_MAX;
        M::make(self, M::format(version))
    }

    fn bytes(&mut self) -> Bytes {
        let length = match self.rng.u8(..8) {
            0 => 0,
            1 => self.rng.usize(120..400),
            _ => self.rng.usize(1..20),
        };
        std::iter::repeat_with(|| self.rng.u8(..)).take(length).collect()
    }
}

impl<T: Arbitrary> Value for T {
    fn make(s: &mut Source, f: Format) -> Self {
        let mut it = T::default();
        it.fill(s, f);
        it
    }
}

macro_rules! whole_numbers {
    ($($number:ident),*) => {$(
        impl Value for $number {
            fn make(s: &mut Source, _: Format) -> Self {
                match s.rng.u8(..8) {
                    0 => 0,
                    1 => (0 as $number).wrapping_sub(1),
                    2 => $number::MIN,
                    3 => $number::MAX,
                    _ => s.rng.$number(..),
                }
            }
        }
    )*};
}
whole_numbers!(i8, i16, u16, i32, u32, i64);

impl Value for f64 {
    fn make(s: &mut Source, _: Format) -> Self {
        (s.rng.f64() - 0.5) * 1e12
    }
}

impl Value for bool {
    fn make(s: &mut Source, _: Format) -> Self {
        s.rng.bool()
    }
}

impl Value for Uuid {
    fn make(s: &mut Source, _: Format) -> Self {
        if s.rng.u8(..6) == 0 { Uuid::ZERO } else { Uuid(s.rng.u128(..).to_be_bytes()) }
    }
}

impl Value for Str {
    fn make(s: &mut Source, _: Format) -> Self {
        let length = if s.rng.u8(..10) == 0 { s.rng.usize(120..400) } else { s.rng.usize(..12) };
        let letters = ['a', 'Z', '0', '.', '-', '_', 'ß', '中', '🦀'];
        let text: String =
            std::iter::repeat_with(|| letters[s.rng.usize(..letters.len())]).take(length).collect();
        text.into()
    }
}

impl Value for Bytes {
    fn make(s: &mut Source, _: Format) -> Self {
        s.bytes()
    }
}

impl Value for RecordSet {
    fn make(s: &mut Source, _: Format) -> Self {
        s.bytes().into()
    }
}

impl<T: Value> Value for Vec<T> {
    fn make(s: &mut Source, f: Format) -> Self {
        let length = s.rng.usize(..4).min(s.room);
        s.room -= length;
        (0..length).map(|_| T::make(s, f)).collect()
    }
}

impl<T: Value + Nullable> Value for Option<T> {
    fn make(s: &mut Source, f: Format) -> Self {
        (s.rng.u8(..4) > 0).then(|| T::make(s, f))
    }
}

/// What a message is for, with the key of its API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Request(i16),
    Response(i16),
    Data,
}

/// A message whose type is known only when the test runs.
#[derive(Clone, Copy)]
pub struct AnyMessage {
    pub name: &'static str,
    pub role: Role,
    pub first_version: i16,
    pub last_version: i16,
    encode: fn(&mut Source, i16) -> Bytes,
    decode: fn(Bytes, i16) -> Result<usize, DecodeError>,
    recode: fn(Bytes, i16) -> Result<Bytes, String>,
    round_trip: fn(&mut Source, i16) -> Result<(), String>,
}

impl AnyMessage {
    const fn of<M: Message + Arbitrary>(role: Role) -> AnyMessage {
        AnyMessage {
            name: M::NAME,
            role,
            first_version: *M::VERSIONS.start(),
            last_version: *M::VERSIONS.end(),
            encode: |source, version| {
                encoded(&source.message::<M>(version), version).unwrap_or_else(|why| panic!("{why}"))
            },
            decode: |bytes, version| {
                let mut reader = Reader::new(bytes);
                M::decode(&mut reader, version)?;
                Ok(reader.position())
            },
            recode: |bytes, version| encoded(&decoded::<M>(bytes, version)?, version),
            round_trip: |source, version| {
                let message = source.message::<M>(version);
                let read = decoded::<M>(encoded(&message, version)?, version)?;
                let differs = || Err(format!("{message:?}\nread back as\n{read:?}"));
                if read == message { Ok(()) } else { differs() }
            },
        }
    }

    /// The bytes of a random message.
    pub fn encode(&self, source: &mut Source, version: i16) -> Bytes {
        (self.encode)(source, version)
    }

    /// Decodes, whatever `bytes` are, and says how many of them the message took.
    pub fn decode(&self, bytes: Bytes, version: i16) -> Result<usize, DecodeError> {
        (self.decode)(bytes, version)
    }

    /// Decodes and encodes again.
    pub fn recode(&self, bytes: Bytes, version: i16) -> Result<Bytes, String> {
        (self.recode)(bytes, version)
    }

    /// Whether a random message reads back as it was written.
    pub fn round_trip(&self, source: &mut Source, version: i16) -> Result<(), String> {
        (self.round_trip)(source, version)
    }
}

fn encoded<M: Message>(message: &M, version: i16) -> Result<Bytes, String> {
    let mut writer = Writer::new();
    message.encode(&mut writer, version).map_err(|error| format!("{error}\n{message:?}"))?;
    Ok(writer.finish().bytes)
}

fn decoded<M: Message>(bytes: Bytes, version: i16) -> Result<M, String> {
    let mut reader = Reader::new(bytes);
    let message = M::decode(&mut reader, version).map_err(|error| error.to_string())?;
    match reader.remaining() {
        0 => Ok(message),
        left => Err(format!("{left} bytes are left behind {message:?}")),
    }
}

include!(concat!(env!("OUT_DIR"), "/arbitrary.rs"));
