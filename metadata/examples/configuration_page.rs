//! Prints `docs/configuration.md`; `cargo xtask configuration` puts it there.

fn main() {
    print!("{}", metadata::configs::configuration_page());
}
