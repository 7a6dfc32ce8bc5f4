//! Turns the definitions under `messages/` into Rust in `OUT_DIR`. See `messages/README.md` for their language.
//!
//! A mistake in a definition fails the build with its file and line.
//!
//! | file of `build/` | what |
//! |-|-|
//! | `lexer`, `parse` | a file's text becomes lines of words, and these a definition |
//! | `model` | what a definition says |
//! | `check` | whether its parts fit together |
//! | `emit`, `field`, `code` | the Rust of messages, of their fields, and its layout |
//! | `error_codes` | how a message tells the error codes in it |
//! | `tables` | what goes over all messages |
//! | `schema` | the definitions themselves, as tables |

#[path = "build/check.rs"]
mod check;
#[path = "build/code.rs"]
mod code;
#[path = "build/emit.rs"]
mod emit;
#[path = "build/error_codes.rs"]
mod error_codes;
#[path = "build/field.rs"]
mod field;
#[path = "build/lexer.rs"]
mod lexer;
#[path = "build/model.rs"]
mod model;
#[path = "build/parse.rs"]
mod parse;
#[path = "build/schema.rs"]
mod schema;
#[path = "build/tables.rs"]
mod tables;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use model::{Definition, Mistake};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=messages");
    let mut paths = Vec::new();
    collect(Path::new("messages"), &mut paths)?;
    paths.sort();
    let (definitions, mistakes) = read_all(&paths)?;
    for mistake in &mistakes {
        println!("cargo::error={mistake}");
    }
    if mistakes.is_empty() {
        write_all(&definitions)?;
    }
    Ok(())
}

/// Every definition file below `folder`.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.extension().is_some_and(|end| end == "api" || end == "record" || end == "data") {
            into.push(path);
        }
    }
    Ok(())
}

fn read_all(paths: &[PathBuf]) -> io::Result<(Vec<Definition>, Vec<Mistake>)> {
    let mut definitions = Vec::new();
    let mut mistakes = Vec::new();
    for path in paths {
        let parsed = parse::definition(path, &fs::read_to_string(path)?);
        match parsed.and_then(|definition| check::definition(&definition).map(|()| definition)) {
            Ok(definition) => definitions.push(definition),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    Ok((definitions, mistakes))
}

fn write_all(definitions: &[Definition]) -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets no OUT_DIR"))?);
    fs::write(out.join("messages.rs"), emit::messages(definitions))?;
    fs::write(out.join("api_keys.rs"), tables::api_keys(definitions))?;
    fs::write(out.join("schema.rs"), schema::messages(definitions))?;
    fs::write(out.join("arbitrary.rs"), tables::arbitrary(definitions))
}
