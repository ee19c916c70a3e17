//! The council: its members, its motions, and the upgrade that waits.

use super::{entry, value, At, Node};
use crate::fault::{Fault, OrFault};
use subxt::{
	config::{
		substrate::{BlakeTwo256, H256},
		Hasher,
	},
	dynamic::Value,
	error::DispatchError,
	ext::{
		codec::{Decode, Encode},
		scale_decode::DecodeAsType,
		scale_encode::EncodeAsType,
	},
	utils::AccountId32,
};

/// The votes on a motion, as the chain stores them.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct Votes {
	/// The motion's number.
	pub index: u32,
	/// How many votes it needs.
	pub threshold: u32,
	/// Who voted yes.
	pub ayes: Vec<AccountId32>,
	/// Who voted no.
	pub nays: Vec<AccountId32>,
	/// The block from which on it can be closed without enough votes.
	pub end: u32,
}

/// An open motion.
#[derive(Clone, Debug)]
pub struct Motion {
	/// Hash of the call.
	pub hash: H256,
	/// The votes.
	pub votes: Votes,
	/// The call that is carried out if the motion passes.
	pub call: Value,
	/// The call, as the chain stores it.
	pub bytes: Vec<u8>,
}

impl Motion {
	/// Whether enough members have voted yes.
	pub fn is_approved(&self) -> bool {
		self.votes.ayes.len() >= self.votes.threshold as usize
	}

	/// Whether it can no longer pass, because too many of the `seats` members have voted no.
	pub fn is_refused(&self, seats: usize) -> bool {
		seats.saturating_sub(self.votes.nays.len()) < self.votes.threshold as usize
	}
}

/// An upgrade that the council has decided on.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
pub struct Upgrade {
	/// Hash of the code.
	pub code_hash: H256,
	/// When it may be applied, ms since 1970.
	pub from: u64,
	/// The first block that may apply it.
	pub from_block: u32,
}

impl Upgrade {
	/// Whether a block after this one may apply it.
	pub fn is_due(&self, at: &At, now_ms: u64) -> bool {
		now_ms >= self.from && at.block_number() >= u64::from(self.from_block)
	}
}

/// Computation time and proof size.
#[derive(Clone, Copy, Debug, Decode, EncodeAsType)]
#[encode_as_type(crate_path = "::subxt::ext::scale_encode")]
#[codec(crate = ::subxt::ext::codec)]
pub struct Weight {
	/// Picoseconds.
	#[codec(compact)]
	pub ref_time: u64,
	/// Bytes.
	#[codec(compact)]
	pub proof_size: u64,
}

/// The members, in the order of their accounts.
pub async fn members(at: &At) -> Result<Vec<AccountId32>, Fault> {
	Ok(value(at, "Council", "Members").await?.unwrap_or_default())
}

/// The open motions, the oldest first.
pub async fn motions(at: &At) -> Result<Vec<Motion>, Fault> {
	let hashes: Vec<H256> = value(at, "Council", "Proposals").await?.unwrap_or_default();
	let mut motions = Vec::new();
	for hash in hashes {
		motions.extend(motion(at, hash).await?);
	}
	motions.sort_by_key(|motion| motion.votes.index);
	Ok(motions)
}

/// The open motion whose call has this hash.
pub async fn motion(at: &At, hash: H256) -> Result<Option<Motion>, Fault> {
	let votes: Option<Votes> = entry(at, "Council", "Voting", (hash.0,)).await?;
	let address = subxt::dynamic::storage::<([u8; 32],), Value>("Council", "ProposalOf");
	let stored = at.storage().try_fetch(address, (hash.0,)).await.or_fault()?;
	let (Some(votes), Some(stored)) = (votes, stored) else {
		return Ok(None);
	};
	// The hash is what one votes on, so the call must be the one with this hash.
	if BlakeTwo256.hash(stored.bytes()) != hash {
		return Err(Fault::Chain(format!(
			"the node's call for motion {} does not have the motion's hash {hash:?}: do not vote by this node",
			votes.index
		)));
	}
	Ok(Some(Motion {
		hash,
		votes,
		call: stored.decode().or_fault()?,
		bytes: stored.into_bytes(),
	}))
}

/// The upgrade that waits, and who objects to it.
pub async fn upgrade(at: &At) -> Result<Option<(Upgrade, Vec<AccountId32>)>, Fault> {
	let Some(upgrade) = value(at, "Upgrades", "Decided").await? else {
		return Ok(None);
	};
	let objections = value(at, "Upgrades", "Objections").await?;
	Ok(Some((upgrade, objections.unwrap_or_default())))
}

/// The Sudo key, on a chain that has one.
pub async fn sudo_key(at: &At) -> Result<Option<AccountId32>, Fault> {
	value(at, "Sudo", "Key").await
}

/// What a call weighs, as the chain's runtime says.
pub async fn weight(at: &At, call: &[u8]) -> Result<Weight, Fault> {
	let parameters = [call, &(call.len() as u32).encode()].concat();
	let function = "TransactionPaymentCallApi_query_call_info";
	let answer = at
		.runtime_apis()
		.call_raw(function, Some(&parameters))
		.await
		.or_fault()?;
	// The weight comes first in the answer.
	Weight::decode(&mut &answer[..])
		.map_err(|error| Fault::Chain(format!("the weight of a call cannot be read: {error}")))
}

/// What became of a motion's call in the blocks after `from` up to `to`. `None` if it was not carried out there.
pub async fn outcome(
	node: &Node,
	hash: H256,
	(from, to): (u64, u64),
) -> Result<Option<Result<(), String>>, Fault> {
	for number in from.saturating_add(1)..=to {
		let at = node.at(number).await?;
		for event in at.events().fetch().await.or_fault()?.iter() {
			let event = event.or_fault()?;
			if (event.pallet_name(), event.event_name()) != ("Council", "Executed") {
				continue;
			}
			// The motion's hash, and a result: 0, or 1 and the error.
			let Some((of, [failed, error @ ..])) = event.field_bytes().split_at_checked(32) else {
				continue;
			};
			if of != hash.0 {
				continue;
			}
			if *failed == 0 {
				return Ok(Some(Ok(())));
			}
			let error = DispatchError::decode_from(error, at.metadata()).or_fault()?;
			return Ok(Some(Err(error.to_string())));
		}
	}
	Ok(None)
}
