#!/usr/bin/env bash
# Measures, and writes down what it measured.
#   bench.sh game      the solver against its f64 twin and against itself in wasm: prints tables for
#                      docs/measurements/weights-and-speed.md
#   bench.sh weights   every call and clearing step on the runtime's wasm: writes runtime/src/weights/
#   bench.sh           both
# Measure on a machine that has nothing else to do. Builds are `release` ones: the first takes most of an hour on two cores.
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
	# Whatever the profile, wasm-builder makes a release build of it.
	"$CARGO_TARGET_DIR/release/commonwatt-bench-executor" \
		"$bin/wbuild/commonwatt-runtime/commonwatt_runtime.compact.wasm"
}

weights() {
	say "building FRAME's benchmark command and the runtime with its benchmarks"
	# The command brings a test runtime of its own, whose wasm nobody needs.
	(cd bench && SKIP_WASM_BUILD=1 cargo build --release --locked)
	cargo build --release -p commonwatt-runtime --features runtime-benchmarks --locked
	for pallet in pallet_energy_market pallet_mining; do
		say "measuring $pallet"
		# The raw results are what the table of measured times is made of.
		measure "$pallet" --extrinsic '*' --output "runtime/src/weights/$pallet.rs" \
			--json-file "$CARGO_TARGET_DIR/release/$pallet.json"
		# The command writes its arguments and the machine's name into the file; neither belongs there.
		# shellcheck disable=SC2016  # The backquotes are Markdown's.
		sed -i -e "s|$CARGO_TARGET_DIR|\$CARGO_TARGET_DIR|g" -e 's/HOSTNAME: `[^`]*`, //' "runtime/src/weights/$pallet.rs"
	done
	cargo fmt -p commonwatt-runtime
	say "what clearing reads and writes, without clearing anything"
	measure pallet_energy_market --extrinsic clearing_items --extra
}

measure() { # pallet, then more of the command's options
	"$CARGO_TARGET_DIR/release/commonwatt-bench" \
		--runtime "$CARGO_TARGET_DIR/release/wbuild/commonwatt-runtime/commonwatt_runtime.compact.compressed.wasm" \
		--genesis-builder runtime --genesis-builder-preset development \
		--steps "${STEPS:-20}" --repeat "${REPEAT:-10}" --heap-pages 4096 --pallet "$@"
}

case "${1:-all}" in
	game) game ;;
	weights) weights ;;
	all) game; weights ;;
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0" ;;
	*) echo "bench.sh: unknown word '$1'; see --help" >&2; exit 2 ;;
esac
