//! # Mining
//!
//! The runtime's part in proof of work: the difficulty of the next block, and the reward for the miner of the last one.
//! The genesis decides whether a chain is mined; on any other chain the pallet does nothing.
//!
//! ## Overview
//! - **Difficulty** is the mean number of hashes that a block takes. After every block, [`retarget`] computes it again
//!   from the last [`WINDOW`] blocks, so that the mean time between blocks is [`MiningRules::target_block_ms`].
//! - **Reward**: the pallet issues [`MiningRules::reward`] to the account in the block's header: the first `PreRuntime`
//!   item of its digest with the engine `pow_`, which is the account's SCALE encoding. Without such an item, or if it
//!   does not decode, there is no reward.
//!
//! The pallet does not check the work itself. The nodes do that before they execute a block; they query the difficulty
//! through `sp_consensus_pow::DifficultyApi`.
//!
//! ## Time
//! A miner takes a block's timestamp when it begins to search for the seal. So the time between two blocks' timestamps
//! is the time that the first one took to mine. A timestamp is later than its parent's and may be up to 30 s ahead of a
//! node's clock (`pallet_timestamp`).

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

	/// The types that the runtime provides.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The currency in which rewards are issued.
		type Currency: Mutate<Self::AccountId>;
		/// The block's timestamp, in milliseconds.
		type Time: Time<Moment = u64>;
		/// Measured weight of the hooks.
		type WeightInfo: WeightInfo;
	}

	/// The mining rules of a chain, fixed at genesis.
	#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
	pub struct MiningRules<Balance> {
		/// Target for the mean time between blocks, ms; above 0.
		pub target_block_ms: u64,
		/// Reward of a block's miner, in the smallest unit of the balance.
		pub reward: Balance,
	}

	/// The mining rules; empty on a chain that is not mined.
	#[pallet::storage]
	pub type Rules<T: Config> = StorageValue<_, MiningRules<BalanceOf<T>>>;

	/// Mean number of hashes that the next block takes; 0 on a chain that is not mined.
	#[pallet::storage]
	pub type Difficulty<T: Config> = StorageValue<_, u128, ValueQuery>;

	/// The last `WINDOW` + 1 blocks, oldest first, from which the next difficulty is computed.
	#[pallet::storage]
	pub type Recent<T: Config> = StorageValue<_, BoundedVec<Mined, ConstU32<{ WINDOW + 1 }>>, ValueQuery>;

	/// Mining rules and first difficulty. All zero, which is the default, means that the chain is not mined.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Mean number of hashes that the first block takes; 0 means that the chain is not mined.
		pub initial_difficulty: u128,
		/// Target for the mean time between blocks, ms; above 0 on a mined chain.
		pub target_block_ms: u64,
		/// Reward of a block's miner: 0, or at least the minimum balance.
		pub reward: BalanceOf<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			self.try_build().unwrap_or_else(|error| panic!("{error}"));
		}
	}

	impl<T: Config> GenesisConfig<T> {
		/// Builds the genesis. Where the framework's `build` can only panic, this says in words what is wrong.
		pub fn try_build(&self) -> Result<(), &'static str> {
			let Self {
				initial_difficulty,
				target_block_ms,
				reward,
			} = *self;
			if initial_difficulty == 0 {
				return match target_block_ms == 0 && reward == Default::default() {
					true => Ok(()),
					false => Err(
						"genesis: target_block_ms or reward is set, so initial_difficulty must be above 0",
					),
				};
			}
			if target_block_ms == 0 {
				return Err("genesis: target_block_ms must be at least 1 on a mined chain");
			}
			if reward != Default::default()
				&& reward < <T::Currency as fungible::Inspect<_>>::minimum_balance()
			{
				return Err("genesis: reward must be 0 or at least the minimum balance");
			}
			Difficulty::<T>::put(initial_difficulty);
			Rules::<T>::put(MiningRules {
				target_block_ms,
				reward,
			});
			Ok(())
		}
	}

	/// Events of mining.
	#[pallet::event]
	#[pallet::generate_deposit(fn deposit_event)]
	pub enum Event<T: Config> {
		/// The reward was issued to the miner of the block.
		#[codec(index = 0)]
		RewardPaid {
			/// The account in the block's header.
			miner: T::AccountId,
			/// The reward, in the smallest unit of the balance.
			amount: BalanceOf<T>,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			// Charges for `on_finalize`. On a chain that is not mined, both hooks only read whether it is.
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
		/// Returns whether this chain is mined. It never changes.
		pub fn is_mined() -> bool {
			Rules::<T>::exists()
		}

		/// Records the block that ends, and sets the difficulty of the next one.
		fn retarget(target_block_ms: u64) {
			let difficulty = Difficulty::<T>::get();
			let timestamp_ms = T::Time::now();
			let next = Recent::<T>::mutate(|recent| {
				if recent.is_full() {
					recent.remove(0);
				}
				// There is room: the oldest entry was removed above.
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
			// Fails only if the total issuance would overflow.
			if T::Currency::mint_into(&miner, amount).is_ok() {
				Self::deposit_event(Event::RewardPaid { miner, amount });
			}
		}

		/// The account in the header of the block that is being executed, if there is one.
		fn miner() -> Option<T::AccountId> {
			let digest = frame_system::Pallet::<T>::digest();
			let named = digest.logs().iter().find_map(|item| match item {
				DigestItem::PreRuntime(POW_ENGINE_ID, named) => Some(named),
				_ => None,
			})?;
			T::AccountId::decode_all(&mut named.as_slice()).ok()
		}

		/// Checks that a mined chain has rules and a difficulty and any other chain has neither, and that the recorded
		/// timestamps increase.
		#[cfg(any(test, feature = "try-runtime"))]
		pub(crate) fn check_state() -> Result<(), sp_runtime::TryRuntimeError> {
			let recent = Recent::<T>::get();
			ensure!(
				Self::is_mined() == (Difficulty::<T>::get() > 0),
				"mining rules without a difficulty, or a difficulty without rules"
			);
			ensure!(
				Self::is_mined() || recent.is_empty(),
				"blocks are recorded on a chain that is not mined"
			);
			ensure!(
				recent
					.windows(2)
					.all(|pair| matches!(pair, [a, b] if a.timestamp_ms < b.timestamp_ms)),
				"the timestamps of recorded blocks do not increase"
			);
			Ok(())
		}
	}
}
