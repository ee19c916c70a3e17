//! Makes blocks as a node does: Aura digests, timestamps, extrinsics through `Executive`.

use crate::{
	accounts::{signed, Signed},
	market::{now, reading},
	sums, Snapshot,
};
use codec::Encode;
use commonwatt_runtime::{
	configs::SlotDuration, AccountId, EnergyMarket, Executive, Header, Runtime, RuntimeCall, RuntimeOrigin,
	System, UncheckedExtrinsic, Upgrades, Validators,
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

/// The era of a chain's first block.
const FIRST_ERA: u64 = 1_000_000;

/// A chain in memory. After each block it checks that the invariants of market, validators and upgrades hold, that every owner has
/// on hold what its open contracts say, and that every account's balance changed by exactly what the block's settlement
/// events say. A failed check panics.
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

	/// Makes one block, a slot after the last one. `inside` runs where extrinsics would, and its result is returned.
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
		assert_ok!(
			Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set)).expect("the timestamp is valid")
		);
		let result = inside();
		let ledger = Snapshot::now();
		self.parent = Executive::finalize_block();
		ledger.assert_told();
		assert_ok!(EnergyMarket::do_try_state());
		assert_ok!(Validators::do_try_state());
		assert_ok!(Upgrades::do_try_state());
		#[cfg(feature = "try-runtime")]
		assert_ok!(
			<commonwatt_runtime::AllPalletsWithSystem as frame_support::traits::TryState<_>>::try_state(
				*self.parent.number(),
				frame_support::traits::TryStateSelect::All,
			)
		);
		sums::assert_holds();
		result
	}

	/// Makes one block with these extrinsics and returns their results.
	pub fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) -> Vec<ApplyExtrinsicResult> {
		self.block_with(|| extrinsics.into_iter().map(Executive::apply_extrinsic).collect())
	}

	/// Makes one block with these calls, each signed by its account. Panics unless all succeed.
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

	/// Makes one block with one signed call and returns the call's result. Panics if the transaction is invalid.
	pub fn try_submit(&mut self, call: Signed) -> DispatchResult {
		let extrinsic = signed(System::account_nonce(&call.0), call);
		self.block(vec![extrinsic])
			.remove(0)
			.expect("a valid transaction")
	}

	/// Validates an extrinsic as a transaction pool would, without changing the state.
	pub fn validate(&self, extrinsic: UncheckedExtrinsic) -> TransactionValidity {
		let parent = self.parent.hash();
		// A node discards the writes of a validation, too.
		storage::with_transaction_unchecked(|| {
			TransactionOutcome::Rollback(Executive::validate_transaction(
				TransactionSource::External,
				extrinsic,
				parent,
			))
		})
	}

	/// Moves the clock to the start of the next era, makes blocks until the era's round is done, and returns its
	/// number. Panics if the round takes longer than an era.
	pub fn next_era(&mut self) -> EraIndex {
		self.next_era_with(|_| ())
	}

	/// Like [`Chain::next_era`], and calls `inside` in each block with the block's index, from 0. In the first block
	/// the previous era is still running; in the next one the chain solves the games of the new era.
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
			assert!(self.now_ms < deadline_ms, "the round takes longer than an era");
		}
		unreachable!("the deadline comes first")
	}

	/// Ends the running era, submits readings for it (household, generation and consumption in Wh), and ends the next
	/// era too, so that the readings are settled. Meters without a reading here stay silent.
	pub fn deliver(&mut self, metered: impl IntoIterator<Item = (impl Into<HouseholdId>, u32, u32)>) {
		self.next_era();
		let readings = metered.into_iter();
		self.submit(readings.map(|(household, generated, consumed)| reading(household, generated, consumed)));
		self.next_era();
	}

	/// Moves the clock to the end of the running era, unless it is there already, without making a block.
	pub fn skip_era(&mut self) {
		self.now_ms = self.now_ms.max(now().ends_ms);
	}

	/// Moves the clock on by `ms` without making a block.
	pub fn stand_still(&mut self, ms: u64) {
		self.now_ms += ms;
	}
}

/// Runs a call without signature or fee, inside [`Chain::block_with`] or between two blocks: for accounts without keys,
/// and where signing thousands of calls would take too long.
pub fn dispatch((who, call): Signed) -> DispatchResult {
	call.dispatch(RuntimeOrigin::signed(who))
		.map(|_| ())
		.map_err(|refused| refused.error)
}
