//! Twins: small communities beside the simulated one, on the same chain and through the same outages. All have the same
//! homes, the same sun and the same appliances. One is honest. In each of the others the first home cheats in one way, or
//! the operator is greedy. Nobody may end ahead of the honest twin.

use crate::{
	calls::batch,
	homes::{habit_percent, sunshine_percent},
	people::{gate_is_closed, late_eras, signed, wealth},
	world::refused_if,
};
use commonwatt_testkit::{
	account, by, community, dispatch, measured, now, paper, runtime::Runtime, strategy, AccountId, Balances,
	CommunityId, EraIndex, GenesisCommunity, HouseholdId, Kind, MarketCall, MarketError, Quality, Reading,
	Strategy, UNIT,
};
use frame_support::traits::fungible::Inspect;
use pallet_energy_market::{Communities, Readings};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{fmt, ops::Range};

/// Generation of each home at noon under a clear sky, Wh. The first home is the one that cheats.
const PEAKS_WH: [u32; 3] = [1_500, 2_400, 0];

/// How a community's first home behaves. It generates and consumes the same in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
	/// Declares what it is going to generate and consume, and reports it in time.
	Honest,
	/// Offers 8 kWh more than it has.
	OffersPhantoms,
	/// Declares four times the consumption that it has.
	AsksForMore,
	/// Declares half of the consumption that it has.
	AsksForLess,
	/// Declares generation and consumption that cancel out, whatever it has.
	ClaimsToBeNeutral,
	/// Honest, but its meter never reports.
	NeverReports,
	/// Declares 2 kWh of generation and as much consumption, and its meter never reports.
	UnplugsBehindNeutral,
	/// Reports 50 Wh once and unplugs its meter. Submits nothing.
	ReportsOnce,
	/// Honest, but its meter reports every era only after the chain has settled it with an estimate.
	ReportsLate,
}

/// Every persona that is not honest.
const CHEATS: [Persona; 8] = [
	Persona::OffersPhantoms,
	Persona::AsksForMore,
	Persona::AsksForLess,
	Persona::ClaimsToBeNeutral,
	Persona::NeverReports,
	Persona::UnplugsBehindNeutral,
	Persona::ReportsOnce,
	Persona::ReportsLate,
];

/// One community: its first home, its operator, and what they gained so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
	/// How the first home behaves; all others are honest.
	pub persona: Persona,
	/// Whether the operator tries in every era to change the terms of the running and the next era, and lets a data
	/// concentrator of its own report 15 kWh for every home, before and after the meters do. It leaves out the eras in
	/// which all meters are silent: a false reading is corrected late then, but raises estimates for two more days.
	pub greedy: bool,
	/// What each home gained: balance, with funds on hold and credit, less arrears; negative if it paid. Smallest unit.
	pub homes: Vec<i128>,
	/// What the operator gained.
	pub operator: i128,
}

/// All communities of twins. The first one is honest.
pub(crate) struct Twins {
	seed: u64,
	all: Vec<Community>,
	/// The newest era whose readings the chain has asked for.
	noted: EraIndex,
	/// The eras that are not settled yet, or that the chain missed and whose late readings it does not take yet.
	open: Vec<Open>,
}

/// An era whose readings can still be late.
struct Open {
	era: EraIndex,
	/// Whether the honest meters reported it in time: the chain did not miss it, and they were not silent.
	in_time: bool,
}

struct Community {
	id: CommunityId,
	persona: Persona,
	greedy: bool,
	homes: Vec<HouseholdId>,
	/// What homes and operator owned at the start.
	at_first: (Vec<i128>, i128),
}

/// What the communities are, in the order of their ids: the honest one, the cheats, the greedy operator.
fn characters() -> impl Iterator<Item = (Persona, bool)> {
	let cheats = CHEATS.into_iter().map(|cheat| (cheat, false));
	[(Persona::Honest, false)]
		.into_iter()
		.chain(cheats)
		.chain([(Persona::Honest, true)])
}

/// An account of the home, or of the community, of a certain number.
fn named(role: &str, number: impl fmt::Display) -> AccountId {
	account(&format!("//twins//{role}//{number}"))
}

/// The communities for genesis. Their ids follow those of the communities before them.
pub(crate) fn communities() -> Vec<GenesisCommunity<AccountId>> {
	let mut homes = 0..;
	let one = |(number, _)| {
		let mut twin = community(PEAKS_WH.len() as u32);
		twin.operator = named("operator", number);
		twin.utility = named("utility", number);
		for (household, home) in twin.households.iter_mut().zip(&mut homes) {
			household.owner = named("owner", home);
			household.meter = named("meter", home);
			household.comfort = None;
		}
		twin
	};
	characters().enumerate().map(one).collect()
}

