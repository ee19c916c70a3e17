#!/usr/bin/env bash
# Sets up, builds, starts a development chain with the seed paper's community, replays the paper's day on it, prints
# the summary, and leaves the chain running until Ctrl-C.
#   --port N        RPC port (default 9944, which Polkadot.js Apps expects)
#   --data FILE     replay another CSV (default examples/paper.csv)
#   --base-path D   keep the chain's state in D (default: a temporary folder, removed at the end)
source "$(dirname "$0")/env.sh"
port=9944
data="$repo/examples/paper.csv"
base=""
while [ $# -gt 0 ]; do
	case "$1" in
		--port) port="${2:?--port needs a number}"; shift 2 ;;
		--data) data="$(realpath "${2:?--data needs a file}")"; shift 2 ;;
		--base-path) base="${2:?--base-path needs a folder}"; shift 2 ;;
		-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
		*) echo "run.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
	esac
done
set_up --for-run
cd "$repo"

say "building the node and the client (the first time, most of half an hour on two cores)"
cargo build --profile "$profile" --workspace --bins --locked

work="$(mktemp -d)"
base="${base:-$work/chain}"
node_pid=""
cleanup() {
	[ -z "$node_pid" ] || kill "$node_pid" 2>/dev/null || true
	[ -z "$node_pid" ] || wait "$node_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

say "starting the chain"
log="$work/node.log"
"$bin/commonwatt-node" --dev --rpc-port "$port" --base-path "$base" >"$log" 2>&1 &
node_pid=$!
for _ in $(seq 120); do
	if ! kill -0 "$node_pid" 2>/dev/null; then
		echo "run.sh: the node stopped:" >&2
		tail -n 20 "$log" >&2
		exit 1
	fi
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
	sleep 0.5
done

say "replaying $(basename "$data")"
"$bin/commonwatt" replay "$data" --url "ws://127.0.0.1:$port"

cat <<EOF

The chain goes on: a new era every minute, a block every two seconds and one for each transaction.
  Polkadot.js Apps: open it, choose the network "Development > Local Node" (ws://127.0.0.1:$port)
  Walkthrough:      docs/walkthrough.md
  Node's log:       $log
Ctrl-C ends it.
EOF
wait "$node_pid"
