//! The market's types with the bounds of this pallet's storage. Their definitions, units and meanings are in
//! [`commonwatt_market`].

use crate::Config;
use commonwatt_market::game::Strategy;
pub use commonwatt_market::{
	Amounts, Balance, Channels, ClockState, ComfortBounds, CommunityId, Debt, EndedTerms, EraIndex,
	EraRecord, Household, HouseholdId, Metered, NextMeter, NextTerms, Phase, PlannedStep, PriceRule, Quality,
	Reading, ReadingItem, RoundState, Statement, Tariffs, Terms, Totals, MAX_TARIFF_PER_KWH,
};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};

/// A community's name: UTF-8 for people; the chain does not read it.
pub type Name = BoundedVec<u8, ConstU32<32>>;
/// The households behind one feeder.
pub type Community<AccountId> =
	commonwatt_market::Community<AccountId, Name, BoundedVec<EndedTerms, ConstU32<2>>>;
/// The strategies of one household.
pub type Strategies<T> = BoundedVec<Strategy, <T as Config>::MaxStrategies>;
/// What a household hands in for one era.
pub type Submission<T> = commonwatt_market::Submission<Strategies<T>>;
/// What a household is bound to after gate closure.
pub type Contract<T> = commonwatt_market::Contract<Strategies<T>>;

/// A community's contracts for one era, in the order of registration, which is that of their numbers.
pub type ContractBook<T> = BoundedVec<(HouseholdId, Contract<T>), <T as Config>::MaxHouseholds>;
/// A community's statements of one era, in the same order.
pub type StatementBook<T> = BoundedVec<(HouseholdId, Statement), <T as Config>::MaxHouseholds>;
/// The debts of a community's households, in the same order. Households without debts are left out.
pub type DebtBook<T> = BoundedVec<(HouseholdId, Debt), <T as Config>::MaxHouseholds>;

/// Announces terms. Terms that were announced before count if they have begun. That can happen once in each era, and no
/// more than two eras before the running one wait for settlement: room for two ended terms is enough.
pub(crate) fn announce<AccountId>(community: &mut Community<AccountId>, current: EraIndex, next: NextTerms) {
	if let Some(begun) = community.next_terms.filter(|begun| begun.from_era <= current) {
		if community.ended_terms.is_full() {
			community.ended_terms.remove(0);
		}
		community.ended_terms.force_push(EndedTerms {
			before_era: begun.from_era,
			terms: community.terms,
		});
		community.terms = begun.terms;
	}
	community.next_terms = Some(next);
}
