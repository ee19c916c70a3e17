//! Several validators, or miners, on one machine, as processes of the real node on the loopback interface.
//!
//! A [`Network`] makes keys for its nodes, a chain that has them as authorities or is mined by them, and starts, kills,
//! parts and joins them again. `commonwatt-localnet` shows one on a terminal; the tests of this crate see which faults it survives.

mod binary;
mod fault;
mod genesis;
mod keys;
mod node;
mod ports;
mod single;

pub use binary::Binary;
pub use fault::Fault;
pub use node::{in_words, Head, Node, Ports, Status};
pub use ports::free as free_ports;
pub use single::SingleNode;

use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeSet,
	fs,
	path::{Path, PathBuf},
	time::{Duration, Instant},
};
use subxt::rpcs::rpc_params;

/// As many validators as the chain's consensus has room for.
pub const MOST_VALIDATORS: usize = 32;

/// A node that does not answer for so long after its start will not.
const START: Duration = Duration::from_secs(300);
/// A node that has not noticed for so long that a peer ended will not.
const PARTED: Duration = Duration::from_secs(60);

/// How the nodes of a network agree on their blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consensus {
	/// They take turns, and vote on what is final: Aura and GRANDPA.
	Authorities,
	/// They are miners, with a thread each.
	Work {
		/// Milliseconds that a block should take.
		target_block_ms: u64,
		/// So deep under the head a block is final.
		finality_depth: u32,
	},
}

/// What a network is made of.
#[derive(Clone, Debug)]
pub struct Plan {
	/// How many nodes, 1 to [`MOST_VALIDATORS`].
	pub validators: usize,
	/// How they agree.
	pub consensus: Consensus,
	/// Length of an era, seconds; that of the preset if not given.
	pub era_seconds: Option<u64>,
	/// Where keys and databases are kept. What is there already is gone on with.
	pub base: PathBuf,
	/// RPC port of the first node, the next ones have the next ones; any free ones if not given.
	pub first_rpc_port: Option<u16>,
	/// Whether the network can be split: nodes then talk only to those that they are told to, and take that over RPC,
	/// as they do all methods that are not safe to have open.
	pub can_be_split: bool,
}

/// What a folder remembers of its network.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
	validators: usize,
	consensus: Consensus,
	era_seconds: Option<u64>,
}

/// Several validators or miners of one chain.
#[derive(Debug)]
pub struct Network {
	binary: Binary,
	plan: Plan,
	nodes: Vec<Node>,
	/// Pairs that are parted, the lower one first.
	parted: BTreeSet<(usize, usize)>,
}

impl Network {
	/// Makes keys and chain, or takes those that are there. Nothing is started.
	pub fn new(binary: Binary, plan: Plan) -> Result<Self, Fault> {
		let count = plan.validators;
		if !(1..=MOST_VALIDATORS).contains(&count) {
			return Err(Fault::Input(format!(
				"{count} validators: there can be 1 to {MOST_VALIDATORS}"
			)));
		}
		let rpc_ports = match plan.first_rpc_port {
			Some(first) => ports::from(first, count)?,
			None => ports::free(count)?,
		};
		fs::create_dir_all(&plan.base).map_err(|error| Fault::file(&plan.base, error))?;
		make_chain(&binary, &plan)?;
		let others = ports::free(2 * count)?;
		let nodes = rpc_ports
			.into_iter()
			.zip(others.chunks(2))
			.enumerate()
			.map(|(index, (rpc, others))| {
				let folder = folder(&plan.base, index);
				fs::create_dir_all(&folder).map_err(|error| Fault::file(&folder, error))?;
				let peer_id = keys::peer_id(&binary, &Node::node_key(&folder))?;
				let ports = Ports {
					p2p: others[0],
					rpc,
					metrics: others[1],
				};
				Ok(Node::new(name(index), peer_id, ports, folder))
			})
			.collect::<Result<_, Fault>>()?;
		Ok(Self {
			binary,
			plan,
			nodes,
			parted: BTreeSet::new(),
		})
	}

	/// Its validators.
	pub fn nodes(&self) -> &[Node] {
		&self.nodes
	}

	/// A validator.
	pub fn node(&self, index: usize) -> &Node {
		&self.nodes[index]
	}

