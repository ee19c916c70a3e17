//! The worst cases: a full set, records of all retained sessions, and sessions in which all are silent and all keys change.

use super::*;
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{fungible::MutateHold, EnsureOrigin, Get, Hooks},
	BoundedVec,
};
use frame_system::RawOrigin;
use pallet_authorship::EventHandler;
use pallet_session::Pallet as Session;
use sp_consensus_grandpa::{AuthorityId as GrandpaId, KEY_TYPE};
use sp_runtime::{
	traits::{Hash, OpaqueKeys, TrailingZeroInput},
	Percent,
};
use sp_staking::{
	offence::{Kind, Offence, ReportOffence},
	SessionIndex,
};

/// A double vote in the running session.
struct DoubleVote<AccountId>(AccountId, SessionIndex);
impl<AccountId: Clone> Offence<AccountId> for DoubleVote<AccountId> {
	const ID: Kind = *b"grandpa:equivoca";
	type Slot = SessionIndex;

	fn offenders(&self) -> alloc::vec::Vec<AccountId> {
		alloc::vec![self.0.clone()]
	}
	fn session_index(&self) -> SessionIndex {
		self.1
	}
	fn validator_set_count(&self) -> u32 {
		1
	}
	fn slot(&self) -> SessionIndex {
		self.1
	}
	fn slash_fraction(&self, _: u32) -> sp_runtime::Perbill {
		sp_runtime::Perbill::one()
	}
}

/// Gives an account session keys that nobody else has, as `session.set_keys` does after it has checked the proof of
/// possession, which nobody can make here.
fn set_keys<T: Config>(id: &T::AccountId, version: u32) {
	let seed = [0u8, 1]
		.map(|half| T::Hashing::hash_of(&(version, half, id)))
		.encode();
	let keys = <T as pallet_session::Config>::Keys::decode(&mut TrailingZeroInput::new(&seed))
		.expect("any bytes are keys");
	if let Some(old) = pallet_session::NextKeys::<T>::get(id) {
		for key_type in <T as pallet_session::Config>::Keys::key_ids() {
			pallet_session::KeyOwner::<T>::remove((*key_type, old.get_raw(*key_type).to_vec()));
		}
	} else {
		// Once for the deposit, and once for the minimum balance, which must stay free.
		for _ in 0..2 {
			Session::<T>::ensure_can_pay_key_deposit(id).expect("the account can be given money");
		}
		let deposit = <T as pallet_session::Config>::KeyDeposit::get();
		<T as pallet_session::Config>::Currency::hold(&pallet_session::HoldReason::Keys.into(), id, deposit)
			.expect("the account has the deposit");
		frame_system::Pallet::<T>::inc_consumers(id).expect("the account exists");
	}
	for key_type in <T as pallet_session::Config>::Keys::key_ids() {
		pallet_session::KeyOwner::<T>::insert((*key_type, keys.get_raw(*key_type).to_vec()), id);
	}
	pallet_session::NextKeys::<T>::insert(id, keys);
}

/// So many validators at work, with records of all retained sessions.
fn at_work<T: Config>(count: u32) -> BoundedVec<T::AccountId, T::MaxValidators> {
	let mut set: alloc::vec::Vec<T::AccountId> =
		(0..count).map(|index| account("validator", index, 0)).collect();
	set.sort_unstable();
	for id in &set {
		set_keys::<T>(id, 0);
	}
	let set = BoundedVec::truncate_from(set);
	SessionRules::<T>::put(Rules {
		session_length: 1_000u32.into(),
		fee_share: Percent::from_percent(50),
	});
	Validators::<T>::put(&set);
	let keys_of = |id: &T::AccountId| Some((id.clone(), pallet_session::NextKeys::<T>::get(id)?));
	let queued: alloc::vec::Vec<_> = set.iter().filter_map(keys_of).collect();
	pallet_session::Validators::<T>::put(set.to_vec());
	pallet_session::CurrentIndex::<T>::put(T::RetainedSessions::get().saturating_add(1));
	let voters: alloc::vec::Vec<_> = queued
		.iter()
		.filter_map(|(id, keys)| Some((id.clone(), keys.get::<GrandpaId>(KEY_TYPE)?)))
		.collect();
	pallet_session::QueuedKeys::<T>::put(queued);
	for session in 1..=T::RetainedSessions::get().saturating_add(1) {
		Voters::<T>::insert(session, BoundedVec::truncate_from(voters.clone()));
	}
	set
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn admit() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		at_work::<T>(T::MaxValidators::get() - 1);
		let new: T::AccountId = account("new", 0, 0);
		set_keys::<T>(&new, 0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, new.clone());

		assert!(Validators::<T>::get().contains(&new));
		Ok(())
	}

	#[benchmark]
	fn remove() -> Result<(), BenchmarkError> {
		let origin = T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let set = at_work::<T>(T::MaxValidators::get());
		let old = set[0].clone();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, old.clone());

		assert!(!Validators::<T>::get().contains(&old));
		Ok(())
	}

	#[benchmark]
	fn purge_keys() -> Result<(), BenchmarkError> {
		at_work::<T>(T::MaxValidators::get());
		let old: T::AccountId = account("old", 0, 0);
		set_keys::<T>(&old, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(old.clone()));

		assert!(!pallet_session::NextKeys::<T>::contains_key(&old));
		Ok(())
	}

	#[benchmark]
	fn note_author() -> Result<(), BenchmarkError> {
		let set = at_work::<T>(T::MaxValidators::get());
		let mut others = set.clone();
		let last = others.pop().expect("there are validators");
		Authors::<T>::put(others);

		#[block]
		{
			<Pallet<T> as EventHandler<_, _>>::note_author(last);
		}

		assert_eq!(Authors::<T>::get().len(), set.len());
		Ok(())
	}

	#[benchmark]
	fn rotate(v: Linear<1, { T::MaxValidators::get() }>) -> Result<(), BenchmarkError> {
		let set = at_work::<T>(v);
		// All are silent, and have new keys; the keys that were planned before come into force.
		Absent::<T>::put(BoundedVec::truncate_from(
			set.iter().map(|id| (id.clone(), SILENT_SESSIONS)).collect(),
		));
		pallet_session::QueuedChanged::<T>::put(true);
		for id in &set {
			set_keys::<T>(id, 1);
		}
		let index = Session::<T>::current_index();
		let now = SessionRules::<T>::get()
			.map(|rules| rules.session_length)
			.unwrap_or_default();

		#[block]
		{
			Pallet::<T>::on_initialize(now);
		}

		assert_eq!(Session::<T>::current_index(), index + 1);
		assert!(pallet_session::QueuedChanged::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn report_offence() -> Result<(), BenchmarkError> {
		let set = at_work::<T>(T::MaxValidators::get());
		let cheat = set[0].clone();
		let session = Session::<T>::current_index();

		#[block]
		{
			Pallet::<T>::report_offence(alloc::vec![], DoubleVote(cheat.clone(), session))
				.map_err(|_| BenchmarkError::Stop("the report was not new"))?;
		}

		assert!(!Validators::<T>::get().contains(&cheat));
		assert!(!Voters::<T>::get(session).iter().any(|(id, _)| *id == cheat));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::chain(0), crate::mock::Test);
}
