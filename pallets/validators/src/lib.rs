//! # Validators
//!
//! Who makes blocks and votes on finality, on a chain with Aura and GRANDPA. Governance admits and removes validators;
//! `pallet-session` holds their keys and starts the sessions in which a set of them is at work. On a mined chain nobody
//! validates, and the pallet does nothing.
//!
//! ## Sessions
//! A session has [`Rules::session_length`] blocks. A decision of session s is in force from session s + 2 on: session
//! s + 1 begins with the set that session s has planned. GRANDPA numbers its sets by itself, so finality proofs and warp
//! sync work across any number of changes.
//!
//! ## What keeps a set at work
//! - **Too many at once.** A validator that is not at work yet, or that made no block in the last session, is unproven.
//!   A change is refused if it leaves more unproven validators in a set of n than GRANDPA tolerates faulty ones:
//!   (n - 1) / 3, rounded down. A set below four tolerates none, but could not grow then, so one may be admitted.
//! - **Silence.** Who makes no block in two sessions in a row is named by [`Event::Silent`]. While the set has more than
//!   four validators, the one that is silent longest is removed, one at the end of each session.
//! - **Double votes.** Anybody may report two votes of one validator in one round of GRANDPA, and nodes do it by
//!   themselves. The validator is removed. The last one stays, because a chain without validators ends.
//!
//! ## Who owns a key
//! A report says which session the votes are of, and [`Voters`] keeps the voters of the last sessions. So a validator
//! cannot escape a report by changing its keys. With `pallet_session::historical` it could: its proofs are made from the
//! keys of today, so that a key which its owner has just replaced is not among them, and a proof that gets onto the chain a
//! session later fails for everybody if one validator had set new keys. When a validator is removed for a double vote, its
//! keys leave these records, so that nobody can report it again for votes before that, also if governance admits it again.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
mod offences;
mod sessions;
#[cfg(test)]
mod tests;
pub mod weights;

pub use pallet::*;
pub use weights::WeightInfo;

/// A set keeps at least this many validators when silent ones are removed: the smallest set in which one may fail.
pub const SMALLEST_TOLERANT_SET: u32 = 4;

