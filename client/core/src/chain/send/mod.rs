//! Signs transactions, submits a wave of them at once, and follows each until a final block shows its result.
//!
//! The nonce is read at a final block, but the pool judges by the best block, which is ahead of it. So the pool may
//! call a transaction outdated because a block that is not final yet has an earlier one with the same nonce. An earlier
//! run may have sent it, or this run before it lost its connection, or another program. Such a refusal is neither a
//! failure nor a success. [`send`] therefore waits until the final chain has caught up with the block that the pool
//! judged by. Then one of these holds:
//!
//! - The transaction is in a final block, where its hash is found.
//! - The transaction is [`Missed`], because another one used its nonce, it has expired, the pool still refuses it, or
//!   the pool removed it when it was full.
//!   Its effect may be on the chain already, so the caller checks the state and signs again if necessary. [`Tries`]
//!   bounds how often.

mod blocks;
mod pool;

pub use blocks::{used_by, UsedBy};
pub use pool::{offer, Offered};

use super::{At, Node};
use crate::fault::{Fault, OrFault};
use blocks::{included, FinalBlocks, FINALITY};
use futures::future::{join_all, try_join_all};
use std::{collections::BTreeMap, fmt};
use subxt::{
	config::{substrate::H256, DefaultExtrinsicParamsBuilder},
	dynamic,
	ext::scale_encode::EncodeAsFields,
	utils::AccountId32,
	SubstrateConfig,
};
use subxt_signer::sr25519::Keypair;

/// Number of blocks for which a transaction is valid, so that none gets into a block eras later.
const MORTALITY_BLOCKS: u64 = 64;
/// A transaction that is in no final block is offered again after this many of them, because the pool may have dropped
/// it.
const OFFER_AGAIN_BLOCKS: u64 = 4;
/// Maximum number of signatures for a transaction whose nonce others use, that expires, or that a full pool removes.
const MOST_TRIES: u32 = 10;
/// Maximum number of signatures for a transaction that the node refuses.
const MOST_REFUSALS: u32 = 2;

/// A signed transaction.
pub struct Signed {
	/// Description for messages.
	what: String,
	account: AccountId32,
	nonce: u64,
	hash: H256,
	bytes: Vec<u8>,
	/// Number of the first block in which it is no longer valid.
	void_from: u64,
}

/// A transaction that got into a block and failed there.
pub struct Failed {
	/// Description of the transaction.
	pub what: String,
	/// The chain's error.
	pub reason: String,
}

impl Failed {
	/// Whether it came too late for its era.
	pub fn came_late(&self) -> bool {
		["ReadingForWrongEra", "StrategiesForWrongEra", "GateClosed"]
			.iter()
			.any(|error| self.reason.contains(error))
	}

	/// Converts it into a fault.
	pub fn into_fault(self) -> Fault {
		Fault::Chain(format!("{} failed in a block: {}", self.what, self.reason))
	}
}

/// Why a transaction is in no final block and cannot get into a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
	/// Another transaction of the account used its nonce.
	NonceUsed {
		/// The account.
		account: AccountId32,
		/// The nonce.
		nonce: u64,
	},
	/// No block included it while it was valid.
	Expired,
	/// The pool refuses it, for this reason.
	Refused(String),
	/// The pool had it and removed it, most often because it was full. The node's words.
	Removed(String),
}

impl fmt::Display for Why {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::NonceUsed { account, nonce } => write!(
				f,
				"another transaction used nonce {nonce} of account {account}; does another program sign with the same \
				 key?"
			),
			Self::Expired => write!(
				f,
				"no block included it within {MORTALITY_BLOCKS} blocks, after which it expired"
			),
			Self::Refused(reason) => write!(f, "the node refused it: {reason}"),
			Self::Removed(reason) => write!(
				f,
				"the node removed it from its transaction pool, which was full: {reason}"
			),
		}
	}
}

/// A transaction that is in no final block and cannot get into a later one. An earlier transaction may have had the
/// same effect.
#[derive(Debug)]
pub struct Missed {
	/// Description of the transaction.
	pub what: String,
	/// Why it is in no block.
	pub why: Why,
}

/// The results of a wave. Transactions in neither list are in final blocks and succeeded.
#[derive(Default)]
pub struct Outcome {
	/// Those that failed in a final block.
	pub failed: Vec<Failed>,
	/// Those that are in no block: check the state, and sign again what it lacks.
	pub missed: Vec<Missed>,
}

/// Counts how often each transaction was missed, so that none is signed again forever.
#[derive(Default)]
pub struct Tries(BTreeMap<String, u32>);

