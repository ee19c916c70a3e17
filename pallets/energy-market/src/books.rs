//! Ring slots of contracts, statements, records and submissions, and the search for a household's entry in a book.

use crate::{pallet::*, EraIndex, HouseholdId};
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
	/// The slot of an era in the rings of contracts, statements and records: 0 to `RetainedEras` - 1.
	pub(crate) fn slot(era: EraIndex) -> u32 {
		era.checked_rem(T::RetainedEras::get()).unwrap_or(0)
	}

	/// The slot of an era's submission, 0 or 1. Two slots are enough: owners submit for the next era while the
	/// submissions for the running one may still wait for clearing.
	pub fn submission_slot(era: EraIndex) -> u32 {
		era % 2
	}
}

/// The entry of a household in a book, found by binary search; a book is in ascending order of households.
pub(crate) fn entry<E>(book: &[(HouseholdId, E)], household: HouseholdId) -> Option<&E> {
	let index = book.binary_search_by_key(&household, |(id, _)| *id).ok()?;
	book.get(index).map(|(_, entry)| entry)
}
