//! # Mining
//!
//! What a chain needs of its runtime to be mined: the difficulty of the next block, and the reward of who mined the
//! last one. Whether a chain is mined is decided in its genesis, once; on any other chain the pallet does nothing.
//!
//! ## Overview
//! - **Difficulty** is the mean number of hashes that a block takes. After every block it is set anew by [`retarget`],
//!   from the last [`WINDOW`] blocks, so that blocks come every [`MiningRules::target_block_ms`] in the mean.
//! - **Reward**: [`MiningRules::reward`] is issued to the account that the block's header names: the first
//!   `PreRuntime` item of its digest with the engine `pow_`, the account's SCALE encoding. A header that names none, or
//!   no account, has no reward.
//!
//! The work itself is not checked here but by the nodes, before they execute a block. They ask for the difficulty
//! through `sp_consensus_pow::DifficultyApi`.
//!
//! ## Time
//! A miner takes a block's timestamp when it begins to look for the seal, so the time between two blocks' timestamps is
//! what the first one took to mine. A timestamp may be up to 30 s ahead of a node's clock (`pallet_timestamp`), and is
//! later than its parent's.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
pub mod retarget;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use retarget::{Mined, WINDOW};
pub use weights::WeightInfo;

use codec::DecodeAll;
use frame_support::traits::{fungible, Time};
use sp_consensus_pow::POW_ENGINE_ID;
use sp_runtime::DigestItem;

type BalanceOf<T> =
	<<T as Config>::Currency as fungible::Inspect<<T as frame_system::Config>::AccountId>>::Balance;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible::Mutate};
	use frame_system::pallet_prelude::*;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet takes from the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The money that rewards are issued in.
		type Currency: Mutate<Self::AccountId>;
		/// The block's timestamp, in milliseconds.
		type Time: Time<Moment = u64>;
		/// What the hook weighs.
		type WeightInfo: WeightInfo;
	}

	/// How a chain is mined; fixed at genesis.
	#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
	pub struct MiningRules<Balance> {
		/// Milliseconds that a block should take to mine, in the mean.
		pub target_block_ms: u64,
		/// What a block's miner gets, in the smallest unit.
		pub reward: Balance,
	}

	/// How this chain is mined; empty on a chain that is not.
	#[pallet::storage]
	pub type Rules<T: Config> = StorageValue<_, MiningRules<BalanceOf<T>>>;

	/// The mean number of hashes that the next block takes; 0 on a chain that is not mined.
	#[pallet::storage]
	pub type Difficulty<T: Config> = StorageValue<_, u128, ValueQuery>;

	/// The last blocks, oldest first: what the next difficulty is made from.
	#[pallet::storage]
	pub type Recent<T: Config> = StorageValue<_, BoundedVec<Mined, ConstU32<{ WINDOW + 1 }>>, ValueQuery>;

	/// How the chain starts.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Hashes that the first block takes in the mean; 0: this chain is not mined.
		pub initial_difficulty: u128,
		/// Milliseconds that a block should take to mine; at least 1 on a chain that is mined.
		pub target_block_ms: u64,
		/// What a block's miner gets: 0, or at least what an account must hold to exist.
		pub reward: BalanceOf<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let Self {
				initial_difficulty,
				target_block_ms,
				reward,
			} = *self;
			if initial_difficulty == 0 {
				assert!(
					target_block_ms == 0 && reward == Default::default(),
					"a chain that is mined has an initial difficulty"
				);
				return;
			}
			assert!(
				target_block_ms > 0,
				"a block takes at least one millisecond to mine"
			);
			assert!(
				reward == Default::default()
					|| reward >= <T::Currency as fungible::Inspect<_>>::minimum_balance(),
				"a reward is at least what an account must hold to exist"
			);
			Difficulty::<T>::put(initial_difficulty);
			Rules::<T>::put(MiningRules {
				target_block_ms,
				reward,
			});
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(fn deposit_event)]
	pub enum Event<T: Config> {
		/// The block's miner got its reward, newly issued.
		#[codec(index = 0)]
		RewardPaid {
			/// Whom the block's header names.
			miner: T::AccountId,
			/// How much, in the smallest unit.
			amount: BalanceOf<T>,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			// What `on_finalize` will take; on a chain that is not mined, the look whether it is.
			match Self::is_mined() {
				true => T::WeightInfo::finalize_block(),
				false => T::DbWeight::get().reads(2),
			}
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			if let Some(rules) = Rules::<T>::get() {
				Self::retarget(rules.target_block_ms);
				Self::reward(rules.reward);
			}
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::check_state()
		}
	}

	impl<T: Config> Pallet<T> {
		/// Is this chain mined?
		pub fn is_mined() -> bool {
			Rules::<T>::exists()
		}

		/// Notes the block that ends and sets the difficulty of the next one.
		fn retarget(target_block_ms: u64) {
			let difficulty = Difficulty::<T>::get();
			let timestamp_ms = T::Time::now();
			let next = Recent::<T>::mutate(|recent| {
				if recent.is_full() {
					recent.remove(0);
				}
				// Never full here.
				let _ = recent.try_push(Mined {
					timestamp_ms,
					difficulty,
				});
				retarget::next_difficulty(recent, target_block_ms)
			});
			Difficulty::<T>::put(next);
		}

		/// Issues the reward, if the header names an account.
		fn reward(amount: BalanceOf<T>) {
			if amount == Default::default() {
				return;
			}
			let Some(miner) = Self::miner() else { return };
			// Refused only if the sum of all money would leave its range.
			if T::Currency::mint_into(&miner, amount).is_ok() {
				Self::deposit_event(Event::RewardPaid { miner, amount });
			}
		}

		/// Whom the header of the block that is being executed names.
		fn miner() -> Option<T::AccountId> {
			let digest = frame_system::Pallet::<T>::digest();
			let named = digest.logs().iter().find_map(|item| match item {
				DigestItem::PreRuntime(POW_ENGINE_ID, named) => Some(named),
				_ => None,
			})?;
			T::AccountId::decode_all(&mut named.as_slice()).ok()
		}

		/// A chain is mined with rules and a difficulty, or has neither; its blocks' times go up.
		#[cfg(any(test, feature = "try-runtime"))]
		pub(crate) fn check_state() -> Result<(), sp_runtime::TryRuntimeError> {
			let recent = Recent::<T>::get();
			ensure!(
				Self::is_mined() == (Difficulty::<T>::get() > 0),
				"a mined chain has rules and a difficulty, any other neither"
			);
			ensure!(
				Self::is_mined() || recent.is_empty(),
				"only a mined chain notes its blocks"
			);
			ensure!(
				recent
					.windows(2)
					.all(|pair| matches!(pair, [a, b] if a.timestamp_ms < b.timestamp_ms)),
				"each noted block is later than the one before"
			);
			Ok(())
		}
	}
}
