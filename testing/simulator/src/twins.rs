//! Twins: the same home, once run by an honest household and once by one that cheats; and the same community, once with
//! an honest operator and once with a greedy one. The same seed gives both the same sun, the same appliances and the same
//! neighbours. The honest twin must not end with less money.

use crate::{
	calls::{batch, set_concentrator},
	homes::DAY,
	world::COMMUNITY,
};
use commonwatt_testkit::{
	account, by, community, debt, dispatch, now, paper, runtime::Runtime, strategy, AccountId, Balances,
	Chain, EnergyMarket, EraIndex, HouseholdId, Kind, MarketCall, Quality, Reading, Setup, Sr25519Keyring,
	Strategy,
};
use frame_support::traits::fungible::Inspect;
use pallet_energy_market::Households;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Number of households. The twin is household 0.
const HOMES: u32 = 8;
/// The twin.
const TWIN: HouseholdId = HouseholdId(0);

/// How the twin behaves. It generates and consumes the same in every case.
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
pub const CHEATS: [Persona; 8] = [
	Persona::OffersPhantoms,
	Persona::AsksForMore,
	Persona::AsksForLess,
	Persona::ClaimsToBeNeutral,
	Persona::NeverReports,
	Persona::UnplugsBehindNeutral,
	Persona::ReportsOnce,
	Persona::ReportsLate,
];

/// Runs the community for `eras` eras. Returns the money that the twin gained, negative if it paid: balance, with funds
/// on hold and credit, less arrears. Smallest unit.
pub fn gain(persona: Persona, seed: u64, eras: u32) -> i128 {
	play(persona, false, seed, eras).homes[0]
}

/// What everybody gained, in the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gains {
	/// The households, by number.
	pub homes: Vec<i128>,
	/// The operator.
	pub operator: i128,
}

/// Runs a community of honest households for `eras` eras. A greedy operator tries in every era to change the terms of
/// the running and the next one, and lets a data concentrator of its own report 15 kWh for every home, before and after
/// the meters do.
pub fn gains_with_operator(greedy: bool, seed: u64, eras: u32) -> Gains {
	play(Persona::Honest, greedy, seed, eras)
}

fn play(persona: Persona, greedy: bool, seed: u64, eras: u32) -> Gains {
	let mut homes = community(HOMES);
	for home in &mut homes.households {
		home.comfort = None;
	}
	let (mut state, mut chain) = Setup::empty().community(homes).start();
	let before = state.execute_with(wealth);
	for _ in 0..eras {
		state.execute_with(|| era(&mut chain, persona, greedy, seed));
		state.commit_all().expect("no transaction is open between blocks");
	}
	// The contracts that are still open are settled, too.
	for _ in 0..3 {
		state.execute_with(|| report_and_go_on(&mut chain, persona, greedy, seed));
	}
	let after = state.execute_with(wealth);
	let homes = after.homes.iter().zip(before.homes);
	Gains {
		homes: homes.map(|(after, before)| after - before).collect(),
		operator: after.operator - before.operator,
	}
}

/// What everybody owns and is owed, less what they owe.
fn wealth() -> Gains {
	let signed = |amount| i128::try_from(amount).expect("an account holds less than 2^127");
	let of = |id| {
		let debt = debt(id);
		signed(Balances::total_balance(&owner_of(id))) + signed(debt.credit) - signed(debt.arrears)
	};
	Gains {
		homes: (0..HOMES).map(HouseholdId).map(of).collect(),
		operator: signed(Balances::total_balance(&Sr25519Keyring::Eve.to_account_id())),
	}
}

/// What a greedy operator tries: nothing of it may change a bill. `concentrator` is its own.
fn be_greedy(concentrator: &AccountId) {
	let by_operator = |call| dispatch(by(Sr25519Keyring::Eve, call));
	let mut dear = paper::TERMS;
	dear.tariffs.grid_fee_per_kwh = paper::BOUNDS.highest_grid_fee_per_kwh;
	for from_era in [now().current, now().strategies_for] {
		let set_terms = MarketCall::set_terms {
			community: COMMUNITY,
			terms: dear,
			from_era,
		};
		by_operator(set_terms).expect_err("terms need a notice");
	}
	// It is refused when nothing changes.
	let _ = by_operator(set_concentrator(Some(concentrator.clone())));
	let Some(era) = now().readings_of else { return };
	for quality in [Quality::Measured, Quality::Corrected] {
		let most = Reading {
			quality,
			..reading((0, 15_000))
		};
		let readings = (0..HOMES).map(|id| (HouseholdId(id), most));
		dispatch(by(concentrator.clone(), batch(era, readings))).expect("a batch refuses items only");
	}
}

