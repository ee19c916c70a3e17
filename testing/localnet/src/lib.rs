//! Runs several validators or miners on one machine, as processes of the real node on the loopback interface.
//!
//! A [`Network`] makes keys for its nodes and a chain that they validate or mine. It starts, kills, separates and
//! rejoins them. `commonwatt-localnet` shows a network on a terminal; the tests of this crate check which faults it
//! survives.

mod binary;
mod fault;
mod genesis;
mod governance;
mod keys;
mod node;
mod ports;
mod single;

pub use binary::Binary;
pub use fault::Fault;
pub use genesis::development as write_development_chain;
pub use governance::Governance;
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

/// Maximum number of validators, as in the runtime.
pub const MOST_VALIDATORS: usize = 32;

/// Maximum time from a node's start until it answers over RPC.
const START: Duration = Duration::from_secs(300);
/// Maximum time until a node drops a peer that was killed.
const PARTED: Duration = Duration::from_secs(60);

/// How the nodes of a network agree on their blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consensus {
	/// Validators take turns to make blocks (Aura) and vote on what is final (GRANDPA).
	Authorities,
	/// Every node mines, with one thread.
	Work {
		/// Target time between blocks, ms.
		target_block_ms: u64,
		/// How far below the head a node treats blocks as final.
		finality_depth: u32,
	},
}

/// The settings of a network.
#[derive(Clone, Debug)]
pub struct Plan {
	/// Number of nodes, 1 to [`MOST_VALIDATORS`].
	pub validators: usize,
	/// How many of the nodes, counted from the last one, do not validate at first. They have keys and money to join later.
	pub spare: usize,
	/// How the nodes agree on blocks.
	pub consensus: Consensus,
	/// Length of an era, seconds. `None` keeps the preset's.
	pub era_seconds: Option<u64>,
	/// Length of a session of validators, seconds. `None` keeps the preset's number of blocks.
	pub session_seconds: Option<u64>,
	/// How long an upgrade waits after the council has decided on it, seconds. `None` keeps the preset's day.
	pub upgrade_seconds: Option<u64>,
	/// The folder for keys, databases and logs. A network that is there already continues.
	pub base: PathBuf,
	/// RPC port of the first node; the others get the ports that follow. `None` takes any free ports.
	pub first_rpc_port: Option<u16>,
	/// Whether [`Network::split`] works. If so, nodes connect to reserved peers only, and their RPC allows unsafe
	/// methods, which change the reserved peers.
	pub can_be_split: bool,
}

/// The settings that a chain was made with, in `network.json` of its folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
	validators: usize,
	#[serde(default)]
	spare: usize,
	consensus: Consensus,
	era_seconds: Option<u64>,
	session_seconds: Option<u64>,
	#[serde(default)]
	upgrade_seconds: Option<u64>,
}

/// Several validators or miners of one chain.
#[derive(Debug)]
pub struct Network {
	binary: Binary,
	plan: Plan,
	nodes: Vec<Node>,
	/// Pairs of nodes that are separated, the lower index first.
	parted: BTreeSet<(usize, usize)>,
}

impl Network {
	/// Makes keys and a chain in the plan's folder, or takes those that are there. Starts nothing.
	pub fn new(binary: Binary, plan: Plan) -> Result<Self, Fault> {
		let count = plan.validators;
		if !(1..=MOST_VALIDATORS).contains(&count) {
			return Err(Fault::Input(format!(
				"{count} validators: must be 1 to {MOST_VALIDATORS}"
			)));
		}
		if plan.spare >= count {
			return Err(Fault::Input(format!(
				"{} of {count} nodes are spare: at least one must be a validator",
				plan.spare
			)));
		}
		let rpc_ports = match plan.first_rpc_port {
			Some(first) => ports::from(first, count)?,
			None => ports::free(count)?,
		};
		fs::create_dir_all(&plan.base).map_err(|error| Fault::file(&plan.base, error))?;
		make_chain(&binary, &plan)?;
		let others = ports::free(3 * count)?;
		let nodes = rpc_ports
			.into_iter()
			.zip(others.chunks(3))
			.enumerate()
			.map(|(index, (rpc, others))| new_node(&binary, folder(&plan.base, index), rpc, others))
			.collect::<Result<_, Fault>>()?;
		Ok(Self {
			binary,
			plan,
			nodes,
			parted: BTreeSet::new(),
		})
	}

