//! Compiles `controller.proto` with protox, a compiler that is a crate: no protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=controller.proto");
    let descriptors = protox::compile(["controller.proto"], ["."])?;
    // Without the constructors of a transport, whose `connect` would collide with our rpc of that name.
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".")
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}
