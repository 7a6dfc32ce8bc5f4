//! `docs/configuration.md` is what the table of configuration keys says.

use std::path::Path;

#[test]
fn the_page_is_what_would_be_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == metadata::configs::configuration_page(), "stale: run cargo xtask configuration");
}
