//! Double votes: who owned the key, and what follows.
//!
//! `pallet-offences` would keep every report for ever, and a removed validator could make such reports for nothing, one
//! for each round that it invents. Here the set of validators itself says whether a report is new.

use crate::pallet::*;
use alloc::vec::Vec;
use frame_support::traits::{Get, KeyOwnerProofSystem};
use sp_consensus_grandpa::{AuthorityId as GrandpaId, KEY_TYPE};
use sp_core::crypto::KeyTypeId;
use sp_session::MembershipProof;
use sp_staking::{
	offence::{Offence, OffenceError, ReportOffence},
	SessionIndex,
};

impl<T: Config> Pallet<T> {
	/// The proof that a key voted in a session: the session, since the chain keeps its voters. `None` if it did not, or
	/// if the session is not retained.
	pub fn prove_vote(session: SessionIndex, key: &GrandpaId) -> Option<MembershipProof> {
		let voters = Voters::<T>::get(session);
		voters
			.iter()
			.any(|(_, other)| other == key)
			.then(|| MembershipProof {
				session,
				trie_nodes: Vec::new(),
				validator_count: voters.len() as u32,
			})
	}

	/// Deletes a validator's keys from the records of voters.
	fn forget_votes(validator: &T::AccountId) {
		let now = pallet_session::CurrentIndex::<T>::get();
		let first = now.saturating_sub(T::RetainedSessions::get());
		for session in first..=now {
			let mut voters = Voters::<T>::get(session);
			let before = voters.len();
			voters.retain(|(id, _)| id != validator);
			match voters.len() {
				after if after == before => (),
				0 => Voters::<T>::remove(session),
				_ => Voters::<T>::insert(session, voters),
			}
		}
	}
}

impl<T: Config> KeyOwnerProofSystem<(KeyTypeId, GrandpaId)> for Pallet<T> {
	type Proof = MembershipProof;
	type IdentificationTuple = T::AccountId;

	fn prove((key_type, key): (KeyTypeId, GrandpaId)) -> Option<MembershipProof> {
		let session = pallet_session::CurrentIndex::<T>::get();
		(key_type == KEY_TYPE)
			.then(|| Self::prove_vote(session, &key))
			.flatten()
	}

	fn check_proof((key_type, key): (KeyTypeId, GrandpaId), proof: MembershipProof) -> Option<T::AccountId> {
		if key_type != KEY_TYPE || !proof.trie_nodes.is_empty() {
			return None;
		}
		let mut voters = Voters::<T>::get(proof.session).into_iter();
		voters.find(|(_, other)| *other == key).map(|(id, _)| id)
	}
}

impl<T: Config, O: Offence<T::AccountId>> ReportOffence<T::AccountId, T::AccountId, O> for Pallet<T> {
	/// Removes who voted twice.
	///
	/// Error: it is removed already, or is the last validator.
	fn report_offence(_reporters: Vec<T::AccountId>, offence: O) -> Result<(), OffenceError> {
		let mut is_new = false;
		for validator in offence.offenders() {
			let mut set = Validators::<T>::get();
			let Ok(place) = set.binary_search(&validator) else {
				continue;
			};
			if set.len() == 1 {
				continue;
			}
			set.remove(place);
			Validators::<T>::put(set);
			Self::forget_votes(&validator);
			is_new = true;
			Self::deposit_event(Event::VotedTwice {
				validator,
				session: offence.session_index(),
			});
		}
		match is_new {
			true => Ok(()),
			false => Err(OffenceError::DuplicateReport),
		}
	}

	fn is_known_offence(offenders: &[T::AccountId], _: &O::Slot) -> bool {
		let set = Validators::<T>::get();
		set.len() == 1 || !offenders.iter().any(|id| set.binary_search(id).is_ok())
	}
}
