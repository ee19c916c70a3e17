//! What the operator changes, and households that join and leave.

use crate::{
	calls::{accept, offer, set_concentrator, set_paused, set_preference, set_suspended},
	homes::{Home, HOUSEHOLDS, POCKET},
	people::{gate_is_closed, late_eras, oldest_retained_era},
	world::{bystander, members, refused, refused_if, spendable, the_community, World, COMMUNITY},
};
use commonwatt_testkit::{
	account, by, measured, meter, now, owner, paper, AccountId, Comfort, EraIndex, HouseholdId, MarketCall,
	MarketError, Preference, Ratio, Runtime, Sr25519Keyring, Terms, MILLI, UNIT,
};
use pallet_energy_market::{
	market::prices::lowest_price, Change, ComfortBounds, Household, Households, MeterOf, PriceRule, Round,
	TermsBounds,
};
use rand::{seq::SliceRandom, Rng};
use sp_runtime::DispatchResult;

/// Eras from an announcement of terms to the first era under them, on a chain of the development preset.
pub(crate) const NOTICE: EraIndex = 2;

/// The era that runs by the block's time, or the one that the chain noted last if that is later.
fn running() -> EraIndex {
	let view = now();
	let by_time = view.now_ms / (view.ends_ms - view.started_ms);
	view.current.max(by_time as EraIndex)
}

/// What the simulation's governance allows: anything that [`World::random_terms`] makes.
pub(crate) fn bounds() -> TermsBounds {
	TermsBounds {
		highest_retail_per_kwh: UNIT,
		lowest_feed_in_per_kwh: 0,
		highest_imbalance_import_per_kwh: UNIT,
		lowest_imbalance_export_per_kwh: 0,
		highest_grid_fee_per_kwh: UNIT,
		highest_incentive_per_era: UNIT,
		highest_connection_limit_wh: 50_000,
	}
}

/// The terms that the community starts with and returns to: the paper's, with an incentive and wide comfort bounds.
pub(crate) fn opening_terms() -> Terms {
	Terms {
		incentive_per_era: 100 * MILLI,
		comfort_bounds: Some(ComfortBounds {
			min_centi_c: 1_000,
			max_centi_c: 3_500,
		}),
		..paper::TERMS
	}
}

/// A preference with little flexibility.
fn preference() -> Preference {
	Preference {
		flexible_down_percent: 20,
		flexible_up_percent: 10,
		response_centi_c_per_kwh: 50,
		trade_with_community: true,
	}
}

impl World {
	/// Makes the changes by operator and owners that are due.
	pub fn operate(&mut self) {
		if gate_is_closed() {
			return;
		}
		if self.is_due("other terms") {
			self.announce_other_terms();
		}
		if self.is_due("pause") {
			self.pause();
		}
		if let Some((household, h)) = self.due_household("suspension") {
			self.suspend(household, *h.suspended.last());
		}
		if let Some((household, h)) = self.due_household("another meter") {
			self.replace_meter(household, &h);
		}
		if self.is_due("another operator") {
			self.hand_over();
		}
		if self.is_due("data concentrator") {
			let has_none = the_community().concentrator.last().is_none();
			let concentrator = has_none.then(|| account("//concentrator"));
			self.as_operator(set_concentrator(concentrator), Ok(()));
		}
		self.come_and_go();
		self.govern();
		if self.is_due("membership that nobody asked for") {
			self.enlist();
		}
		if let Some((household, h)) = self.due_household("other comfort") {
			self.change_comfort(household, h.owner);
		}
		if let Some((household, h)) = self.due_household("other preference") {
			let preference = self.rng.gen_bool(0.7).then(|| self.random_preference());
			self.act(by(h.owner, set_preference(household, preference)), Ok(()));
		}
		self.spend();
	}

	/// Prepares the days in which everybody takes part to the maximum: ends pauses and suspensions, and sets everything
	/// optional that takes space in the state.
	pub fn prepare(&mut self) {
		let community = the_community();
		self.resume();
		if community.concentrator.last().is_none() {
			self.as_operator(set_concentrator(Some(account("//concentrator"))), Ok(()));
		}
		if community
			.next_terms
			.is_none_or(|next| next.terms != opening_terms())
		{
			self.announce_opening_terms();
		}
		while members().len() < HOUSEHOLDS as usize {
			self.admit();
		}
		for (household, h) in members() {
			self.prepare_household(household, h);
		}
		self.fill_all();
	}

