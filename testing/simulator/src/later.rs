//! What is put off to a later era.

use commonwatt_testkit::{AccountId, HouseholdId};

/// What is put off for a later era.
pub(crate) enum Later {
	/// The community goes on.
	Resume,
	/// The operator announces other terms.
	OtherTerms,
	/// The operator announces the first terms again.
	OpeningTerms,
	/// A household takes part again.
	Unsuspend(HouseholdId),
	/// An owner has no money.
	SpendAll(AccountId),
	/// An owner has money again.
	TopUp(AccountId),
	/// The utility has money again.
	FillUtility,
	/// The operator has money again.
	FillOperator,
}
