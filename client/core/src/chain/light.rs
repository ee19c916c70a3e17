//! The light client: it takes part in the chain's network, checks the finality of blocks, and proves every value against
//! the state root of a block, so that no node has to be believed. It is smoldot, by way of subxt.

use super::Node;
use crate::fault::{Fault, OrFault};
use std::{
	collections::BTreeMap,
	path::Path,
	sync::{Mutex, PoisonError},
	time::{Duration, Instant},
};
use subxt::{
	config::substrate::H256,
	lightclient::LightClient,
	rpcs::{rpc_params, RpcClient},
};

/// Timeout for the first peers, and for the newest final block of the network.
const JOIN: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(250);

/// How many hashes are kept: some days of blocks. A meter runs for years.
const MOST_KNOWN: usize = 100_000;

/// The light client of a connection.
pub struct Light {
	/// Ends the light client when it is dropped.
	_client: LightClient,
	/// Hashes of final blocks, by number: each is named by the block after it, up to one that the light client
	/// itself knows to be final.
	known: Mutex<BTreeMap<u64, H256>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
	is_syncing: bool,
	peers: u32,
}

/// Joins the network of a raw chain specification. Returns the network's name, the connection, and the light client.
pub async fn join(path: &Path) -> Result<(String, RpcClient, Light), Fault> {
	let text = std::fs::read_to_string(path).map_err(|error| Fault::file(path, error))?;
	let name = specification(&text).map_err(|reason| Fault::file(path, reason))?;
	let (client, rpc) = LightClient::relay_chain(text.as_str()).map_err(|error| Fault::file(path, error))?;
	let rpc = RpcClient::new(rpc);
	let begun = Instant::now();
	loop {
		let health: Health = rpc.request("system_health", rpc_params![]).await.or_fault()?;
		if health.peers > 0 && !health.is_syncing {
			break;
		}
		if begun.elapsed() > JOIN {
			let reason = match health.peers {
				0 => "none of the boot nodes in its specification answers",
				_ => "its newest final block is not known yet",
			};
			return Err(Fault::NoNetwork {
				name,
				reason: reason.into(),
			});
		}
		tokio::time::sleep(LOOK).await;
	}
	let light = Light {
		_client: client,
		known: Mutex::default(),
	};
	Ok((name, rpc, light))
}

/// The name of the chain, if its specification is one that a light client can join.
pub fn specification(text: &str) -> Result<String, String> {
	let spec: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
	if spec.pointer("/genesis/raw").is_none() {
		return Err(
			"not a raw chain specification: make one with `commonwatt-node export-chain-spec --raw`".into(),
		);
	}
	match spec["bootNodes"].as_array() {
		Some(nodes) if !nodes.is_empty() => Ok(spec["name"].as_str().unwrap_or("without a name").into()),
		_ => Err("it names no boot node, so a light client finds no network".into()),
	}
}

impl Light {
	/// The hash of the final block with this number; `None` if the chain is not that long yet. A light client cannot ask
	/// for a hash by number and believe the answer. So it goes back from the newest block: each header names its parent.
	pub async fn hash(&self, node: &Node, number: u64) -> Result<Option<H256>, Fault> {
		let head = node.head().await?;
		if number > head.block_number() {
			return Ok(None);
		}
		let (mut at, mut hash) = {
			let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
			known.insert(head.block_number(), head.block_hash());
			while known.len() > MOST_KNOWN {
				known.pop_first();
			}
			match known.range(number..).next() {
				Some((at, hash)) => (*at, *hash),
				None => (head.block_number(), head.block_hash()),
			}
		};
		while at > number {
			let header = node
				.api
				.at_block(hash)
				.await
				.or_fault()?
				.block_header()
				.await
				.or_fault()?;
			(at, hash) = (at.saturating_sub(1), header.parent_hash);
			self.known
				.lock()
				.unwrap_or_else(PoisonError::into_inner)
				.insert(at, hash);
		}
		Ok(Some(hash))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn specification_must_be_raw_and_name_a_boot_node() {
		let good = r#"{"name":"Elm Street","genesis":{"raw":{}},"bootNodes":["/ip4/127.0.0.1/tcp/1/ws"]}"#;
		assert_eq!(specification(good).unwrap(), "Elm Street");
		for (text, said) in [
			("{", "EOF"),
			(
				r#"{"name":"a","genesis":{"runtimeGenesis":{}},"bootNodes":["/ip4"]}"#,
				"not a raw chain specification",
			),
			(
				r#"{"name":"a","genesis":{"raw":{}},"bootNodes":[]}"#,
				"names no boot node",
			),
		] {
			let refused = specification(text).unwrap_err();
			assert!(refused.contains(said), "{refused}");
		}
	}
}
