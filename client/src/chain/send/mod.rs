//! Signs transactions, submits a wave of them at once, and follows each of them until a final block says what became of
//! it.
//!
//! A nonce is read in a final block, and the pool judges by the best block, which is ahead of it. So the pool may call a
//! transaction outdated because a block that is not final yet holds an earlier one with the same nonce: one that a run
//! before sent, or this run before it lost its connection, or another program. Such a refusal is neither a failure nor
//! a success. [`send`] therefore waits until the final chain has caught up with the block that the pool judged by.
//! Then one of these holds:
//!
//! - the transaction is in a final block, where its hash is found;
//! - another transaction used the nonce, or none can use this one any more, or the pool still refuses it: the transaction
//!   is [`Missed`]. What it was to do may be done already, so the caller looks at the state, and signs again if it is not.
//!   [`Tries`] bounds how often.

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

/// Number of blocks in which a transaction is valid, so that none turns up eras later.
const MORTALITY_BLOCKS: u64 = 64;
/// A transaction that is in no final block is offered again after this many of them: the pool may have dropped it.
const OFFER_AGAIN_BLOCKS: u64 = 4;
/// A transaction is signed at most this often when others take its nonce, or no block takes it.
const MOST_TRIES: u32 = 10;
/// A transaction is signed at most this often when the node refuses it.
const MOST_REFUSALS: u32 = 2;

/// A signed transaction.
pub struct Signed {
	/// For messages.
	what: String,
	account: AccountId32,
	nonce: u64,
	hash: H256,
	bytes: Vec<u8>,
	/// Number of the first block in which it is void.
	void_from: u64,
}

/// A transaction that got into a block and failed there.
pub struct Failed {
	/// What it was.
	pub what: String,
	/// The chain's words.
	pub reason: String,
}

impl Failed {
	/// Whether it came too late: the era that it was for had passed.
	pub fn came_late(&self) -> bool {
		["ReadingForWrongEra", "StrategiesForWrongEra"]
			.iter()
			.any(|error| self.reason.contains(error))
	}

	/// As a fault.
	pub fn into_fault(self) -> Fault {
		Fault::Chain(format!("{} was refused: {}", self.what, self.reason))
	}
}

/// Why a transaction is in no final block, and will not be in a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
	/// A transaction with another hash has its account and nonce.
	NonceUsed {
		/// The account.
		account: AccountId32,
		/// The nonce.
		nonce: u64,
	},
	/// No block took it while it was valid.
	Expired,
	/// The pool refuses it, in the words of the node.
	Refused(String),
}

impl fmt::Display for Why {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::NonceUsed { account, nonce } => write!(
				f,
				"another transaction used nonce {nonce} of account {account}; does another program sign with the same key?"
			),
			Self::Expired => write!(
				f,
				"no block took it within {MORTALITY_BLOCKS} blocks, after which it is void"
			),
			Self::Refused(reason) => write!(f, "the node refused it: {reason}"),
		}
	}
}

/// A transaction that is in no final block, and will not be in a later one. What it was to do may be done all the same,
/// by an earlier transaction.
#[derive(Debug)]
pub struct Missed {
	/// What it was.
	pub what: String,
	/// Why it is in no block.
	pub why: Why,
}

/// What became of a wave; the transactions that are in neither list are in final blocks and succeeded.
#[derive(Default)]
pub struct Outcome {
	/// Those that failed in a final block.
	pub failed: Vec<Failed>,
	/// Those that are in no block: look at the state, and sign again what it lacks.
	pub missed: Vec<Missed>,
}

/// Counts how often each transaction was signed in vain, so that none is signed again forever.
#[derive(Default)]
pub struct Tries(BTreeMap<String, u32>);

impl Tries {
	/// Counts the missed transactions of a wave, by what they were. An error if one of them was missed too often.
	pub fn enter(&mut self, missed: Vec<Missed>) -> Result<(), Fault> {
		for Missed { what, why } in missed {
			let most = match why {
				Why::Refused(_) => MOST_REFUSALS,
				Why::NonceUsed { .. } | Why::Expired => MOST_TRIES,
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

/// Signs a call with a nonce of the account, valid for a number of blocks after this one. Returns its hash and its bytes.
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

/// Submits a wave that was signed in a final block, and waits until final blocks say what became of each transaction.
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
				"the chain has made no block final for {} s, the last one is {}; not in a final block: {}",
				FINALITY.as_secs(),
				head.block_number(),
				what.join(", ")
			)));
		}
	}
}

