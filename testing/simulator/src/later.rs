//! Actions that the simulation schedules for a later era.

use commonwatt_testkit::{AccountId, HouseholdId};

/// An action in a later era.
pub(crate) enum Later {
	/// The operator ends a pause.
	Resume,
	/// The operator announces other terms.
	OtherTerms,
	/// The operator announces the terms of the start again.
	OpeningTerms,
	/// The operator ends a suspension.
	Unsuspend(HouseholdId),
	/// An owner spends everything.
	SpendAll(AccountId),
	/// An owner gets money.
	TopUp(AccountId),
	/// The utility gets money.
	FillUtility,
	/// The operator gets money.
	FillOperator,
}
