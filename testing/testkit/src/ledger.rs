//! Compares two moments of a block: do the events in between explain every change of balances and debts?

use crate::{
	sums::{self, Purses},
	MarketEvent,
};
use commonwatt_runtime::{AccountId, Balance, Balances, EnergyMarket, Hash, Runtime, RuntimeEvent, System};
use frame_support::storage::unhashed;
use frame_system::EventRecord;
use pallet_energy_market::{
	CommunityId, Debt, EraIndex, Event, Household, HouseholdId, Households, Metered, Quality, Readings,
	Statement, Terms, Totals,
};
use sp_io::hashing::twox_128;
use std::collections::BTreeMap;

/// The events of the block so far. Decodes them at once; `System::events` streams them, and each piece of the stream
/// copies them all.
pub fn events() -> Vec<RuntimeEvent> {
	let key = [twox_128(b"System"), twox_128(b"Events")].concat();
	let records = unhashed::get_or_default::<Vec<EventRecord<RuntimeEvent, Hash>>>(&key);
	records.into_iter().map(|record| record.event).collect()
}

/// Balances, debts and readings at one moment of a block.
pub struct Snapshot {
	balances: BTreeMap<AccountId, Balance>,
	households: BTreeMap<HouseholdId, Household<AccountId>>,
	debts: BTreeMap<HouseholdId, Debt>,
	readings: BTreeMap<HouseholdId, Metered>,
	events: u32,
}

impl Snapshot {
	/// Takes a snapshot of the current state.
	pub fn now() -> Self {
		Self {
			balances: sums::balances(),
			households: Households::<Runtime>::iter().collect(),
			debts: debts(),
			readings: Readings::<Runtime>::iter().collect(),
			events: System::event_count(),
		}
	}

	/// Panics unless, since the snapshot and within this block:
	///
	/// - every account's balance changed by exactly what the market's events say, and so did every household's arrears
	///   and credit;
	/// - the settlements used the readings of the snapshot;
	/// - the state keeps the same statements and totals as the events;
	/// - all balances together equal the total issuance.
	///
	/// [`Chain`](crate::Chain) checks this around the end of every block, where settlements happen.
	pub fn assert_told(&self) {
		let mut told = Told {
			before: self,
			moved: BTreeMap::new(),
			debts: self.debts.clone(),
			statements: Vec::new(),
		};
		for event in events().into_iter().skip(self.events as usize) {
			if let RuntimeEvent::EnergyMarket(event) = event {
				told.hear(event);
			}
		}
		told.assert_all();
	}
}

/// The arrears and credit of every household.
fn debts() -> BTreeMap<HouseholdId, Debt> {
	let debt = |id| EnergyMarket::view_debt(id).expect("it is a household");
	Households::<Runtime>::iter_keys()
		.map(|id| (id, debt(id)))
		.collect()
}

/// The changes that the events explain.
struct Told<'a> {
	before: &'a Snapshot,
	moved: BTreeMap<AccountId, i128>,
	debts: BTreeMap<HouseholdId, Debt>,
	/// Statements since the last `EraSettled` event.
	statements: Vec<(HouseholdId, Statement)>,
}