	fn prepare_household(&mut self, household: HouseholdId, h: Household<AccountId>) {
		self.unsuspend(household);
		if h.next_meter.is_none() {
			self.replace_meter(household, &h);
		}
		if h.comfort.is_none() && self.allows(&paper::COMFORT) {
			let comfort = Some(paper::COMFORT);
			self.act(
				by(h.owner.clone(), MarketCall::set_comfort { household, comfort }),
				Ok(()),
			);
		}
		if h.preference.is_none() {
			let preference = Some(preference());
			self.act(by(h.owner, set_preference(household, preference)), Ok(()));
		}
	}

	fn as_operator(&mut self, call: MarketCall<Runtime>, expected: DispatchResult) {
		self.act(by(the_community().operator, call), expected);
	}

	/// Announces terms that hold from `from_era` on.
	fn announce(&mut self, terms: Terms, from_era: EraIndex) {
		let set_terms = MarketCall::set_terms {
			community: COMMUNITY,
			terms,
			from_era,
		};
		self.as_operator(set_terms, Ok(()));
		// A new announcement replaces earlier ones whose terms do not hold yet.
		self.announced.retain(|(from_era, _)| *from_era <= running());
		self.announced.push((from_era, terms));
	}

	/// Announces the terms of the start for the era after next.
	pub fn announce_opening_terms(&mut self) {
		self.announce(opening_terms(), running() + NOTICE);
	}

	/// Announces random terms for one of the next eras.
	pub fn announce_other_terms(&mut self) {
		let terms = self.random_terms();
		let from_era = running() + NOTICE + self.rng.gen_range(0..7);
		self.announce(terms, from_era);
	}

	fn random_terms(&mut self) -> Terms {
		let rng = &mut self.rng;
		let mut terms = opening_terms();
		terms.rules.lambda = Ratio {
			numerator: rng.gen_range(3..20),
			denominator: rng.gen_range(1..3),
		};
		terms.rules.resolution_wh = [1, 10, 50, 1_000][rng.gen_range(0..4)];
		let tariffs = &mut terms.tariffs;
		tariffs.imbalance_export_per_kwh = rng.gen_range(0..50 * MILLI);
		tariffs.feed_in_per_kwh = tariffs.imbalance_export_per_kwh + rng.gen_range(0..100 * MILLI);
		tariffs.retail_per_kwh = tariffs.feed_in_per_kwh + rng.gen_range(0..300 * MILLI);
		tariffs.imbalance_import_per_kwh = tariffs.retail_per_kwh + rng.gen_range(0..300 * MILLI);
		terms.price_rule = match rng.gen_bool(0.5) {
			true => PriceRule::MidMarket,
			false => PriceRule::SupplyDemandRatio,
		};
		// Price and fee together are at most retail, and two rewards at most the fee.
		let room = terms.tariffs.retail_per_kwh - lowest_price(&terms);
		terms.tariffs.grid_fee_per_kwh = rng.gen_range(0..30 * MILLI).min(room);
		terms.reward_cap_per_kwh = rng.gen_range(0..=terms.tariffs.grid_fee_per_kwh / 2);
		terms.incentive_per_era = [0, 50 * MILLI, UNIT][rng.gen_range(0..3)];
		terms.comfort_bounds = rng.gen_bool(0.7).then(|| ComfortBounds {
			min_centi_c: rng.gen_range(1_000..2_000),
			max_centi_c: rng.gen_range(2_200..3_500),
		});
		terms
	}

	fn pause(&mut self) {
		let expected = refused_if(*the_community().paused.last(), MarketError::NothingToChange);
		self.as_operator(set_paused(true), expected);
		if expected.is_err() {
			return;
		}
		self.put_off(1..12, World::resume);
		// Eras without games must be billed by their own terms, even if others are announced before they are settled.
		for _ in 0..3 {
			self.put_off(1..4, World::announce_other_terms);
		}
	}

