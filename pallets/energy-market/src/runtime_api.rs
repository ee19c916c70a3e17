//! The queries that a runtime answers about its market, for wallets, operators and auditors. Polkadot.js Apps shows
//! them under "Runtime calls".

use crate::{Community, CommunityId, Debt, EraIndex, EraRecord, Household, HouseholdId, Statement};
use alloc::vec::Vec;
use commonwatt_market::game::{Certificate, Rules, Solution};
pub use commonwatt_market::{Bill, EraView, Explanation, QueueView, RecordView, Trade};

/// A community with its terms, accounts, counts, debts and newest records.
pub type Overview<AccountId> = commonwatt_market::Overview<Community<AccountId>, AccountId>;

sp_api::decl_runtime_apis! {
	/// Queries of the energy market. Contracts, statements and records are available for the retained eras. For
	/// households that have left, only `contracts` and `statements` still return them.
	///
	/// Version 2: `record` also returns the tradable energy.
	#[api_version(2)]
	pub trait EnergyMarketApi<AccountId, OpaqueContract, Players>
	where
		AccountId: codec::Codec,
		OpaqueContract: codec::Codec,
		Players: codec::Codec,
	{
		/// The running era and what is accepted in it; `None` before the first block.
		fn current_era() -> Option<EraView>;
		/// The steps of the current round that are still to be done.
		fn queue() -> QueueView;
		/// A community with its terms, accounts, counts, debts and newest records; `None` if no community has this
		/// number.
		fn overview(community: CommunityId) -> Option<Overview<AccountId>>;
		/// A community as it is stored; `None` if no community has this number.
		fn community(community: CommunityId) -> Option<Community<AccountId>>;
		/// The account of a community's pool: buyers pay into it, and sellers are paid from it.
		fn pool_account(community: CommunityId) -> AccountId;
		/// The account of a community's incentive pot: rewards are paid from it.
		fn pot_account(community: CommunityId) -> AccountId;
		/// The numbers of a community's households, in the order of registration, which is the order of its game.
		fn members(community: CommunityId) -> Vec<HouseholdId>;
		/// A household as it is stored; `None` if no household has this number.
		fn household(household: HouseholdId) -> Option<Household<AccountId>>;
		/// The arrears and the credit of a household, both zero as a rule; `None` if no household has this number.
		fn debt(household: HouseholdId) -> Option<Debt>;
		/// The numbers of all households of an owner, in ascending order.
		fn households_of(owner: AccountId) -> Vec<HouseholdId>;
		/// A household's contract for an era.
		fn contract(household: HouseholdId, era: EraIndex) -> Option<OpaqueContract>;
		/// All contracts of a community for an era, in the order of registration.
		fn contracts(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, OpaqueContract)>;
		/// All statements of a community of an era, in the order of registration.
		fn statements(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Statement)>;
		/// A household's statement of an era.
		fn statement(household: HouseholdId, era: EraIndex) -> Option<Statement>;
		/// The record of a community's era: terms, price, certificate and, once settled, totals; with the tradable
		/// energy.
		fn record(community: CommunityId, era: EraIndex) -> Option<RecordView>;
		/// The record of a community's era, as version 1 returns it.
		#[changed_in(2)]
		fn record(community: CommunityId, era: EraIndex) -> Option<EraRecord>;
		/// Computes the certificate of an era again from the contracts on chain, by the rules of the runtime that
		/// answers. It may differ from the record's if a runtime with other rules cleared the era. The work is bounded
		/// by the contracts of one community: one payoff evaluation for each household and one for each of its
		/// strategies, at most `MaxHouseholds` x (`MaxStrategies` + 1).
		fn verify(community: CommunityId, era: EraIndex) -> Option<Certificate>;
		/// Explains a household's choice: the payoff of each of its strategies while the others keep theirs, at most
		/// `MaxStrategies` of them.
		fn explain(household: HouseholdId, era: EraIndex) -> Option<Explanation>;
		/// The sums over a household's settled eras from `first_era` to `last_era`, as far as they are retained; `None`
		/// without any.
		fn bill(household: HouseholdId, first_era: EraIndex, last_era: EraIndex) -> Option<Bill>;
		/// Matches sellers with buyers in the order of registration: by delivered energy once the era is settled, by
		/// contracted energy before. The market itself has no such pairs.
		fn trades(community: CommunityId, era: EraIndex) -> Vec<Trade>;
		/// Solves a game that need not be on the chain ("what if"), with the chain's solver. `None` if the game is
		/// invalid, has more than `MaxHouseholds` households, or more than `MaxStrategies` strategies for one of them.
		/// The work is bounded as in a block: `MaxEvaluations` payoff evaluations, and `MaxEvaluationsPerHousehold`
		/// more for each household.
		fn solve(rules: Rules, households: Players) -> Option<Solution>;
	}
}
