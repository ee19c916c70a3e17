//! What a runtime answers about its market, for wallets, operators and auditors: in Polkadot.js Apps under "Runtime
//! calls".

use crate::{
	game_of, pallet::*, Community, CommunityId, Contract, EraIndex, EraRecord, Household, HouseholdId,
	RoundState, Statement,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use commonwatt_game::{explain, verify, Certificate, Game, Log2, SolverConfig};
use frame_support::traits::UnixTime;
use scale_info::TypeInfo;

/// Where the chain stands in time, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EraView {
	/// The era that is running.
	pub current: EraIndex,
	/// When it began, ms since the Unix epoch, UTC.
	pub started_ms: u64,
	/// When it ends, ms since the Unix epoch, UTC: gate closure for the next era.
	pub ends_ms: u64,
	/// Chain time, ms since the Unix epoch, UTC.
	pub now_ms: u64,
	/// Strategies are taken for this era.
	pub strategies_for: EraIndex,
	/// Readings are taken of this era.
	pub readings_of: Option<EraIndex>,
	/// Clearing under way.
	pub round: Option<RoundState>,
}

/// Every strategy of one household's contract, with what it would have been worth against the others' equilibrium.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Explanation {
	/// The strategy that the equilibrium has, counted from 0.
	pub chosen: u8,
	/// Base-2 logarithm of each strategy's payoff, in units of 2^-32.
	pub payoffs_log2: Vec<Log2>,
}

sp_api::decl_runtime_apis! {
	/// Questions to the energy market. Contracts, statements and records are answered for the retained eras.
	pub trait EnergyMarketApi<AccountId, OpaqueContract>
	where
		AccountId: codec::Codec,
		OpaqueContract: codec::Codec,
	{
		/// The era that runs, and what is taken in it; nothing before the first block.
		fn current_era() -> Option<EraView>;
		/// A community.
		fn community(community: CommunityId) -> Option<Community<AccountId>>;
		/// The account of a community's pool: buyers pay into it, sellers are paid from it.
		fn pool_account(community: CommunityId) -> AccountId;
		/// The numbers of a community's households, in the order of its game.
		fn members(community: CommunityId) -> Vec<HouseholdId>;
		/// A household.
		fn household(household: HouseholdId) -> Option<Household<AccountId>>;
		/// The numbers of all households of an owner.
		fn households_of(owner: AccountId) -> Vec<HouseholdId>;
		/// A household's contract for an era.
		fn contract(household: HouseholdId, era: EraIndex) -> Option<OpaqueContract>;
		/// A household's statement of an era.
		fn statement(household: HouseholdId, era: EraIndex) -> Option<Statement>;
		/// A community's result for an era, its certificate included.
		fn record(community: CommunityId, era: EraIndex) -> Option<EraRecord>;
		/// The certificate of an era, computed again from the contracts on chain.
		fn verify(community: CommunityId, era: EraIndex) -> Option<Certificate>;
		/// Why a household has the strategy that it has.
		fn explain(household: HouseholdId, era: EraIndex) -> Option<Explanation>;
	}
}

impl<T: Config> Pallet<T> {
	/// See [`EnergyMarketApi`].
	pub fn view_current_era() -> Option<EraView> {
		let clock = Clock::<T>::get()?;
		let length = EraLengthMs::<T>::get();
		let started_ms = u64::from(clock.current).checked_mul(length)?;
		Some(EraView {
			current: clock.current,
			started_ms,
			ends_ms: started_ms.checked_add(length)?,
			now_ms: u64::try_from(T::Time::now().as_millis()).ok()?,
			strategies_for: clock.current.checked_add(1)?,
			readings_of: clock.previous,
			round: Round::<T>::get(),
		})
	}

	/// See [`EnergyMarketApi`].
	pub fn view_households_of(owner: T::AccountId) -> Vec<HouseholdId> {
		// Off chain, so a walk over the map is fine.
		let mut all: Vec<_> = Households::<T>::iter()
			.filter(|(_, h)| h.owner == owner)
			.map(|(id, _)| id)
			.collect();
		all.sort_unstable();
		all
	}

	/// See [`EnergyMarketApi`].
	pub fn view_contract(household: HouseholdId, era: EraIndex) -> Option<Contract<T>> {
		Contracts::<T>::get(household, Self::slot(era)).filter(|contract| contract.era == era)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_statement(household: HouseholdId, era: EraIndex) -> Option<Statement> {
		Statements::<T>::get(household, Self::slot(era)).filter(|statement| statement.era == era)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_record(community: CommunityId, era: EraIndex) -> Option<EraRecord> {
		Records::<T>::get(community, Self::slot(era)).filter(|record| record.era == era)
	}

	/// See [`EnergyMarketApi`].
	pub fn view_verify(community: CommunityId, era: EraIndex) -> Option<Certificate> {
		let (_, game, profile) = Self::solved_game(community, era)?;
		verify(&game, &profile, SolverConfig::default().epsilon).ok()
	}

	/// See [`EnergyMarketApi`].
	pub fn view_explain(household: HouseholdId, era: EraIndex) -> Option<Explanation> {
		let community = Households::<T>::get(household)?.community;
		let (players, game, profile) = Self::solved_game(community, era)?;
		let index = players.iter().position(|id| *id == household)?;
		Some(Explanation {
			chosen: *profile.get(index)?,
			payoffs_log2: explain(&game, &profile, index).ok()?,
		})
	}

	/// An era's game and the profile that was chosen, as the contracts on chain tell them.
	fn solved_game(community: CommunityId, era: EraIndex) -> Option<(Vec<HouseholdId>, Game, Vec<u8>)> {
		let record = Self::view_record(community, era)?;
		let (players, contracts): (Vec<_>, Vec<_>) = Members::<T>::get(community)
			.into_iter()
			.filter_map(|id| Self::view_contract(id, era).map(|contract| (id, contract)))
			.unzip();
		let profile = contracts.iter().map(|contract| contract.chosen).collect();
		Some((
			players,
			game_of(record.terms.rules, contracts.iter()).ok()?,
			profile,
		))
	}
}
