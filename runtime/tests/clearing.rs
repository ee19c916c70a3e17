//! Bounded blocks: a hundred communities of a thousand households clear within half an hour, and at least half of every
//! block stays free for transactions.

use codec::Encode;
use commonwatt_runtime::{
	configs::{MaxClearingWeight, RuntimeBlockWeights, SlotDuration},
	Executive, Header, UncheckedExtrinsic,
};
use commonwatt_testkit::*;
use frame_support::{
	dispatch::DispatchClass,
	traits::{fungible::Mutate, Get},
	weights::Weight,
	BoundedVec,
};
use pallet_energy_market::{
	weights::WeightInfo, CommunityCount, Config, EraLengthMs, Household, Households, Members, Metered,
	NextHousehold, Phase, Readings, Reported, Round, Submission, Submissions,
};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_runtime::{traits::Header as _, Digest, DigestItem};

type Market = <Runtime as Config>::WeightInfo;

const COMMUNITIES: u32 = 100;
const HOUSEHOLDS: u32 = 1_000;
const FIRST_ERA: EraIndex = 1_000_000;

/// Forecast generation and consumption of a household, Wh: scattered but reproducible. One household in sixteen sells,
/// the others buy. A community is nearly balanced, where the solver has to search longest.
fn forecast(HouseholdId(household): HouseholdId) -> (u32, u32) {
	let scattered = (household + 1).wrapping_mul(2_654_435_761);
	let load = 200 + (scattered >> 8) % 3_800;
	match household % 16 {
		0 => (load + 12_000 + (scattered >> 4) % 8_000, load),
		_ => ((scattered >> 4) % load, load),
	}
}

/// Eight levels of consumption, each once in the pool and once on the main grid.
fn strategy_set(household: HouseholdId) -> Vec<Strategy> {
	let (generation, load) = forecast(household);
	let levels = (0..8).map(|level| load * (86 + 4 * level) / 100);
	levels
		.flat_map(|consumption_wh| {
			let kinds = match generation.cmp(&consumption_wh) {
				std::cmp::Ordering::Greater => [Kind::SellToCommunity, Kind::SellToMain],
				std::cmp::Ordering::Less => [Kind::BuyFromCommunity, Kind::BuyFromMain],
				std::cmp::Ordering::Equal => [Kind::Neutral; 2],
			};
			let warmer = (i64::from(consumption_wh) - i64::from(load)) / 4;
			kinds.map(|kind| Strategy {
				kind,
				consumption_wh,
				temperature_centi_c: 2_100 + warmer as i16,
			})
		})
		.collect()
}

/// An account without a key; nothing in these tests is signed.
fn numbered(kind: u8, number: u32) -> AccountId {
	let mut bytes = [kind; 32];
	bytes[..4].copy_from_slice(&number.to_le_bytes());
	bytes.into()
}

/// Stores the households of all communities in the state in which registration leaves them.
fn populate() {
	for community in (0..COMMUNITIES).map(CommunityId) {
		let first = community.0 * HOUSEHOLDS;
		let members: Vec<_> = (first..first + HOUSEHOLDS).map(HouseholdId).collect();
		for id in &members {
			Balances::set_balance(&numbered(1, id.0), 1_000 * UNIT);
			let household = Household {
				community,
				owner: numbered(1, id.0),
				meter: numbered(2, id.0),
				next_meter: None,
				next_owner: None,
				max_debit_per_era: 100 * UNIT,
				next_limit: None,
				connection_limit_wh: 50_000,
				member_since: 0,
				member_until: None,
				suspended: false.into(),
				comfort: Some(paper::COMFORT),
				preference: None,
			};
			// What `confirm_meter` does.
			pallet_energy_market::MeterOf::<Runtime>::insert(&household.meter, id);
			System::inc_sufficients(&household.meter);
			Households::<Runtime>::insert(id, household);
		}
		Members::<Runtime>::insert(community, BoundedVec::truncate_from(members));
	}
	NextHousehold::<Runtime>::put(HouseholdId(COMMUNITIES * HOUSEHOLDS));
}

fn all_households() -> impl Iterator<Item = HouseholdId> {
	(0..COMMUNITIES * HOUSEHOLDS).map(HouseholdId)
}

fn submit_all(era: EraIndex) {
	for household in all_households() {
		let submission = Submission::<Runtime> {
			era,
			generation_wh: forecast(household).0,
			strategies: BoundedVec::truncate_from(strategy_set(household)),
		};
		Submissions::<Runtime>::insert(household, EnergyMarket::submission_slot(era), submission);
	}
}

fn report_all(era: EraIndex) {
	for household in all_households() {
		let (generation_wh, load) = forecast(household);
		// Everybody deviates a little from the forecast.
		let reading = measured(generation_wh, load + 7);
		let metered = Metered {
			newest: Reported::from_meter(era, reading),
			before: None,
			peaks: Default::default(),
		};
		Readings::<Runtime>::insert(household, metered);
	}
}

/// A chain without checks after each block: reading a hundred thousand households after each of hundreds of blocks
/// would take hours. The test checks the invariants once, at its end.
struct Blocks {
	ext: TestExternalities,
	parent: Header,
	now_ms: u64,
}

