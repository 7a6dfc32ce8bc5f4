//! `tools/etcd-descriptors.bin`, which `tools/protoc` hands to etcd-client's build, says what etcd-client's own proto files say.
//!
//! After an upgrade of etcd-client: `MILENA_REGENERATE=1 cargo test -p proto`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that etcd-client's build.rs names.
const FILES: [&str; 5] = [
    "etcd/api/authpb/auth.proto",
    "etcd/api/etcdserverpb/rpc.proto",
    "etcd/api/mvccpb/kv.proto",
    "etcd/server/etcdserver/api/v3election/v3electionpb/v3election.proto",
    "etcd/server/etcdserver/api/v3lock/v3lockpb/v3lock.proto",
];

#[test]
fn the_committed_descriptors_are_those_of_the_locked_etcd_client() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/etcd-descriptors.bin");
    let made = descriptors(&etcd_client_source().join("proto"));
    if std::env::var_os("MILENA_REGENERATE").is_some() {
        std::fs::write(&committed, &made).expect("tools/etcd-descriptors.bin can be written");
    }
    let stands = std::fs::read(&committed).expect("tools/etcd-descriptors.bin is committed");
    assert!(stands == made, "tools/etcd-descriptors.bin is stale: MILENA_REGENERATE=1 cargo test -p proto");
}

fn descriptors(root: &Path) -> Vec<u8> {
    let mut compiler = protox::Compiler::new([root]).expect("etcd-client's proto folder");
    compiler.include_imports(true).open_files(FILES).expect("etcd-client's files compile");
    compiler.encode_file_descriptor_set()
}

/// Where cargo keeps the source of the etcd-client that Cargo.lock names.
fn etcd_client_source() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            "host-tuple",
            "--manifest-path",
        ])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata speaks JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package =
        packages.iter().find(|package| package["name"] == "etcd-client").expect("etcd-client is locked");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a manifest lies in a folder").to_owned()
}
