#!/usr/bin/env bash
# Runs real nodes and the faults that they must survive: validators that are killed, cut off, have wrong clocks, vote
# twice or fall silent, miners that are separated, a development node that is killed 50 times, and hostile input.
#   --seed N   the seed of the random moments and inputs (default: a random one for each test, which is printed)
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	"") ;;
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
	--seed) export COMMONWATT_SEED="${2:?--seed needs a number}" ;;
	*) echo "faults.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
esac
cd "$repo"

set_up
say "building everything"
cargo build --profile "$profile" --workspace --all-targets --locked
say "real nodes and their faults"
# One test at a time, so that no test disturbs another test's timing.
exec cargo test --profile "$profile" --workspace --locked \
	--test validators --test sessions --test miners --test interrupted --test development --test hostile \
	-- --include-ignored --nocapture --test-threads 1
