#!/usr/bin/env bash
# Simulates a community of 17 households, and ten small ones with cheats and honest twins, on the real runtime for a year
# of half-hour eras, with everything that goes wrong in a year. Checks every block, and prints what was tried. Takes most
# of an hour after a build.
#   --seed N   the seed of the run (default: a random one, which is printed); the same seed gives the same run
#   --eras N   number of eras (default 17520, a year)
# For real nodes and the faults that they survive, see faults.sh.
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
cd "$repo"

set_up --for-run
# With the checks of every pallet, which need another build of FRAME, and no wasm.
say "building the simulation"
SKIP_WASM_BUILD=1 cargo build --profile "$profile" -p commonwatt-simulator --features try-runtime --locked

say "running"
exec "$bin/commonwatt-simulator" "$@"
