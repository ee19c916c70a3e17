//! Values that change only from a later era on.

use crate::EraIndex;

/// Eras from a change to the first era that it binds. Gate closure of the next era may be minutes away, so a change
/// binds the era after next: it never reaches an era whose strategies owners are still free to give under the old value.
pub const NOTICE: EraIndex = 2;

commonwatt_game::stored_types! {
	/// A value that changes with a notice of [`NOTICE`] eras.
	#[derive(Default)]
	pub struct Scheduled<T> {
		/// In force until the first change begins.
		pub now: T,
		/// The first change.
		pub next: Option<Later<T>>,
		/// The change after it, at most one era later.
		pub after_next: Option<Later<T>>,
	}

	/// A value from an era on.
	pub struct Later<T> {
		/// The first era with the value.
		pub from_era: EraIndex,
		/// The value.
		pub value: T,
	}
}

impl<T> From<T> for Scheduled<T> {
	/// A value without changes.
	fn from(now: T) -> Self {
		Self {
			now,
			next: None,
			after_next: None,
		}
	}
}

impl<T: Clone + PartialEq> Scheduled<T> {
	/// The value in an era.
	pub fn in_era(&self, era: EraIndex) -> &T {
		let changes = [&self.after_next, &self.next].into_iter().flatten();
		changes
			.filter(|change| change.from_era <= era)
			.max_by_key(|change| change.from_era)
			.map_or(&self.now, |change| &change.value)
	}

	/// The value after all changes.
	pub fn last(&self) -> &T {
		self.in_era(EraIndex::MAX)
	}

	/// Changes the value from [`NOTICE`] eras after `current` on, and returns that era. A change in the same era as an
	/// earlier one replaces it.
	pub fn schedule(&mut self, current: EraIndex, value: T) -> EraIndex {
		let from_era = current.saturating_add(NOTICE);
		self.now = self.in_era(current).clone();
		// At most one change has not begun and is of an earlier era than this one: of the era after the running one.
		self.next = [self.next.take(), self.after_next.take()]
			.into_iter()
			.flatten()
			.find(|change| current < change.from_era && change.from_era < from_era);
		let change = Some(Later { from_era, value });
		if self.next.is_some() {
			self.after_next = change;
		} else {
			self.next = change;
		}
		from_era
	}

	/// Drops the changes that have not begun in era `current`.
	pub fn cancel(&mut self, current: EraIndex) {
		*self = Self::from(self.in_era(current).clone());
	}
}