/// Sends a wave of which nothing may fail in a block. Returns what is in no block.
pub async fn send_all(node: &Node, at: &At, wave: Vec<Signed>) -> Result<Vec<Missed>, Fault> {
	let outcome = send(node, at, wave).await?;
	match outcome.failed.into_iter().next() {
		Some(failed) => Err(failed.into_fault()),
		None => Ok(outcome.missed),
	}
}

/// A transaction of which no final block has said what became of it.
struct Open {
	signed: Signed,
	/// What the pool said when it refused it.
	refusal: Option<String>,
	/// Offered again once the block of this number is final.
	again_at: u64,
}

/// What to do about an open transaction, after a final block that does not have it.
#[derive(Debug, PartialEq, Eq)]
enum Step {
	Wait,
	Offer,
	Miss(Why),
}

impl Open {
	/// Notes the pool's answer, when the final block of a number was the newest.
	fn enter(&mut self, offered: Offered, number: u64) -> Option<Why> {
		match offered {
			Offered::Refused { reason, block } => {
				if self.refusal.is_some() {
					return Some(Why::Refused(reason));
				}
				self.refusal = Some(reason);
				self.again_at = block;
			}
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

	/// What to do, where `nonce` is the account's next one in the newest final block, of this number.
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

/// A wave on its way.
struct Wave<'a> {
	node: &'a Node,
	open: BTreeMap<H256, Open>,
	/// Number of the next final block to be read.
	next: u64,
	outcome: Outcome,
}

impl<'a> Wave<'a> {
	/// Offers a wave that was signed in the final block of a number.
	async fn offer(node: &'a Node, number: u64, signed: Vec<Signed>) -> Result<Self, Fault> {
		let offers = signed
			.iter()
			.map(|signed| offer(node, &signed.bytes, (&signed.account, signed.nonce)));
		let offers = join_all(offers).await;
		let mut open = BTreeMap::new();
		for (signed, offered) in signed.into_iter().zip(offers) {
			let mut one = Open {
				signed,
				refusal: None,
				again_at: 0,
			};
			// A first refusal misses nothing yet.
			one.enter(offered?, number);
			open.insert(one.signed.hash, one);
		}
		Ok(Self {
			node,
			open,
			next: number.saturating_add(1),
			outcome: Outcome::default(),
		})
	}

	/// Takes the transactions that are in the final blocks up to this one off the open ones.
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

	/// Takes those that no block will have any more off the open ones, and offers others again. All final blocks up to
	/// this one have been read.
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
	fn transaction_is_missed_only_when_its_nonce_is_used_in_a_final_block() {
		let mut one = open();
		assert_eq!(one.enter(Offered::NonceUsed, 100), None);
		assert_eq!(one.step(5, 101), Step::Wait);
		assert_eq!(one.step(6, 101), Step::Miss(nonce_used()));
		// The best block that had used the nonce was given up: the pool may have lost the transaction.
		assert_eq!(one.step(5, 104), Step::Offer);
	}

	#[test]
	fn refusal_counts_when_the_block_that_it_was_judged_by_is_final_and_it_is_repeated() {
		let mut one = open();
		assert_eq!(one.enter(refused(130), 100), None);
		assert_eq!(one.step(5, 129), Step::Wait);
		assert_eq!(one.step(6, 129), Step::Miss(nonce_used()));
		assert_eq!(one.step(5, 130), Step::Offer);
		assert_eq!(one.enter(refused(140), 130), Some(Why::Refused(REASON.into())));

		let mut taken = open();
		taken.enter(refused(130), 100);
		assert_eq!(taken.enter(Offered::Pooled, 130), None);
		assert_eq!(taken.enter(refused(140), 134), None, "the first in a row again");
	}

	#[test]
	fn full_pool_is_asked_again_after_each_final_block() {
		let mut one = open();
		one.enter(Offered::NoRoom, 100);
		assert_eq!((one.step(5, 100), one.step(5, 101)), (Step::Wait, Step::Offer));
	}

	#[test]
	fn transaction_is_missed_when_no_later_block_can_have_it() {
		let mut one = open();
		one.enter(Offered::Pooled, 160);
		assert_eq!(one.step(5, 162), Step::Wait);
		assert_eq!(one.step(5, 163), Step::Miss(Why::Expired));
		one.enter(refused(170), 162);
		assert_eq!(one.step(5, 163), Step::Miss(Why::Refused(REASON.into())));
	}

	#[test]
	fn nothing_is_signed_again_forever() {
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
