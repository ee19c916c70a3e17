//! # Upgrades
//!
//! New code for the runtime, decided by a council. Two thirds of it decide on the hash of the code, which anybody can
//! compare with the code itself. The code then waits for [`Notice`], so that households and operators can read it, and
//! leave. Until it is applied, a third of the council can stop it. After the notice anybody applies it, by handing in the
//! code with that hash.
//!
//! ## Why not a motion to stop
//! `pallet-collective` holds a bounded number of motions, and refuses a motion that is open already. A member who fills
//! all places, or who opens the motion to stop with an unreachable threshold, could keep the others from stopping in
//! time. So a member objects by a call of its own, [`Pallet::object`], which needs no motion.
//!
//! ## Why not `system.authorize_upgrade`
//! It needs Root, which no council has here. And what it has authorized stays authorized: nothing takes it back.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{Get, SortedMembers, Time},
	};
	use frame_system::{pallet_prelude::*, SetCode, WeightInfo as _};
	use scale_info::TypeInfo;
	use sp_runtime::traits::{Hash, Saturating};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The types that the runtime provides.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Who decides on upgrades: two thirds of the council.
		type DecideOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// The members of the council, each of whom may object.
		type Council: SortedMembers<Self::AccountId>;
		/// Maximum number of members.
		#[pallet::constant]
		type MaxMembers: Get<u32>;
		/// The chain's clock, ms since 1970.
		type Time: Time<Moment = u64>;
		/// So many blocks must pass as well, so that an outage is no notice.
		type MinimumBlocks: Get<BlockNumberFor<Self>>;
		/// Measured weights.
		type WeightInfo: WeightInfo;
	}

	/// An upgrade that the council has decided on.
	#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
	pub struct Upgrade<Hash, BlockNumber> {
		/// Hash of the code, by the chain's own hash function.
		pub code_hash: Hash,
		/// When it may be applied, ms since 1970.
		pub from: u64,
		/// The first block that may apply it.
		pub from_block: BlockNumber,
	}

	type UpgradeOf<T> = Upgrade<<T as frame_system::Config>::Hash, BlockNumberFor<T>>;

	/// For how long an upgrade waits, ms. The genesis says it, or else it is [`DAY_MS`].
	#[pallet::storage]
	pub type Notice<T: Config> = StorageValue<_, u64, OptionQuery>;

	/// The upgrade that waits.
	#[pallet::storage]
	pub type Decided<T: Config> = StorageValue<_, UpgradeOf<T>, OptionQuery>;

	/// The members who object to it.
	#[pallet::storage]
	pub type Objections<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxMembers>, ValueQuery>;

	/// For how long upgrades wait.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// For how long an upgrade waits, ms. 0 is a day.
		pub notice_ms: u64,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			if self.notice_ms > 0 {
				Notice::<T>::put(self.notice_ms);
			}
		}
	}

	/// Events of upgrades.
	#[pallet::event]
	#[pallet::generate_deposit(fn deposit_event)]
	pub enum Event<T: Config> {
		/// The council decided on an upgrade.
		#[codec(index = 0)]
		Decided {
			/// Hash of the code.
			code_hash: T::Hash,
			/// When it may be applied, ms since 1970.
			from: u64,
		},
		/// A member of the council objects to the upgrade.
		#[codec(index = 1)]
		Objected {
			/// The member.
			member: T::AccountId,
			/// Hash of the code.
			code_hash: T::Hash,
			/// How many members object.
			objections: u32,
			/// How many members the council has.
			seats: u32,
		},
		/// The upgrade is stopped: a third of the council objects, or who decided it has withdrawn it.
		#[codec(index = 2)]
		Stopped {
			/// Hash of the code.
			code_hash: T::Hash,
		},
		/// The upgrade is the chain's code from the next block on.
		#[codec(index = 3)]
		Applied {
			/// Hash of the code.
			code_hash: T::Hash,
		},
	}

	/// Reasons why a call changes nothing.
	#[pallet::error]
	pub enum Error<T> {
		/// No upgrade waits.
		NothingDecided,
		/// Another upgrade waits. It must be applied or stopped first.
		AnotherWaits,
		/// The upgrade that waits has another hash.
		OtherCode,
		/// The upgrade must wait longer.
		TooEarly,
		/// The signer is not a member of the council.
		NotMember,
		/// The member objects already.
		AlreadyObjected,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxMembers::get() > 0, "MaxMembers must be above 0");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Decide that code with this hash becomes the runtime, after the notice.
		///
		/// Origin: two thirds of the council.
		///
		/// Errors: `AnotherWaits`. Event: `Decided`.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::decide())]
		pub fn decide(origin: OriginFor<T>, code_hash: T::Hash) -> DispatchResult {
			T::DecideOrigin::ensure_origin(origin)?;
			ensure!(!Decided::<T>::exists(), Error::<T>::AnotherWaits);
			let from = T::Time::now().saturating_add(Self::notice());
			let now = frame_system::Pallet::<T>::block_number();
			Decided::<T>::put(Upgrade {
				code_hash,
				from,
				from_block: now.saturating_add(T::MinimumBlocks::get()),
			});
			Self::deposit_event(Event::Decided { code_hash, from });
			Ok(())
		}

		/// Object to the upgrade that waits. If a third of the council's present members object, it is stopped. An
		/// objection cannot be taken back, but the council can decide on the same code again.
		///
		/// Origin: a member of the council, signed.
		///
		/// Errors: `NotMember`, `NothingDecided`, `OtherCode`, `AlreadyObjected`. Events: `Objected`, and `Stopped` if
		/// that makes a third.
		#[pallet::call_index(1)]
		// Who decides has room in full blocks, so who objects has it too.
		#[pallet::weight((T::WeightInfo::object(), DispatchClass::Operational))]
		pub fn object(origin: OriginFor<T>, code_hash: T::Hash) -> DispatchResult {
			let member = ensure_signed(origin)?;
			let council = T::Council::sorted_members();
			ensure!(council.binary_search(&member).is_ok(), Error::<T>::NotMember);
			Self::ensure_waits(&code_hash)?;
			let mut objections = Objections::<T>::get();
			ensure!(!objections.contains(&member), Error::<T>::AlreadyObjected);
			// Who has lost the seat since then objects no more.
			objections.retain(|other| council.binary_search(other).is_ok());
			// There are no more objections than members, and no more members than places.
			let _ = objections.try_push(member.clone());
			let (count, seats) = (objections.len() as u32, council.len() as u32);
			Self::deposit_event(Event::Objected {
				member,
				code_hash,
				objections: count,
				seats,
			});
			if count.saturating_mul(3) >= seats {
				Self::stop(code_hash);
			} else {
				Objections::<T>::put(objections);
			}
			Ok(())
		}

		/// Withdraw the upgrade that waits.
		///
		/// Origin: two thirds of the council.
		///
		/// Errors: `NothingDecided`, `OtherCode`. Event: `Stopped`.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>, code_hash: T::Hash) -> DispatchResult {
			T::DecideOrigin::ensure_origin(origin)?;
			Self::ensure_waits(&code_hash)?;
			Self::stop(code_hash);
			Ok(())
		}

		/// Make the code that was decided on the runtime, from the next block on. The call costs no fee if it succeeds.
		///
		/// Origin: anybody, signed.
		///
		/// Errors: `NothingDecided`, `OtherCode`, `TooEarly`; those of `system.set_code`, if the code is not a runtime of
		/// this chain with a higher version. Event: `Applied`.
		#[pallet::call_index(3)]
		// The SDK has measured what the code itself costs; besides it, the call does what a withdrawal does.
		#[pallet::weight(T::SystemWeightInfo::apply_authorized_upgrade().saturating_add(T::WeightInfo::withdraw()))]
		pub fn apply(origin: OriginFor<T>, code: Vec<u8>) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let code_hash = T::Hashing::hash(&code);
			let upgrade = Self::ensure_waits(&code_hash)?;
			let is_time = T::Time::now() >= upgrade.from
				&& frame_system::Pallet::<T>::block_number() >= upgrade.from_block;
			ensure!(is_time, Error::<T>::TooEarly);
			frame_system::Pallet::<T>::can_set_code(&code, true).into_result()?;
			T::OnSetCode::set_code(code)?;
			Self::forget();
			Self::deposit_event(Event::Applied { code_hash });
			Ok(Pays::No.into())
		}
	}

	impl<T: Config> Pallet<T> {
		/// For how long an upgrade waits, ms.
		pub fn notice() -> u64 {
			Notice::<T>::get().unwrap_or(DAY_MS)
		}

		/// The upgrade that waits, if it has this hash.
		fn ensure_waits(code_hash: &T::Hash) -> Result<UpgradeOf<T>, Error<T>> {
			let upgrade = Decided::<T>::get().ok_or(Error::<T>::NothingDecided)?;
			ensure!(upgrade.code_hash == *code_hash, Error::<T>::OtherCode);
			Ok(upgrade)
		}

		fn stop(code_hash: T::Hash) {
			Self::forget();
			Self::deposit_event(Event::Stopped { code_hash });
		}

		fn forget() {
			Decided::<T>::kill();
			Objections::<T>::kill();
		}

		/// Nobody objects twice, and only to an upgrade that waits.
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			let mut objections = Objections::<T>::get().into_inner();
			ensure!(
				objections.is_empty() || Decided::<T>::exists(),
				"objections to nothing"
			);
			let count = objections.len();
			objections.sort_unstable();
			objections.dedup();
			ensure!(objections.len() == count, "somebody objects twice");
			Ok(())
		}
	}
}

/// For how long an upgrade waits if the genesis says nothing: a day, ms.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
