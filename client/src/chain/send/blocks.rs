//! What final blocks say about transactions.

use crate::{
	chain::{self, At, Node},
	fault::{Fault, OrFault},
};
use futures::FutureExt;
use std::{collections::BTreeMap, time::Duration};
use subxt::{
	config::{
		substrate::{BlakeTwo256, H256},
		Hasher,
	},
	error::DispatchError,
	events::Phase,
	rpcs::{client::RpcSubscription, rpc_params},
	utils::AccountId32,
};

/// Finality has stopped if there is no new final block for this long. The longest regular wait is that of a mined chain,
/// whose first final block comes after as many blocks as its finality is deep.
pub const FINALITY: Duration = Duration::from_secs(600);

/// The transactions of a block whose hashes are wanted, each with why it failed, if it did.
pub async fn included(at: &At, wanted: impl Fn(&H256) -> bool) -> Result<Vec<(H256, Option<String>)>, Fault> {
	let extrinsics = at.extrinsics().fetch().await.or_fault()?;
	let mut found = BTreeMap::new();
	for extrinsic in extrinsics.iter() {
		let extrinsic = extrinsic.or_fault()?;
		let hash = extrinsic.hash();
		if wanted(&hash) {
			found.insert(extrinsic.index() as u32, (hash, None));
		}
	}
	if found.is_empty() {
		return Ok(Vec::new());
	}
	for event in at.events().fetch().await.or_fault()?.iter() {
		let event = event.or_fault()?;
		let Phase::ApplyExtrinsic(index) = event.phase() else {
			continue;
		};
		if event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed" {
			if let Some((_, failure)) = found.get_mut(&index) {
				let reason = DispatchError::decode_from(event.field_bytes(), at.metadata()).or_fault()?;
				*failure = Some(reason.to_string());
			}
		}
	}
	Ok(found.into_values().collect())
}

/// What used a nonce of an account.
pub enum UsedBy {
	/// The transaction that was asked for. It failed, if there is a reason.
	Itself(Option<String>),
	/// A transaction with another hash.
	Another,
	/// The node has no state of the block any more.
	Forgotten,
}

/// Finds out whether a transaction, or another one of the account, used its nonce in a final block after the block of a
/// number. The account's next nonce at `head` is greater than this one.
pub async fn used_by(
	node: &Node,
	head: &At,
	bytes: &[u8],
	(account, nonce): (&AccountId32, u64),
	after: u64,
) -> Result<UsedBy, Fault> {
	let hash = BlakeTwo256.hash(bytes);
	let readable = node.first_readable(after, head.block_number()).await?;
	let (mut low, mut high) = (readable, head.block_number());
	while low < high {
		let middle = low.midpoint(high);
		if chain::account(&node.at(middle).await?, account).await?.nonce > nonce {
			high = middle;
		} else {
			low = middle.saturating_add(1);
		}
	}
	let found = included(&node.at(high).await?, |other| *other == hash).await?;
	Ok(match found.into_iter().next() {
		Some((_, failure)) => UsedBy::Itself(failure),
		// It may have been in one of the blocks before.
		None if high == readable && readable > after.saturating_add(1) => UsedBy::Forgotten,
		None => UsedBy::Another,
	})
}

/// Says when there are new final blocks.
pub struct FinalBlocks<'a> {
	node: &'a Node,
	heads: RpcSubscription<serde_json::Value>,
}

impl<'a> FinalBlocks<'a> {
	/// Follows the final blocks of a node.
	pub async fn new(node: &'a Node) -> Result<Self, Fault> {
		let heads = Self::subscribe(node).await?;
		Ok(Self { node, heads })
	}

	async fn subscribe(node: &Node) -> Result<RpcSubscription<serde_json::Value>, Fault> {
		node.rpc
			.subscribe(
				"chain_subscribeFinalizedHeads",
				rpc_params![],
				"chain_unsubscribeFinalizedHeads",
			)
			.await
			.or_fault()
	}

	/// Waits until there is a final block that was not reported before. False if none came for [`FINALITY`].
	pub async fn next(&mut self) -> Result<bool, Fault> {
		match tokio::time::timeout(FINALITY, self.heads.next()).await {
			Err(_) => return Ok(false),
			Ok(Some(head)) => drop(head.or_fault()?),
			// A node drops a subscriber that is too slow. Where it was the connection that ended, this fails.
			Ok(None) => self.heads = Self::subscribe(self.node).await?,
		}
		// The newest one counts, so those that came meanwhile are reported together.
		while let Some(Some(head)) = self.heads.next().now_or_never() {
			head.or_fault()?;
		}
		Ok(true)
	}
}
