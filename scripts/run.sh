#!/usr/bin/env bash
# Sets up, builds, starts a development chain with the seed paper's community, replays the paper's day on it, prints
# the summary, serves the household's page, and leaves the chain running until Ctrl-C.
#   --port N        RPC port (default 9944, which Polkadot.js Apps expects)
#   --page-port N   port of the household's page (default 9955)
#   --data FILE     replay another CSV (default examples/paper.csv)
#   --base-path D   keep the chain's state in D (default: a temporary folder, removed at the end)
source "$(dirname "$0")/env.sh"
port=9944
page_port=9955
data="$repo/examples/paper.csv"
base=""
while [ $# -gt 0 ]; do
	case "$1" in
		--port) port="${2:?--port needs a number}"; shift 2 ;;
		--page-port) page_port="${2:?--page-port needs a number}"; shift 2 ;;
		--data) data="$(realpath "${2:?--data needs a file}")"; shift 2 ;;
		--base-path) base="${2:?--base-path needs a folder}"; shift 2 ;;
		-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
		*) echo "run.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
	esac
done
set_up --for-run
build_programs
say "building the household's page"
build_page
cd "$repo"

work="$(mktemp -d)"
trap 'exit 0' INT TERM

say "starting the chain"
log="$work/node.log"
start_node "$log" --rpc-port "$port" --base-path "${base:-$work/chain}"

say "replaying $(basename "$data")"
"$bin/commonwatt" replay "$data" --url "ws://127.0.0.1:$port"

"$bin/commonwatt" dashboard --url "ws://127.0.0.1:$port" --port "$page_port" >"$work/page.log" 2>&1 &
# shellcheck disable=SC2034  # env.sh ends it.
page_pid=$!
page=""
for _ in $(seq 50); do
	page="$(sed -n 's/^The page: //p' "$work/page.log")"
	if [ -n "$page" ] || ! kill -0 "$page_pid" 2>/dev/null; then break; fi
	sleep 0.1
done
[ -n "$page" ] || { cat "$work/page.log" >&2; exit 1; }

cat <<EOF

The chain keeps running: a new era every minute, a block every two seconds and one for each transaction.
  Household's page: $page
  Polkadot.js Apps: open it, choose the network "Development > Local Node" (ws://127.0.0.1:$port)
  Walkthrough:      docs/walkthrough.md
  Log of the node:  $log
Ctrl-C stops it.
EOF
wait "$node_pid"
