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
cd "$repo"

if [ -z "${COMMONWATT_BUILT:-}" ]; then
	say "building the node and the client (the first time, most of half an hour on two cores)"
	cargo build --profile "$profile" --workspace --bins --locked
fi

work="$(mktemp -d)"
node_pid=""
cleanup() {
	[ -z "$node_pid" ] || kill "$node_pid" 2>/dev/null || true
	[ -z "$node_pid" ] || wait "$node_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say "starting a chain"
"$bin/commonwatt-node" --dev --rpc-port 0 --base-path "$work/chain" --disable-log-color >"$work/node.log" 2>&1 &
node_pid=$!
address=""
for _ in $(seq 240); do
	if ! kill -0 "$node_pid" 2>/dev/null; then
		echo "paper.sh: the node stopped:" >&2
		tail -n 20 "$work/node.log" >&2
		exit 1
	fi
	address="$(sed -n 's/.*Running JSON-RPC server: addr=\([^,]*\).*/\1/p' "$work/node.log")"
	[ -z "$address" ] || break
	sleep 0.5
done

say "playing the paper's day"
"$bin/commonwatt" report --paper --data examples/paper.csv --homes examples/paper.toml --url "ws://$address" \
	--journal "$work/journal" --out "$out" ${options[@]+"${options[@]}"}
