# make test: everything that must hold, on a machine with Rust and nothing else of ours. CI calls it.

.PHONY: test test-compose test-kubernetes install-for-tests

test: install-for-tests
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	cargo xtask tidy
	tools/kubernetes/validate-manifests
	cargo test --workspace --no-fail-fast

# What the tests drive besides our own code: etcd, Apache Kafka's tools, clients of many makers, Prometheus. Does nothing the second time.
install-for-tests:
	@tools/install-system-packages
	@tools/install-rust-components
	@tools/install-python-clients
	@tools/build-java-programs >/dev/null
	@tools/build-go-client >/dev/null
	@tools/fetch-prometheus >/dev/null

# docker-compose.yml as a user runs it, on an engine of our own where none runs. Most of it is the build of the image.
test-compose:
	tools/docker/test-compose

# The manifests on a one-node Kubernetes with real pods. The first run builds Kubernetes, which takes a quarter of an hour.
test-kubernetes:
	tools/kubernetes/test
