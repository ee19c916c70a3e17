//! Calls that the market must refuse: invalid ones, and calls by accounts that may not make them.

use crate::{
	calls::{batch, offer, set_concentrator, set_paused, set_preference, set_suspended},
	homes::strategy_set,
	people::{inputs_are_fixed, meter_has_reported},
	world::{members, refused, the_community, World, COMMUNITY},
};
use commonwatt_testkit::{
	account, by, debt, measured, meter, now, owner, paper, strategy, AccountId, Comfort, CommunityId,
	EraIndex, HouseholdId, Kind, MarketCall, MarketError, Preference, Quality, Reading, Runtime,
	Sr25519Keyring,
};
use pallet_energy_market::{Change, Household};
use rand::{seq::SliceRandom, Rng};
use sp_runtime::DispatchError;

impl World {
	/// Makes one or two calls that must be refused, and now and then a stranger's batch of readings.
	pub fn trespass(&mut self) {
		for _ in 0..self.rng.gen_range(1..=2) {
			match self.rng.gen_range(0..10) {
				0..=3 => self.false_reading(),
				4..=5 => self.false_strategies(),
				6..=7 => self.stranger(),
				8 => self.operator_errs(),
				_ => self.owner_errs(),
			}
		}
		if self.is_due("batch of a stranger") {
			self.false_batch();
		}
	}

	fn one_of<T>(&mut self, mut all: Vec<T>) -> T {
		all.swap_remove(self.rng.gen_range(0..all.len()))
	}

	/// An account without rights in the community, with money or without.
	fn somebody_else(&mut self) -> AccountId {
		match self.rng.gen_bool(0.5) {
			true => account("//stranger"),
			false => Sr25519Keyring::Charlie.to_account_id(),
		}
	}

	/// Submits an invalid reading.
	fn false_reading(&mut self) {
		let Some(era) = now().readings_of else { return };
		let present: Vec<_> = members()
			.into_iter()
			.filter(|(_, h)| h.is_member_in(era))
			.collect();
		let Some((id, household)) = present.choose(&mut self.rng).cloned() else {
			return;
		};
		let meter = household.meter_in(era).clone();
		let reported = meter_has_reported(id, era);
		let honest = Reading {
			generation_wh: 0,
			consumption_wh: 500,
			indoor_centi_c: 2_100,
			// The quality that the chain accepts now; each case below makes one other thing wrong.
			quality: if reported {
				Quality::Corrected
			} else {
				Quality::Measured
			},
		};
		let over = |consumption_wh| Reading {
			consumption_wh,
			..honest
		};
		let (who, era, reading, error) = match self.rng.gen_range(0..8) {
			0 => (meter, era + 1, honest, MarketError::ReadingForWrongEra),
			1 => (meter, era - 1, honest, MarketError::ReadingForWrongEra),
			2 => (meter, era, over(15_001), MarketError::OverConnectionLimit),
			3 => (meter, era, over(1_000_000_001), MarketError::EnergyOutOfRange),
			4 => (household.owner.clone(), era, honest, MarketError::UnknownMeter),
			5 => (self.somebody_else(), era, honest, MarketError::UnknownMeter),
			6 => match other_meter(&household, era) {
				Some(other) => (other, era, honest, MarketError::MeterNotActiveInEra),
				None => return,
			},
			_ => {
				let (quality, error) = match reported {
					true => (Quality::Measured, MarketError::ReadingAlreadySubmitted),
					false => (Quality::Corrected, MarketError::NothingToCorrect),
				};
				(meter, era, Reading { quality, ..honest }, error)
			}
		};
		self.act(
			by(who, MarketCall::submit_reading { era, reading }),
			refused(error),
		);
	}

	/// Submits a batch of readings by an account that is not the data concentrator: the chain refuses it.
	fn false_batch(&mut self) {
		let Some(era) = now().readings_of else { return };
		let reading = measured(15_000, 0);
		let readings = members().into_iter().map(|(id, _)| (id, reading));
		let who = self.somebody_else();
		self.act(
			by(who, batch(era, readings)),
			refused(MarketError::NotConcentrator),
		);
	}

	/// Submits invalid strategies.
	fn false_strategies(&mut self) {
		let era = now().strategies_for;
		let Some((id, household)) = self.somebody() else {
			return;
		};
		if self.may_submit(&household, era).is_err() {
			return;
		}
		let valid = strategy_set(&mut self.rng, (1_000, 400), 17);
		let set = |count: usize| valid[..count].to_vec();
		let who = household.owner.clone();
		let one = |kind, wh, error| (household.owner.clone(), era, vec![strategy(kind, wh)], error);
		let (who, era, strategies, error) = match self.rng.gen_range(0..9) {
			0 => (who, era + 1, set(1), MarketError::StrategiesForWrongEra),
			1 => (who, era - 1, set(1), MarketError::StrategiesForWrongEra),
			2 => (who, era, vec![], MarketError::NoStrategies),
			3 => (who, era, set(17), MarketError::TooManyStrategies),
			4 => one(Kind::BuyFromMain, 999, MarketError::KindContradictsNetPosition),
			5 => one(
				Kind::SellToCommunity,
				1_000,
				MarketError::KindContradictsNetPosition,
			),
			6 => one(Kind::BuyFromMain, 16_001, MarketError::OverConnectionLimit),
			7 => one(Kind::BuyFromMain, 1_000_000_001, MarketError::EnergyOutOfRange),
			_ => (self.somebody_else(), era, set(2), MarketError::NotOwner),
		};
		let submit = MarketCall::submit_strategies {
			household: id,
			era,
			generation_wh: 1_000,
			strategies,
		};
		self.act(by(who, submit), refused(error));
	}

