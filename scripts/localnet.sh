#!/usr/bin/env bash
# Sets up, builds, and runs several validators (or miners) of one chain on this machine, until Ctrl-C.
#   N                   how many validators, 1 to 32 (default 4)
#   --base-path D       keep keys and databases in D, and go on with what is there (default: a temporary folder)
#   --era-seconds S     length of an era of a new chain (default 1800; 60 is good to play with)
#   --mined             miners of a chain with proof of work, instead of validators
#   --rpc-port P        RPC port of the first node, the next ones have the next ones (default 9944)
source "$(dirname "$0")/env.sh"
case "${1:-}" in
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
set_up --for-run

build_programs
exec "$bin/commonwatt-localnet" "$@"
