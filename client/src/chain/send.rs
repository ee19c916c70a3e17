//! Signing transactions, submitting a wave of them at once, and waiting until all are in final blocks.

use super::{At, Node};
use crate::fault::{Fault, OrFault};
use futures::future::{join_all, try_join_all};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};
use subxt::{
	config::{substrate::H256, DefaultExtrinsicParamsBuilder},
	dynamic,
	error::DispatchError,
	events::Phase,
	ext::scale_encode::EncodeAsFields,
	rpcs::rpc_params,
	utils::{to_hex, AccountId32},
	SubstrateConfig,
};
use subxt_signer::sr25519::Keypair;

/// A wave that is not in blocks after so long will not get there.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often to look for a new block.
const LOOK: Duration = Duration::from_millis(20);
/// A transaction that nobody put into one of so many blocks is void, so that none turns up eras later.
const MORTALITY_BLOCKS: u64 = 64;
/// The pool's answers for a transaction that it has already, or has another one in place of.
const ALREADY_THERE: [i32; 2] = [1013, 1014];
/// The pool's answer for a transaction that is not valid, for instance because its number has been used.
const INVALID: i32 = 1010;

/// A signed transaction.
pub struct Signed {
	/// For messages.
	what: String,
	account: AccountId32,
	nonce: u64,
	hash: H256,
	bytes: Vec<u8>,
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

/// Signs a call with the account's next number.
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
	})
}

/// Signs a call with a number of the account's, good for so many blocks after this one. Returns its hash and its bytes.
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

/// Submits a wave and waits until each of its transactions is in a final block. Returns those that failed there.
pub async fn send(node: &Node, at: &At, wave: Vec<Signed>) -> Result<Vec<Failed>, Fault> {
	let begun = Instant::now();
	let answers = join_all(wave.iter().map(|signed| submit(node, signed))).await;
	answers.into_iter().collect::<Result<Vec<()>, Fault>>()?;
	let mut open: BTreeMap<H256, Signed> = wave.into_iter().map(|signed| (signed.hash, signed)).collect();
	let mut failed = Vec::new();
	let mut next = at.block_number() + 1;
	while !open.is_empty() {
		let head = node.head().await?;
		if next <= head.block_number() {
			for number in next..=head.block_number() {
				take_included(&node.at(number).await?, &mut open, &mut failed).await?;
			}
			next = head.block_number() + 1;
			drop_replaced(&head, &mut open).await?;
		}
		if begun.elapsed() > PATIENCE {
			let what: Vec<_> = open.values().map(|signed| signed.what.as_str()).collect();
			return Err(Fault::Chain(format!(
				"not in a block after {} s: {}",
				PATIENCE.as_secs(),
				what.join(", ")
			)));
		}
		if !open.is_empty() {
			tokio::time::sleep(LOOK).await;
		}
	}
	Ok(failed)
}

/// Sends a wave of which nothing may fail.
pub async fn send_all(node: &Node, at: &At, wave: Vec<Signed>) -> Result<(), Fault> {
	match send(node, at, wave).await?.into_iter().next() {
		Some(failed) => Err(failed.into_fault()),
		None => Ok(()),
	}
}

/// What the pool says to a transaction.
pub enum Offered {
	/// It is in the pool, from now on or already.
	Pooled,
	/// It is not valid, and why.
	Invalid(String),
}

/// Offers a transaction to the pool.
pub async fn offer(node: &Node, bytes: &[u8]) -> Result<Offered, Fault> {
	let answer: Result<H256, _> = node
		.rpc
		.request("author_submitExtrinsic", rpc_params![to_hex(bytes)])
		.await;
	match answer {
		Ok(_) => Ok(Offered::Pooled),
		Err(subxt::rpcs::Error::User(error)) if ALREADY_THERE.contains(&error.code) => Ok(Offered::Pooled),
		Err(subxt::rpcs::Error::User(error)) if error.code == INVALID => {
			let data = error
				.data
				.map_or(String::new(), |data| format!(" {}", data.get()));
			Ok(Offered::Invalid(format!("{}{data}", error.message)))
		}
		Err(error) => Err(error).or_fault(),
	}
}

async fn submit(node: &Node, signed: &Signed) -> Result<(), Fault> {
	// One that is there already was sent by a run before this one: it is on its way, and the account's number will tell.
	let Offered::Invalid(reason) = offer(node, &signed.bytes).await? else {
		return Ok(());
	};
	let head = node.head().await?;
	if super::account(&head, &signed.account).await?.nonce > signed.nonce {
		return Ok(());
	}
	Err(Fault::Chain(format!("{} was refused: {reason}", signed.what)))
}

/// Takes the transactions of one block off the open ones.
async fn take_included(
	at: &At,
	open: &mut BTreeMap<H256, Signed>,
	failed: &mut Vec<Failed>,
) -> Result<(), Fault> {
	let extrinsics = at.extrinsics().fetch().await.or_fault()?;
	let mut included = BTreeMap::new();
	for extrinsic in extrinsics.iter() {
		let extrinsic = extrinsic.or_fault()?;
		if let Some(signed) = open.remove(&extrinsic.hash()) {
			included.insert(extrinsic.index() as u32, signed);
		}
	}
	if included.is_empty() {
		return Ok(());
	}
	for event in at.events().fetch().await.or_fault()?.iter() {
		let event = event.or_fault()?;
		let Phase::ApplyExtrinsic(index) = event.phase() else {
			continue;
		};
		if event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed" {
			if let Some(signed) = included.remove(&index) {
				let reason = DispatchError::decode_from(event.field_bytes(), at.metadata()).or_fault()?;
				failed.push(Failed {
					what: signed.what,
					reason: reason.to_string(),
				});
			}
		}
	}
	Ok(())
}

/// Takes off the open ones those in whose place another transaction of the account got into a block. A resumed run
/// meets what the interrupted one sent; it then looks at the chain again.
async fn drop_replaced(head: &At, open: &mut BTreeMap<H256, Signed>) -> Result<(), Fault> {
	let nonces = open.values().map(|signed| super::account(head, &signed.account));
	let nonces = try_join_all(nonces).await?;
	let replaced: Vec<H256> = open
		.values()
		.zip(nonces)
		.filter(|(signed, account)| account.nonce > signed.nonce)
		.map(|(signed, _)| signed.hash)
		.collect();
	replaced.iter().for_each(|hash| {
		open.remove(hash);
	});
	Ok(())
}