	/// Whether its nodes are miners, so that nobody votes on finality.
	pub fn is_mined(&self) -> bool {
		matches!(self.plan.consensus, Consensus::Work { .. })
	}

	/// All nodes.
	pub fn nodes(&self) -> &[Node] {
		&self.nodes
	}

	/// The node at an index, from 0.
	pub fn node(&self, index: usize) -> &Node {
		&self.nodes[index]
	}

	/// All nodes, mutable as [`Node::ended`] needs them.
	pub fn nodes_mut(&mut self) -> &mut [Node] {
		&mut self.nodes
	}

	/// Starts a node.
	pub fn start(&mut self, index: usize) -> Result<(), Fault> {
		self.start_with(index, &[])
	}

	/// Starts a node with additional environment variables.
	pub fn start_with(&mut self, index: usize, environment: &[(String, String)]) -> Result<(), Fault> {
		let peers = (0..self.nodes.len()).filter(|peer| *peer != index && !self.are_parted(index, *peer));
		let mut more: Vec<String> = peers
			.flat_map(|peer| ["--reserved-nodes".to_owned(), self.nodes[peer].address()])
			.collect();
		if self.plan.can_be_split {
			more.push("--reserved-only".into());
		}
		// A node makes session keys, and changes its peers, only for callers that it trusts.
		let methods = match self.plan.can_be_split || self.plan.spare > 0 {
			true => "unsafe",
			false => "safe",
		};
		more.extend(["--rpc-methods".to_owned(), methods.to_owned()]);
		// People and tests look at the state of any block. A node that starts by warp sync cannot keep them all.
		more.extend(["--state-pruning", "archive-canonical"].map(String::from));
		match self.plan.consensus {
			Consensus::Authorities => more.push("--validator".into()),
			Consensus::Work { finality_depth, .. } => {
				let account = keys::account(&account_key(&folder(&self.plan.base, index)))?;
				more.extend(["--miner-threads", "1", "--miner-account", &account].map(String::from));
				more.extend(["--finality-depth".to_owned(), finality_depth.to_string()]);
			}
		}
		if self.nodes.len() == 1 {
			// Otherwise a validator without peers waits for some before it makes blocks.
			more.push("--force-authoring".into());
		}
		let chain = genesis::raw_file(&self.plan.base);
		self.nodes[index].start(&self.binary, &chain, &more, environment)
	}

	/// Starts all nodes that are not started.
	pub fn start_all(&mut self) -> Result<(), Fault> {
		let idle: Vec<_> = (0..self.nodes.len())
			.filter(|index| !self.nodes[*index].is_started())
			.collect();
		idle.into_iter().try_for_each(|index| self.start(index))
	}

	/// Waits until all started nodes answer over RPC.
	pub async fn wait_until_ready(&mut self) -> Result<(), Fault> {
		for node in self.nodes.iter_mut().filter(|node| node.is_started()) {
			node.wait_until_ready(START).await?;
		}
		Ok(())
	}

	/// The council, by way of one of the nodes.
	pub async fn governance(&self, index: usize) -> Result<Governance, Fault> {
		Governance::of(&self.plan.base, &self.node(index).url()).await
	}

	/// Writes the specification with which light clients join the network through all of its nodes, which must run.
	/// Returns its file.
	pub async fn write_light_specification(&self) -> Result<PathBuf, Fault> {
		let mut addresses = Vec::new();
		for node in &self.nodes {
			addresses.extend(node.browser_addresses().await?);
		}
		genesis::write_light(&self.plan.base, &addresses)
	}

	/// Ends a node at once, as a power cut would.
	pub fn kill(&mut self, index: usize) -> Result<(), Fault> {
		self.nodes[index].kill()
	}

