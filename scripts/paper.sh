#!/usr/bin/env bash
# Repeats the seed paper's experiment: sets up, builds, starts a development chain, plays the paper's day on it with
# home energy managers, writes a report that compares the paper's tables, figures and claims with ours, and stops the
# chain.
#   --out FOLDER    folder for report.html, summary.csv, periods.csv and households.csv
#                   (default ~/.cache/commonwatt/paper)
# All other options go to `commonwatt report`, for instance --seed 2.
source "$(dirname "$0")/env.sh"
out="${XDG_CACHE_HOME:-$HOME/.cache}/commonwatt/paper"
options=()
while [ $# -gt 0 ]; do
	case "$1" in
		--out) out="${2:?--out needs a folder}"; shift 2 ;;
		-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
		*) options+=("$1"); shift ;;
	esac
done
set_up --for-run
mkdir -p "$out"
out="$(realpath "$out")"
build_programs
cd "$repo"

work="$(mktemp -d)"
trap 'exit 130' INT TERM

say "starting a chain"
start_node "$work/node.log" --rpc-port 0 --base-path "$work/chain"

say "playing the paper's day"
"$bin/commonwatt" report --paper --data examples/paper.csv --homes examples/paper.toml --url "ws://$node_address" \
	--journal "$work/journal" --out "$out" ${options[@]+"${options[@]}"}
