//! The Prometheus metrics of the market.

use crate::harness::{http, seal_at, Node, PATIENCE};
use std::{
	collections::BTreeMap,
	net::TcpListener,
	time::{Duration, Instant},
};

const ERA_MS: u64 = 60_000;

/// The values of the market's metrics, by name with labels.
fn market(port: u16) -> BTreeMap<String, f64> {
	let address = format!("127.0.0.1:{port}");
	let answer = http(
		&address,
		&format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
	);
	let lines = answer.lines().filter(|line| line.starts_with("commonwatt_"));
	lines
		.map(|line| line.rsplit_once(' ').unwrap())
		.map(|(name, value)| {
			let name = name
				.replace("chain=\"commonwatt_dev\"", "")
				.replace(",}", "}")
				.replace("{}", "");
			(name.replace("{,", "{"), value.parse().unwrap())
		})
		.collect()
}

fn free_port() -> u16 {
	TcpListener::bind("127.0.0.1:0")
		.unwrap()
		.local_addr()
		.unwrap()
		.port()
}

#[tokio::test]
async fn market_metrics_equal_the_chain() {
	let dir = tempfile::tempdir().unwrap();
	let port = free_port();
	let text = port.to_string();
	let args = ["--dev", "--sealing", "manual", "--prometheus-port", &text];
	let node = Node::start(&args, dir.path()).await;
	let first = node.wait_for_finalized(1).await.timestamp_ms / ERA_MS;
	// Two consecutive eras, then one after three eras without a block.
	for era in [first + 1, first + 2, first + 6] {
		seal_at(&node, era * ERA_MS + 5_000).await;
		seal_at(&node, era * ERA_MS + 10_000).await;
	}
	// The node updates the gauges after it has counted the events of a block, so the counters are complete as well.
	let over = |shown: &BTreeMap<String, f64>| {
		shown.get("commonwatt_era") == Some(&((first + 6) as f64))
			&& shown.get("commonwatt_queue_steps") == Some(&0.0)
	};
	let mut shown = market(port);
	let begun = Instant::now();
	while !over(&shown) {
		assert!(begun.elapsed() < PATIENCE, "{shown:#?}");
		tokio::time::sleep(Duration::from_millis(50)).await;
		shown = market(port);
	}
	let is = |name: &str| {
		*shown
			.get(name)
			.unwrap_or_else(|| panic!("no {name} in {shown:#?}"))
	};
	assert_eq!(is("commonwatt_era"), (first + 6) as f64, "{shown:#?}");
	assert_eq!(is("commonwatt_era_end_seconds"), ((first + 7) * 60) as f64);
	assert_eq!(
		(is("commonwatt_queue_steps"), is("commonwatt_queue_blocks")),
		(0.0, 0.0)
	);
	assert_eq!(is("commonwatt_missed_eras_total"), 3.0);
	// Three games in these eras and one in the era of the chain's first block. The latter may have had no time to
	// complete its round.
	assert_eq!(is("commonwatt_games_total{certificate=\"equilibrium\"}"), 4.0);
	assert!(
		[3.0, 4.0].contains(&is("commonwatt_clearing_seconds_count")),
		"{shown:#?}"
	);
	// Each round ended at least five seconds into its era.
	assert!(is("commonwatt_clearing_seconds_sum") >= 15.0);
	assert_eq!(is("commonwatt_unread_blocks_total"), 0.0);
	assert_eq!(is("commonwatt_readings_total"), 0.0);
}