impl Twins {
	/// The communities that genesis made, from these ids on.
	pub fn new(seed: u64, first: CommunityId, first_home: HouseholdId) -> Self {
		let mut homes = first_home.0..;
		let all = (first.0..)
			.zip(characters())
			.map(|(id, (persona, greedy))| Community {
				id: CommunityId(id),
				persona,
				greedy,
				homes: PEAKS_WH
					.iter()
					.zip(&mut homes)
					.map(|(_, id)| HouseholdId(id))
					.collect(),
				at_first: Default::default(),
			});
		let mut twins = Self {
			seed,
			all: all.collect(),
			noted: now().current.saturating_sub(1),
			open: Vec::new(),
		};
		for number in 0..twins.all.len() {
			twins.all[number].at_first = twins.wealth(number);
		}
		twins
	}

	/// Every meter that speaks reports the era that has ended, unless it is `silent` this time.
	pub fn report(&mut self, silent: bool) {
		let Some(era) = now().readings_of.filter(|era| *era > self.noted) else {
			return;
		};
		let until_now = self.noted + 1..=era;
		self.open.extend(until_now.map(|of| Open {
			era: of,
			in_time: of == era && !silent,
		}));
		self.noted = era;
		if silent {
			return;
		}
		for number in 0..self.all.len() {
			self.be_greedy(number, era);
			for home in 0..PEAKS_WH.len() {
				self.report_in_time(number, home, era);
			}
			self.be_greedy(number, era);
		}
	}

	/// Readings that were not in time, and strategies for the next era.
	pub fn midday(&mut self, silent: bool) {
		self.report(silent);
		let retained = late_eras();
		for number in 0..self.all.len() {
			for home in 0..PEAKS_WH.len() {
				self.report_late(number, home, &retained);
				if !gate_is_closed() {
					self.submit(number, home);
				}
			}
		}
		// The newest era is not settled yet.
		self.open.retain(|open| open.era >= retained.end);
	}

	/// The persona of a home.
	fn persona(&self, number: usize, home: usize) -> Persona {
		match home {
			0 => self.all[number].persona,
			_ => Persona::Honest,
		}
	}

	fn report_in_time(&self, number: usize, home: usize, era: EraIndex) {
		let has_spoken = Readings::<Runtime>::contains_key(self.all[number].homes[home]);
		let (generation_wh, consumption_wh) = match self.persona(number, home) {
			Persona::NeverReports | Persona::UnplugsBehindNeutral | Persona::ReportsLate => return,
			Persona::ReportsOnce if has_spoken => return,
			Persona::ReportsOnce => (0, 50),
			_ => self.actual(home, era),
		};
		let reading = measured(generation_wh, consumption_wh);
		let report = MarketCall::submit_reading { era, reading };
		dispatch(by(meter_of(number, home), report)).expect("the reading is valid");
	}

	/// Reports what the chain missed, or settled without this meter, and still takes.
	fn report_late(&self, number: usize, home: usize, retained: &Range<EraIndex>) {
		let is_always_late = match self.persona(number, home) {
			Persona::NeverReports | Persona::UnplugsBehindNeutral | Persona::ReportsOnce => return,
			persona => persona == Persona::ReportsLate,
		};
		let owed = self.open.iter().filter(|open| is_always_late || !open.in_time);
		for era in owed.map(|open| open.era).filter(|era| retained.contains(era)) {
			let (generation_wh, consumption_wh) = self.actual(home, era);
			let reading = measured(generation_wh, consumption_wh);
			let report = MarketCall::submit_late_reading { era, reading };
			dispatch(by(meter_of(number, home), report)).expect("the late reading is valid");
		}
	}

	/// An owner submits strategies for the next era.
	fn submit(&self, number: usize, home: usize) {
		let era = now().strategies_for;
		let Some((generation_wh, strategies)) = self.persona(number, home).declares(self.actual(home, era))
		else {
			return;
		};
		let submit = MarketCall::submit_strategies {
			household: self.all[number].homes[home],
			era,
			generation_wh,
			strategies,
		};
		dispatch(by(owner_of(number, home), submit)).expect("the strategies are valid");
	}

	/// What a greedy operator tries: nothing of it may change a bill.
	fn be_greedy(&self, number: usize, era: EraIndex) {
		let community = &self.all[number];
		if !community.greedy {
			return;
		}
		let (operator, concentrator) = (named("operator", number), named("concentrator", number));
		let by_operator = |call: MarketCall<Runtime>| dispatch(by(operator.clone(), call));
		let mut dear = paper::TERMS;
		dear.tariffs.grid_fee_per_kwh = paper::BOUNDS.highest_grid_fee_per_kwh;
		for from_era in [now().current, now().strategies_for] {
			let set_terms = MarketCall::set_terms {
				community: community.id,
				terms: dear,
				from_era,
			};
			by_operator(set_terms).expect_err("terms need a notice");
		}
		// It is refused when nothing changes.
		let _ = by_operator(MarketCall::set_concentrator {
			community: community.id,
			concentrator: Some(concentrator.clone()),
		});
		let market = Communities::<Runtime>::get(community.id).expect("genesis made it");
		let named = market.concentrator.in_era(now().current).as_ref() == Some(&concentrator);
		let expected = refused_if(!named, MarketError::NotConcentrator);
		for quality in [Quality::Measured, Quality::Corrected] {
			let most = Reading {
				quality,
				..measured(0, 15_000)
			};
			let readings = community.homes.iter().map(|id| (*id, most));
			assert_eq!(dispatch(by(concentrator.clone(), batch(era, readings))), expected);
		}
	}

