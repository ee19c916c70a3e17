#!/usr/bin/env bash
# Sets up, builds, and runs several validators (or miners) of one chain on this machine, until Ctrl-C. In another terminal:
#   localnet.sh admit N --base-path D     node N, a spare one, becomes a validator (from the session after next on)
#   localnet.sh remove N --base-path D    node N stops being one
# Options of a network:
#   N                   number of nodes, 1 to 32 (default 4)
#   --spare N           the last N of these nodes do not validate at first; they have keys and money to join later (default 0)
#   --base-path D       keep keys, databases and logs in D, and continue the chain that is there (default: a temporary
#                       folder, removed at the end)
#   --era-seconds S     length of an era of a new chain (default 1800; 60 is a good value to try things out)
#   --session-seconds S length of a session of a new chain (default: 600 slots; 60 to see validators come and go)
#   --upgrade-seconds S how long an upgrade waits on a new chain (default: a day)
#   --mined             run miners of a chain with proof of work instead of validators
#   --rpc-port P        RPC port of the first node; the other nodes get the ports that follow (default 9944)
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
set_up --for-run

build_programs
exec "$bin/commonwatt-localnet" "$@"