/// Everybody submits strategies for the next era; then the era ends.
fn era(chain: &mut Chain, persona: Persona, greedy: bool, seed: u64) {
	let era = now().strategies_for;
	chain.block_with(|| {
		for id in (0..HOMES).map(HouseholdId) {
			let persona = if id == TWIN { persona } else { Persona::Honest };
			if let Some((generation_wh, strategies)) = persona.declares(actual(seed, id, era)) {
				let submit = MarketCall::submit_strategies {
					household: id,
					era,
					generation_wh,
					strategies,
				};
				dispatch(by(owner_of(id), submit)).expect("the strategies are valid");
			}
		}
	});
	report_and_go_on(chain, persona, greedy, seed);
}

/// The running era ends; then every meter that speaks reports it.
fn report_and_go_on(chain: &mut Chain, persona: Persona, greedy: bool, seed: u64) {
	chain.next_era();
	let era = now().readings_of.expect("an era has ended");
	let concentrator = account("//concentrator");
	chain.block_with(|| {
		if greedy {
			be_greedy(&concentrator);
		}
		if persona == Persona::ReportsLate && EnergyMarket::view_statement(TWIN, era - 1).is_some() {
			let report = MarketCall::submit_late_reading {
				era: era - 1,
				reading: reading(actual(seed, TWIN, era - 1)),
			};
			dispatch(by(meter_of(TWIN, era - 1), report)).expect("the late reading is valid");
		}
		for id in (0..HOMES).map(HouseholdId) {
			let persona = if id == TWIN { persona } else { Persona::Honest };
			if let Some(measured) = persona.reports(actual(seed, id, era), id, era) {
				let reading = reading(measured);
				let report = MarketCall::submit_reading { era, reading };
				dispatch(by(meter_of(id, era), report)).expect("the reading is valid");
			}
		}
		if greedy {
			be_greedy(&concentrator);
		}
	});
}

fn reading((generation_wh, consumption_wh): (u32, u32)) -> Reading {
	Reading {
		generation_wh,
		consumption_wh,
		indoor_centi_c: 2_100,
		quality: Quality::Measured,
	}
}

fn meter_of(id: HouseholdId, era: EraIndex) -> AccountId {
	let household = Households::<Runtime>::get(id).expect("it is a household");
	household.meter_in(era).clone()
}

fn owner_of(id: HouseholdId) -> AccountId {
	Households::<Runtime>::get(id).expect("it is a household").owner
}

/// Generation and consumption of a home in an era, Wh: the same for every persona. Five of the eight have PV.
fn actual(seed: u64, id: HouseholdId, era: EraIndex) -> (u32, u32) {
	let mut rng = ChaCha8Rng::seed_from_u64(seed ^ u64::from(era) << 8 ^ u64::from(id.0));
	let from_noon = (era % DAY).abs_diff(DAY / 2);
	let sunshine_percent = 100_u32.saturating_sub(from_noon * from_noon * 100 / 144);
	let peak_wh = if id.0 % 8 < 5 { 1_200 + 300 * id.0 } else { 0 };
	let generation_wh = peak_wh * sunshine_percent / 100 * rng.gen_range(50..=100) / 100;
	let habits = [60, 50, 120, 80, 90, 170][(era % DAY / 8) as usize];
	let consumption_wh = 400 * habits / 100 * rng.gen_range(60..140) / 100;
	(generation_wh, consumption_wh)
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
			(generation, consumption) if generation.abs_diff(consumption) < 10 => vec![Kind::Neutral],
			(generation, consumption) if generation > consumption => {
				vec![Kind::SellToCommunity, Kind::SellToMain]
			}
			_ => vec![Kind::BuyFromCommunity, Kind::BuyFromMain],
		};
		let strategies = kinds.into_iter().map(|kind| strategy(kind, consumption_wh));
		Some((generation_wh, strategies.collect()))
	}

	/// What its meter reports of an era; `None` if the meter is silent.
	fn reports(self, actual: (u32, u32), id: HouseholdId, era: EraIndex) -> Option<(u32, u32)> {
		let has_reported = EnergyMarket::view_statement(id, era.saturating_sub(2)).is_some();
		match self {
			Self::NeverReports | Self::UnplugsBehindNeutral | Self::ReportsLate => None,
			Self::ReportsOnce => (!has_reported).then_some((0, 50)),
			_ => Some(actual),
		}
	}
}
