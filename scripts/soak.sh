#!/usr/bin/env bash
# Lets a community of 17 households live on the real runtime for a year of half-hour eras, with everything that goes
# wrong, checks every block, and prints what was tried. About ten minutes, after a build.
#   --seed N   the seed of the run (default: a random one, which is printed); the same seed gives the same run
#   --eras N   how many eras (default 17520, a year)
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
set_up --for-run
cd "$repo"

say "building the simulation"
# Of the whole workspace, so that it shares what other builds of it have built.
cargo build --profile "$profile" --workspace --example soak --locked

say "running"
exec "$bin/examples/soak" "$@"
