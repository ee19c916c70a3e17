//! Offers a transaction to the node's pool.

use crate::{
	chain::{self, Node},
	fault::{Fault, OrFault},
};
use subxt::{
	config::substrate::H256,
	rpcs::rpc_params,
	utils::{to_hex, AccountId32},
};

/// Maximum number of retries while the best block changes under the pool. After that the pool's answer counts anyway.
const MOST_CHANGES: u32 = 5;
/// Error codes for a transaction that the pool already has, and for one that cannot replace another with its nonce.
const ALREADY_THERE: [i32; 2] = [1013, 1014];
/// Error code for a transaction that is not valid in the best block.
const INVALID: i32 = 1010;
/// Error code for a transaction that the pool has removed and will not take again for half an hour.
const BANNED: i32 = 1012;
/// Error code of a full pool.
const NO_ROOM: i32 = 1016;

/// The pool's answer to a transaction.
pub enum Offered {
	/// The pool has it, or has another transaction with its nonce.
	Pooled,
	/// The best block has used its nonce, for this transaction or for another one.
	NonceUsed,
	/// The pool is full.
	NoRoom,
	/// The pool had it and removed it, most often because it was full. It does not take these bytes again for half an
	/// hour, but it takes the same call with a new signature.
	Removed {
		/// The node's reason.
		reason: String,
	},
	/// It is not valid in the best block.
	Refused {
		/// The node's reason.
		reason: String,
		/// Number of the best block.
		block: u64,
	},
}

/// Offers a transaction to the pool. `account` and `nonce` are those that it was signed with.
pub async fn offer(
	node: &Node,
	bytes: &[u8],
	(account, nonce): (&AccountId32, u64),
) -> Result<Offered, Fault> {
	let mut best = node.best().await?;
	let mut changes = 0;
	loop {
		let refusal = match submit(node, bytes).await? {
			Ok(offered) => return Ok(offered),
			Err(refusal) => refusal,
		};
		let judged_by = node.best().await?;
		if chain::account(&judged_by, account).await?.nonce > nonce {
			return Ok(Offered::NonceUsed);
		}
		let reason = refusal.reason;
		if refusal.is_ban {
			return Ok(Offered::Removed { reason });
		}
		if judged_by.block_hash() == best.block_hash() || changes == MOST_CHANGES {
			let block = judged_by.block_number();
			return Ok(Offered::Refused { reason, block });
		}
		best = judged_by;
		changes += 1;
	}
}

/// Why the pool does not take a transaction.
struct Refusal {
	reason: String,
	/// Whether the pool has removed it before, and takes these bytes no more.
	is_ban: bool,
}

/// The pool's answer, judged by its error code alone, or its refusal.
async fn submit(node: &Node, bytes: &[u8]) -> Result<Result<Offered, Refusal>, Fault> {
	let answer: Result<H256, _> = node
		.rpc
		.request("author_submitExtrinsic", rpc_params![to_hex(bytes)])
		.await;
	match answer {
		Ok(_) => Ok(Ok(Offered::Pooled)),
		Err(subxt::rpcs::Error::User(error)) if ALREADY_THERE.contains(&error.code) => {
			Ok(Ok(Offered::Pooled))
		}
		Err(subxt::rpcs::Error::User(error)) if error.code == NO_ROOM => Ok(Ok(Offered::NoRoom)),
		Err(subxt::rpcs::Error::User(error)) if [INVALID, BANNED].contains(&error.code) => {
			let data = error
				.data
				.map_or(String::new(), |data| format!(" {}", data.get()));
			Ok(Err(Refusal {
				reason: format!("{}{data}", error.message),
				is_ban: error.code == BANNED,
			}))
		}
		Err(error) => Err(error).or_fault(),
	}
}