impl Tries {
	/// Counts the missed transactions of a wave, by description. Returns an error if one of them was missed too often.
	pub fn enter(&mut self, missed: Vec<Missed>) -> Result<(), Fault> {
		for Missed { what, why } in missed {
			let most = match why {
				Why::Refused(_) => MOST_REFUSALS,
				Why::NonceUsed { .. } | Why::Expired | Why::Removed(_) => MOST_TRIES,
			};
			let tries = self.0.entry(what.clone()).or_default();
			*tries = tries.saturating_add(1);
			if *tries >= most {
				return Err(Fault::Chain(format!(
					"{what} is not on the chain after {tries} attempts: {why}"
				)));
			}
		}
		Ok(())
	}
}

/// Signs a call with the account's next nonce.
pub async fn sign<Arguments: EncodeAsFields>(
	at: &At,
	signer: &Keypair,
	call: (&str, &str),
	arguments: Arguments,
	what: String,
) -> Result<Signed, Fault> {
	let account: AccountId32 = signer.public_key().to_account_id();
	let nonce = super::account(at, &account).await?.nonce;
	let (hash, bytes) = encode(at, signer, (nonce, MORTALITY_BLOCKS), call, arguments)?;
	Ok(Signed {
		what,
		account,
		nonce,
		hash,
		bytes,
		void_from: at.block_number().saturating_add(MORTALITY_BLOCKS),
	})
}

/// Signs a call with this nonce, valid for `blocks` blocks after this one. Returns its hash and its bytes.
pub fn encode<Arguments: EncodeAsFields>(
	at: &At,
	signer: &Keypair,
	(nonce, blocks): (u64, u64),
	(pallet, call): (&str, &str),
	arguments: Arguments,
) -> Result<(H256, Vec<u8>), Fault> {
	let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
		.nonce(nonce)
		.mortal_from_unchecked(blocks, at.block_number(), at.block_hash())
		.build();
	let payload = dynamic::transaction(pallet, call, arguments);
	let transactions = at.transactions();
	let mut signable = transactions
		.create_signable_offline(&payload, params)
		.or_fault()?;
	let signed = signable.sign(signer).or_fault()?;
	Ok((signed.hash(), signed.into_encoded()))
}

/// The fee of a transaction.
pub async fn fee(at: &At, signed: &Signed) -> Result<u128, Fault> {
	at.transactions()
		.from_bytes(signed.bytes.clone())
		.partial_fee_estimate()
		.await
		.or_fault()
}

/// Submits a wave that was signed at a final block, and waits until final blocks show the result of each transaction.
pub async fn send(node: &Node, at: &At, wave: Vec<Signed>) -> Result<Outcome, Fault> {
	let mut final_blocks = FinalBlocks::new(node).await?;
	let mut wave = Wave::offer(node, at.block_number(), wave).await?;
	loop {
		let head = node.head().await?;
		wave.read_blocks(&head).await?;
		wave.judge(&head).await?;
		if wave.open.is_empty() {
			return Ok(wave.outcome);
		}
		if !final_blocks.next().await? {
			let what: Vec<_> = wave.open.values().map(|open| open.signed.what.as_str()).collect();
			return Err(Fault::Chain(format!(
				"no block became final for {} s; the last final block is {}; not in a final block: {}",
				FINALITY.as_secs(),
				head.block_number(),
				what.join(", ")
			)));
		}
	}
}

/// Sends a wave in which no transaction may fail. Returns those that are in no block.
pub async fn send_all(node: &Node, at: &At, wave: Vec<Signed>) -> Result<Vec<Missed>, Fault> {
	let outcome = send(node, at, wave).await?;
	match outcome.failed.into_iter().next() {
		Some(failed) => Err(failed.into_fault()),
		None => Ok(outcome.missed),
	}
}

/// Sends a call until it is in a final block, and signs it again as often as [`Tries`] allows. Fails if it fails there.
pub async fn must<Arguments: EncodeAsFields + Clone>(
	node: &Node,
	signer: &Keypair,
	call: (&str, &str),
	arguments: Arguments,
	what: &str,
) -> Result<(), Fault> {
	let mut tries = Tries::default();
	loop {
		let at = node.head().await?;
		let signed = sign(&at, signer, call, arguments.clone(), what.into()).await?;
		let missed = send_all(node, &at, vec![signed]).await?;
		if missed.is_empty() {
			return Ok(());
		}
		tries.enter(missed)?;
	}
}

/// A transaction whose result is not known yet.
struct Open {
	signed: Signed,
	/// The pool's reason, if its last answer was a refusal.
	refusal: Option<String>,
	/// Number of the final block at which it is offered again.
	again_at: u64,
}

