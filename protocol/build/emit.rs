//! Writes the Rust of messages: one module a message, one struct with its `Struct` impl for each of its structs.
//!
//! The emitted code is short because `wire` does the work: a field is one `get` and one `put` behind its versions.

use std::fmt::Write;

use crate::model::{Definition, Field, Kind, Message, Scalar, Struct, Type, Versions};

/// The whole of `messages.rs`.
pub fn messages(definitions: &[Definition]) -> String {
    let mut out = String::new();
    for definition in definitions {
        for message in definition.messages() {
            module(&mut out, definition, message);
        }
    }
    out
}

fn module(out: &mut String, definition: &Definition, message: &Message) {
    let module = snake_case(&message.name);
    for line in &definition.about {
        let _ = writeln!(out, "/// {line}");
    }
    let _ = writeln!(out, "pub mod {module} {{\n    use crate::wire::generated::*;\n");
    for one in &message.structs {
        structure(out, message, one);
    }
    message_impls(out, definition, message);
    let _ = writeln!(out, "}}\npub use {module}::{};\n", message.name);
}

fn message_impls(out: &mut String, definition: &Definition, message: &Message) {
    let Message { name, versions: Versions { first, last }, .. } = message;
    let flexible = message.flexible_from.map_or("i16::MAX".to_owned(), |first| first.to_string());
    let _ = writeln!(out, "    impl Message for {name} {{");
    let _ = writeln!(out, "        const NAME: &'static str = \"{name}\";");
    let _ = writeln!(out, "        const VERSIONS: RangeInclusive<i16> = {first}..={last};");
    let _ = writeln!(out, "        const FLEXIBLE_FROM: i16 = {flexible};\n    }}");
    let api = &definition.name;
    match &definition.kind {
        Kind::Api { request, response, .. } if request.name == *name => {
            let _ = writeln!(out, "    impl Request for {name} {{");
            let _ = writeln!(out, "        const KEY: crate::ApiKey = crate::ApiKey::{api};");
            let _ = writeln!(out, "        type Response = super::{};\n    }}", response.name);
        }
        Kind::Record { number, key, value } if key.name == *name => {
            let _ = writeln!(out, "    impl RecordKey for {name} {{");
            let _ = writeln!(out, "        const TYPE: i16 = {number};");
            let _ = writeln!(out, "        type Value = super::{};\n    }}", value.name);
        }
        Kind::Api { .. } | Kind::Record { .. } | Kind::Data(_) => {}
    }
}

fn structure(out: &mut String, message: &Message, one: &Struct) {
    let plain = one.fields.iter().all(default_is_plain);
    let derived = if plain { ", Default" } else { "" };
    let _ = writeln!(out, "    #[derive(Clone, Debug, PartialEq{derived})]\n    pub struct {} {{", one.name);
    for field in &one.fields {
        if field.key {
            let _ = writeln!(out, "        /// Identifies its element in the list.");
        }
        let _ = writeln!(out, "        pub {}: {},", identifier(&field.name), rust_type(field));
    }
    let _ = writeln!(out, "    }}");
    if !plain {
        default_impl(out, one);
    }
    struct_impl(out, message, one);
}

fn default_impl(out: &mut String, one: &Struct) {
    let _ = writeln!(
        out,
        "    impl Default for {} {{\n        fn default() -> Self {{\n            Self {{",
        one.name
    );
    for field in &one.fields {
        let value = match &field.default {
            Some(value) if value == "null" => "None".to_owned(),
            Some(value) => value.clone(),
            None if field.nullable.is_some() => "Some(Default::default())".to_owned(),
            None => "Default::default()".to_owned(),
        };
        let _ = writeln!(out, "                {}: {value},", identifier(&field.name));
    }
    let _ = writeln!(out, "            }}\n        }}\n    }}");
}

