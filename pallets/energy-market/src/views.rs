//! Implements the queries of [`crate::runtime_api`].

use crate::{
	books::entry,
	pallet::*,
	runtime_api::{Bill, EraView, Explanation, Overview, QueueView, RecordView, Trade},
	CommunityId, Contract, Debt, EraIndex, EraRecord, HouseholdId, Phase, Statement,
};
use alloc::vec::Vec;
use commonwatt_market::{
	bill::trades,
	contract::{game_of, tradable_wh},
	game::{explain, solve, verify, Certificate, Game, Household as Player, Rules, Solution, SolverConfig},
};
use frame_support::traits::{fungible::Inspect, Get, UnixTime};

impl<T: Config> Pallet<T> {
	/// Answers `current_era` of [`crate::runtime_api::EnergyMarketApi`].
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

	/// Answers `households_of` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_households_of(owner: T::AccountId) -> Vec<HouseholdId> {
		// Runtime calls run off chain, so iterating over the whole map is acceptable.
		let mut all: Vec<_> = Households::<T>::iter()
			.filter(|(_, h)| *Self::owner_now(h) == owner)
			.map(|(id, _)| id)
			.collect();
		all.sort_unstable();
		all
	}

	/// Answers `queue` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_queue() -> QueueView {
		let round = Round::<T>::get();
		let mut view = QueueView {
			phase: round.map(|round| round.phase),
			solving: round.filter(|r| r.phase == Phase::Solve).map(|r| r.solve_era),
			settling: round.and_then(|round| round.settle_era),
			next: round.map(|round| round.next),
			steps: 0,
			ref_time: 0,
			blocks: 0,
		};
		// Runtime calls run off chain, so the whole round may be planned at once.
		let mut cursor = round;
		while let Some(from) = cursor {
			let (steps, weight, after) = Self::fitting_steps(from);
			view.steps = view.steps.saturating_add(steps.len() as u32);
			view.ref_time = view.ref_time.saturating_add(weight.ref_time());
			view.blocks = view.blocks.saturating_add(1);
			// `fitting_steps` returns at least one step, since `integrity_test` requires `MaxSteps` above 0. The filter
			// ends the loop even if it did not.
			cursor = after.filter(|_| !steps.is_empty());
		}
		view
	}

	/// Answers `overview` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_overview(id: CommunityId) -> Option<Overview<T::AccountId>> {
		let community = Communities::<T>::get(id)?;
		let current = Clock::<T>::get().map_or(0, |clock| clock.current);
		let mut records: Vec<_> = (0..T::RetainedEras::get())
			.filter_map(|slot| Records::<T>::get(id, slot))
			.collect();
		records.sort_unstable_by_key(|record| record.era);
		let pot = Self::pot_account(id);
		let mut view = Overview {
			terms: community.terms_in(current),
			households: 0,
			suspended: 0,
			leaving: 0,
			arrears: 0,
			credit: 0,
			pool: Self::pool_account(id),
			pot_balance: T::Currency::balance(&pot),
			pot,
			cleared: records.last().copied(),
			settled: records.iter().rfind(|record| record.settled.is_some()).copied(),
			community,
		};
		for (_, debt) in Debts::<T>::get(id) {
			view.arrears = view.arrears.saturating_add(debt.arrears);
			view.credit = view.credit.saturating_add(debt.credit);
		}
		for household in Members::<T>::get(id).into_iter().filter_map(Households::<T>::get) {
			view.households = view.households.saturating_add(1);
			view.suspended = view
				.suspended
				.saturating_add((*household.suspended.in_era(current)).into());
			view.leaving = view
				.leaving
				.saturating_add(household.member_until.is_some().into());
		}
		Some(view)
	}

	/// Answers `debt` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_debt(household: HouseholdId) -> Option<Debt> {
		let community = Households::<T>::get(household)?.community;
		Some(
			entry(&Debts::<T>::get(community), household)
				.copied()
				.unwrap_or_default(),
		)
	}

	/// Answers `contract` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_contract(household: HouseholdId, era: EraIndex) -> Option<Contract<T>> {
		let community = Households::<T>::get(household)?.community;
		let book = Contracts::<T>::get(community, Self::slot(era));
		entry(&book, household)
			.filter(|contract| contract.era == era)
			.cloned()
	}

	/// Answers `statement` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_statement(household: HouseholdId, era: EraIndex) -> Option<Statement> {
		let community = Households::<T>::get(household)?.community;
		let book = Statements::<T>::get(community, Self::slot(era));
		let settled = || {
			entry(&book, household)
				.filter(|statement| statement.era == era)
				.copied()
		};
		Self::late_statement(household, era).or_else(settled)
	}

	/// Answers `contracts` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_contracts(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Contract<T>)> {
		let book = Contracts::<T>::get(community, Self::slot(era)).into_iter();
		book.filter(|(_, contract)| contract.era == era).collect()
	}

	/// Answers `statements` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_statements(community: CommunityId, era: EraIndex) -> Vec<(HouseholdId, Statement)> {
		let book = Statements::<T>::get(community, Self::slot(era)).into_iter();
		book.filter(|(_, statement)| statement.era == era).collect()
	}

	/// Answers `record` of version 1 of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_record(community: CommunityId, era: EraIndex) -> Option<EraRecord> {
		Records::<T>::get(community, Self::slot(era)).filter(|record| record.era == era)
	}

	/// Answers `record` of version 2 of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_record_with_tradable(community: CommunityId, era: EraIndex) -> Option<RecordView> {
		let record = Self::view_record(community, era)?;
		let contracts = Self::view_contracts(community, era);
		let is_whole = contracts.len() == record.players as usize;
		let tradable_wh = is_whole.then(|| tradable_wh(contracts.iter().map(|(_, contract)| contract)));
		Some(RecordView {
			era: record.era,
			terms: record.terms,
			players: record.players,
			certificate: record.certificate,
			sweeps: record.sweeps,
			starts: record.starts,
			price_per_kwh: record.price_per_kwh,
			settled: record.settled,
			tradable_wh: tradable_wh.flatten(),
		})
	}

	/// Answers `verify` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_verify(community: CommunityId, era: EraIndex) -> Option<Certificate> {
		let (_, game, profile) = Self::solved_game(community, era)?;
		verify(&game, &profile, SolverConfig::default().epsilon).ok()
	}

	/// Answers `explain` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_explain(household: HouseholdId, era: EraIndex) -> Option<Explanation> {
		let community = Households::<T>::get(household)?.community;
		let (players, game, profile) = Self::solved_game(community, era)?;
		let index = players.iter().position(|id| *id == household)?;
		Some(Explanation {
			chosen: *profile.get(index)?,
			payoffs_log2: explain(&game, &profile, index).ok()?,
		})
	}

	/// Answers `bill` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_bill(household: HouseholdId, first_era: EraIndex, last_era: EraIndex) -> Option<Bill> {
		let community = Households::<T>::get(household)?.community;
		let late = LateStatements::<T>::get(household);
		let mut statements: Vec<_> = (0..T::RetainedEras::get())
			.filter_map(|slot| entry(&Statements::<T>::get(community, slot), household).copied())
			.filter(|statement| !late.iter().any(|late| late.era == statement.era))
			.chain(late.iter().copied())
			.filter(|statement| (first_era..=last_era).contains(&statement.era))
			.collect();
		statements.sort_unstable_by_key(|statement| statement.era);
		let mut bill = Bill::empty(household, statements.first()?.era);
		for statement in &statements {
			bill.add(statement);
		}
		Some(bill)
	}

	/// Answers `trades` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_trades(community: CommunityId, era: EraIndex) -> Vec<Trade> {
		let contracts = Self::view_contracts(community, era).into_iter();
		trades(contracts.map(|(id, contract)| (id, contract.energy)))
	}

	/// Answers `solve` of [`crate::runtime_api::EnergyMarketApi`].
	pub fn view_solve(rules: Rules, households: Vec<Player>) -> Option<Solution> {
		let within = households.len() <= T::MaxHouseholds::get() as usize
			&& households
				.iter()
				.all(|h| h.strategies.len() <= T::MaxStrategies::get() as usize);
		let game = within.then(|| Game::new(rules, households).ok()).flatten()?;
		Some(solve(&game, &Self::solver_limits().config(&game), None))
	}

	/// The players of an era, their game and the chosen profile, rebuilt from the contracts on chain.
	fn solved_game(community: CommunityId, era: EraIndex) -> Option<(Vec<HouseholdId>, Game, Vec<u8>)> {
		let record = Self::view_record(community, era)?;
		let (players, contracts): (Vec<_>, Vec<_>) = Self::view_contracts(community, era).into_iter().unzip();
		let profile = contracts.iter().map(|contract| contract.chosen).collect();
		let game = game_of(record.terms.rules, contracts.iter()).ok()?;
		Some((players, game, profile))
	}
}
