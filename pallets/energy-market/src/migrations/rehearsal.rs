//! A migration from version 2 to 3 for rehearsing an upgrade. Both versions have the same layout: it reads every
//! community and writes it back. No release contains it.

use crate::{
	pallet::{Communities, CommunityCount, Config, Pallet},
	CommunityId, LOG_TARGET,
};
use frame_support::migrations::VersionedMigration;

/// Migrates from version 2 to 3, at most once.
pub type Rehearsal<T> =
	VersionedMigration<2, 3, unchecked::Rewrite<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The migration without the version check. It is private, so that nobody runs it without the check.
mod unchecked {
	use super::*;
	use core::marker::PhantomData;
	use frame_support::{
		traits::{Get, UncheckedOnRuntimeUpgrade},
		weights::Weight,
	};

	pub struct Rewrite<T>(PhantomData<T>);

	impl<T: Config> UncheckedOnRuntimeUpgrade for Rewrite<T> {
		fn on_runtime_upgrade() -> Weight {
			let count = CommunityCount::<T>::get();
			let mut written = 0u32;
			for id in (0..count).map(CommunityId) {
				// A migration must not lose what it cannot decode, so an unreadable community stays as it is.
				if let Some(community) = Communities::<T>::get(id) {
					Communities::<T>::insert(id, community);
					written = written.saturating_add(1);
				}
			}
			log::info!(target: LOG_TARGET, "rehearsal migration: wrote back {written} of {count} communities");
			T::DbWeight::get().reads_writes(u64::from(count).saturating_add(1), written.into())
		}

		#[cfg(feature = "try-runtime")]
		fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
			Pallet::<T>::do_try_state()?;
			Ok(codec::Encode::encode(&(Communities::<T>::iter().count() as u64)))
		}

		#[cfg(feature = "try-runtime")]
		fn post_upgrade(before: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
			let after = codec::Encode::encode(&(Communities::<T>::iter().count() as u64));
			frame_support::ensure!(before == after, "the migration changed the number of communities");
			Pallet::<T>::do_try_state()
		}
	}
}
