//! Writes how a struct tells the error codes in it and in the structs within it; nothing for one that has none.

use crate::code::Code;
use crate::emit::identifier;
use crate::model::{Field, Message, Scalar, Struct, Type};

/// What Kafka calls the field.
const NAME: &str = "error_code";

pub fn tell(code: &mut Code, message: &Message, one: &Struct) {
    let lines: Vec<_> = one.fields.iter().filter_map(|field| line(message, field)).collect();
    if lines.is_empty() {
        return;
    }
    code.block("fn tell_error_codes(&self, tell: &mut impl FnMut(i16))", |code| {
        lines.iter().for_each(|line| code.line(line));
    });
}

fn line(message: &Message, field: &Field) -> Option<String> {
    let place = format!("self.{}", identifier(&field.name));
    if field.name == NAME && matches!(field.of, Type::Scalar(Scalar::Int16)) {
        return Some(format!("tell({place});"));
    }
    if !has_error_code(message, &field.of) {
        return None;
    }
    let each = match (&field.of, field.nullable.is_some()) {
        (Type::Array(_), true) => format!("{place}.iter().flatten()"),
        (Type::Array(_), false) => format!("&{place}"),
        (_, true) => format!("&{place}"),
        (_, false) => return Some(format!("{place}.tell_error_codes(tell);")),
    };
    Some(format!("for it in {each} {{ it.tell_error_codes(tell); }}"))
}

fn has_error_code(message: &Message, of: &Type) -> bool {
    match of {
        Type::Scalar(_) => false,
        Type::Array(element) => has_error_code(message, element),
        Type::Struct(name) => message
            .find(name)
            .is_some_and(|one| one.fields.iter().any(|field| line(message, field).is_some())),
    }
}
