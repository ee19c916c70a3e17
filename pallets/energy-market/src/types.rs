//! The types of [`commonwatt_market`] with the bounds of this pallet's storage. Definitions, units and meanings are
//! there.

use crate::Config;
use commonwatt_market::game::Strategy;
pub use commonwatt_market::{
	Acceptance, Amounts, Balance, Change, Channels, ClockState, ComfortBounds, CommunityId, Debt, EndedTerms,
	EraIndex, EraRecord, Household, HouseholdId, MembershipOffer, Metered, NextLimit, NextMeter, NextOwner,
	NextTerms, Peaks, Phase, PlannedStep, PriceRule, Proposal, Quality, Reading, ReadingItem, Reported,
	ReportedBy, RoundState, Scheduled, Statement, Tariffs, Terms, TermsBounds, Totals, MAX_TARIFF_PER_KWH,
};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};

/// A community's name: UTF-8 text, at most 32 bytes, for display only. The chain does not interpret it.
pub type Name = BoundedVec<u8, ConstU32<32>>;
/// A community: the households behind one feeder, with their operator and terms.
pub type Community<AccountId> =
	commonwatt_market::Community<AccountId, Name, BoundedVec<EndedTerms, ConstU32<2>>>;
/// The strategies of one household, at most `MaxStrategies`.
pub type Strategies<T> = BoundedVec<Strategy, <T as Config>::MaxStrategies>;
/// The strategies and the expected generation that an owner submitted for one era.
pub type Submission<T> = commonwatt_market::Submission<Strategies<T>>;
/// What a household is bound to deliver or take in an era, with the inputs that led to it and the funds on hold.
pub type Contract<T> = commonwatt_market::Contract<Strategies<T>>;

/// A community's contracts for one era, in ascending order of household numbers, which is the order of registration.
pub type ContractBook<T> = BoundedVec<(HouseholdId, Contract<T>), <T as Config>::MaxHouseholds>;
/// A community's statements of one era, in the same order.
pub type StatementBook<T> = BoundedVec<(HouseholdId, Statement), <T as Config>::MaxHouseholds>;
/// The debts of a community's households, in the same order. Households without debts have no entry.
pub type DebtBook<T> = BoundedVec<(HouseholdId, Debt), <T as Config>::MaxHouseholds>;

/// Announces terms. An earlier announcement that has begun becomes the current terms, and the terms before it are kept
/// for settlement; one that has not begun is replaced.
///
/// Two ended terms are enough: terms begin at most once in each era, and at most the two eras before the running one
/// wait for settlement.
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
