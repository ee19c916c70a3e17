#!/usr/bin/env bash
# Measures the solver's speed, the weights of calls and clearing steps, how fast a node takes readings, and how fast the
# household's page is.
#   bench.sh game      the solver, compared with an f64 implementation and with itself in wasm: prints the tables of
#                      docs/measurements/weights-and-speed.md
#   bench.sh weights [PALLET...]
#                      every call and clearing step in the runtime's wasm: writes runtime/src/weights/
#   bench.sh readings  readings that a real node takes, beside as many transfers (--pool-limit N: with another limit of
#                      its transaction pool; --communities 100: the readings of 100,000 households)
#   bench.sh page      the household's page in a community of 1,000, beside one of 4: prints a table of docs/dashboard.md
#   bench.sh           all four
# Measure on an idle machine. Builds with the profile `release`; the first build takes most of an hour on two cores.
source "$(dirname "$0")/env.sh"
set_up --for-run
cd "$repo"

game() {
	say "the solver"
	cargo bench -p commonwatt-game --bench solve --locked -- --table
	build_programs
	say "building the comparison of wasm with native"
	(cd bench && cargo build --release -p commonwatt-bench-executor --locked)
	say "the solver inside the runtime's wasm"
	# wasm-builder makes a release build of the runtime with every profile.
	"$CARGO_TARGET_DIR/release/commonwatt-bench-executor" \
		"$bin/wbuild/commonwatt-runtime/commonwatt_runtime.compact.wasm"
}

weights() {
	say "building FRAME's benchmark command and the runtime with its benchmarks"
	# The command contains a test runtime, whose wasm is not needed.
	(cd bench && SKIP_WASM_BUILD=1 cargo build --release --locked)
	# The runtime's build script makes the wasm. The native runtime is not needed, and checking it takes less time.
	cargo check --release -p commonwatt-runtime --features runtime-benchmarks --locked
	[ $# -gt 0 ] || set -- pallet_energy_market pallet_mining pallet_upgrades pallet_validators
	for pallet in "$@"; do
		say "measuring $pallet"
		# The JSON file has the raw results, for the table of measured times.
		measure "$pallet" --extrinsic '*' --output "runtime/src/weights/$pallet.rs" \
			--json-file "$CARGO_TARGET_DIR/release/$pallet.json"
		# The command writes the build folder's path and the machine's name into the file. Remove both.
		# shellcheck disable=SC2016  # The backquotes are Markdown's.
		sed -i -e "s|$CARGO_TARGET_DIR|\$CARGO_TARGET_DIR|g" -e 's/HOSTNAME: `[^`]*`, //' "runtime/src/weights/$pallet.rs"
	done
	cargo fmt -p commonwatt-runtime
	[ "$1" = pallet_energy_market ] || return 0
	say "what clearing reads and writes, without clearing anything"
	measure pallet_energy_market --extrinsic clearing_items --extra
}

readings() {
	build_programs
	say "readings and transfers on a real node"
	cargo bench --profile "$profile" --workspace --bench readings --locked -- "$@"
}

page() {
	build_programs
	build_page
	npm_packages client/polkadot-js
	say "the household's page, in a community of 1,000 and in one of 4"
	(cd client/dashboard && COMMONWATT_NODE="$bin/commonwatt-node" node bench/large.js)
}

measure() { # pallet, then more of the command's options
	"$CARGO_TARGET_DIR/release/commonwatt-bench" \
		--runtime "$CARGO_TARGET_DIR/release/wbuild/commonwatt-runtime/commonwatt_runtime.compact.compressed.wasm" \
		--genesis-builder runtime --genesis-builder-preset development \
		--steps "${STEPS:-20}" --repeat "${REPEAT:-10}" --heap-pages 4096 --pallet "$@"
}

case "${1:-all}" in
	game) game ;;
	weights) shift; weights "$@" ;;
	readings) shift; readings "$@" ;;
	page) page ;;
	all) game; weights; readings; page ;;
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0" ;;
	*) echo "bench.sh: unknown argument '$1'; see --help" >&2; exit 2 ;;
esac