	/// Its validators, to look after their processes.
	pub fn nodes_mut(&mut self) -> &mut [Node] {
		&mut self.nodes
	}

	/// Starts a validator.
	pub fn start(&mut self, index: usize) -> Result<(), Fault> {
		self.start_with(index, &[])
	}

	/// Starts a validator with variables of the environment of its own.
	pub fn start_with(&mut self, index: usize, environment: &[(String, String)]) -> Result<(), Fault> {
		let peers = (0..self.nodes.len()).filter(|peer| *peer != index && !self.are_parted(index, *peer));
		let mut more: Vec<String> = peers
			.flat_map(|peer| ["--reserved-nodes".to_owned(), self.nodes[peer].address()])
			.collect();
		let methods = if self.plan.can_be_split {
			more.push("--reserved-only".into());
			"unsafe"
		} else {
			"safe"
		};
		more.extend(["--rpc-methods".to_owned(), methods.to_owned()]);
		match self.plan.consensus {
			Consensus::Authorities => more.push("--validator".into()),
			Consensus::Work { finality_depth, .. } => {
				let account = keys::miner_account(&folder(&self.plan.base, index).join("miner-key"))?;
				more.extend(["--miner-threads", "1", "--miner-account", &account].map(String::from));
				more.extend(["--finality-depth".to_owned(), finality_depth.to_string()]);
			}
		}
		if self.nodes.len() == 1 {
			// A validator without peers waits for some, unless it is told that there are none.
			more.push("--force-authoring".into());
		}
		let chain = genesis::raw_file(&self.plan.base);
		self.nodes[index].start(&self.binary, &chain, &more, environment)
	}

	/// Starts those that do not run.
	pub fn start_all(&mut self) -> Result<(), Fault> {
		let idle: Vec<_> = (0..self.nodes.len())
			.filter(|index| !self.nodes[*index].is_started())
			.collect();
		idle.into_iter().try_for_each(|index| self.start(index))
	}

	/// Waits until all that were started answer.
	pub async fn wait_until_ready(&mut self) -> Result<(), Fault> {
		for node in self.nodes.iter_mut().filter(|node| node.is_started()) {
			node.wait_until_ready(START).await?;
		}
		Ok(())
	}

	/// Ends a validator at once, as a power cut would.
	pub fn kill(&mut self, index: usize) -> Result<(), Fault> {
		self.nodes[index].kill()
	}

	/// Stops all validators, all at the same time.
	pub fn stop(&mut self) -> Result<(), Fault> {
		self.nodes.iter().for_each(Node::ask_to_stop);
		self.nodes.iter_mut().try_for_each(Node::stop)
	}

	fn are_parted(&self, one: usize, other: usize) -> bool {
		self.parted.contains(&(one.min(other), one.max(other)))
	}