	/// Suspends everybody, pauses and names a data concentrator, or the reverse of it.
	pub fn switch_everything(&mut self, on: bool) {
		let expected = |has| refused_if(has == on, MarketError::NothingToChange);
		for (household, h) in members() {
			let expected = expected(*h.suspended.last());
			self.as_operator(set_suspended(household, on), expected);
		}
		let community = the_community();
		self.as_operator(set_paused(on), expected(*community.paused.last()));
		let concentrator = on.then(|| account("//concentrator"));
		let expected = expected(community.concentrator.last().is_some());
		self.as_operator(set_concentrator(concentrator), expected);
	}

	/// Ends a pause, if there is one.
	fn resume(&mut self) {
		if *the_community().paused.last() {
			self.as_operator(set_paused(false), Ok(()));
		}
	}

	fn suspend(&mut self, household: HouseholdId, is_suspended: bool) {
		let expected = refused_if(is_suspended, MarketError::NothingToChange);
		self.as_operator(set_suspended(household, true), expected);
		if expected.is_ok() {
			self.put_off(1..60, move |world| world.unsuspend(household));
		}
	}

	/// Ends a household's suspension, if there is one.
	fn unsuspend(&mut self, household: HouseholdId) {
		if Households::<Runtime>::get(household).is_some_and(|h| *h.suspended.last()) {
			self.as_operator(set_suspended(household, false), Ok(()));
		}
	}

	/// Replaces a household's meter, sometimes by the meter of a household that left.
	fn replace_meter(&mut self, id: HouseholdId, household: &Household<AccountId>) {
		let used = self.spare.choose(&mut self.rng).map(|(_, meter)| meter.clone());
		let another = match used.filter(|used| !MeterOf::<Runtime>::contains_key(used)) {
			Some(used) => used,
			None => {
				self.names += 1;
				meter(self.names)
			}
		};
		let another_meter = Change::Meter(another.clone());
		let propose = MarketCall::propose_change {
			household: id,
			change: Some(another_meter.clone()),
		};
		self.as_operator(propose, Ok(()));
		let agree = MarketCall::accept_change {
			household: id,
			change: another_meter,
		};
		self.act(by(household.owner.clone(), agree), Ok(()));
		// While the first meter could still report an era, late or in time, the market refuses a third one.
		let oldest_late = oldest_retained_era();
		let settling = Round::<Runtime>::get().and_then(|round| round.settle_era);
		let unsettled = [now().readings_of, settling].into_iter().flatten();
		let oldest_open = unsettled.fold(oldest_late, EraIndex::min);
		let in_between = household
			.next_meter
			.as_ref()
			.is_some_and(|next| next.from_era > oldest_open && next.from_era <= running());
		let expected = refused_if(in_between, MarketError::MeterBeingReplaced);
		self.act(
			by(another.clone(), MarketCall::confirm_meter { household: id }),
			expected,
		);
		if expected.is_ok() {
			self.homes.get_mut(&id).expect("a home for each household").meter = another;
		}
	}

	/// Lets governance name the other one of two operators.
	fn hand_over(&mut self) {
		let [eve, dave] = [Sr25519Keyring::Eve, Sr25519Keyring::Dave].map(|key| key.to_account_id());
		let operator = match the_community().operator == eve {
			true => dave,
			false => eve,
		};
		let set_operator = MarketCall::<Runtime>::set_operator {
			community: COMMUNITY,
			operator,
		};
		assert_eq!(self.decide(set_operator), Ok(()));
		// What the old operator announced and has not begun is dropped, the end of a pause too.
		self.announced.retain(|(from_era, _)| *from_era <= running());
		self.put_off(1..12, World::resume);
	}

	fn come_and_go(&mut self) {
		if self.is_due("admission") && members().len() < HOUSEHOLDS as usize {
			self.admit();
		}
		let leaving =
			|h: &Household<AccountId>| refused_if(h.member_until.is_some(), MarketError::HouseholdLeaving);
		if let Some((household, h)) = self.due_household("departure") {
			self.act(by(h.owner.clone(), MarketCall::leave { household }), leaving(&h));
		}
		if let Some((household, h)) = self.due_household("removal") {
			self.as_operator(MarketCall::remove_household { household }, leaving(&h));
		}
		if let Some((household, h)) = self.due_household("owner spends all and leaves") {
			self.act(by(h.owner.clone(), MarketCall::leave { household }), leaving(&h));
			self.spend_all(&h.owner);
			self.put_off(5..40, move |world| world.top_up(&h.owner));
		}
	}

