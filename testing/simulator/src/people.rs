//! What owners and meters do: submit readings (late, corrected or none), submit strategies (replaced, withdrawn or
//! none), and repay debts.

use crate::{
	calls::batch,
	homes::{strategy_set, Habit},
	world::{members, refused, refused_if, spendable, the_community, World, COMMUNITY},
};
use commonwatt_testkit::{
	by, debt, now, AccountId, Balance, Balances, EnergyMarket, EraIndex, HouseholdId, MarketCall,
	MarketError, Quality, Reading, ReportedBy, Runtime, Statement,
};
use frame_support::traits::{fungible::Inspect, Get};
use pallet_energy_market::{Config, FirstEra, Household, Phase, Readings, Round, Submissions};
use rand::{seq::SliceRandom, Rng};
use sp_runtime::DispatchResult;

/// Maximum number of strategies in a submission.
const MOST_STRATEGIES: u32 = 16;

impl World {
	/// The first block after the end of an era: the chain notices that only when the block ends. It still takes readings,
	/// but no strategies, since the gate is closed.
	pub fn last_minute(&mut self) {
		if self.full || self.restore {
			return;
		}
		self.report(30);
		self.submit(8);
		self.correct();
		self.trespass();
	}

	/// The second block of an era. At its end the chain starts to solve the games of this era and to settle the one
	/// before last.
	pub fn morning(&mut self) {
		self.twins.report(self.silent);
		if self.full || self.restore {
			return;
		}
		self.report(50);
		self.submit(40);
		self.trespass();
	}

	/// The rest of the era.
	pub fn midday(&mut self) {
		self.pay_wages();
		self.do_what_was_put_off();
		self.twins.midday(self.silent);
		if self.full || self.restore {
			self.prepare();
			self.report(if self.silent { 0 } else { 100 });
			self.report_late(100);
			self.submit(100);
			if self.restore {
				// Nothing is collected from a household that has left.
				self.repay(100);
			}
			return;
		}
		self.operate();
		self.report(85);
		self.report_late(10);
		self.submit(60);
		self.correct();
		self.withdraw();
		self.repay(20);
		self.trespass();
	}

	/// Every meter that has not reported yet does so with a probability of `percent`.
	fn report(&mut self, percent: u32) {
		let Some(era) = now().readings_of else { return };
		let mut due = Vec::new();
		for (id, household) in members() {
			let silent = household.is_member_in(era) && !has_reported(id, era);
			if silent && self.rng.gen_ratio(percent, 100) {
				due.push((id, household, self.meter(id, era)));
			}
		}
		match the_community().concentrator.in_era(now().current).clone() {
			// Else the meters would correct them late, and the state would vary in size.
			Some(concentrator) if !self.full && self.rng.gen_bool(0.3) => {
				self.report_all(concentrator, era, due)
			}
			_ => {
				for (id, household, reading) in due {
					let report = MarketCall::submit_reading { era, reading };
					self.act(by(household.meter_in(era).clone(), report), Ok(()));
					self.remember(era, id, reading);
				}
			}
		}
	}

	/// Every meter reports the first era that was settled without its word or that the chain missed, with a probability
	/// of `percent`.
	fn report_late(&mut self, percent: u32) {
		for (id, household) in members() {
			if !self.rng.gen_ratio(percent, 100) {
				continue;
			}
			let eras = late_eras();
			let owed = |era: &EraIndex| {
				EnergyMarket::view_statement(id, *era).is_none_or(|s| s.reported_by != ReportedBy::Meter)
			};
			if let Some(era) = eras.filter(|era| household.is_member_in(*era)).find(owed) {
				self.report_one_late(id, &household, era);
			}
		}
	}