fn struct_impl(out: &mut String, message: &Message, one: &Struct) {
    let (tagged, plain): (Vec<_>, Vec<_>) = one.fields.iter().partition(|field| field.tag.is_some());
    let _ = writeln!(out, "    impl Struct for {} {{", one.name);
    let _ = writeln!(out, "        const LEAST_SIZE: usize = {};", least_size(message, one));

    let name = |parameter: &'static str| if plain.is_empty() { "_" } else { parameter };
    let (r, f) = (name("r"), name("f"));
    let _ = writeln!(
        out,
        "        fn read_fields(&mut self, {r}: &mut Reader, {f}: Format) -> Result<(), DecodeError> {{"
    );
    for field in &plain {
        let _ = writeln!(out, "            {}", read(one, field));
    }
    let _ = writeln!(out, "            Ok(())\n        }}");

    let writes: Vec<_> =
        one.fields.iter().map(|field| write(one, field)).filter(|line| !line.is_empty()).collect();
    let name = |parameter: &'static str| if writes.is_empty() { "_" } else { parameter };
    let (w, f) = (name("w"), name("f"));
    let _ = writeln!(
        out,
        "        fn write_fields(&self, {w}: &mut Writer, {f}: Format) -> Result<(), EncodeError> {{"
    );
    for line in &writes {
        let _ = writeln!(out, "            {line}");
    }
    let _ = writeln!(out, "            Ok(())\n        }}");
    if !tagged.is_empty() {
        tags(out, one, tagged);
    }
    let _ = writeln!(out, "    }}");
}

fn tags(out: &mut String, one: &Struct, mut tagged: Vec<&Field>) {
    tagged.sort_by_key(|field| field.tag);
    let _ = writeln!(
        out,
        "        fn read_tag(&mut self, tag: u32, r: &mut Reader, f: Format) -> Result<bool, DecodeError> {{\n            match tag {{"
    );
    for field in &tagged {
        let guard = condition(one.versions, field.versions)
            .map(|versions| format!(" if {versions}"))
            .unwrap_or_default();
        let get = if is_optional_struct(field) { "get_tagged_option" } else { "get" };
        let (tag, name) = (field.tag.unwrap_or_default(), &field.name);
        let _ = writeln!(
            out,
            "                {tag}{guard} => r.{get}(\"{name}\", f, &mut self.{})?,",
            identifier(name)
        );
    }
    let _ = writeln!(
        out,
        "                _ => return Ok(false),\n            }}\n            Ok(true)\n        }}"
    );
    let _ = writeln!(
        out,
        "        fn write_tags(&self, t: &mut TagSection<'_>, f: Format) -> Result<(), EncodeError> {{"
    );
    for field in &tagged {
        let put = if is_optional_struct(field) { "put_option" } else { "put" };
        let (tag, name) = (field.tag.unwrap_or_default(), &field.name);
        let line =
            format!("t.{put}({tag}, \"{name}\", f, &self.{}, {})?;", identifier(name), is_default(field));
        let _ = writeln!(out, "            {}", guarded(condition(one.versions, field.versions), &line));
    }
    let _ = writeln!(out, "            Ok(())\n        }}");
}

/// Reads one field without a tag, in the versions that have it.
fn read(one: &Struct, field: &Field) -> String {
    let (name, format) = (&field.name, format_of(field));
    let call = |get: &str| format!("r.{get}(\"{name}\", {format}, &mut self.{})?;", identifier(name));
    let nullable = field.nullable.and_then(|nullable| condition(field.versions, nullable));
    let line = match nullable {
        Some(nullable) => format!("if {nullable} {{ {} }} else {{ {} }}", call("get"), call("get_some")),
        None => call("get"),
    };
    guarded(condition(one.versions, field.versions), &line)
}

/// Writes one field without a tag; where a version lacks the field, refuses what would be lost.
fn write(one: &Struct, field: &Field) -> String {
    let (name, format) = (&field.name, format_of(field));
    let call = |put: &str| format!("w.{put}(\"{name}\", {format}, &self.{})?;", identifier(name));
    let nullable = field.nullable.and_then(|nullable| condition(field.versions, nullable));
    let present = match nullable {
        _ if field.tag.is_some() => String::new(),
        Some(nullable) => format!("if {nullable} {{ {} }} else {{ {} }}", call("put"), call("put_some")),
        None => call("put"),
    };
    let absent = format!("w.leave_out(\"{name}\", f, {})?;", is_default(field));
    match condition(one.versions, field.versions) {
        None => present,
        Some(_) if field.ignorable && present.is_empty() => present,
        Some(versions) if field.ignorable => guarded(Some(versions), &present),
        Some(_) if present.is_empty() => {
            format!("if {} {{ {absent} }}", outside(one.versions, field.versions))
        }
        Some(versions) => format!("if {versions} {{ {present} }} else {{ {absent} }}"),
    }
}

