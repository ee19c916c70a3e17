#!/usr/bin/env bash
# The seed paper's experiment: sets up, builds, starts a development chain, plays the paper's day on it with home energy
# managers, and writes the report that sets its tables, figures and claims beside ours. The chain ends with it.
#   --out FOLDER    where to write (default ~/.cache/commonwatt/paper): report.html, summary.csv, periods.csv, households.csv
#   any other option goes to `commonwatt report`, for instance --seed 2
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
