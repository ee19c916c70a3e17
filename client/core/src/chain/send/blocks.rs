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

/// Timeout for a new final block. The longest regular wait is on a mined chain, whose first final block comes only
/// after as many blocks as its finality depth.
pub const FINALITY: Duration = Duration::from_secs(600);

/// The wanted transactions of a block, by hash, each with the reason if it failed.
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
	/// The transaction that was asked for. If there is a reason, it failed.
	Itself(Option<String>),
	/// A transaction with another hash.
	Another,
	/// Unknown: the node no longer has the state of the block.
	Forgotten,
}

/// Finds out whether a transaction, or another one of the account, used its nonce in a final block after block `after`.
/// The account's next nonce at `head` must be greater than `nonce`.
pub async fn used_by(
	node: &Node,
	head: &At,
	bytes: &[u8],
	(account, nonce): (&AccountId32, u64),
	after: u64,
) -> Result<UsedBy, Fault> {
	let hash = BlakeTwo256.hash(bytes);
	let readable = node.first_readable(after, head.block_number()).await?;
	let is_used = async |number| {
		let info = chain::account(&node.at(number).await?, account).await?;
		Ok(info.nonce > nonce)
	};
	let used_in = chain::first_number(readable, head.block_number(), is_used).await?;
	let found = included(&node.at(used_in).await?, |other| *other == hash).await?;
	Ok(match found.into_iter().next() {
		Some((_, failure)) => UsedBy::Itself(failure),
		// The nonce may have been used in one of the blocks before, whose state is gone.
		None if used_in == readable && readable > after.saturating_add(1) => UsedBy::Forgotten,
		None => UsedBy::Another,
	})
}

/// Waits for new final blocks.
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

	/// Waits for a final block that was not reported before. False if none arrived within [`FINALITY`].
	pub async fn next(&mut self) -> Result<bool, Fault> {
		match tokio::time::timeout(FINALITY, self.heads.next()).await {
			Err(_) => return Ok(false),
			Ok(Some(head)) => drop(head.or_fault()?),
			// A node drops a subscriber that is too slow. If the connection itself ended, this fails.
			Ok(None) => self.heads = Self::subscribe(self.node).await?,
		}
		// Only the newest block counts, so all that arrived meanwhile are reported as one.
		while let Some(Some(head)) = self.heads.next().now_or_never() {
			head.or_fault()?;
		}
		Ok(true)
	}
}
