//! Blocks, as a node makes them: Aura digests, timestamps, extrinsics through `Executive`.

use crate::{
	accounts::{signed, Signed},
	market::{now, reading},
	sums, Snapshot,
};
use codec::Encode;
use commonwatt_runtime::{
	configs::SlotDuration, AccountId, EnergyMarket, Executive, Header, Runtime, RuntimeCall, RuntimeOrigin,
	System, UncheckedExtrinsic,
};
use frame_support::{assert_ok, storage, traits::Get};
use pallet_energy_market::{EraIndex, EraLengthMs, HouseholdId, Round};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_runtime::{
	traits::{Dispatchable, Header as _},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult, Digest, DigestItem, DispatchResult, TransactionOutcome,
};
use std::collections::BTreeMap;

/// The era that a chain's first block lies in.
const FIRST_ERA: u64 = 1_000_000;

/// A chain in memory. After each of its blocks the market's invariants are checked, that what is on hold is what open
/// contracts say, and that on every account just that money has moved that settlements tell of.
pub struct Chain {
	parent: Header,
	now_ms: u64,
}

impl Chain {
	pub(crate) fn first_block() -> Self {
		let mut chain = Self {
			parent: Header::new(
				0,
				Default::default(),
				Default::default(),
				Default::default(),
				Default::default(),
			),
			now_ms: FIRST_ERA * EraLengthMs::<Runtime>::get(),
		};
		chain.block(vec![]);
		chain
	}

	/// One block, a slot later; `inside` runs where extrinsics would.
	pub fn block_with<R>(&mut self, inside: impl FnOnce() -> R) -> R {
		self.now_ms += SlotDuration::get();
		let slot = self.now_ms / SlotDuration::get();
		let digest = Digest {
			logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())],
		};
		let header = Header::new(
			self.parent.number() + 1,
			Default::default(),
			Default::default(),
			self.parent.hash(),
			digest,
		);
		Executive::initialize_block(&header);
		let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: self.now_ms });
		assert_ok!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set)).expect("applies"));
		let result = inside();
		let ledger = Snapshot::now();
		self.parent = Executive::finalize_block();
		ledger.assert_told();
		assert_ok!(EnergyMarket::do_try_state());
		sums::assert_holds();
		result
	}

	/// One block with these extrinsics; their results.
	pub fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) -> Vec<ApplyExtrinsicResult> {
		self.block_with(|| extrinsics.into_iter().map(Executive::apply_extrinsic).collect())
	}

	/// One block with these calls, each signed by its account; all must succeed.
	pub fn submit(&mut self, calls: impl IntoIterator<Item = Signed>) {
		let mut nonces = BTreeMap::<AccountId, u32>::new();
		let extrinsics = calls
			.into_iter()
			.map(|call| {
				let next = nonces
					.entry(call.0.clone())
					.or_insert_with(|| System::account_nonce(&call.0));
				*next += 1;
				signed(*next - 1, call)
			})
			.collect();
		for result in self.block(extrinsics) {
			assert_ok!(result.expect("a valid transaction"));
		}
	}

	/// One block with one signed call; what came of it. The transaction itself must be valid.
	pub fn try_submit(&mut self, call: Signed) -> DispatchResult {
		let extrinsic = signed(System::account_nonce(&call.0), call);
		self.block(vec![extrinsic])
			.remove(0)
			.expect("a valid transaction")
	}

	/// What a transaction pool would say of this extrinsic.
	pub fn validate(&self, extrinsic: UncheckedExtrinsic) -> TransactionValidity {
		let parent = self.parent.hash();
		// A node drops what validation wrote.
		storage::with_transaction_unchecked(|| {
			TransactionOutcome::Rollback(Executive::validate_transaction(
				TransactionSource::External,
				extrinsic,
				parent,
			))
		})
	}

	/// Moves the clock to the next era's first block, and makes blocks until its clearing is through; the number of the
	/// era.
	pub fn next_era(&mut self) -> EraIndex {
		self.next_era_with(|_| ())
	}

	/// [`Chain::next_era`], with something done in each of the blocks, which are counted from 0: in the first the era
	/// before is still running, in the next the games of the new one are solved.
	pub fn next_era_with(&mut self, mut inside: impl FnMut(u32)) -> EraIndex {
		while Round::<Runtime>::exists() {
			self.block(vec![]);
		}
		let ended = now().current;
		self.skip_era();
		let deadline_ms = self.now_ms + EraLengthMs::<Runtime>::get();
		for block in 0.. {
			self.block_with(|| inside(block));
			let reached = now();
			if reached.current > ended && reached.round.is_none() {
				return reached.current;
			}
			assert!(self.now_ms < deadline_ms, "clearing takes more than an era");
		}
		unreachable!("the deadline comes first")
	}

	/// Lets the era that runs end, has these meters report it (household, generation and consumption in Wh), and lets the
	/// next end too: then it is settled. The others stay silent.
	pub fn deliver(&mut self, metered: impl IntoIterator<Item = (HouseholdId, u32, u32)>) {
		self.next_era();
		let readings = metered.into_iter();
		self.submit(readings.map(|(household, generated, consumed)| reading(household, generated, consumed)));
		self.next_era();
	}

	/// No block until the era that runs is over, if it is not over already.
	pub fn skip_era(&mut self) {
		self.now_ms = self.now_ms.max(now().ends_ms);
	}

	/// No block for so long.
	pub fn stand_still(&mut self, ms: u64) {
		self.now_ms += ms;
	}
}

/// Runs a call without signature, fee or block, as `inside` of [`Chain::block_with`] or between two blocks: for accounts
/// without keys, and where signing thousands of calls would take too long.
pub fn dispatch((who, call): Signed) -> DispatchResult {
	call.dispatch(RuntimeOrigin::signed(who))
		.map(|_| ())
		.map_err(|refused| refused.error)
}