impl Told<'_> {
	fn pay(&mut self, from: &AccountId, to: &AccountId, amount: Balance) {
		*self.moved.entry(from.clone()).or_default() -= signed(amount);
		*self.moved.entry(to.clone()).or_default() += signed(amount);
	}

	fn hear(&mut self, event: MarketEvent) {
		match event {
			Event::HouseholdSettled {
				household, statement, ..
			} => self.statements.push((household, statement)),
			Event::EraSettled {
				community,
				era,
				totals,
			} => self.settle(community, era, totals),
			Event::CreditPaid {
				household,
				paid,
				credit,
			} => {
				let (owner, purses) = self.parties(household, None);
				self.pay(&purses.utility, &owner, paid);
				self.debts.get_mut(&household).expect("it was there").credit -= paid;
				assert_eq!(
					self.debts[&household].credit, credit,
					"credit of household {household} by its payments (left) and by the event (right)"
				);
			}
			Event::ArrearsRepaid {
				household,
				paid,
				arrears,
			} => {
				let (owner, purses) = self.parties(household, None);
				self.pay(&owner, &purses.utility, paid);
				self.debts.get_mut(&household).expect("it was there").arrears -= paid;
				assert_eq!(
					self.debts[&household].arrears, arrears,
					"arrears of household {household} by its payments (left) and by the event (right)"
				);
			}
			Event::ArrearsWrittenOff { household, arrears } => {
				self.debts.get_mut(&household).expect("it was there").arrears -= arrears;
			}
			Event::HouseholdLeft { household, .. } => {
				assert_eq!(
					self.debts.remove(&household),
					Some(Debt::default()),
					"household {household} left with debts or was unknown"
				);
			}
			_ => (),
		}
	}

	/// The owner in an era, or in the last era of a household that is leaving, and the community's accounts.
	fn parties(&self, household: HouseholdId, era: Option<EraIndex>) -> (AccountId, Purses) {
		let known =
			self.before.households.get(&household).unwrap_or_else(|| {
				panic!("an event names household {household}, which is not in the snapshot")
			});
		let era = era.or(known.member_until).unwrap_or(EraIndex::MAX);
		(known.owner_in(era).clone(), Purses::of(known.community))
	}

	/// Handles an `EraSettled` event: the statements since the last one belong to this era.
	fn settle(&mut self, community: CommunityId, era: EraIndex, told: Totals) {
		let at = format!("community {community}, era {era}");
		let statements = std::mem::take(&mut self.statements);
		let kept = EnergyMarket::view_statements(community, era);
		assert_eq!(
			kept, statements,
			"{at}: statements in the state (left) and in events (right)"
		);
		let missing = statements
			.iter()
			.filter(|(id, _)| self.reported(*id, era).is_none());
		assert_eq!(
			told,
			sums::totals(&statements, missing.count() as u32, told.to_pot),
			"{at}: totals in the event (left) and summed from statements (right)"
		);
		let record = EnergyMarket::view_record(community, era);
		if let Some(record) = &record {
			assert_eq!(
				record.settled,
				Some(told),
				"{at}: totals in the record (left) and in the event (right)"
			);
			assert!(
				told.rewards <= record.terms.incentive_per_era,
				"{at}: the rewards exceed the incentive"
			);
			let spreads: Balance = statements.iter().map(|(_, s)| spread(&record.terms, s)).sum();
			assert!(
				told.to_pot <= spreads,
				"{at}: the pot received more than the spreads of {spreads}"
			);
			let operator = Purses::of(community).operator;
			if record.terms.tariffs.grid_fee_per_kwh > 0 && self.before.balances.contains_key(&operator) {
				let free = |s: &Statement| s.energy.bought_from_community_wh > 0 && s.amounts.grid_fee == 0;
				assert!(
					!statements.iter().any(|(_, s)| free(s)),
					"{at}: a buyer paid no grid fee although the operator has an account"
				);
			}
		}
		if !statements.is_empty() {
			sums::assert_sums(community, era);
		}
		let purses = Purses::of(community);
		self.pay(&purses.utility, &purses.pot, told.to_pot);
		let mut played: Vec<_> = EnergyMarket::view_contracts(community, era);
		played.retain(|(_, contract)| !contract.main_grid_only);
		for ((id, statement), share) in statements.iter().zip(sums::pool_shares(&statements)) {
			let at = format!("{at}, household {id}");
			self.assert_reading(*id, statement, played.iter().any(|(player, _)| player == id), &at);
			self.bill(*id, statement, share, &at);
		}
	}

	/// A household's reading of an era, as it was at the snapshot.
	fn reported(&self, household: HouseholdId, era: EraIndex) -> Option<pallet_energy_market::Reading> {
		let reported = self.before.readings.get(&household)?.of(era)?;
		Some(reported.reading)
	}

	/// Asserts that a submitted reading was settled, and that a silent meter was estimated and earned no reward.
	fn assert_reading(&self, id: HouseholdId, statement: &Statement, played: bool, at: &str) {
		let reported = self.reported(id, statement.era);
		match reported {
			Some(reported) => assert_eq!(
				statement.reading, reported,
				"{at}: the settled reading is not the submitted one"
			),
			None => assert_eq!(
				statement.reading.quality,
				Quality::Estimated,
				"{at}: a silent meter was not estimated"
			),
		}
		let comes_off = reported.is_some_and(|r| r.quality != Quality::Estimated) && played;
		assert_eq!(
			statement.delivered.is_some(),
			comes_off,
			"{at}: has a delivered payoff (left), must have one (right)"
		);
		assert!(
			comes_off || statement.amounts.reward == 0,
			"{at}: a reward without a contract or a reading"
		);
	}

	/// Enters the payments of one statement, and asserts that its arrears and credit follow from the old ones.
	fn bill(&mut self, id: HouseholdId, statement: &Statement, share: Balance, at: &str) {
		let amounts = &statement.amounts;
		let kept = sums::kept(statement, share, at);
		let (owner, purses) = self.parties(id, Some(statement.era));
		self.pay(&owner, &purses.pool, amounts.paid_to_pool);
		self.pay(&purses.pool, &owner, amounts.received_from_pool);
		self.pay(&purses.pool, &purses.utility, kept);
		self.pay(&owner, &purses.operator, amounts.grid_fee);
		self.pay(&purses.pot, &owner, amounts.reward);
		self.pay(&owner, &purses.utility, amounts.paid_to_utility);
		self.pay(&purses.utility, &owner, amounts.received_from_utility);
		let debts = self.debts.get_mut(&id).expect("parties() found it");
		let due = debts.arrears + amounts.main_cost + amounts.matched_cost + amounts.imbalance_cost;
		let revenue = amounts.main_revenue + amounts.matched_revenue + amounts.imbalance_revenue;
		let owed = debts.credit + revenue + kept;
		assert_eq!(
			(
				amounts.arrears + amounts.paid_to_utility,
				amounts.credit + amounts.received_from_utility
			),
			(due.saturating_sub(owed), owed.saturating_sub(due)),
			"{at}: arrears and credit after {debts:?}, {amounts:?}"
		);
		*debts = Debt {
			arrears: amounts.arrears,
			credit: amounts.credit,
		};
	}

	fn assert_all(&self) {
		assert!(
			self.statements.is_empty(),
			"HouseholdSettled events without an EraSettled event"
		);
		assert_eq!(
			debts(),
			self.debts,
			"debts in the state (left) and by the events (right)"
		);
		let after = sums::balances();
		for who in self.before.balances.keys().chain(after.keys()) {
			let of = |balances: &BTreeMap<_, _>| signed(balances.get(who).copied().unwrap_or(0));
			assert_eq!(
				of(&after) - of(&self.before.balances),
				self.moved.get(who).copied().unwrap_or(0),
				"change of {who}'s balance in the state (left) and by the events (right)"
			);
		}
		assert_eq!(
			after.values().sum::<Balance>(),
			Balances::total_issuance(),
			"sum of all balances (left) and total issuance (right)"
		);
	}
}

/// What the utility may pass on to the pot for a household's matched shortfall, if the household owes nothing.
fn spread(terms: &Terms, statement: &Statement) -> Balance {
	let per_kwh = terms.tariffs.retail_per_kwh - terms.tariffs.feed_in_per_kwh;
	match statement.amounts.arrears {
		0 => Balance::from(statement.matched_short_wh) * per_kwh / 1_000,
		_ => 0,
	}
}

fn signed(amount: Balance) -> i128 {
	i128::try_from(amount).expect("balances are below 2^127")
}
