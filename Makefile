# The verbs of this repository, for people and for CI. Needed: the Rust toolchain of rust-toolchain.toml, a C linker,
# Go 1.26 or newer for the control plane of tests and demo, bash and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

target := $(or $(CARGO_TARGET_DIR),target)
# Test beds at once: each is about 510 MiB and two busy cores.
BEDS ?= 2
# Random schedules to run, and the seed of the first.
N ?= 20
SEED ?= 1
# What to measure; empty = everything.
PARTS ?=
# How long to fuzz.
SECONDS ?= 60
# The tree that is generated into.
ROOT ?= .

##@ Use

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z][a-z-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: control-plane ## see it work on a real API server with simulated GPUs; KEEP=1 leaves it running
	cargo build --locked $(programs) -p e2e
	$(target)/debug/demo

##@ Check

test: fmt-check sizes purity lint unit strangers mps generate-check bed ## everything that CI runs

fmt-check: ## fail on unformatted code
	cargo fmt --all --check
	cd fuzz && cargo fmt --check

sizes: ## fail on a source file of more than 500 lines
	@git ls-files --cached --others --exclude-standard -- '*.rs' '*.sh' '*.md' '*.tpl' Makefile 'samples/*' | \
	  while read -r file; do \
	    [ ! -f "$$file" ] || [ "$$(wc -l < "$$file")" -le 500 ] || { echo "$$file has more than 500 lines: split it"; exit 1; }; \
	  done

purity: ## fail if the crates without I/O come to depend on a runtime, a client or NVML
	@for crate in crds plan; do \
	  tree=$$(cargo tree --locked -p $$crate --edges normal --prefix none); \
	  if grep -E '^(tokio|hyper|kube-client|kube-runtime|nvml)' <<< "$$tree"; then \
	    echo "crate $$crate must do no I/O, and depends on the crates above"; exit 1; \
	  fi; \
	done

lint: ## clippy on everything, warnings are errors; documentation builds; no source file is left out of the build
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cd fuzz && CARGO_TARGET_DIR=$(abspath $(target)) cargo clippy --locked --no-default-features -- -D warnings
	@compiled=$$(find $(target)/debug/{deps,build,examples} -name '*.d' -exec grep -ohE '(crates|tests|fuzz_targets)/[^ :]+\.rs' {} + | \
	  sed 's|^fuzz_targets|fuzz/&|' | sort -u); \
	orphans=$$(comm -23 <(git ls-files '*.rs' | sort) <(echo "$$compiled")); \
	[ -z "$$orphans" ] || { echo "no crate compiles these files:"; echo "$$orphans"; exit 1; }
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items

unit: ## unit and property tests
	cargo test --locked --workspace --exclude e2e --exclude strangers

strangers: ## programs that others wrote, unmodified, on the simulated driver; OFFLINE=1 skips what is not there yet
	cargo build --locked -p node-agent -p nvml-sim
	cargo test --locked -p strangers --lib --bins
	@for stranger in nvidia-smi python; do \
	  if program=$$(bash tests/strangers/fetch/$$stranger.sh); then \
	    echo "running $$program on the simulated driver"; \
	    cargo test --locked -p strangers --test $${stranger/-/_}; \
	  elif [ $$? != 3 ]; then exit 1; \
	  fi; \
	done

mps: ## the MPS supervisor with NVIDIA's own control daemon; only OFFLINE=1 skips it where that cannot be had
	cargo build --locked -p node-agent -p nvml-sim
	@if control=$$(bash tests/strangers/fetch/nvidia-cuda-mps.sh); then \
	  MPS_CONTROL=$$control cargo test --locked -p node-agent --test mps -- --ignored; \
	elif [ $$? != 3 ] || [ -z "$${OFFLINE:-}" ]; then \
	  echo "the MPS supervisor is not tested; with OFFLINE=1 this part is skipped"; exit 1; \
	fi

bed: control-plane ## promises to users, on a real API server with simulated GPUs; BEDS=2 at once
	cargo build --locked $(programs)
	@bash tests/strangers/fetch/nvidia-cuda-mps.sh > /dev/null || [ -n "$${OFFLINE:-}" ] || \
	  { echo "promises about MPS cannot be tested; with OFFLINE=1 they are skipped"; exit 1; }
	cargo test --locked -p e2e -- --test-threads=$(BEDS)

chaos: control-plane ## N=20 random schedules of kills, faults and admin actions from SEED=1 on, on BEDS=2 clusters
	cargo build --locked $(programs)
	CHAOS_N=$(N) CHAOS_SEED=$(SEED) CHAOS_BEDS=$(BEDS) cargo test --locked -p e2e --test chaos -- --nocapture

generate-check: control-plane ## fail if generated files are stale, with the difference
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	cp -R charts manifests "$$fresh"; \
	$(MAKE) generate ROOT="$$fresh"; \
	for folder in charts manifests; do \
	  diff -ru "$$folder" "$$fresh/$$folder" || { echo "$$folder is stale: run make generate"; exit 1; }; \
	done

test-gpu: ## the agent beside nvidia-smi on this machine's GPUs; CHANGE_MIG=1 also makes each profile once
	@cargo build --quiet --locked -p node-agent -p strangers
	@$(target)/debug/test-gpu $(if $(filter 1,$(CHANGE_MIG)),--change-mig)

fuzz: ## look for a text that a parser gets wrong, for SECONDS=60; needs a C++ compiler
	cd fuzz && CARGO_TARGET_DIR=$(abspath $(target))/fuzz RUSTFLAGS='$(coverage)' \
	  cargo build --locked --release --target $$(rustc --print host-tuple)
	@mkdir -p $(target)/fuzz/{corpus,artifacts}; \
	$(target)/fuzz/$$(rustc --print host-tuple)/release/profile_name $(target)/fuzz/corpus \
	  -max_total_time=$(SECONDS) -print_final_stats=1 -artifact_prefix=$(target)/fuzz/artifacts/

exhaustive: ## the planner in every state of every GPU: a quarter of an hour
	cargo test --locked --release -p plan --test exhaustive -- --ignored --nocapture

crash: ## the longer runs of agents that are killed: any number of times, and a whole A100 cut anew
	cargo test --locked -p node-agent crash:: -- --ignored

bench: ## benchmarks of the planner, and its plans against clearing the GPU and trying every order
	cargo bench --locked -p plan
	cargo run --locked -p nvml-sim --example against_clearing

measure: control-plane ## a page of figures: windows, leases, outages, configurations, MPS; PARTS="config-only mps"
	cargo build --locked $(programs) -p e2e
	$(target)/debug/measure $(PARTS)

##@ Change

fmt: ## format the code
	cargo fmt --all

generate: control-plane ## write the CRDs into their chart, and the charts into manifests/
	@cargo run --quiet --locked -p crds --bin crdgen > $(ROOT)/charts/gpu-sharing-crds/templates/crds.yaml
	@helm=$$($(control_plane))/helm; cd $(ROOT); \
	render() { echo "# Generated by \`make generate\` from charts/$$2. Do not edit."; \
	  "$$helm" template "$$1" "charts/$$2" --namespace gpu-sharing-system --no-hooks; }; \
	render gpu-sharing-crds gpu-sharing-crds > manifests/crds.yaml; \
	render gpu-sharing gpu-sharing-operator > manifests/operator.yaml

control-plane: ## build etcd, Kubernetes, KWOK and helm for tests and demo (once, about 8 minutes; then cached)
	@$(control_plane) > /dev/null

# What runs beside the control plane: operator, agent, kubectl's plugin, and the simulated driver library.
programs := -p operator -p node-agent -p cli -p nvml-sim
# Prints the folder of the binaries as its last line.
control_plane = bash tests/e2e/control-plane/build.sh | tail -n 1
# What cargo-fuzz tells the compiler; with --target it is told of our code and not of build scripts.
coverage := --cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-, \
  level=4 inline-8bit-counters pc-table trace-compares)

.PHONY: help demo test fmt-check sizes purity lint unit strangers mps bed generate-check test-gpu bench measure exhaustive crash chaos fuzz fmt generate control-plane
