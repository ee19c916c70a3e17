#!/usr/bin/env bash
# Lets a community of 17 households live on the real runtime for a year of half-hour eras, with everything that goes
# wrong, checks every block, and prints what was tried. About ten minutes, after a build.
#   --seed N   the seed of the run (default: a random one, which is printed); the same seed gives the same run
#   --eras N   how many eras (default 17520, a year)
# soak.sh faults: instead, real nodes and the faults they survive: validators killed, split and with wrong clocks, miners
# parted, a development node killed 50 times, hostile input.
#   --seed N   the seed of the random moments and inputs (default: a random one for each test, which is printed)
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
cd "$repo"

if [ "${1:-}" = faults ]; then
	shift
	case "${1:-}" in
		"") ;;
		--seed) export COMMONWATT_SEED="${2:?--seed needs a number}" ;;
		*) echo "soak.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
	esac
	set_up
	say "building everything"
	cargo build --profile "$profile" --workspace --all-targets --locked
	say "real nodes and their faults"
	# One after the other, so that none disturbs another's times.
	exec cargo test --profile "$profile" --workspace --locked \
		--test validators --test miners --test interrupted --test development --test hostile \
		-- --include-ignored --nocapture --test-threads 1
fi

set_up --for-run
say "building the simulation"
# Of the whole workspace, so that it shares what other builds of it have built.
cargo build --profile "$profile" --workspace --example soak --locked

say "running"
exec "$bin/examples/soak" "$@"