	/// Stops all nodes at the same time.
	pub fn stop(&mut self) -> Result<(), Fault> {
		self.nodes.iter().for_each(Node::ask_to_stop);
		self.nodes.iter_mut().try_for_each(Node::stop)
	}

	fn are_parted(&self, one: usize, other: usize) -> bool {
		self.parted.contains(&(one.min(other), one.max(other)))
	}

	/// Separates the nodes into groups without connections to each other, and waits until the connections are gone. A
	/// node that is in no group stays connected to all.
	///
	/// A node keeps its connection to a peer that is no longer reserved until one of them ends. So this kills the nodes
	/// of all groups except the first, and restarts them without the peers that they must lose.
	pub async fn split(&mut self, groups: &[&[usize]]) -> Result<(), Fault> {
		if !self.plan.can_be_split {
			return Err(Fault::Input(
				"the network cannot be split: its plan has can_be_split = false".into(),
			));
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
					"{} and {} are still peers after the split",
					self.nodes[one].name, self.nodes[other].name
				)));
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
		Ok(())
	}

	/// Starts a second node with the session keys of a validator, as somebody would who copied them: the fault that a chain
	/// punishes. It is connected to all started nodes but that one.
	pub async fn start_twin(&self, index: usize) -> Result<Node, Fault> {
		let twin = self.plan.base.join(format!("{}-twin", name(index)));
		let copies = Node::keystore(&twin);
		fs::create_dir_all(&copies).map_err(|error| Fault::file(&copies, error))?;
		let keystore = Node::keystore(&folder(&self.plan.base, index));
		let keys = fs::read_dir(&keystore).map_err(|error| Fault::file(&keystore, error))?;
		for key in keys {
			let key = key.map_err(|error| Fault::file(&keystore, error))?.path();
			let copy = copies.join(key.file_name().unwrap_or_default());
			fs::copy(&key, &copy).map_err(|error| Fault::file(&copy, error))?;
		}
		self.start_another(twin, Some(index), &["--validator"]).await
	}

	/// Starts a node without keys and without a database, with more options. It is connected to all started nodes.
	pub async fn start_fresh(&self, options: &[&str]) -> Result<Node, Fault> {
		self.start_another(self.plan.base.join("fresh"), None, options)
			.await
	}

	/// Starts a node that is not one of the plan's, connected to all started nodes but `avoided`.
	async fn start_another(
		&self,
		folder: PathBuf,
		avoided: Option<usize>,
		options: &[&str],
	) -> Result<Node, Fault> {
		let ports = ports::free(4)?;
		let mut node = new_node(&self.binary, folder, ports[0], &ports[1..])?;
		let mut more: Vec<String> = options.iter().map(|option| option.to_string()).collect();
		more.push("--reserved-only".into());
		let peers =
			(0..self.nodes.len()).filter(|index| Some(*index) != avoided && self.nodes[*index].is_started());
		for index in peers {
			self.tell(index, "system_addReservedPeer", node.address()).await?;
			more.extend(["--reserved-nodes".to_owned(), self.nodes[index].address()]);
		}
		node.start(&self.binary, &genesis::raw_file(&self.plan.base), &more, &[])?;
		node.wait_until_ready(START).await?;
		Ok(node)
	}

	/// Rejoins all separated nodes.
	pub async fn heal(&mut self) -> Result<(), Fault> {
		let pairs = std::mem::take(&mut self.parted);
		for (one, other) in both_ways(&pairs) {
			let peer = self.nodes[other].address();
			self.tell(one, "system_addReservedPeer", peer).await?;
		}
		Ok(())
	}

	/// Calls an RPC method of a node with a peer as its parameter, if the node is started.
	async fn tell(&self, index: usize, method: &str, peer: String) -> Result<(), Fault> {
		let node = &self.nodes[index];
		if !node.is_started() {
			return Ok(());
		}
		let rpc = node.rpc().await?;
		let _: serde_json::Value = node.call(&rpc, method, rpc_params![peer]).await?;
		Ok(())
	}

	/// A pair of nodes of which the first still has the second as a peer.
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

