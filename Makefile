# Everything that is built or tested here, one command each. Needs git, Rust, Go, Python, make and a C compiler; what
# else is needed is built once into the user's cache folder (tests/control-plane/build says where).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Generated projects are built here, by the tests as by the demo, so that all share their dependencies.
export IRIS_GENERATED_TARGET ?= $(CURDIR)/target/generated

# Prints what is being done, on standard error.
say = @printf '\n== %s\n' '$(1)' >&2

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## "; print "usage: make <target>\n" } \
		/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: lint deny control-plane fetch golden-build ## Run everything: lints, dependencies, the tool's tests, generated projects on a real Kubernetes
	$(call say,tests)
	export KUBEBUILDER_ASSETS="$$(tests/control-plane/build)"; \
	cargo test --locked --no-fail-fast --workspace

.PHONY: lint
lint: components ## Check formatting and deny every warning of clippy and rustdoc
	$(call say,formatting and lints)
	cargo fmt --all --check
	@unformatted="$$(gofmt -l tests/control-plane src examples/memcached-go benches/iris-go)"; \
	if [ -n "$$unformatted" ]; then echo "error: run gofmt -w on:" $$unformatted >&2; exit 1; fi
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --all-features --no-deps

# cargo-deny is installed once into the user's cache folder (.ci/cargo-deny).
.PHONY: deny
deny: components ## Check licences and sources of all dependencies, and known vulnerabilities where the network allows
	$(call say,dependencies)
	.ci/deny

.PHONY: control-plane
control-plane: ## Build the Kubernetes that tests and demo run against, once
	$(call say,control plane)
	@command -v go >/dev/null || { echo "error: Go is not installed; see https://go.dev/dl" >&2; exit 1; }
	tests/control-plane/build

# Some tests do without the network, in order to see that it is not needed.
.PHONY: fetch
fetch: components ## Download the dependencies of the tool and of generated projects, for every system
	$(call say,downloads)
	cargo fetch --locked
	cd examples/iris && cargo fetch --locked
	cd examples/memcached && cargo fetch --locked

# The tests compile many generated projects, and say nothing meanwhile. Their common dependencies are compiled here first,
# in the open.
.PHONY: golden-build
golden-build: export CARGO_TARGET_DIR = $(IRIS_GENERATED_TARGET)
golden-build: export CARGO_INCREMENTAL = 0
golden-build: components
	$(call say,dependencies of generated projects)
	cd examples/iris && cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
	cd examples/iris && cargo test --locked --workspace --no-run
	cd examples/iris && RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --workspace --all-features

.PHONY: demo
demo: ## Scaffold, build and run the walk-through's operator on a real Kubernetes
	@examples/demo.sh

.PHONY: golden
golden: ## Renew examples/iris from the templates, after the copy of the libraries in them
	BLESS=1 cargo test --locked --test crates
	BLESS=1 cargo test --locked --test golden

.PHONY: bench
bench: ## Measure planning, rendering, writing and the manifests
	cargo bench --locked --bench scaffold

.PHONY: soak
soak: control-plane ## Run a generated operator with 10,000 objects for ten minutes, and watch its memory
	$(call say,soak)
	export KUBEBUILDER_ASSETS="$$(tests/control-plane/build)"; \
	cargo bench --locked --bench soak

.PHONY: bench-peer
bench-peer: control-plane ## Compare a generated operator with the same one in Go, for about forty minutes; renews docs/performance.md
	$(call say,comparison)
	export KUBEBUILDER_ASSETS="$$(tests/control-plane/build)"; \
	cargo bench --locked --bench peer

SEEDS ?= 10000

.PHONY: simulate
simulate: ## Tell many simulated histories of the example operator, SEEDS=10000 unless you say otherwise
	$(call say,simulation)
	SIM_SEEDS=$(SEEDS) cargo test --locked --release --package runtime-tests --test simulation -- --exact iris --nocapture

.PHONY: clean
clean: ## Delete what was built here; the control plane stays in its cache
	cargo clean

.PHONY: components
components:
	@command -v cargo >/dev/null || { echo "error: Rust is not installed; see https://rustup.rs" >&2; exit 1; }
	@for tool in rustfmt clippy; do \
		if cargo "$${tool/rustfmt/fmt}" --version >/dev/null 2>&1; then continue; fi; \
		command -v rustup >/dev/null || { echo "error: $$tool is not installed, nor is rustup to install it" >&2; exit 1; }; \
		rustup component add "$$tool"; \
	done