/// What to do about an open transaction after a final block that does not have it.
#[derive(Debug, PartialEq, Eq)]
enum Step {
	Wait,
	Offer,
	Miss(Why),
}

impl Open {
	/// Records the pool's answer. `number` is the newest final block. Returns the reason if the transaction is missed.
	fn enter(&mut self, offered: Offered, number: u64) -> Option<Why> {
		match offered {
			Offered::Refused { reason, block } => {
				if self.refusal.is_some() {
					return Some(Why::Refused(reason));
				}
				self.refusal = Some(reason);
				self.again_at = block;
			}
			Offered::Removed { reason } => return Some(Why::Removed(reason)),
			Offered::NoRoom => {
				self.refusal = None;
				self.again_at = number.saturating_add(1);
			}
			Offered::Pooled | Offered::NonceUsed => {
				self.refusal = None;
				self.again_at = number.saturating_add(OFFER_AGAIN_BLOCKS);
			}
		}
		None
	}

	/// The next step, given the account's next nonce at the newest final block, and the number of that block.
	fn step(&self, nonce: u64, number: u64) -> Step {
		if nonce > self.signed.nonce {
			return Step::Miss(Why::NonceUsed {
				account: self.signed.account,
				nonce: self.signed.nonce,
			});
		}
		if number.saturating_add(1) >= self.signed.void_from {
			return Step::Miss(self.refusal.clone().map_or(Why::Expired, Why::Refused));
		}
		if number >= self.again_at {
			Step::Offer
		} else {
			Step::Wait
		}
	}
}

/// A wave that was offered, and its results so far.
struct Wave<'a> {
	node: &'a Node,
	open: BTreeMap<H256, Open>,
	/// Number of the next final block to be read.
	next: u64,
	outcome: Outcome,
}

impl<'a> Wave<'a> {
	/// Offers a wave that was signed at final block `number`.
	async fn offer(node: &'a Node, number: u64, signed: Vec<Signed>) -> Result<Self, Fault> {
		let offers = signed
			.iter()
			.map(|signed| offer(node, &signed.bytes, (&signed.account, signed.nonce)));
		let offers = join_all(offers).await;
		let (mut open, mut outcome) = (BTreeMap::new(), Outcome::default());
		for (signed, offered) in signed.into_iter().zip(offers) {
			let mut one = Open {
				signed,
				refusal: None,
				again_at: 0,
			};
			match one.enter(offered?, number) {
				None => drop(open.insert(one.signed.hash, one)),
				Some(why) => outcome.missed.push(Missed {
					what: one.signed.what,
					why,
				}),
			}
		}
		Ok(Self {
			node,
			open,
			next: number.saturating_add(1),
			outcome,
		})
	}

	/// Closes the open transactions that are in the final blocks up to `head`.
	async fn read_blocks(&mut self, head: &At) -> Result<(), Fault> {
		for number in self.next..=head.block_number() {
			if self.open.is_empty() {
				return Ok(());
			}
			let at = self.node.at(number).await?;
			for (hash, failure) in included(&at, |hash| self.open.contains_key(hash)).await? {
				let Some(open) = self.open.remove(&hash) else {
					continue;
				};
				if let Some(reason) = failure {
					let what = open.signed.what;
					self.outcome.failed.push(Failed { what, reason });
				}
			}
			self.next = number.saturating_add(1);
		}
		Ok(())
	}

