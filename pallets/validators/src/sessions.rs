//! What happens when a session is planned, begins and ends, and who made its blocks.

use crate::{pallet::*, SILENT_SESSIONS, SMALLEST_TOLERANT_SET};
use alloc::vec::Vec;
use frame_support::{traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_authorship::EventHandler;
use pallet_session::{SessionManager, ShouldEndSession};
use sp_consensus_grandpa::{AuthorityId as GrandpaId, KEY_TYPE};
use sp_runtime::{
	traits::{OpaqueKeys, Saturating, Zero},
	Permill,
};
use sp_staking::SessionIndex;

/// Never: the hook of this pallet ends sessions.
impl<T: Config> ShouldEndSession<BlockNumberFor<T>> for Pallet<T> {
	fn should_end_session(_: BlockNumberFor<T>) -> bool {
		false
	}
}

impl<T: Config> frame_support::traits::EstimateNextSessionRotation<BlockNumberFor<T>> for Pallet<T> {
	fn average_session_length() -> BlockNumberFor<T> {
		SessionRules::<T>::get().map_or(Zero::zero(), |rules| rules.session_length)
	}

	fn estimate_current_session_progress(
		now: BlockNumberFor<T>,
	) -> (Option<Permill>, frame_support::weights::Weight) {
		let passed = now.saturating_sub(SessionStart::<T>::get());
		let progress = SessionRules::<T>::get()
			.map(|rules| Permill::from_rational(passed.min(rules.session_length), rules.session_length));
		(progress, T::DbWeight::get().reads(2))
	}

	fn estimate_next_session_rotation(
		_: BlockNumberFor<T>,
	) -> (Option<BlockNumberFor<T>>, frame_support::weights::Weight) {
		let next = SessionRules::<T>::get()
			.map(|rules| SessionStart::<T>::get().saturating_add(rules.session_length));
		(next, T::DbWeight::get().reads(2))
	}
}

impl<T: Config> EventHandler<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
	fn note_author(author: T::AccountId) {
		let mut authors = Authors::<T>::get();
		// No room is lost: only validators at work make blocks, of whom there are at most `MaxValidators`.
		if !authors.contains(&author) && authors.try_push(author).is_ok() {
			Authors::<T>::put(authors);
		}
	}
}

impl<T: Config> SessionManager<T::AccountId> for Pallet<T> {
	/// The validators of the genesis are all accounts that have session keys there.
	fn new_session_genesis(index: SessionIndex) -> Option<Vec<T::AccountId>> {
		if index > 0 {
			// Like the first session.
			return None;
		}
		let mut set: Vec<_> = pallet_session::NextKeys::<T>::iter_keys().collect();
		set.sort_unstable();
		Validators::<T>::put(BoundedVec::truncate_from(set.clone()));
		Some(set)
	}

	/// The set for a session, or `None` if neither the validators nor their keys changed: then GRANDPA's set keeps its
	/// number.
	fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		let keys_of = |id: T::AccountId| Some((id.clone(), pallet_session::NextKeys::<T>::get(id)?));
		let wanted: Vec<_> = Validators::<T>::get().into_iter().filter_map(keys_of).collect();
		let is_new = !wanted.is_empty() && wanted != pallet_session::QueuedKeys::<T>::get();
		is_new.then(|| wanted.into_iter().map(|(id, _)| id).collect())
	}

	/// Notes who votes in the session that begins. These are the keys that GRANDPA takes over in this block.
	fn start_session(index: SessionIndex) {
		let set = Validators::<T>::get();
		let voters = pallet_session::QueuedKeys::<T>::get()
			.into_iter()
			// Who is removed already cannot be removed for a double vote.
			.filter(|(id, _)| set.binary_search(id).is_ok())
			.filter_map(|(id, keys)| Some((id, keys.get::<GrandpaId>(KEY_TYPE)?)));
		let voters = BoundedVec::truncate_from(voters.collect());
		if !voters.is_empty() {
			Voters::<T>::insert(index, voters);
		}
		if let Some(old) = index.checked_sub(T::RetainedSessions::get().saturating_add(1)) {
			Voters::<T>::remove(old);
		}
	}

	/// Counts who made no block in the session that ends, names the silent ones, and removes the one that is silent
	/// longest while the set is large enough.
	fn end_session(_: SessionIndex) {
		let authors = Authors::<T>::take();
		let before = Absent::<T>::get();
		let sessions_of = |id: &T::AccountId| {
			let counted = before.iter().find(|(other, _)| other == id);
			counted.map_or(0, |(_, sessions)| *sessions).saturating_add(1)
		};
		let absent: Vec<_> = pallet_session::Validators::<T>::get()
			.into_iter()
			.filter(|id| !authors.contains(id))
			.map(|id| {
				let sessions = sessions_of(&id);
				(id, sessions)
			})
			.collect();
		let mut set = Validators::<T>::get();
		let mut removed = None;
		if set.len() as u32 > SMALLEST_TOLERANT_SET {
			// The first of those that are silent equally long.
			let silent = absent
				.iter()
				.rev()
				.filter(|(id, sessions)| *sessions >= SILENT_SESSIONS && set.binary_search(id).is_ok())
				.max_by_key(|(_, sessions)| *sessions);
			removed = silent.map(|(id, _)| id.clone());
		}
		if let Some(id) = &removed {
			set.retain(|other| other != id);
			Validators::<T>::put(set);
		}
		for (validator, sessions) in absent.iter().filter(|(_, sessions)| *sessions >= SILENT_SESSIONS) {
			Self::deposit_event(Event::Silent {
				validator: validator.clone(),
				sessions: *sessions,
				removed: removed.as_ref() == Some(validator),
			});
		}
		Absent::<T>::put(BoundedVec::truncate_from(absent));
	}
}
