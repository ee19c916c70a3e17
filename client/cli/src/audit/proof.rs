//! The values of a block's state, proved against the block's hash, so that the audit need not trust the node.
//!
//! A block's hash is the BLAKE2b-256 hash of its header. The header names the root of the state's trie, and a storage
//! proof has the trie's nodes on the way from that root to each value. So whoever knows the block's hash can verify the
//! values.

use crate::{
	chain::{At, Node},
	fault::{Fault, OrFault},
};
use sp_runtime::traits::BlakeTwo256 as Blake;
use sp_state_machine::{read_proof_check, StorageProof};
use subxt::{
	config::{substrate::BlakeTwo256, Hasher},
	dynamic,
	events::Events,
	ext::{
		codec::Encode,
		frame_decode::storage::{IntoDecodableValues, IntoEncodableValues},
		scale_decode::DecodeAsType,
	},
	SubstrateConfig,
};

/// A value that was read: its name, its key, the node's answer, and the default that stands for a value that was never
/// set.
struct Read {
	what: String,
	key: Vec<u8>,
	value: Option<Vec<u8>>,
	default: Option<Vec<u8>>,
}

/// A block, and all values that were read from its state.
pub struct Evidence {
	/// The block.
	pub at: At,
	read: Vec<Read>,
}

impl Evidence {
	/// Starts without any value.
	pub fn of(at: At) -> Self {
		Self { at, read: Vec::new() }
	}

	/// Reads an entry of a map, or its default, and keeps it for the proof.
	pub async fn fetch<Key, Value>(
		&mut self,
		(pallet, item): (&'static str, &'static str),
		key: Key,
	) -> Result<Option<Value>, Fault>
	where
		Key: IntoEncodableValues + IntoDecodableValues + Clone,
		Value: DecodeAsType,
	{
		let storage = self.at.storage();
		let entry = storage
			.entry(dynamic::storage::<Key, Value>(pallet, item))
			.or_fault()?;
		let default = entry.default_value().map(|value| value.bytes().to_vec());
		let value = entry.try_fetch(key.clone()).await.or_fault()?;
		let read = Read {
			what: format!("{pallet}.{item}"),
			key: entry.fetch_key(key).or_fault()?,
			value: value.as_ref().map(|value| value.bytes().to_vec()),
			default,
		};
		let decoded = value.map(|value| value.decode().or_fault()).transpose();
		self.read.push(read);
		decoded
	}

	/// Reads the block's events, and keeps them for the proof.
	pub async fn events(&mut self) -> Result<Events<SubstrateConfig>, Fault> {
		let events = self.at.events().fetch().await.or_fault()?;
		let entry = dynamic::storage::<(), ()>("System", "Events");
		let key = self.at.storage().entry(entry).or_fault()?.key_prefix().to_vec();
		let value = Some(events.bytes().to_vec());
		// No default value is needed: the timestamp's extrinsic alone emits an event, so every block has this item.
		let default = None;
		let what = "System.Events".into();
		self.read.push(Read {
			what,
			key,
			value,
			default,
		});
		Ok(events)
	}

	/// Checks everything that was read against the block's hash. The inner result says what is false; the outer one
	/// fails if the node does not answer.
	pub async fn check(&self, node: &Node) -> Result<Result<(), String>, Fault> {
		if self.read.is_empty() {
			return Ok(Ok(()));
		}
		let (number, hash) = (self.at.block_number(), self.at.block_hash());
		let header = self.at.block_header().await.or_fault()?;
		if BlakeTwo256.hash(&header.encode()) != hash || header.number != number {
			return Ok(Err(format!(
				"block {number}: the header that the node sent does not belong to {hash:?}"
			)));
		}
		// A light client gives no value that it has not proved against the header's state root itself.
		if node.is_light() {
			return Ok(Ok(()));
		}
		let keys: Vec<&[u8]> = self.read.iter().map(|read| read.key.as_slice()).collect();
		let proof = StorageProof::new(node.read_proof(hash, &keys).await?);
		let root = header.state_root.0.into();
		let proved = match read_proof_check::<Blake, _>(root, proof, keys) {
			Ok(proved) => proved,
			Err(error) => {
				return Ok(Err(format!(
					"block {number}: the node's proof does not lead to the state root {:?}: {error}",
					header.state_root
				)))
			}
		};
		for read in &self.read {
			let value = proved.get(&read.key).cloned().flatten();
			if value.or_else(|| read.default.clone()) != read.value {
				return Ok(Err(format!(
					"block {number}: the node's value of {} differs from the one in the block's state",
					read.what
				)));
			}
		}
		Ok(Ok(()))
	}

	/// Number of values that were read.
	pub fn len(&self) -> usize {
		self.read.len()
	}
}
