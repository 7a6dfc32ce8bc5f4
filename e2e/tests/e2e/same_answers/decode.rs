//! Reads an answer into a tree, by the tables of the definitions: every field of its version, every unknown tag, and
//! whatever bytes are left.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use protocol::schema::{Field, Message, Scalar, Struct, Type};
use protocol::types::Uuid;

use super::value::{Fields, Value};
use super::{batches, encode};

/// The tree of a message of this version, of which `bytes` are all.
pub fn message(message: &Message, version: i16, bytes: &[u8]) -> Result<Value> {
    let mut decoder = Decoder { message, version, rest: bytes };
    let mut fields = decoder.fields(&message.structs[0])?;
    if !decoder.rest.is_empty() {
        fields.push(("left over".to_owned(), Value::Bytes(decoder.rest.to_owned())));
    }
    Ok(Value::Struct(fields))
}

struct Decoder<'a> {
    message: &'a Message,
    version: i16,
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    fn fields(&mut self, of: &Struct) -> Result<Fields> {
        let mut fields = Vec::new();
        let of_version = |field: &&Field| field.versions.contains(&self.version);
        let present: Vec<&Field> = of.fields.iter().filter(of_version).collect();
        for field in present.iter().filter(|field| field.tag.is_none()) {
            let value = self.value(field, &field.of);
            fields.push((field.name.to_owned(), value.with_context(|| field.name.to_owned())?));
        }
        if self.version >= self.message.flexible_from {
            self.tags(&present, &mut fields)?;
        }
        Ok(fields)
    }

    /// What is tagged and not there has its default.
    fn tags(&mut self, present: &[&Field], fields: &mut Fields) -> Result<()> {
        let mut found = Vec::new();
        for _ in 0..self.unsigned()? {
            let (tag, length) = (self.unsigned()? as u32, self.unsigned()? as usize);
            let bytes = self.take(length)?;
            let field = present.iter().find(|field| field.tag == Some(tag));
            let value = match field {
                Some(field) => Decoder { rest: bytes, ..*self }.value(field, &field.of)?,
                None => Value::Bytes(bytes.to_owned()),
            };
            let name = field.map_or(format!("tag {tag}"), |field| field.name.to_owned());
            found.push((name, value));
        }
        for field in present.iter().filter(|field| field.tag.is_some()) {
            if !found.iter().any(|(name, _)| name == field.name) {
                found.push((field.name.to_owned(), self.default(field)));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        fields.extend(found);
        Ok(())
    }

    fn default(&self, field: &Field) -> Value {
        let (Type::Struct(name), true) = (&field.of, field.default != Some("null")) else {
            return encode::default(field);
        };
        let fields = self.message.find(name).map(|of| of.fields).unwrap_or_default();
        let inside = fields.iter().filter(|field| field.versions.contains(&self.version));
        Value::Struct(inside.map(|field| (field.name.to_owned(), self.default(field))).collect())
    }

    fn value(&mut self, field: &Field, of: &Type) -> Result<Value> {
        match of {
            Type::Scalar(scalar) => self.scalar(field, *scalar),
            Type::Struct(name) => self.structure(field, name),
            Type::Array(element) => {
                let Some(count) = self.length(field, 4)? else { return Ok(Value::Null) };
                Ok(Value::List((0..count).map(|_| self.value(field, element)).collect::<Result<_>>()?))
            }
        }
    }

    fn structure(&mut self, field: &Field, name: &str) -> Result<Value> {
        let of = self.message.find(name).context("the struct is defined")?;
        let is_optional = field.nullable.is_some() && matches!(field.of, Type::Struct(_));
        if is_optional && self.int::<1>()? < 0 {
            return Ok(Value::Null);
        }
        Ok(Value::Struct(self.fields(of)?))
    }

    fn scalar(&mut self, field: &Field, scalar: Scalar) -> Result<Value> {
        Ok(match scalar {
            Scalar::Bool => Value::Bool(self.int::<1>()? != 0),
            Scalar::Int8 => Value::Int(self.int::<1>()?),
            Scalar::Int16 => Value::Int(self.int::<2>()?),
            Scalar::Uint16 => Value::Int(self.int::<2>()? & 0xffff),
            Scalar::Int32 => Value::Int(self.int::<4>()?),
            Scalar::Uint32 => Value::Int(self.int::<4>()? & 0xffff_ffff),
            Scalar::Int64 => Value::Int(self.int::<8>()?),
            Scalar::Float64 => Value::Float(f64::from_bits(self.int::<8>()? as u64)),
            Scalar::Uuid => Value::Uuid(Uuid(self.take(16)?.try_into()?)),
            Scalar::Text => {
                self.bytes(field, 2)?.map_or(Value::Null, |b| Value::Text(String::from_utf8_lossy(b).into()))
            }
            Scalar::Bytes => self.bytes(field, 4)?.map_or(Value::Null, |b| Value::Bytes(b.to_owned())),
            Scalar::Records => {
                self.bytes(field, 4)?.map_or(Value::Null, |b| batches::read(&Bytes::copy_from_slice(b)))
            }
        })
    }

    fn bytes(&mut self, field: &Field, prefix: usize) -> Result<Option<&'a [u8]>> {
        self.length(field, prefix)?.map(|length| self.take(length)).transpose()
    }

    fn length(&mut self, field: &Field, prefix: usize) -> Result<Option<usize>> {
        if self.version >= self.message.flexible_from && !field.rigid {
            return Ok((self.unsigned()? as usize).checked_sub(1));
        }
        let length = if prefix == 2 { self.int::<2>()? } else { self.int::<4>()? };
        Ok(usize::try_from(length).ok())
    }

    /// A signed number of `N` bytes.
    fn int<const N: usize>(&mut self) -> Result<i64> {
        let bytes = self.take(N)?;
        let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
        Ok(bytes.iter().fold(if negative { -1 } else { 0 }, |value, byte| value << 8 | i64::from(*byte)))
    }

    fn unsigned(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        ensure!(count <= self.rest.len(), "{count} bytes are expected, {} are left", self.rest.len());
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }
}