	/// Closes the open transactions that no later block can have, and offers others again. All final blocks up to
	/// `head` must have been read.
	async fn judge(&mut self, head: &At) -> Result<(), Fault> {
		let number = head.block_number();
		let node = self.node;
		let looks = self.open.values().map(|open| async {
			let signed = &open.signed;
			let nonce = super::account(head, &signed.account).await?.nonce;
			let step = open.step(nonce, number);
			let offered = match step {
				Step::Offer => Some(offer(node, &signed.bytes, (&signed.account, signed.nonce)).await?),
				Step::Wait | Step::Miss(_) => None,
			};
			Ok::<_, Fault>((signed.hash, step, offered))
		});
		for (hash, step, offered) in try_join_all(looks).await? {
			let why = match (step, offered) {
				(Step::Miss(why), _) => Some(why),
				(_, Some(offered)) => self
					.open
					.get_mut(&hash)
					.and_then(|open| open.enter(offered, number)),
				(_, None) => None,
			};
			let Some(why) = why else { continue };
			if let Some(open) = self.open.remove(&hash) {
				let what = open.signed.what;
				self.outcome.missed.push(Missed { what, why });
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const ACCOUNT: AccountId32 = AccountId32([7; 32]);
	const REASON: &str = "Invalid Transaction \"Transaction is outdated\"";

	/// Signed in block 100, with nonce 5.
	fn open() -> Open {
		let signed = Signed {
			what: "the reading of Alice".into(),
			account: ACCOUNT,
			nonce: 5,
			hash: H256::zero(),
			bytes: Vec::new(),
			void_from: 164,
		};
		Open {
			signed,
			refusal: None,
			again_at: 0,
		}
	}

	fn refused(block: u64) -> Offered {
		let reason = REASON.into();
		Offered::Refused { reason, block }
	}

	fn nonce_used() -> Why {
		Why::NonceUsed {
			account: ACCOUNT,
			nonce: 5,
		}
	}

	#[test]
	fn transactions_that_came_late_are_told_from_wrong_ones() {
		let failed = |error: &str| Failed {
			what: "the strategies of Alice".into(),
			reason: format!("Pallet error: EnergyMarket::{error}"),
		};
		for late in ["ReadingForWrongEra", "StrategiesForWrongEra", "GateClosed"] {
			assert!(failed(late).came_late(), "{late}");
		}
		for wrong in ["NotOwner", "EnergyOutOfRange", "NotMemberInEra"] {
			assert!(!failed(wrong).came_late(), "{wrong}");
		}
	}

	#[test]
	fn transaction_is_missed_only_when_its_nonce_is_used_in_a_final_block() {
		let mut one = open();
		assert_eq!(one.enter(Offered::NonceUsed, 100), None);
		assert_eq!(one.step(5, 101), Step::Wait);
		assert_eq!(one.step(6, 101), Step::Miss(nonce_used()));
		// The best block that used the nonce was reverted, so the pool may have lost the transaction.
		assert_eq!(one.step(5, 104), Step::Offer);
	}

	#[test]
	fn refusal_counts_once_its_block_is_final_and_the_pool_repeats_it() {
		let mut one = open();
		assert_eq!(one.enter(refused(130), 100), None);
		assert_eq!(one.step(5, 129), Step::Wait);
		assert_eq!(one.step(6, 129), Step::Miss(nonce_used()));
		assert_eq!(one.step(5, 130), Step::Offer);
		assert_eq!(one.enter(refused(140), 130), Some(Why::Refused(REASON.into())));

		let mut taken = open();
		taken.enter(refused(130), 100);
		assert_eq!(taken.enter(Offered::Pooled, 130), None);
		assert_eq!(
			taken.enter(refused(140), 134),
			None,
			"refusals are counted from 0 again"
		);
	}

	#[test]
	fn full_pool_is_retried_after_each_final_block() {
		let mut one = open();
		one.enter(Offered::NoRoom, 100);
		assert_eq!((one.step(5, 100), one.step(5, 101)), (Step::Wait, Step::Offer));
	}

	#[test]
	fn transaction_that_a_full_pool_removed_is_missed_at_once() {
		let reason = String::from("Transaction is temporarily banned");
		let mut one = open();
		one.enter(Offered::Pooled, 100);
		let removed = Offered::Removed {
			reason: reason.clone(),
		};
		assert_eq!(one.enter(removed, 104), Some(Why::Removed(reason)));
	}

	#[test]
	fn transaction_is_missed_when_it_expires() {
		let mut one = open();
		one.enter(Offered::Pooled, 160);
		assert_eq!(one.step(5, 162), Step::Wait);
		assert_eq!(one.step(5, 163), Step::Miss(Why::Expired));
		one.enter(refused(170), 162);
		assert_eq!(one.step(5, 163), Step::Miss(Why::Refused(REASON.into())));
	}

	#[test]
	fn number_of_signatures_is_bounded() {
		let miss = |what: &str, why: &Why| Missed {
			what: what.into(),
			why: why.clone(),
		};
		let mut tries = Tries::default();
		for _ in 1..MOST_TRIES {
			let wave = vec![miss("one", &nonce_used()), miss("other", &Why::Expired)];
			tries.enter(wave).unwrap();
		}
		let said = tries
			.enter(vec![miss("one", &nonce_used())])
			.unwrap_err()
			.to_string();
		assert!(
			said.contains("one is not on the chain after 10 attempts")
				&& said.contains("used nonce 5 of account"),
			"{said}"
		);

		let refused = Why::Refused(REASON.into());
		let mut tries = Tries::default();
		tries.enter(vec![miss("one", &refused)]).unwrap();
		let said = tries.enter(vec![miss("one", &refused)]).unwrap_err().to_string();
		assert!(
			said.contains("the node refused it: ") && said.contains(REASON),
			"{said}"
		);
	}
}