	/// Submits a late reading. The difference between the two bills, and nothing else, moves between the owner and the
	/// utility, or is owed.
	fn report_one_late(&mut self, id: HouseholdId, household: &Household<AccountId>, era: EraIndex) {
		let community = the_community();
		let before = EnergyMarket::view_statement(id, era);
		let has_record = EnergyMarket::view_record(COMMUNITY, era).is_some();
		let oldest = community
			.ended_terms
			.first()
			.filter(|_| community.ended_terms.is_full());
		let are_terms_forgotten = !has_record && oldest.is_some_and(|oldest| era < oldest.before_era);
		let expected = refused_if(are_terms_forgotten, MarketError::TermsForgotten);
		let reading = Reading {
			quality: Quality::Measured,
			..self.meter(id, era)
		};
		let wealth = || wealth(&household.owner, id);
		let both = || Balances::total_balance(&household.owner) + Balances::total_balance(&community.utility);
		let (own, all) = (wealth(), both());
		let meter = household.meter_in(era);
		let report = MarketCall::submit_late_reading { era, reading };
		self.act(by(meter.clone(), report.clone()), expected);
		if expected.is_err() {
			return;
		}
		let after = EnergyMarket::view_statement(id, era).expect("the late reading has a statement");
		let at = format!("household {id}, era {era}");
		assert_eq!(after.reading, reading, "{at}: the late reading");
		let bill = |s: &Statement| s.amounts.utility_cost() as i128 - s.amounts.utility_revenue() as i128;
		assert_eq!(
			own - wealth(),
			bill(&after) - before.as_ref().map_or(0, bill),
			"{at}: what the household lost by the late reading"
		);
		assert_eq!(both(), all, "{at}: money of owner and utility");
		self.tally.late += 1;
		self.act(
			by(meter.clone(), report),
			refused(MarketError::ReadingAlreadySubmitted),
		);
	}

	/// The data concentrator submits all readings that are due in one batch, which also has a second reading of the
	/// first household and a reading of a household that does not exist. The chain must refuse these two.
	fn report_all(
		&mut self,
		concentrator: AccountId,
		era: EraIndex,
		due: Vec<(HouseholdId, Household<AccountId>, Reading)>,
	) {
		let mut readings: Vec<_> = due.iter().map(|(id, _, reading)| (*id, *reading)).collect();
		if let Some((first, reading)) = readings.first().copied() {
			let another = Reading {
				consumption_wh: 1,
				..reading
			};
			readings.extend([(first, another), (HouseholdId(u32::MAX), reading)]);
		}
		self.act(by(concentrator, batch(era, readings)), Ok(()));
		for (id, _, reading) in due {
			self.remember(era, id, reading);
			self.tally.batch_items[0] += 1;
		}
	}

	/// A reading near the contract of the era or, without a contract, near what the household expects. It differs by up
	/// to 40 percent; half of the figures are exact.
	fn meter(&mut self, id: HouseholdId, era: EraIndex) -> Reading {
		let contract = EnergyMarket::view_contract(id, era);
		let chosen = contract.map(|c| (c.generation_wh, c.strategies[usize::from(c.chosen)]));
		let (generation, consumption, indoor_centi_c) = match chosen {
			Some((generation, strategy)) => {
				(generation, strategy.consumption_wh, strategy.temperature_centi_c)
			}
			None => {
				let (generation, consumption) = self.homes[&id].expects(&mut self.rng, era, self.sky_percent);
				(generation, consumption, 2_100)
			}
		};
		let mut about = |wh: u32| match self.rng.gen_bool(0.5) {
			true => wh,
			false => wh * self.rng.gen_range(60..140) / 100,
		};
		Reading {
			// A preference derives strategies from the last reading, and the next reading follows the contract made
			// from them: without a limit, readings could grow without end.
			generation_wh: about(generation).min(10_000),
			consumption_wh: about(consumption).min(10_000),
			indoor_centi_c,
			// A statement for a measured reading is the longest: it also says what was delivered.
			quality: match !self.full && self.rng.gen_ratio(1, 20) {
				true => Quality::Estimated,
				false => Quality::Measured,
			},
		}
	}

	/// Lets a random meter correct the reading that it reported, in half of the cases.
	fn correct(&mut self) {
		let Some(era) = now().readings_of else { return };
		let Some((id, household)) = self.somebody() else {
			return;
		};
		if !meter_has_reported(id, era) || self.rng.gen_bool(0.5) {
			return;
		}
		let reading = Reading {
			quality: Quality::Corrected,
			..self.meter(id, era)
		};
		let report = MarketCall::submit_reading { era, reading };
		self.act(by(household.meter_in(era).clone(), report), Ok(()));
		self.remember(era, id, reading);
	}

	/// Every owner who submits strategies does so with a probability of `percent`, even if the household has submitted
	/// already. Owners who rely on a preference do so with a twentieth of it.
	fn submit(&mut self, percent: u32) {
		let era = now().strategies_for;
		for (id, household) in members() {
			let percent = match self.homes[&id].habit {
				_ if self.full => 100,
				Habit::Submits => percent,
				Habit::LeavesPreference => percent / 20,
				Habit::StaysAway => 0,
			};
			let expected = self.may_submit(&household, era);
			// Owners who may not submit usually know that: only one in ten tries.
			let tries = self.rng.gen_ratio(percent, 100) && (expected.is_ok() || self.rng.gen_bool(0.1));
			if tries {
				let count = match self.rng.gen_range(0..20) {
					_ if self.full => MOST_STRATEGIES,
					0 => MOST_STRATEGIES,
					_ => self.rng.gen_range(1..=6),
				};
				let expects = self.homes[&id].expects(&mut self.rng, era, self.sky_percent);
				let submit = MarketCall::submit_strategies {
					household: id,
					era,
					generation_wh: expects.0,
					strategies: strategy_set(&mut self.rng, expects, count),
				};
				self.act(by(household.owner, submit), expected);
			}
		}
	}

