//! What a runtime answers about its market, for wallets, operators and auditors: in Polkadot.js Apps under "Runtime
//! calls".

use crate::{Community, CommunityId, Debt, EraIndex, EraRecord, Household, HouseholdId, Statement};
use alloc::vec::Vec;
use commonwatt_market::game::{Certificate, Household as Player, Rules, Solution};
pub use commonwatt_market::{Bill, EraView, Explanation, QueueView, RecordView, Trade};

/// A community at a glance.
pub type Overview<AccountId> = commonwatt_market::Overview<Community<AccountId>, AccountId>;

sp_api::decl_runtime_apis! {
	/// Questions to the energy market. Contracts, statements and records are answered for the retained eras; those of
	/// households that have left, by `contracts` and `statements`.
	///
	/// Version 2: `record` tells what could have been traded.
	#[api_version(2)]
	pub trait EnergyMarketApi<AccountId, OpaqueContract>
	where
		AccountId: codec::Codec,
		OpaqueContract: codec::Codec,
	{
		/// The era that runs, and what is taken in it; nothing before the first block.
		fn current_era() -> Option<EraView>;
		/// Clearing that is still to be done.
		fn queue() -> QueueView;
		/// A community at a glance.
		fn overview(community: CommunityId) -> Option<Overview<AccountId>>;
		/// A community.
		fn community(community: CommunityId) -> Option<Community<AccountId>>;
		/// The account of a community's pool: buyers pay into it, sellers are paid from it.
		fn pool_account(community: CommunityId) -> AccountId;
		/// The account of a community's incentive pot: rewards are paid from it.
		fn pot_account(community: CommunityId) -> AccountId;
		/// The numbers of a community's households, in the order of its game.
		fn members(community: CommunityId) -> Vec<HouseholdId>;
		/// A household.
		fn household(household: HouseholdId) -> Option<Household<AccountId>>;
		/// What a household and the utility owe each other.
		fn debt(household: HouseholdId) -> Option<Debt>;
		/// The numbers of all households of an owner.
		fn households_of(owner: AccountId) -> Vec<HouseholdId>;
		/// A household's contract for an era.
		fn contract(household: HouseholdId, era: EraIndex) -> Option<OpaqueContract>;
		/// All contracts of a community for an era, in the order of its game.
		fn contracts(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, OpaqueContract)>;
		/// All statements of a community of an era, in the same order.
		fn statements(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Statement)>;
		/// A household's statement of an era.
		fn statement(household: HouseholdId, era: EraIndex) -> Option<Statement>;
		/// A community's result for an era, with its certificate and with what could have been traded.
		fn record(community: CommunityId, era: EraIndex) -> Option<RecordView>;
		/// A community's result for an era, with its certificate.
		#[changed_in(2)]
		fn record(community: CommunityId, era: EraIndex) -> Option<EraRecord>;
		/// The certificate of an era, computed again from the contracts on chain by the rules of the runtime that answers.
		/// An era that a runtime with other rules cleared has another certificate. Bounded by the contracts of one
		/// community: one evaluation of a payoff for each household and each of its strategies, at most `MaxHouseholds`
		/// times `MaxStrategies` + 1.
		fn verify(community: CommunityId, era: EraIndex) -> Option<Certificate>;
		/// Why a household has the strategy that it has: the payoff of each of its strategies, at most `MaxStrategies`.
		fn explain(household: HouseholdId, era: EraIndex) -> Option<Explanation>;
		/// A household's settled eras from the first to the last, as far as they are retained; nothing if there is none.
		fn bill(household: HouseholdId, first_era: EraIndex, last_era: EraIndex) -> Option<Bill>;
		/// Who may be said to have sold to whom in an era: delivered energy once it is settled, contracted before.
		fn trades(community: CommunityId, era: EraIndex) -> Vec<Trade>;
		/// What the chain's solver makes of a game that need not be on the chain: "what if". Nothing for a game against
		/// the rules, or with more than `MaxHouseholds` households or `MaxStrategies` strategies for one of them. The work is
		/// bounded as it is in a block: `MaxEvaluations` evaluations of a payoff, and `MaxEvaluationsPerHousehold` more for
		/// each household.
		fn solve(rules: Rules, households: Vec<Player>) -> Option<Solution>;
	}
}
