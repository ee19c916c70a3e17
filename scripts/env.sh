# shellcheck shell=bash
# Sourced by the other scripts: the folders and variables that they share.
# A caller can override the folders, the profile and the toolchain by setting their variables beforehand.
set -euo pipefail

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# The target folder is outside the checkout, so that several clones share one build.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/commonwatt/target}"
# Otherwise the wasm build does not find the workspace's lock file, because the target folder is elsewhere.
export WASM_BUILD_WORKSPACE_HINT="$repo"
# Link the system's OpenSSL (installed by setup.sh). A dependency would otherwise build its own, which takes minutes.
export OPENSSL_NO_VENDOR=1

# The one profile that these scripts build with (see [profile.ci] in Cargo.toml).
profile="${COMMONWATT_PROFILE:-ci}"
bin="$CARGO_TARGET_DIR/$profile"

# All nodes that the scripts and tests start share compiled runtimes. Compiling one takes a node of this profile 4 s.
export COMMONWATT_COMPILED_RUNTIMES="${COMMONWATT_COMPILED_RUNTIMES:-$bin/compiled-runtimes}"

# Python environments that only the tests need: one for the game's judge, one for lints.
# shellcheck disable=SC2034  # The scripts that source this file use them.
judge_venv="${COMMONWATT_JUDGE_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/commonwatt/judge}"
# shellcheck disable=SC2034
lint_venv="${COMMONWATT_LINT_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/commonwatt/lint}"

# If rustup cannot install the wasm target, setup.sh links a toolchain that has the target under this name.
wasm_toolchain=commonwatt-wasm
has_wasm_target() { # toolchain
	[ -n "$(ls "$(rustc "+$1" --print sysroot 2>/dev/null)/lib/rustlib/wasm32v1-none/lib/"libcore-*.rlib 2>/dev/null)" ]
}
channel="$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$repo/rust-toolchain.toml")"
name_wasm_toolchain() {
	if [ -z "${WASM_BUILD_TOOLCHAIN:-}" ] && command -v rustc >/dev/null &&
		! has_wasm_target "$channel" && has_wasm_target "$wasm_toolchain"; then
		export WASM_BUILD_TOOLCHAIN="$wasm_toolchain"
	fi
}
name_wasm_toolchain

# Installs what is missing. Looks for the wasm toolchain again, because setup.sh may just have made it.
set_up() {
	"$repo/scripts/setup.sh" "$@"
	name_wasm_toolchain
}

# Installs the packages of a folder's lock file, unless that was done since the lock file changed.
npm_packages() { # folder
	[ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] ||
		(cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
}

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

# Builds the programs, unless COMMONWATT_BUILT says that the caller has just built everything: a build of the programs
# alone has other features than a build with the tests, and takes minutes more.
build_programs() {
	[ -z "${COMMONWATT_BUILT:-}" ] || return 0
	say "building the node and the client (the first build takes most of half an hour on two cores)"
	(cd "$repo" && cargo build --profile "$profile" --workspace --bins --locked)
}

# Builds the household's page, and puts it where `commonwatt dashboard` looks for it.
build_page() {
	npm_packages "$repo/client/dashboard"
	(cd "$repo/client/dashboard" && npm run --silent build -- --logLevel warn)
	rm -rf "$bin/dashboard"
	cp -r "$repo/client/dashboard/dist" "$bin/dashboard"
}

# Starts a development node with additional options and waits until it answers. Sets node_pid and node_address. When the
# script ends, it stops the node and removes the folder $work.
node_pid=""
page_pid=""
work=""
end_node() {
	local pid
	for pid in $page_pid $node_pid; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	[ -z "$work" ] || rm -rf "$work"
}
start_node() { # log file, then the node's options
	local log="$1"
	shift
	trap end_node EXIT
	"$bin/commonwatt-node" --dev --disable-log-color "$@" >"$log" 2>&1 &
	node_pid=$!
	node_address=""
	for _ in $(seq 240); do
		if ! kill -0 "$node_pid" 2>/dev/null; then
			echo "$(basename "$0"): the node stopped; its log ends with:" >&2
			tail -n 20 "$log" >&2
			exit 1
		fi
		node_address="$(sed -n 's/.*Running JSON-RPC server: addr=\([^,]*\).*/\1/p' "$log")"
		[ -z "$node_address" ] || return 0
		sleep 0.5
	done
	echo "$(basename "$0"): the node did not answer within two minutes; its log ends with:" >&2
	tail -n 20 "$log" >&2
	exit 1
}