	/// Parts the validators into groups that do not hear of each other, and waits until that is so. Who is in no group
	/// stays with all.
	///
	/// A node keeps a peer that is no longer reserved as any other, until one of them ends. So those of all groups but
	/// the first are killed, and started again without the peers that they are to lose.
	pub async fn split(&mut self, groups: &[&[usize]]) -> Result<(), Fault> {
		if !self.plan.can_be_split {
			return Err(Fault::Input("this network was not made to be split".into()));
		}
		let cut_off: Vec<usize> = groups.iter().skip(1).copied().flatten().copied().collect();
		cut_off.iter().try_for_each(|index| self.kill(*index))?;
		let pairs = across(groups);
		for (one, other) in both_ways(&pairs) {
			let peer = self.nodes[other].peer_id.clone();
			self.tell(one, "system_removeReservedPeer", peer).await?;
		}
		self.parted.extend(&pairs);
		cut_off.iter().try_for_each(|index| self.start(*index))?;
		self.wait_until_ready().await?;
		let begun = Instant::now();
		while let Some((one, other)) = self.still_joined(&pairs).await? {
			if begun.elapsed() > PARTED {
				return Err(Fault::Failed(format!(
					"{} and {} are still peers after they were parted",
					self.nodes[one].name, self.nodes[other].name
				)));
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
		Ok(())
	}

	/// Joins all that are parted again.
	pub async fn heal(&mut self) -> Result<(), Fault> {
		let pairs = std::mem::take(&mut self.parted);
		for (one, other) in both_ways(&pairs) {
			let peer = self.nodes[other].address();
			self.tell(one, "system_addReservedPeer", peer).await?;
		}
		Ok(())
	}

	/// Tells a validator about a peer, if it runs.
	async fn tell(&self, index: usize, method: &str, peer: String) -> Result<(), Fault> {
		let node = &self.nodes[index];
		if !node.is_started() {
			return Ok(());
		}
		let rpc = node.rpc().await?;
		let _: serde_json::Value = node.call(&rpc, method, rpc_params![peer]).await?;
		Ok(())
	}

	/// A pair of which one still has the other for a peer.
	async fn still_joined(&self, pairs: &BTreeSet<(usize, usize)>) -> Result<Option<(usize, usize)>, Fault> {
		for (one, other) in both_ways(pairs) {
			let node = &self.nodes[one];
			if !node.is_started() {
				continue;
			}
			let rpc = node.rpc().await?;
			let peers: Vec<serde_json::Value> = node.call(&rpc, "system_peers", rpc_params![]).await?;
			let id = self.nodes[other].peer_id.as_str();
			if peers.iter().any(|peer| peer["peerId"] == id) {
				return Ok(Some((one, other)));
			}
		}
		Ok(None)
	}
}

fn name(index: usize) -> String {
	format!("validator-{}", index + 1)
}

fn folder(base: &Path, index: usize) -> PathBuf {
	base.join(name(index))
}

/// Makes the chain and its validators' keys, unless they are there.
fn make_chain(binary: &Binary, plan: &Plan) -> Result<(), Fault> {
	let wanted = Made {
		validators: plan.validators,
		consensus: plan.consensus,
		era_seconds: plan.era_seconds,
	};
	let note = plan.base.join("network.json");
	if genesis::raw_file(&plan.base).exists() {
		let text = fs::read(&note).map_err(|error| Fault::file(&note, error))?;
		let made: Made = serde_json::from_slice(&text).map_err(|error| Fault::file(&note, error))?;
		if (made.validators, made.consensus) != (wanted.validators, wanted.consensus)
			|| plan.era_seconds.is_some() && made.era_seconds != plan.era_seconds
		{
			let eras = made
				.era_seconds
				.map_or("the preset's length".into(), |seconds| format!("{seconds} s"));
			return Err(Fault::Input(format!(
				"{}: the chain there has {} nodes ({:?}) and eras of {eras}, which its genesis fixes; name another folder, \
				 or ask for the same",
				plan.base.display(),
				made.validators,
				made.consensus
			)));
		}
		return Ok(());
	}
	// Miners need none.
	let authorities = match plan.consensus {
		Consensus::Authorities => plan.validators,
		Consensus::Work { .. } => 0,
	};
	let authorities = (0..authorities)
		.map(|index| {
			let folder = folder(&plan.base, index);
			let keystore = Node::keystore(&folder);
			if keystore.exists() {
				// A start that was interrupted: its keys are in no genesis.
				fs::remove_dir_all(&keystore).map_err(|error| Fault::file(&keystore, error))?;
			}
			keys::generate(&keystore)
		})
		.collect::<Result<Vec<_>, _>>()?;
	let text = serde_json::to_vec(&wanted).map_err(|error| Fault::file(&note, error))?;
	fs::write(&note, text).map_err(|error| Fault::file(&note, error))?;
	genesis::write(binary, plan, &authorities)
}

/// All pairs of members of different groups, the lower one first.
fn across(groups: &[&[usize]]) -> BTreeSet<(usize, usize)> {
	let mut pairs = BTreeSet::new();
	for (place, group) in groups.iter().enumerate() {
		let others = groups.iter().skip(place + 1).copied().flatten();
		for other in others {
			pairs.extend(group.iter().map(|one| (*one.min(other), *one.max(other))));
		}
	}
	pairs
}

/// Each pair both ways round.
fn both_ways(pairs: &BTreeSet<(usize, usize)>) -> impl Iterator<Item = (usize, usize)> + '_ {
	pairs
		.iter()
		.flat_map(|(one, other)| [(*one, *other), (*other, *one)])
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pairs_across_groups_are_parted() {
		let pairs = across(&[&[0, 3], &[1], &[2]]);
		let expected = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)];
		assert_eq!(pairs, BTreeSet::from(expected));
		assert!(across(&[&[0, 1, 2, 3]]).is_empty());
	}
}
