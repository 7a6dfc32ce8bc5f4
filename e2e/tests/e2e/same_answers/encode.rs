//! Writes a request from what a script says of it, by the tables of the definitions.
//!
//! It refuses field names that no version has, and leaves out those that this version lacks; whether the values make
//! sense is the broker's to judge.

use anyhow::{Context, Result, bail, ensure};
use protocol::schema::{Field, Message, Scalar, Struct, Type};

use super::batches;
use super::value::{Fields, Value, find};

/// The bytes of a message of this version.
pub fn message(message: &Message, version: i16, fields: &Fields) -> Result<Vec<u8>> {
    let mut encoder = Encoder { message, version, out: Vec::new() };
    encoder.fields(&message.structs[0], fields)?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    message: &'a Message,
    version: i16,
    out: Vec<u8>,
}

impl Encoder<'_> {
    fn is_flexible(&self, field: &Field) -> bool {
        self.version >= self.message.flexible_from && !field.rigid
    }

    fn fields(&mut self, of: &Struct, fields: &Fields) -> Result<()> {
        for (name, _) in fields {
            ensure!(of.fields.iter().any(|field| field.name == name), "{} has no {name}", of.name);
        }
        for field in of.fields.iter().filter(|field| field.tag.is_none()) {
            if field.versions.contains(&self.version) {
                let value = find(fields, field.name).cloned().unwrap_or_else(|| default(field));
                self.value(field, &field.of, &value)
                    .with_context(|| format!("{}.{}", of.name, field.name))?;
            }
        }
        if self.version >= self.message.flexible_from {
            self.tags(of, fields)?;
        }
        Ok(())
    }

    fn tags(&mut self, of: &Struct, fields: &Fields) -> Result<()> {
        let mut tagged = Vec::new();
        for field in of.fields.iter().filter(|field| field.versions.contains(&self.version)) {
            if let (Some(tag), Some(value)) = (field.tag, find(fields, field.name)) {
                let mut inner = Encoder { message: self.message, version: self.version, out: Vec::new() };
                inner.value(field, &field.of, value)?;
                tagged.push((tag, inner.out));
            }
        }
        tagged.sort();
        put_unsigned(&mut self.out, tagged.len() as u64);
        for (tag, bytes) in tagged {
            put_unsigned(&mut self.out, tag.into());
            put_unsigned(&mut self.out, bytes.len() as u64);
            self.out.extend(bytes);
        }
        Ok(())
    }

    fn value(&mut self, field: &Field, of: &Type, value: &Value) -> Result<()> {
        match (of, value) {
            (Type::Struct(name), value) => self.structure(field, name, value),
            (Type::Array(element), Value::List(elements)) => {
                self.length(field, Some(elements.len()), 4);
                elements.iter().try_for_each(|value| self.value(field, element, value))
            }
            (Type::Array(_), Value::Null) => {
                self.length(field, None, 4);
                Ok(())
            }
            (Type::Array(_), other) => bail!("{other} is no list"),
            (Type::Scalar(scalar), value) => self.scalar(field, *scalar, value),
        }
    }

    fn structure(&mut self, field: &Field, name: &str, value: &Value) -> Result<()> {
        let of = self.message.find(name).context("the struct is defined")?;
        let is_optional = field.nullable.is_some() && matches!(field.of, Type::Struct(_));
        match value {
            Value::Null => self.out.push(0xff),
            Value::Struct(fields) => {
                if is_optional {
                    self.out.push(1);
                }
                self.fields(of, fields)?;
            }
            other => bail!("{other} has no fields"),
        }
        Ok(())
    }

    fn scalar(&mut self, field: &Field, scalar: Scalar, value: &Value) -> Result<()> {
        match (scalar, value) {
            (Scalar::Bool, Value::Bool(value)) => self.out.push(u8::from(*value)),
            (Scalar::Uuid, Value::Uuid(uuid)) => self.out.extend(uuid.0),
            (Scalar::Uuid, Value::Bytes(bytes)) if bytes.len() == 16 => self.out.extend(bytes),
            (Scalar::Float64, Value::Int(value)) => self.out.extend((*value as f64).to_be_bytes()),
            (Scalar::Text, Value::Text(text)) => self.bytes(field, Some(text.as_bytes()), 2),
            (Scalar::Text, Value::Null) => self.bytes(field, None, 2),
            (Scalar::Bytes, Value::Text(text)) => self.bytes(field, Some(text.as_bytes()), 4),
            (Scalar::Bytes | Scalar::Records, Value::Bytes(bytes)) => self.bytes(field, Some(bytes), 4),
            (Scalar::Bytes | Scalar::Records, Value::Null) => self.bytes(field, None, 4),
            (Scalar::Records, Value::List(many)) => {
                let bytes = many.iter().map(batches::write).collect::<Result<Vec<_>>>()?.concat();
                self.bytes(field, Some(&bytes), 4);
            }
            (_, Value::Int(value)) => self.int(scalar, *value)?,
            (_, other) => bail!("{other} is no {scalar:?}"),
        }
        Ok(())
    }

    fn int(&mut self, scalar: Scalar, value: i64) -> Result<()> {
        match scalar {
            Scalar::Int8 => self.out.extend(i8::try_from(value)?.to_be_bytes()),
            Scalar::Int16 => self.out.extend(i16::try_from(value)?.to_be_bytes()),
            Scalar::Uint16 => self.out.extend(u16::try_from(value)?.to_be_bytes()),
            Scalar::Int32 => self.out.extend(i32::try_from(value)?.to_be_bytes()),
            Scalar::Uint32 => self.out.extend(u32::try_from(value)?.to_be_bytes()),
            Scalar::Int64 => self.out.extend(value.to_be_bytes()),
            other => bail!("{value} is no {other:?}"),
        }
        Ok(())
    }

    fn bytes(&mut self, field: &Field, bytes: Option<&[u8]>, prefix: usize) {
        self.length(field, bytes.map(<[u8]>::len), prefix);
        self.out.extend(bytes.unwrap_or_default());
    }

    /// A length before what it counts; `prefix` bytes of it where it is not compact.
    fn length(&mut self, field: &Field, length: Option<usize>, prefix: usize) {
        if self.is_flexible(field) {
            put_unsigned(&mut self.out, length.map_or(0, |length| length as u64 + 1));
        } else {
            let signed = length.map_or(-1, |length| length as i64);
            self.out.extend(&signed.to_be_bytes()[8 - prefix..]);
        }
    }
}

/// What a field is where nothing is said of it.
pub fn default(field: &Field) -> Value {
    match (&field.of, field.default) {
        (_, Some("null")) => Value::Null,
        (Type::Scalar(Scalar::Bool), default) => Value::Bool(default == Some("true")),
        (Type::Scalar(Scalar::Uuid), _) => Value::Uuid(protocol::types::Uuid::ZERO),
        (Type::Scalar(Scalar::Text), _) => Value::Text(String::new()),
        (Type::Scalar(Scalar::Bytes | Scalar::Records), _) => Value::Bytes(Vec::new()),
        (Type::Scalar(_), default) => {
            Value::Int(default.and_then(|number| number.parse().ok()).unwrap_or_default())
        }
        (Type::Struct(_), _) => Value::Struct(Vec::new()),
        (Type::Array(_), _) => Value::List(Vec::new()),
    }
}

/// An unsigned variable-length number.
pub fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