	/// Has a household join, with a new owner and meter or with those of a household that left.
	fn admit(&mut self) {
		let returns = !self.spare.is_empty() && self.rng.gen_bool(0.7);
		let used = returns.then(|| self.spare.swap_remove(self.rng.gen_range(0..self.spare.len())));
		self.names += 1;
		let (owner, meter) = match used.filter(|(_, meter)| !MeterOf::<Runtime>::contains_key(meter)) {
			Some(used) => used,
			None => (owner(self.names), meter(self.names)),
		};
		let comfort = self.allows(&paper::COMFORT).then_some(paper::COMFORT);
		self.fund_deposit();
		let id = pallet_energy_market::NextHousehold::<Runtime>::get();
		self.as_operator(offer(owner.clone(), meter.clone(), 15_000), Ok(()));
		self.top_up(&owner);
		let mut consents = [
			by(owner.clone(), accept(id, comfort)),
			by(meter.clone(), MarketCall::confirm_meter { household: id }),
		];
		consents.shuffle(&mut self.rng);
		for consent in consents {
			self.act(consent, Ok(()));
		}
		self.tally.admitted += 1;
		self.homes
			.insert(id, Home::new(&mut self.rng, owner.clone(), meter));
		if self.rng.gen_bool(0.5) {
			let preference = Some(self.random_preference());
			self.act(by(owner, set_preference(id, preference)), Ok(()));
		}
	}

	/// An offer takes a deposit from the operator.
	fn fund_deposit(&mut self) {
		let operator = the_community().operator;
		if spendable(&operator) < 2 * UNIT {
			self.give(operator, POCKET);
		}
	}

	/// The operator tries to make a stranger a member, with a meter of its own that reports the most for it.
	fn enlist(&mut self) {
		self.fund_deposit();
		self.names += 1;
		let meter = meter(self.names);
		let household = pallet_energy_market::NextHousehold::<Runtime>::get();
		self.as_operator(offer(bystander(), meter.clone(), 15_000), Ok(()));
		self.act(by(meter.clone(), MarketCall::confirm_meter { household }), Ok(()));
		let reading = measured(0, 15_000);
		if let Some(era) = now().readings_of {
			let report = MarketCall::submit_reading { era, reading };
			self.act(by(meter.clone(), report), refused(MarketError::NotMemberInEra));
		}
		if let Some(era) = late_eras().last() {
			let report = MarketCall::submit_late_reading { era, reading };
			self.act(by(meter, report), refused(MarketError::NotMemberInEra));
		}
		self.as_operator(MarketCall::withdraw_offer { household }, Ok(()));
	}

	fn random_preference(&mut self) -> Preference {
		Preference {
			flexible_down_percent: self.rng.gen_range(0..=100),
			flexible_up_percent: self.rng.gen_range(0..=50),
			response_centi_c_per_kwh: self.rng.gen_range(-200..200),
			trade_with_community: self.rng.gen_bool(0.8),
		}
	}

	/// Sets a random comfort range, which may lie outside the community's bounds.
	fn change_comfort(&mut self, household: HouseholdId, owner: AccountId) {
		let (min_centi_c, max_centi_c) = (self.rng.gen_range(1_200..2_000), self.rng.gen_range(2_100..3_000));
		let comfort = Comfort {
			min_centi_c,
			max_centi_c,
			// The maximum for the widest of these ranges, 18 degrees: 1 / 9².
			a: Ratio {
				numerator: 1,
				denominator: 81,
			},
		};
		let expected = refused_if(!self.allows(&comfort), MarketError::ComfortOutOfBounds);
		let comfort = Some(comfort);
		self.act(
			by(owner, MarketCall::set_comfort { household, comfort }),
			expected,
		);
	}

	/// Whether a comfort range lies within the comfort bounds of the next era.
	fn allows(&self, comfort: &Comfort) -> bool {
		let terms = the_community().terms_in(now().strategies_for);
		terms.comfort_bounds.is_none_or(|bounds| bounds.allow(comfort))
	}
}