/// A node that is named after its folder, with a port for RPC and three `others`. Makes the folder and the node's key.
fn new_node(binary: &Binary, folder: PathBuf, rpc: u16, others: &[u16]) -> Result<Node, Fault> {
	fs::create_dir_all(&folder).map_err(|error| Fault::file(&folder, error))?;
	let peer_id = keys::peer_id(binary, &Node::node_key(&folder))?;
	let ports = Ports {
		p2p: others[0],
		browsers: others[1],
		rpc,
		metrics: others[2],
	};
	let name = folder.file_name().unwrap_or_default().to_string_lossy();
	Ok(Node::new(name.into_owned(), peer_id, ports, folder))
}

fn name(index: usize) -> String {
	format!("validator-{}", index + 1)
}

fn folder(base: &Path, index: usize) -> PathBuf {
	base.join(name(index))
}

/// The file with the secret of the account of a validator or miner.
fn account_key(folder: &Path) -> PathBuf {
	folder.join("account-key")
}

/// Makes the chain and its validators' keys, unless they exist. Fails if they exist with other settings.
fn make_chain(binary: &Binary, plan: &Plan) -> Result<(), Fault> {
	let wanted = Made {
		validators: plan.validators,
		spare: plan.spare,
		consensus: plan.consensus,
		era_seconds: plan.era_seconds,
		session_seconds: plan.session_seconds,
		upgrade_seconds: plan.upgrade_seconds,
	};
	let note = plan.base.join("network.json");
	if genesis::raw_file(&plan.base).exists() {
		let text = fs::read(&note).map_err(|error| Fault::file(&note, error))?;
		let made: Made = serde_json::from_slice(&text).map_err(|error| Fault::file(&note, error))?;
		if (made.validators, made.spare, made.consensus)
			!= (wanted.validators, wanted.spare, wanted.consensus)
			|| plan.era_seconds.is_some() && made.era_seconds != plan.era_seconds
			|| plan.session_seconds.is_some() && made.session_seconds != plan.session_seconds
			|| plan.upgrade_seconds.is_some() && made.upgrade_seconds != plan.upgrade_seconds
		{
			let eras = made
				.era_seconds
				.map_or("the preset's length".into(), |seconds| format!("{seconds} s"));
			return Err(Fault::Input(format!(
				"{}: the chain in this folder has {} nodes ({:?}) and eras of {eras}, and cannot change that; choose \
				 another folder or the same settings",
				plan.base.display(),
				made.validators,
				made.consensus
			)));
		}
		return Ok(());
	}
	// Miners need no session keys.
	let authorities = match plan.consensus {
		Consensus::Authorities => plan.validators,
		Consensus::Work { .. } => 0,
	};
	let authorities = (0..authorities)
		.map(|index| {
			let folder = folder(&plan.base, index);
			let keystore = Node::keystore(&folder);
			if keystore.exists() {
				// Left by an interrupted start. No genesis names these keys.
				fs::remove_dir_all(&keystore).map_err(|error| Fault::file(&keystore, error))?;
			}
			keys::generate(&keystore, &account_key(&folder))
		})
		.collect::<Result<Vec<_>, _>>()?;
	let text = serde_json::to_vec(&wanted).map_err(|error| Fault::file(&note, error))?;
	fs::write(&note, text).map_err(|error| Fault::file(&note, error))?;
	genesis::write(binary, plan, &authorities)
}

/// All pairs of members of different groups, the lower index first.
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

/// Each pair in both orders.
fn both_ways(pairs: &BTreeSet<(usize, usize)>) -> impl Iterator<Item = (usize, usize)> + '_ {
	pairs
		.iter()
		.flat_map(|(one, other)| [(*one, *other), (*other, *one)])
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn across_returns_the_pairs_of_different_groups() {
		let pairs = across(&[&[0, 3], &[1], &[2]]);
		let expected = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)];
		assert_eq!(pairs, BTreeSet::from(expected));
		assert!(across(&[&[0, 1, 2, 3]]).is_empty());
	}
}
