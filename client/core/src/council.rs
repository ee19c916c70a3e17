//! Decisions of the council: how much of it must agree, and the transactions by which its members decide.

use crate::{
	chain::{
		council::{self, Motion},
		send::must,
		types::{Close, Propose, RuntimeCall, Vote},
		At, Node,
	},
	fault::Fault,
	keys::account,
};
use subxt::{
	config::{substrate::BlakeTwo256, Hasher},
	ext::scale_encode::EncodeAsType,
};
use subxt_signer::sr25519::Keypair;

/// How much of the council must agree, as `commonwatt_runtime::configs::governance` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
	/// More than half.
	MoreThanHalf,
	/// Half.
	Half,
	/// Two thirds.
	TwoThirds,
	/// A third, whose members object one by one.
	Third,
}

impl Share {
	/// How many of so many members that is.
	pub fn of(self, seats: usize) -> usize {
		// Nobody of several decides alone, but one may be enough to object.
		let least = seats.min(2);
		match self {
			Self::MoreThanHalf => seats / 2 + 1,
			Self::Half => seats.div_ceil(2).max(least),
			Self::TwoThirds => (2 * seats).div_ceil(3),
			Self::Third => seats.div_ceil(3),
		}
	}
}

/// The hash by which the council decides on code.
pub fn code_hash(code: &[u8]) -> [u8; 32] {
	BlakeTwo256.hash(code).0
}

/// Moves a motion that needs so many votes, and votes for it. `None` if it needs no other vote, and was carried out.
pub async fn move_it(
	node: &Node,
	signer: &Keypair,
	call: RuntimeCall,
	needed: usize,
	words: &str,
) -> Result<Option<Motion>, Fault> {
	let before = node.head().await?;
	let bytes = encoded(&before, &call)?;
	let hash = BlakeTwo256.hash(&bytes);
	if let Some(open) = council::motion(&before, hash).await? {
		return Err(Fault::Input(format!(
			"the motion to {words} is open already: it is number {}, with a threshold of {}; vote on it instead, or, if \
			 that threshold is wrong, vote no, close it and move it again",
			open.votes.index, open.votes.threshold
		)));
	}
	let proposal = Propose {
		threshold: u32::try_from(needed).unwrap_or(u32::MAX),
		proposal: call,
		length_bound: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
	};
	let what = format!("the motion to {words}");
	must(node, signer, ("Council", "propose"), proposal, &what).await?;
	let at = node.head().await?;
	if needed < 2 {
		let blocks = (before.block_number(), at.block_number());
		return match council::outcome(node, hash, blocks).await? {
			Some(Ok(())) => Ok(None),
			Some(Err(error)) => Err(Fault::Chain(format!(
				"{what} was carried out, but failed: {error}"
			))),
			None => Err(Fault::Chain(format!("{what} was not carried out"))),
		};
	}
	let moved = council::motion(&at, hash).await?;
	let moved = moved.ok_or_else(|| Fault::Chain(format!("{what} is not among the open motions")))?;
	cast(node, signer, &moved, true).await?;
	Ok(Some(moved))
}

/// A call as the chain stores it in a motion.
pub fn encoded(at: &At, call: &RuntimeCall) -> Result<Vec<u8>, Fault> {
	let metadata = at.metadata_ref();
	let call_type = metadata.outer_enums().call_enum_ty();
	call.encode_as_type(call_type, metadata.types())
		.map_err(|error| Fault::Chain(format!("the runtime has no such call: {error}")))
}

/// Has members of the council decide on a call: the first moves it and closes the motion, and as many as are needed vote
/// for it. Keys of others are left out.
pub async fn agree(
	node: &Node,
	keys: &[Keypair],
	call: RuntimeCall,
	share: Share,
	words: &str,
) -> Result<(), Fault> {
	let members = council::members(&node.head().await?).await?;
	let mut signers = keys.iter().filter(|key| members.contains(&account(key)));
	let needed = share.of(members.len());
	let first = signers
		.next()
		.ok_or_else(|| Fault::Input("none of the keys is of a member of the council".into()))?;
	let Some(motion) = move_it(node, first, call, needed, words).await? else {
		return Ok(());
	};
	for signer in signers.take(needed.saturating_sub(1)) {
		cast(node, signer, &motion, true).await?;
	}
	carry_out(node, first, &motion).await.map(|_| ())
}

/// Votes on a motion.
pub async fn cast(node: &Node, signer: &Keypair, motion: &Motion, approve: bool) -> Result<(), Fault> {
	let vote = Vote {
		proposal: motion.hash.0,
		index: motion.votes.index,
		approve,
	};
	let what = format!("the vote on motion {}", motion.votes.index);
	must(node, signer, ("Council", "vote"), vote, &what).await
}

/// Closes a motion. Whether its call was carried out; an error if that failed.
pub async fn carry_out(node: &Node, signer: &Keypair, motion: &Motion) -> Result<bool, Fault> {
	let at = node.head().await?;
	let close = Close {
		proposal_hash: motion.hash.0,
		index: motion.votes.index,
		proposal_weight_bound: council::weight(&at, &motion.bytes).await?,
		length_bound: u32::try_from(motion.bytes.len()).unwrap_or(u32::MAX),
	};
	let what = format!("closing motion {}", motion.votes.index);
	must(node, signer, ("Council", "close"), close, &what).await?;
	let blocks = (at.block_number(), node.head().await?.block_number());
	match council::outcome(node, motion.hash, blocks).await? {
		Some(Ok(())) => Ok(true),
		Some(Err(error)) => Err(Fault::Chain(format!(
			"motion {} passed, but its call failed: {error}",
			motion.votes.index
		))),
		None => Ok(false),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Hand-worked, against the runtime's fractions: more than 1/2, at least 1/2, at least 2/3.
	#[test]
	fn shares_of_a_council() {
		for (seats, more_than_half, half, two_thirds) in [
			(1, 1, 1, 1),
			(2, 2, 2, 2),
			(3, 2, 2, 2),
			(4, 3, 2, 3),
			(6, 4, 3, 4),
			(7, 4, 4, 5),
			(9, 5, 5, 6),
		] {
			assert_eq!(Share::MoreThanHalf.of(seats), more_than_half, "{seats}");
			assert_eq!(Share::Half.of(seats), half, "{seats}");
			assert_eq!(Share::TwoThirds.of(seats), two_thirds, "{seats}");
		}
	}
}
