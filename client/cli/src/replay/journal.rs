//! The journal: what a replay must remember to survive its own crash and the node's.
//!
//! A chain does not know which row of a file an era was played from, and a node discards the events of old blocks. So
//! the journal has, as one line of JSON each: what is replayed, and from which block on; which period is meant for
//! which era, written before the first transaction for it is sent; and the events of the blocks since.

use crate::ledger::{Ledger, Opening};
use crate::{
	chain::{
		events::BlockLog,
		types::{CommunityId, HouseholdId},
		Node,
	},
	data::format::{Format, Label},
	fault::Fault,
	lines::{state_folder, Lines},
};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};
use subxt::config::substrate::H256;

/// What is replayed, and how. Runs of equal identity are parts of one replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
	/// Hash of the file's contents.
	pub file: H256,
	pub community: String,
	pub day: Option<String>,
	pub first: Option<u32>,
	/// How the file's values were read.
	#[serde(default)]
	pub label: Label,
	#[serde(default)]
	pub format: Format,
	pub flexible: u8,
	pub response: i16,
	/// Hash of the homes, if there are home energy managers.
	#[serde(default)]
	pub homes: Option<H256>,
}

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
	pub number: u64,
	pub hash: H256,
}

/// How a replay began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
	pub identity: Identity,
	/// The last block before it.
	pub anchor: Seen,
	/// The community's number.
	pub community: CommunityId,
	/// The community's households as they were in that block.
	pub households: BTreeMap<HouseholdId, Opening>,
}

/// A period that is played in an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
	/// Index of the period.
	pub period: usize,
	pub era: u32,
}

#[derive(Serialize, Deserialize)]
enum JournalRecord {
	Beginning(Beginning),
	Planned(Planned),
	Block(BlockLog),
	/// A block without events, as a place to resume from.
	Seen(Seen),
}

const BUSY: &str = "this replay is already running in another process";

/// An open journal, locked against a second run.
pub struct Journal {
	file: Lines,
	/// In the order of their eras.
	pub plan: Vec<Planned>,
	/// The last block that was read.
	pub cursor: Seen,
}

impl Journal {
	/// Starts a new journal in place of an existing one.
	pub fn create(path: &Path, beginning: Beginning) -> Result<Self, Fault> {
		let mut file = Lines::open(path, BUSY)?;
		file.cut(0)?;
		let cursor = beginning.anchor;
		let mut journal = Self {
			file,
			plan: Vec::new(),
			cursor,
		};
		journal.file.append(&JournalRecord::Beginning(beginning))?;
		Ok(journal)
	}

	/// Opens a journal and enters its events into books. `None` if there is no journal of this chain, an error if it is
	/// of another replay. Records of blocks that the node has lost are cut off.
	pub async fn open(
		path: &Path,
		identity: &Identity,
		node: &Node,
	) -> Result<Option<(Self, Ledger)>, Fault> {
		let file = Lines::open(path, BUSY)?;
		let mut lines = Lines::read(path)?.into_iter().map(|line| {
			let damaged = |what| {
				let what = format!("{what}; to start over without this journal, add --restart");
				Fault::file(path, what)
			};
			Ok((line.record.map_err(damaged)?, line.end))
		});
		let Some((JournalRecord::Beginning(beginning), mut end)) = lines.next().transpose()? else {
			return Ok(None);
		};
		let anchor = beginning.anchor;
		if node.block_hash(anchor.number).await? != Some(anchor.hash) {
			return Ok(None);
		}
		if beginning.identity != *identity {
			return Err(Fault::Input(format!(
				"{}: is the journal of another replay on this chain; name another file with --journal, or start \
				 over with --restart",
				path.display()
			)));
		}
		let lines: Vec<(JournalRecord, usize)> = lines.collect::<Result<_, Fault>>()?;
		let mut cursor = anchor;
		for (line, line_end) in lines.iter().rev() {
			let Some(seen) = line.seen() else { continue };
			if node.block_hash(seen.number).await? == Some(seen.hash) {
				(cursor, end) = (seen, *line_end);
				break;
			}
		}
		let mut ledger = Ledger::new(beginning.households);
		let mut journal = Self {
			file,
			plan: Vec::new(),
			cursor,
		};
		journal.file.cut(end)?;
		for (line, line_end) in lines {
			match line {
				JournalRecord::Planned(planned) if line_end <= end => journal.plan.push(planned),
				JournalRecord::Planned(planned) => journal.plan(planned)?,
				JournalRecord::Block(block) if line_end <= end => ledger.enter(&block),
				_ => (),
			}
		}
		Ok(Some((journal, ledger)))
	}

	/// Records that a period is meant for an era, before anything is sent for it.
	pub fn plan(&mut self, planned: Planned) -> Result<(), Fault> {
		self.file.append(&JournalRecord::Planned(planned))?;
		self.plan.push(planned);
		Ok(())
	}

	/// Records a block's events.
	pub fn enter(&mut self, block: BlockLog) -> Result<(), Fault> {
		self.cursor = Seen {
			number: block.number,
			hash: block.hash,
		};
		self.file.append(&JournalRecord::Block(block))
	}

	/// Records a block without events.
	pub fn saw(&mut self, seen: Seen) -> Result<(), Fault> {
		self.cursor = seen;
		self.file.append(&JournalRecord::Seen(seen))
	}
}

impl JournalRecord {
	fn seen(&self) -> Option<Seen> {
		match self {
			Self::Block(block) => Some(Seen {
				number: block.number,
				hash: block.hash,
			}),
			Self::Seen(seen) => Some(*seen),
			_ => None,
		}
	}
}

/// The default path of a replay's journal.
pub fn default_path(data: &Path, identity: &Identity, genesis: H256) -> Result<PathBuf, Fault> {
	let folder = state_folder("--journal")?;
	let stem = data.file_stem().unwrap_or_default().display();
	let text = serde_json::to_vec(&(identity, genesis)).map_err(|e| Fault::Chain(format!("journal: {e}")))?;
	let name = format!("{:x}", hash(&text));
	Ok(folder.join(format!("{stem}-{}.replay", &name[..16])))
}

/// The hash that identifies files and homes.
pub fn hash(bytes: &[u8]) -> H256 {
	use subxt::config::{substrate::BlakeTwo256, Hasher};
	BlakeTwo256.hash(bytes)
}
