#!/usr/bin/env bash
# Sets up, then checks everything that must pass: the lints of lint.sh, clippy, the documentation, the unit and property
# tests of every crate, the real runtime, the real node over its RPC through `commonwatt` and through @polkadot/api, the
# game's solver against pygambit, the household's page and the paper's experiment in a browser, and the benchmarks' own
# checks. The first run builds for most of an hour on two cores; a later one takes 20 minutes.
#   QUICK=1   leave out what takes minutes and is seldom what a change breaks: the documentation, the tests that the profile
#             quick of .config/nextest.toml leaves out (networks, weeks, large communities, mining), the page as a light
#             client, and the benchmarks' own checks, which need a second build of FRAME
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	"") ;;
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
	*) echo "test.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
esac
set_up
cd "$repo"
started=$SECONDS
took() { say "$1: $((SECONDS - started)) s so far"; }

say "lints of scripts, dependencies and pages"
scripts/lint.sh
took "lints that compile nothing"

say "building everything once"
cargo build --profile "$profile" --workspace --all-targets --locked
took "built"

say "lints of the code, by clippy"
# Clippy runs the build scripts once more, as its own. If they touched the wasm, everything above it would be built again.
SKIP_WASM_BUILD=1 cargo clippy --profile "$profile" --workspace --all-targets --locked -- -D warnings
SKIP_WASM_BUILD=1 cargo clippy --profile "$profile" -p commonwatt-game --all-targets --all-features --locked -- -D warnings
took "clippy"

if [ -z "${QUICK:-}" ]; then
	# After clippy, which has checked the dependencies for it.
	say "documentation without warnings, by cargo doc"
	RUSTDOCFLAGS="-D warnings" cargo doc --profile "$profile" --workspace --no-deps --locked
	took "documentation"
fi

say "tests of every crate, the runtime and the node"
selected=default
[ -z "${QUICK:-}" ] || selected=quick
# Leaving packages out of the build instead would build the others with other features.
cargo nextest run --cargo-profile "$profile" --workspace --locked --profile "$selected"
took "tests"

say "the examples in the documentation"
cargo test --profile "$profile" --workspace --locked --doc
took "examples"

say "the game's command, with all its features"
cargo test --profile "$profile" -p commonwatt-game --all-features --locked
took "game"

# The tests above have just built the command.
say "the game, judged by pygambit"
"$judge_venv/bin/python" -B primitives/game/judge/judge.py --command "$bin/commonwatt-game"
took "judge"

say "walkthrough through @polkadot/api"
(
	npm_packages client/polkadot-js
	cd client/polkadot-js
	COMMONWATT_NODE="$bin/commonwatt-node" COMMONWATT_CLIENT="$bin/commonwatt" npm test
)
took "walkthrough"

say "the household's page in Chromium, on a development chain and as a light client of four validators"
(
	build_page
	cd client/dashboard
	COMMONWATT_NODE="$bin/commonwatt-node" npm run "${QUICK:+quick-}test"
)
took "dashboard"

say "the paper's experiment, and its page in Chromium"
(
	pages="$(mktemp -d)"
	trap 'rm -rf "$pages"' EXIT
	COMMONWATT_BUILT=1 scripts/paper.sh --out "$pages"
	npm_packages client/report-page
	cd client/report-page
	COMMONWATT_REPORT="$pages/report.html" npm test
)
took "page"

if [ -z "${QUICK:-}" ]; then
	say "the benchmarks' own checks"
	cargo test --profile "$profile" -p pallet-energy-market --features runtime-benchmarks --locked benchmarking
	cargo test --profile "$profile" -p pallet-mining --features runtime-benchmarks --locked benchmarking
	cargo test --profile "$profile" -p pallet-upgrades --features runtime-benchmarks --locked benchmarking
	cargo test --profile "$profile" -p pallet-validators --features runtime-benchmarks --locked benchmarking
	took "benchmarks"
fi

say "all passed in $((SECONDS - started)) s"
