//! A disk that fills up, on a small file system of the test's own.

use std::{path::Path, process::Command};

/// Runs a node on a file system of 160 MiB, fills that until 20 MiB are free, and waits for the node's end. Then makes
/// room again and runs the node on the same database for some seconds. A namespace of its own lets the shell mount.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=160m tmpfs "$1" || exit 99
run() {
	exec "$2" --dev --base-path "$1" --rpc-port 0 --no-prometheus --block-interval-ms 100 \
		--db-storage-threshold 40 --db-storage-polling-period 1
}
run "$@" & node=$!
until ls "$1"/chains/*/paritydb/full/metadata >/dev/null 2>&1; do sleep 0.1; done
sleep 5
free=$(df --output=avail -m "$1" | tail -1)
dd if=/dev/zero of="$1/other" bs=1M count=$((free - 20)) status=none
wait $node; code=$?
rm "$1/other"
echo "ended with $code; again" >&2
run "$@" & node=$!
sleep 8
kill -TERM $node
wait $node
echo "ended with $?" >&2
"#;

#[test]
fn node_ends_with_a_clear_error_before_its_disk_is_full_and_starts_again_when_there_is_room() {
	let dir = tempfile::tempdir().unwrap();
	let base = dir.path().join("base");
	std::fs::create_dir(&base).unwrap();
	let output = Command::new("unshare")
		.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"])
		.args([base.as_path(), Path::new(env!("CARGO_BIN_EXE_commonwatt-node"))])
		.output()
		.expect("unshare is part of every Linux");
	let said = String::from_utf8_lossy(&output.stderr);
	assert!(
		output.status.success(),
		"the test needs user namespaces, to mount a file system of its own: {said}"
	);
	let (before, after) = said.split_once("; again").unwrap_or_else(|| panic!("{said}"));
	assert!(before.contains("dropped below threshold: 40MiB"), "{before}");
	assert!(before.contains("ended with 1"), "{before}");
	assert!(!before.contains("UnknownBlock"), "{before}");
	assert!(after.contains("Imported #"), "it goes on: {after}");
	assert!(after.contains("ended with 0"), "{after}");
}