impl Blocks {
	/// Makes a block, one slot after the previous one; returns the weight that it charged for clearing.
	fn next(&mut self) -> Weight {
		let parent = self.parent.clone();
		let (header, charged, now_ms) = self.ext.execute_with(|| {
			let now_ms = self.now_ms + SlotDuration::get();
			let slot = now_ms / SlotDuration::get();
			let digest = Digest {
				logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())],
			};
			let empty = Default::default;
			let header = Header::new(parent.number() + 1, empty(), empty(), parent.hash(), digest);
			Executive::initialize_block(&header);
			let charged = *System::block_weight().get(DispatchClass::Mandatory);
			let set = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: now_ms });
			assert_ok!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set))
				.expect("the timestamp is valid"));
			let most = RuntimeBlockWeights::get().max_block;
			let free = most.saturating_sub(System::block_weight().total());
			assert!(
				free.ref_time() >= most.ref_time() / 2,
				"only {free:?} of {most:?} is free for transactions"
			);
			(Executive::finalize_block(), charged, now_ms)
		});
		self.now_ms = now_ms;
		self.parent = header;
		self.ext.commit_all().expect("the changes commit");
		charged
	}

	/// Makes blocks from the beginning of an era until its round is complete; returns their number.
	fn clear(&mut self, era: EraIndex) -> u32 {
		let era_ms = self.ext.execute_with(EraLengthMs::<Runtime>::get);
		self.now_ms = u64::from(era) * era_ms;
		self.next();
		let base = RuntimeBlockWeights::get().base_block;
		for blocks in 1.. {
			if !self.ext.execute_with(Round::<Runtime>::exists) {
				assert!(
					self.now_ms < u64::from(era + 1) * era_ms,
					"the round takes {blocks} blocks, which is longer than an era"
				);
				return blocks;
			}
			let charged = self.next();
			// Other pallets also do some work at the beginning of a block.
			let others = Weight::from_parts(10_000_000_000, 0);
			let most = MaxClearingWeight::get()
				.saturating_add(base)
				.saturating_add(others);
			assert!(
				charged.ref_time() <= most.ref_time(),
				"clearing charged {charged:?}, which is more than {most:?}"
			);
		}
		unreachable!("every round ends")
	}
}

#[test]
fn hundred_communities_of_a_thousand_households_clear_within_half_an_hour() {
	let mut setup = Setup::empty();
	for _ in 0..COMMUNITIES {
		setup = setup.community(community(0));
	}
	let (ext, _) = setup.start();
	let parent = Header::new(
		1,
		Default::default(),
		Default::default(),
		Default::default(),
		Default::default(),
	);
	let mut blocks = Blocks {
		ext,
		parent,
		now_ms: 0,
	};
	blocks.ext.execute_with(|| {
		populate();
		submit_all(FIRST_ERA + 2);
	});
	blocks.ext.commit_all().expect("the changes commit");

	blocks.clear(FIRST_ERA + 1);
	let games = blocks.clear(FIRST_ERA + 2);
	// Era FIRST_ERA + 2 ends; its readings come in before its settlement, which shares a round with the next games.
	blocks.clear(FIRST_ERA + 3);
	blocks.ext.execute_with(|| {
		report_all(FIRST_ERA + 2);
		submit_all(FIRST_ERA + 4);
	});
	let both = blocks.clear(FIRST_ERA + 4);
	println!("{COMMUNITIES} games take {games} blocks; as many games and settlements take {both}");

	blocks.ext.execute_with(|| {
		assert_eq!(CommunityCount::<Runtime>::get(), COMMUNITIES);
		for community in 0..COMMUNITIES {
			assert_eq!(record(community, FIRST_ERA + 4).players, HOUSEHOLDS);
			let settled = record(community, FIRST_ERA + 2)
				.settled
				.expect("the era is settled");
			assert_eq!(settled.households, HOUSEHOLDS);
			assert_eq!(settled.missing_readings, 0);
			assert_sums(community, FIRST_ERA + 2);
		}
		assert_ok!(EnergyMarket::do_try_state());
		assert_holds();
	});
}

#[test]
fn largest_steps_fit_into_the_maximum_clearing_weight() {
	let for_each: u32 = <<Runtime as Config>::MaxEvaluationsPerHousehold as Get<u32>>::get();
	let for_all: u32 = <<Runtime as Config>::MaxEvaluations as Get<u32>>::get();
	let evaluations = for_all + for_each * HOUSEHOLDS;
	for phase in [Phase::Solve, Phase::Settle] {
		let step = match phase {
			Phase::Solve => Market::solve(HOUSEHOLDS).saturating_add(Market::evaluate(evaluations)),
			Phase::Settle => Market::settle(HOUSEHOLDS),
		};
		let weight = Market::latch().saturating_add(step);
		println!(
			"{phase:?} step of {HOUSEHOLDS} households: {} ms",
			weight.ref_time() / 1_000_000_000
		);
		assert!(weight.all_lte(MaxClearingWeight::get()), "{phase:?}: {weight:?}");
	}
	let most = <<Runtime as Config>::MaxHouseholds as Get<u32>>::get();
	assert!(most >= HOUSEHOLDS);
	// `integrity_test` checks the same, as in every test build of the runtime.
	<EnergyMarket as frame_support::traits::Hooks<u32>>::integrity_test();
}