fn guarded(condition: Option<String>, line: &str) -> String {
    match condition {
        Some(condition) => format!("if {condition} {{ {line} }}"),
        None => line.to_owned(),
    }
}

/// What tells, among the versions `within`, those of `range`; nothing where that is all of them.
pub fn condition(within: Versions, range: Versions) -> Option<String> {
    let Versions { first, last } = range;
    match (first > within.first, last < within.last) {
        (false, false) => None,
        (true, false) => Some(format!("f.version >= {first}")),
        (false, true) => Some(format!("f.version <= {last}")),
        (true, true) if first == last => Some(format!("f.version == {first}")),
        (true, true) => Some(format!("({first}..={last}).contains(&f.version)")),
    }
}

/// What tells, among the versions `within`, those that are not of `range`.
fn outside(within: Versions, Versions { first, last }: Versions) -> String {
    match (first > within.first, last < within.last) {
        (_, false) => format!("f.version < {first}"),
        (false, true) => format!("f.version > {last}"),
        (true, true) => format!("!({first}..={last}).contains(&f.version)"),
    }
}

/// An expression that is true while the field has its default.
fn is_default(field: &Field) -> String {
    let name = identifier(&field.name);
    if field.nullable.is_some() {
        return if field.default_is_null() {
            format!("self.{name}.is_none()")
        } else {
            format!("is_some_default(&self.{name})")
        };
    }
    match (&field.of, field.default.as_deref()) {
        (Type::Array(_) | Type::Scalar(Scalar::Text | Scalar::Bytes), _) => format!("self.{name}.is_empty()"),
        (Type::Scalar(Scalar::Bool), Some("true")) => format!("self.{name}"),
        (Type::Scalar(Scalar::Bool), _) => format!("!self.{name}"),
        (Type::Scalar(Scalar::Uuid), _) => format!("self.{name}.is_zero()"),
        (Type::Scalar(Scalar::Float64), _) => format!("self.{name} == 0.0"),
        (Type::Scalar(_), default) => format!("self.{name} == {}", default.unwrap_or("0")),
        (Type::Struct(of), _) => format!("self.{name} == {of}::default()"),
    }
}

fn default_is_plain(field: &Field) -> bool {
    match field.default.as_deref() {
        Some("null") | None => field.nullable.is_none() || field.default_is_null(),
        Some(_) => false,
    }
}

fn is_optional_struct(field: &Field) -> bool {
    field.nullable.is_some() && matches!(field.of, Type::Struct(_))
}

fn format_of(field: &Field) -> &'static str {
    if field.rigid { "f.rigid()" } else { "f" }
}

fn rust_type(field: &Field) -> String {
    fn bare(of: &Type) -> String {
        match of {
            Type::Scalar(scalar) => scalar.rust().to_owned(),
            Type::Struct(name) => name.clone(),
            Type::Array(element) => format!("Vec<{}>", bare(element)),
        }
    }
    let bare = bare(&field.of);
    if field.nullable.is_some() { format!("Option<{bare}>") } else { bare }
}

/// The fewest bytes that a struct takes in any of its versions.
fn least_size(message: &Message, one: &Struct) -> usize {
    let Versions { first, last } = one.versions;
    (first..=last).map(|version| size_at(message, one, version)).min().unwrap_or_default()
}

fn size_at(message: &Message, one: &Struct, version: i16) -> usize {
    let flexible = message.is_flexible(version);
    let present = one.fields.iter().filter(|field| field.tag.is_none() && field.versions.contains(version));
    let fields: usize = present.map(|field| field_size(message, field, version)).sum();
    fields + usize::from(flexible)
}

fn field_size(message: &Message, field: &Field, version: i16) -> usize {
    let flexible = message.is_flexible(version) && !field.rigid;
    match &field.of {
        Type::Scalar(scalar) => scalar.least_size(flexible),
        Type::Array(_) => Scalar::Bytes.least_size(flexible),
        Type::Struct(_) if field.nullable.is_some() => 1,
        Type::Struct(name) => message.find(name).map_or(0, |inner| size_at(message, inner, version)),
    }
}

/// `TopicId` as `topic_id`.
pub fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The field's name in Rust.
pub fn identifier(name: &str) -> String {
    if matches!(name, "type" | "match") { format!("r#{name}") } else { name.to_owned() }
}