/// Who makes no block in this many sessions in a row is silent.
pub const SILENT_SESSIONS: u32 = 2;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::{pallet_prelude::*, RawOrigin};
	use pallet_grandpa::WeightInfo as _;
	use scale_info::TypeInfo;
	use sp_consensus_grandpa::AuthorityId as GrandpaId;
	use sp_runtime::{
		traits::{Saturating, Zero},
		Percent,
	};
	use sp_staking::SessionIndex;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The types that the runtime provides. Validators are named by their accounts.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_session::Config<ValidatorId = <Self as frame_system::Config>::AccountId>
		+ pallet_authorship::Config
		+ pallet_grandpa::Config
	{
		/// Who decides on the set.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
		/// Maximum number of validators.
		#[pallet::constant]
		type MaxValidators: Get<u32>;
		/// How many sessions ago a double vote may be and still be reported.
		#[pallet::constant]
		type RetainedSessions: Get<u32>;
		/// Measured weights.
		type WeightInfo: WeightInfo;
	}

	/// What the genesis decides about sessions and fees.
	#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
	pub struct Rules<BlockNumber> {
		/// Length of a session in blocks, at least 1.
		pub session_length: BlockNumber,
		/// Share of every fee that the block's author gets. The rest is burnt.
		pub fee_share: Percent,
	}

	/// The rules; empty on a chain without validators.
	#[pallet::storage]
	pub type SessionRules<T: Config> = StorageValue<_, Rules<BlockNumberFor<T>>>;

	/// The validators that governance wants, in ascending order. They are at work from the session after next on.
	#[pallet::storage]
	pub type Validators<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

	/// The first block of the running session.
	#[pallet::storage]
	pub type SessionStart<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

	/// Who made a block in the running session.
	#[pallet::storage]
	pub type Authors<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

	/// Validators that made no block in the last session, each with the number of such sessions in a row.
	#[pallet::storage]
	pub type Absent<T: Config> =
		StorageValue<_, BoundedVec<(T::AccountId, u32), T::MaxValidators>, ValueQuery>;

	/// The validators of a session with their keys for GRANDPA: of the running session, and of
	/// [`Config::RetainedSessions`] before it.
	// Hasher: sessions are counted, so nobody can skew the trie.
	#[pallet::storage]
	pub type Voters<T: Config> = StorageMap<
		_,
		Twox64Concat,
		SessionIndex,
		BoundedVec<(T::AccountId, GrandpaId), T::MaxValidators>,
		ValueQuery,
	>;

	/// Length of a session, and the share of fees. The first validators are those of `session.keys`.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Length of a session in blocks: at least 2 for each validator. 0 on a chain without validators.
		pub session_length: BlockNumberFor<T>,
		/// Share of every fee that the block's author gets, 0 to 100.
		pub fee_share_percent: u8,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			self.try_build(None).unwrap_or_else(|error| panic!("{error}"));
		}
	}

	impl<T: Config> GenesisConfig<T> {
		/// Builds the genesis. Where the framework's `build` can only panic, this says in words what is wrong, also with
		/// the number of validators, if the caller knows it.
		pub fn try_build(&self, validators: Option<u32>) -> Result<(), &'static str> {
			if self.fee_share_percent > 100 {
				return Err("genesis: fee_share_percent must be at most 100");
			}
			if let Some(validators) = validators {
				if validators > T::MaxValidators::get() {
					return Err("genesis: session.keys has more validators than a chain can have");
				}
				if (validators == 0) != self.session_length.is_zero() {
					return Err(
						"genesis: session_length must be 0 on a chain without validators, and more on any other",
					);
				}
				if !Pallet::<T>::gives_turns(self.session_length, validators) {
					return Err("genesis: session_length must be at least 2 blocks for each validator");
				}
			}
			if !self.session_length.is_zero() {
				SessionRules::<T>::put(Rules {
					session_length: self.session_length,
					fee_share: Percent::from_percent(self.fee_share_percent),
				});
			}
			Ok(())
		}
	}

	/// Events of the set of validators.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Governance admitted a validator.
		#[codec(index = 0)]
		Admitted {
			/// The validator's account.
			validator: T::AccountId,
			/// The session from which on it is at work.
			from: SessionIndex,
		},
		/// Governance removed a validator, or it left.
		#[codec(index = 1)]
		Removed {
			/// The validator's account.
			validator: T::AccountId,
			/// The first session without it.
			from: SessionIndex,
		},
		/// A validator made no block in two or more sessions in a row.
		#[codec(index = 2)]
		Silent {
			/// The validator's account.
			validator: T::AccountId,
			/// How many sessions in a row.
			sessions: u32,
			/// Whether it is removed for that.
			removed: bool,
		},
		/// A validator voted twice in one round of GRANDPA, and is removed for that.
		#[codec(index = 3)]
		VotedTwice {
			/// The validator's account.
			validator: T::AccountId,
			/// The session of the votes.
			session: SessionIndex,
		},
	}

	/// Reasons why a call changes nothing.
	#[pallet::error]
	pub enum Error<T> {
		/// The account is a validator already.
		AlreadyValidator,
		/// The account is not a validator.
		NotValidator,
		/// The account has no session keys. It sets them by `session.set_keys` first.
		NoKeys,
		/// There are as many validators as there can be.
		TooManyValidators,
		/// Sessions are too short for another validator: each needs at least two blocks in a session.
		SessionTooShort,
		/// Too many validators would be new or silent at once: more than GRANDPA tolerates. Wait until those that are new
		/// have made blocks, or remove those that are silent.
		TooManyUnproven,
		/// The last validator cannot go, because the chain would end.
		LastValidator,
		/// The validator is still at work, or will be in the next session, so it needs its keys.
		StillAtWork,
		/// This chain is mined: nobody validates.
		NoSessions,
		/// The delay is not shorter than a session, or the final block is in the future.
		StalledOutOfRange,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		// `pallet_session` would end sessions by itself, but would take the weight of a whole block for it. Here a change of
		// sessions has its measured weight, and leaves room for transactions.
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			let Some(rules) = SessionRules::<T>::get() else {
				return T::DbWeight::get().reads(1);
			};
			// `pallet_authorship` noted the author before, and takes no weight for it.
			let noted = <T as Config>::WeightInfo::note_author();
			if now.saturating_sub(SessionStart::<T>::get()) < rules.session_length {
				return noted.saturating_add(T::DbWeight::get().reads(2));
			}
			SessionStart::<T>::put(now);
			let validators = pallet_session::Validators::<T>::decode_len().unwrap_or(0) as u32;
			pallet_session::Pallet::<T>::rotate_session();
			noted.saturating_add(<T as Config>::WeightInfo::rotate(validators))
		}

		fn integrity_test() {
			assert!(T::MaxValidators::get() > 0, "MaxValidators must be above 0");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Admits a validator, by governance. It is at work from the session after next on.
		///
		/// The account must have session keys, which its node makes (`author_rotateKeysWithOwner`) and it sets by
		/// `session.set_keys` with the proof that it owns them.
		///
		/// Errors: `NoSessions`, `AlreadyValidator`, `NoKeys`, `TooManyValidators`, `SessionTooShort`, `TooManyUnproven`.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::admit())]
		pub fn admit(origin: OriginFor<T>, validator: T::AccountId) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let rules = SessionRules::<T>::get().ok_or(Error::<T>::NoSessions)?;
			let mut set = Validators::<T>::get();
			let place = match set.binary_search(&validator) {
				Ok(_) => return Err(Error::<T>::AlreadyValidator.into()),
				Err(place) => place,
			};
			ensure!(
				pallet_session::NextKeys::<T>::contains_key(&validator),
				Error::<T>::NoKeys
			);
			set.try_insert(place, validator.clone())
				.map_err(|_| Error::<T>::TooManyValidators)?;
			ensure!(
				Self::gives_turns(rules.session_length, set.len() as u32),
				Error::<T>::SessionTooShort
			);
			// A small set tolerates none that fails, and could never grow.
			Self::ensure_proven(&set, 1)?;
			Validators::<T>::put(set);
			let from = Self::next_plan();
			Self::deposit_event(Event::Admitted { validator, from });
			Ok(())
		}

		/// Removes a validator, by governance. It must go on until the session after next begins.
		///
		/// Errors: `NotValidator`, `LastValidator`, `TooManyUnproven`.
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::remove())]
		pub fn remove(origin: OriginFor<T>, validator: T::AccountId) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::let_go(validator)
		}

		/// A validator leaves. It must go on until the session after next begins.
		///
		/// Errors: `NotValidator`, `LastValidator`, `TooManyUnproven`.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::remove())]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			Self::let_go(ensure_signed(origin)?)
		}

		/// Deletes the signer's session keys and returns their deposit. `session.purge_keys` would do that also for
		/// validators at work, which could end the chain.
		///
		/// Errors: `StillAtWork`; those of `session.purge_keys`.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::purge_keys())]
		pub fn purge_keys(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin.clone())?;
			let is_planned = pallet_session::QueuedKeys::<T>::get()
				.iter()
				.any(|(id, _)| *id == who);
			ensure!(
				!is_planned
					&& Validators::<T>::get().binary_search(&who).is_err()
					&& !pallet_session::Validators::<T>::get().contains(&who),
				Error::<T>::StillAtWork
			);
			pallet_session::Pallet::<T>::purge_keys(origin)
		}

		/// Says that GRANDPA makes no block final any more, because more than a third of its voters are gone for good. The
		/// validators of the next session vote from `delay` blocks after its beginning on, on top of `best_final`, the
		/// highest block that any of them has as final.
		///
		/// If the other voters are not gone but cut off, and do the same, there are two final chains. While a change is
		/// delayed, GRANDPA takes no other one.
		///
		/// Errors: `NoSessions`; `StalledOutOfRange` unless `delay` is shorter than a session and `best_final` not in the
		/// future.
		///
		/// Origin: governance. The SDK's own call, `grandpa.note_stalled`, needs Root, which a council does not have.
		#[pallet::call_index(4)]
		#[pallet::weight(<T as pallet_grandpa::Config>::WeightInfo::note_stalled())]
		pub fn note_stalled(
			origin: OriginFor<T>,
			delay: BlockNumberFor<T>,
			best_final: BlockNumberFor<T>,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let rules = SessionRules::<T>::get().ok_or(Error::<T>::NoSessions)?;
			let now = frame_system::Pallet::<T>::block_number();
			ensure!(
				delay < rules.session_length && best_final <= now,
				Error::<T>::StalledOutOfRange
			);
			pallet_grandpa::Pallet::<T>::note_stalled(RawOrigin::Root.into(), delay, best_final)
		}
	}

	impl<T: Config> Pallet<T> {
		/// The session from which on a decision of now is in force.
		pub(crate) fn next_plan() -> SessionIndex {
			pallet_session::CurrentIndex::<T>::get().saturating_add(2)
		}

		/// Whether a session of `length` blocks gives each of so many validators at least two turns.
		pub(crate) fn gives_turns(length: BlockNumberFor<T>, validators: u32) -> bool {
			length >= validators.saturating_mul(2).into()
		}

		/// The validators of a set that are not at work, or that made no block in the last session.
		fn unproven(set: &[T::AccountId]) -> u32 {
			let at_work = pallet_session::Validators::<T>::get();
			let absent = Absent::<T>::get();
			let is_proven =
				|id: &&T::AccountId| at_work.contains(id) && !absent.iter().any(|(other, _)| other == *id);
			set.iter().filter(|id| !is_proven(id)).count() as u32
		}

		/// Refuses a set in which more validators are unproven than GRANDPA tolerates faulty ones, and more than `least`.
		fn ensure_proven(set: &[T::AccountId], least: u32) -> DispatchResult {
			let tolerated = (set.len() as u32).saturating_sub(1) / 3;
			ensure!(
				Self::unproven(set) <= tolerated.max(least),
				Error::<T>::TooManyUnproven
			);
			Ok(())
		}

		/// Takes a validator out of the set by a decision of governance or of its own.
		fn let_go(validator: T::AccountId) -> DispatchResult {
			let mut set = Validators::<T>::get();
			let place = set
				.binary_search(&validator)
				.map_err(|_| Error::<T>::NotValidator)?;
			ensure!(set.len() > 1, Error::<T>::LastValidator);
			// To remove an unproven validator always helps.
			let was_unproven = Self::unproven(core::slice::from_ref(&validator)) > 0;
			set.remove(place);
			if !was_unproven {
				Self::ensure_proven(&set, 0)?;
			}
			Validators::<T>::put(set);
			let from = Self::next_plan();
			Self::deposit_event(Event::Removed { validator, from });
			Ok(())
		}

		/// The author of this block and the share of its fees; `None` if nobody authors blocks.
		pub fn paid_author() -> Option<(T::AccountId, Percent)> {
			let share = SessionRules::<T>::get()?.fee_share;
			Some((pallet_authorship::Pallet::<T>::author()?, share))
		}

		/// Checks that the set is in order and has keys, that there are sessions if and only if there are validators, and
		/// that records are only of retained sessions. Reads the whole state, so it must not run in a block.
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			let set = Validators::<T>::get();
			ensure!(
				SessionRules::<T>::exists() != set.is_empty(),
				"sessions without validators, or validators without sessions"
			);
			ensure!(
				set.windows(2).all(|pair| matches!(pair, [a, b] if a < b)),
				"the validators are not in ascending order"
			);
			ensure!(
				set.iter().all(pallet_session::NextKeys::<T>::contains_key),
				"a validator has no session keys"
			);
			let at_work = pallet_session::Validators::<T>::get();
			ensure!(at_work.is_empty() == set.is_empty(), "nobody is at work");
			ensure!(
				Absent::<T>::get().iter().all(|(_, sessions)| *sessions > 0),
				"somebody is absent for no session"
			);
			let now = pallet_session::CurrentIndex::<T>::get();
			ensure!(
				Voters::<T>::iter_keys().all(
					|session| session <= now && session.saturating_add(T::RetainedSessions::get()) >= now
				),
				"voters of a session that is not retained"
			);
			Ok(())
		}
	}
}