	/// Makes a call that only the operator, the owner or governance may make, by an account that is none of them.
	fn stranger(&mut self) {
		let Some((household, h)) = self.somebody() else {
			return;
		};
		let who = self.somebody_else();
		let (call, error) = match self.rng.gen_bool(0.4) {
			true => (self.one_of(for_owners(household)), MarketError::NotOwner),
			false => {
				let calls = for_operators(household, &h.owner, &who);
				(self.one_of(calls), MarketError::NotOperator)
			}
		};
		self.act(by(who.clone(), call), refused(error));
		if self.rng.gen_bool(0.2) {
			let take_over = MarketCall::set_operator {
				community: COMMUNITY,
				operator: who.clone(),
			};
			self.act(by(who, take_over), Err(DispatchError::BadOrigin));
		}
	}

	/// Makes a call that even the operator may not make.
	fn operator_errs(&mut self) {
		let Some((id, household)) = self.somebody() else {
			return;
		};
		let (community, current) = (the_community(), now().current);
		let mut dear = paper::TERMS;
		dear.tariffs.feed_in_per_kwh = dear.tariffs.retail_per_kwh + 1;
		let terms = |terms, from_era| MarketCall::set_terms {
			community: COMMUNITY,
			terms,
			from_era,
		};
		let nobody = HouseholdId(u32::MAX);
		let calls = [
			(terms(paper::TERMS, current), MarketError::NoticeTooShort),
			(terms(dear, current + 1), MarketError::TariffsOutOfOrder),
			(set_paused(*community.paused.last()), MarketError::NothingToChange),
			(
				MarketCall::set_paused {
					community: CommunityId(u32::MAX),
					paused: true,
				},
				MarketError::UnknownCommunity,
			),
			(set_suspended(nobody, true), MarketError::UnknownHousehold),
			(
				MarketCall::remove_household { household: nobody },
				MarketError::UnknownHousehold,
			),
			(
				MarketCall::propose_change {
					household: id,
					change: Some(Change::Meter(household.meter.clone())),
				},
				MarketError::MeterAlreadyRegistered,
			),
			(
				offer(owner(0), meter(u32::MAX), 0),
				MarketError::ConnectionLimitOutOfRange,
			),
		];
		let (call, error) = self.one_of(calls.into());
		self.act(by(community.operator, call), refused(error));
	}

	/// Makes a call that even a household's owner may not make.
	fn owner_errs(&mut self) {
		let Some((household, h)) = self.somebody() else {
			return;
		};
		let up_to = |max_centi_c| MarketCall::set_comfort {
			household,
			comfort: Some(Comfort {
				max_centi_c,
				..paper::COMFORT
			}),
		};
		let too_flexible = Preference {
			flexible_down_percent: 101,
			flexible_up_percent: 0,
			response_centi_c_per_kwh: 0,
			trade_with_community: true,
		};
		// Between gate closure and the game, the market says so before it looks at the values.
		let unless_fixed = |error| match inputs_are_fixed() {
			true => MarketError::GateClosed,
			false => error,
		};
		let mut calls = vec![
			(
				set_preference(household, Some(too_flexible)),
				unless_fixed(MarketError::PreferenceOutOfRange),
			),
			(up_to(1_500), unless_fixed(MarketError::ComfortRangeEmpty)),
			(up_to(9_000), unless_fixed(MarketError::ComfortCouldExceedOne)),
		];
		if debt(household).arrears == 0 {
			calls.push((MarketCall::repay_arrears { household }, MarketError::NoArrears));
		}
		if h.member_until.is_some() {
			calls.push((MarketCall::leave { household }, MarketError::HouseholdLeaving));
		}
		let (call, error) = self.one_of(calls);
		self.act(by(h.owner, call), refused(error));
	}
}

/// Calls that only the household's owner may make.
fn for_owners(household: HouseholdId) -> Vec<MarketCall<Runtime>> {
	vec![
		MarketCall::leave { household },
		MarketCall::withdraw_strategies { household },
		MarketCall::accept_change {
			household,
			change: Change::ConnectionLimit(1),
		},
		MarketCall::set_max_debit {
			household,
			max_debit_per_era: 0,
		},
		MarketCall::offer_household {
			household,
			new_owner: None,
		},
		MarketCall::repay_arrears { household },
		MarketCall::set_comfort {
			household,
			comfort: None,
		},
		set_preference(household, None),
	]
}

/// Calls that only the operator may make.
fn for_operators(household: HouseholdId, owner: &AccountId, who: &AccountId) -> Vec<MarketCall<Runtime>> {
	vec![
		MarketCall::remove_household { household },
		set_suspended(household, true),
		set_paused(true),
		MarketCall::propose_change {
			household,
			change: Some(Change::Meter(owner.clone())),
		},
		set_concentrator(Some(who.clone())),
		MarketCall::set_terms {
			community: COMMUNITY,
			terms: paper::TERMS,
			from_era: now().current + 1,
		},
		offer(who.clone(), meter(u32::MAX), 1),
	]
}

/// While a household's meter is being replaced: the one of its two meters that does not measure in `era`.
fn other_meter(household: &Household<AccountId>, era: EraIndex) -> Option<AccountId> {
	let next = &household.next_meter.as_ref()?.meter;
	let meters = [&household.meter, next];
	meters
		.into_iter()
		.find(|meter| *meter != household.meter_in(era))
		.cloned()
}
