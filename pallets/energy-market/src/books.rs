//! Where contracts, statements, records and submissions lie in the rings, and how to find a household's entry.

use crate::{pallet::*, EraIndex, HouseholdId};
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
	/// The slot of an era in the rings of contracts, statements and records.
	pub(crate) fn slot(era: EraIndex) -> u32 {
		era.checked_rem(T::RetainedEras::get()).unwrap_or(0)
	}

	/// The slot of an era's submission. Two are enough: submissions for the next era come in while the running one's may
	/// still wait for clearing.
	pub fn submission_slot(era: EraIndex) -> u32 {
		era % 2
	}
}

/// The entry of one household in a book.
pub(crate) fn entry<E>(book: &[(HouseholdId, E)], household: HouseholdId) -> Option<&E> {
	let index = book.binary_search_by_key(&household, |(id, _)| *id).ok()?;
	book.get(index).map(|(_, entry)| entry)
}