	/// Generation and consumption of a home in an era, Wh: the same in every community. Generation is odd or zero, and
	/// consumption a multiple of four, so that no declaration is neutral by chance.
	fn actual(&self, home: usize, era: EraIndex) -> (u32, u32) {
		let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ u64::from(era) << 8 ^ home as u64);
		let sunshine_percent = sunshine_percent(era) * rng.gen_range(50..=100) / 100;
		let generation_wh = match PEAKS_WH[home] * sunshine_percent / 100 {
			0 => 0,
			wh => wh | 1,
		};
		let consumption_wh = 400 * habit_percent(era) / 100 * rng.gen_range(60..140) / 100;
		(generation_wh, consumption_wh / 4 * 4)
	}

	/// What the homes and the operator of a community own and are owed, less what they owe.
	fn wealth(&self, number: usize) -> (Vec<i128>, i128) {
		let homes = self.all[number].homes.iter().enumerate();
		let homes = homes.map(|(home, id)| wealth(&owner_of(number, home), *id));
		let operator = Balances::total_balance(&named("operator", number));
		(homes.collect(), signed(operator))
	}

	/// What everybody gained since genesis.
	pub fn gains(&self) -> Vec<Twin> {
		let twin = |(number, community): (usize, &Community)| {
			let ((homes, operator), at_first) = (self.wealth(number), &community.at_first);
			Twin {
				persona: community.persona,
				greedy: community.greedy,
				homes: homes
					.iter()
					.zip(&at_first.0)
					.map(|(now, then)| now - then)
					.collect(),
				operator: operator - at_first.1,
			}
		};
		self.all.iter().enumerate().map(twin).collect()
	}
}

/// Asserts that no cheat gained more than its honest twin, and that a greedy operator changed nothing at all.
pub(crate) fn assert_nobody_ahead(twins: &[Twin]) {
	let honest = twins.first().expect("there are twins");
	for twin in &twins[1..] {
		assert!(
			twin.homes[0] <= honest.homes[0],
			"ahead of the honest twin: {twin}"
		);
		if twin.greedy {
			assert_eq!(
				(&twin.homes, twin.operator),
				(&honest.homes, honest.operator),
				"what a greedy operator changed"
			);
		}
	}
}

impl fmt::Display for Twin {
	fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
		let who = match self.greedy {
			true => "GreedyOperator".into(),
			false => format!("{:?}", self.persona),
		};
		let tokens = |amount: i128| amount as f64 / UNIT as f64;
		let (first, operator) = (tokens(self.homes[0]), tokens(self.operator));
		write!(out, "{who:22} {first:12.3} CWT, its operator {operator:.3} CWT")
	}
}

fn owner_of(number: usize, home: usize) -> AccountId {
	named("owner", number * PEAKS_WH.len() + home)
}

fn meter_of(number: usize, home: usize) -> AccountId {
	named("meter", number * PEAKS_WH.len() + home)
}

impl Persona {
	/// The generation and the strategies that it declares for an era in which it is going to have these.
	fn declares(self, (generation_wh, consumption_wh): (u32, u32)) -> Option<(u32, Vec<Strategy>)> {
		let (generation_wh, consumption_wh) = match self {
			Self::Honest | Self::NeverReports | Self::ReportsLate => (generation_wh, consumption_wh),
			Self::OffersPhantoms => (generation_wh + 8_000, consumption_wh),
			Self::AsksForMore => (generation_wh, consumption_wh * 4),
			Self::AsksForLess => (generation_wh, consumption_wh / 2),
			Self::ClaimsToBeNeutral => (consumption_wh, consumption_wh),
			Self::UnplugsBehindNeutral => (2_000, 2_000),
			Self::ReportsOnce => return None,
		};
		let kinds = match (generation_wh, consumption_wh) {
			(generation, consumption) if generation == consumption => vec![Kind::Neutral],
			(generation, consumption) if generation > consumption => {
				vec![Kind::SellToCommunity, Kind::SellToMain]
			}
			_ => vec![Kind::BuyFromCommunity, Kind::BuyFromMain],
		};
		let strategies = kinds.into_iter().map(|kind| strategy(kind, consumption_wh));
		Some((generation_wh, strategies.collect()))
	}
}