	/// The expected result of submitting valid strategies for `era`.
	pub fn may_submit(&self, household: &Household<AccountId>, era: EraIndex) -> DispatchResult {
		refused_if(gate_is_closed(), MarketError::GateClosed)?;
		let is_suspended = *household.suspended.in_era(era);
		refused_if(is_suspended, MarketError::HouseholdSuspended)?;
		refused_if(!household.is_member_in(era), MarketError::HouseholdLeaving)?;
		refused_if(*the_community().paused.in_era(era), MarketError::CommunityPaused)
	}

	fn withdraw(&mut self) {
		let Some((id, household)) = self.somebody() else {
			return;
		};
		if self.rng.gen_bool(0.7) {
			return;
		}
		let era = now().strategies_for;
		let submitted = Submissions::<Runtime>::get(id, EnergyMarket::submission_slot(era));
		let has_submitted = submitted.is_some_and(|submission| submission.era == era);
		let expected = refused_if(gate_is_closed(), MarketError::GateClosed)
			.and(refused_if(!has_submitted, MarketError::NothingSubmitted));
		self.act(
			by(household.owner, MarketCall::withdraw_strategies { household: id }),
			expected,
		);
	}

	/// Owners in arrears repay now and then, before the next settlement makes them.
	fn repay(&mut self, percent: u32) {
		for (id, household) in members() {
			let arrears = debt(id).arrears;
			if arrears == 0 || !self.rng.gen_ratio(percent, 100) {
				continue;
			}
			let utility = the_community().utility;
			let before = Balances::balance(&utility);
			let expected = refused_if(spendable(&household.owner) == 0, MarketError::NothingToPayWith);
			self.act(
				by(household.owner, MarketCall::repay_arrears { household: id }),
				expected,
			);
			let after = debt(id).arrears;
			assert_eq!(
				Balances::balance(&utility) - before,
				arrears - after,
				"arrears that household {id} repaid"
			);
		}
	}

	/// A random household.
	pub fn somebody(&mut self) -> Option<(HouseholdId, Household<AccountId>)> {
		members().choose(&mut self.rng).cloned()
	}
}

/// What an owner has, funds on hold included, and what its household is owed, less what it owes. Smallest unit.
pub(crate) fn wealth(owner: &AccountId, id: HouseholdId) -> i128 {
	let debt = debt(id);
	signed(Balances::total_balance(owner)) + signed(debt.credit) - signed(debt.arrears)
}

/// An amount as a number that can be negative.
pub(crate) fn signed(amount: Balance) -> i128 {
	i128::try_from(amount).expect("an account holds less than 2^127")
}

/// The eras whose late readings the chain accepts.
pub(crate) fn late_eras() -> std::ops::Range<EraIndex> {
	let first = FirstEra::<Runtime>::get().max(oldest_retained_era());
	first..now().readings_of.unwrap_or(first)
}

/// The oldest era whose statements the chain keeps.
pub(crate) fn oldest_retained_era() -> EraIndex {
	let retained = <<Runtime as Config>::RetainedEras as Get<u32>>::get();
	(now().current + 1).saturating_sub(retained)
}

/// Whether the running era has ended by the time of this block.
pub(crate) fn gate_is_closed() -> bool {
	now().now_ms >= now().ends_ms
}

/// Whether the gate is closed and the game of the next era has not been played yet: what it reads may not change.
pub(crate) fn inputs_are_fixed() -> bool {
	gate_is_closed() || Round::<Runtime>::get().is_some_and(|round| round.phase == Phase::Solve)
}

/// Whether the household's meter itself has reported `era`.
pub(crate) fn meter_has_reported(id: HouseholdId, era: EraIndex) -> bool {
	Readings::<Runtime>::get(id).is_some_and(|metered| metered.newest.era == era && metered.newest.by_meter)
}

/// Whether the chain has a reading of the household for `era`.
pub(crate) fn has_reported(id: HouseholdId, era: EraIndex) -> bool {
	Readings::<Runtime>::get(id).is_some_and(|metered| metered.newest.era == era)
}
