//! A seeded simulation of a community over many eras on the real runtime. Owners, meters, operators and strangers make
//! their calls, and the chain stands still now and then. After every block the simulation checks everything that a
//! [`Chain`] checks. The same seed gives the same state root.
//!
//! Calls run in the order in which a block would have them. Most of them go through [`commonwatt_testkit::dispatch`] and
//! some are signed extrinsics, because signatures take most of the time. The simulation works out the result of every
//! call before it makes the call, and compares.

mod calls;
mod governance;
mod homes;
mod hostile;
mod money;
mod operator;
mod people;
mod size;
mod tally;
mod twins;
mod world;

pub use size::StateSize;
pub use tally::{Calls, Tally};
pub use twins::{Persona, Twin};

use commonwatt_testkit::{
	community, now,
	runtime::{Hash, Runtime},
	Chain, Setup, TestExternalities, HALF_HOUR_MS,
};
use homes::{HOUSEHOLDS, POCKET};
use pallet_energy_market::Round;
use rand::Rng;
use sp_runtime::StateVersion;
use world::World;

/// A minute in ms.
const MINUTE_MS: u64 = 60_000;

/// A chain and the people who use it.
pub struct Simulation {
	state: TestExternalities,
	chain: Chain,
	world: World,
}

/// How far a run is. Prints the command that repeats the run if it panics.
struct Progress {
	seed: u64,
	era: u64,
	/// How many eras to ask for to get here again.
	eras: u64,
}

impl Drop for Progress {
	fn drop(&mut self) {
		if std::thread::panicking() {
			eprintln!(
				"failed with seed {} in era {}; repeat it with: scripts/soak.sh --seed {0} --eras {}",
				self.seed, self.era, self.eras
			);
		}
	}
}

/// Runs the simulation for `eras` eras, and then for some more days to compare the size of the state with that after
/// the first days. Calls `progress` after each era, and returns the tally and the state root. Panics when a check
/// fails.
pub fn run(seed: u64, eras: u64, mut progress: impl FnMut(&Tally)) -> (Tally, Hash) {
	let mut place = Progress {
		seed,
		era: 0,
		eras: 1,
	};
	let mut simulation = Simulation::start(seed);
	while simulation.world.tally.eras < eras {
		place.era = simulation.world.tally.eras;
		place.eras = place.era + 1;
		simulation.era();
		progress(&simulation.world.tally);
	}
	(place.era, place.eras) = (simulation.world.tally.eras, eras);
	simulation.close();
	let root = simulation
		.state
		.execute_with(|| sp_io::storage::root(StateVersion::V1));
	(simulation.world.tally.clone(), Hash::from_slice(&root))
}

impl Simulation {
	fn start(seed: u64) -> Self {
		let mut homes = community(HOUSEHOLDS);
		// The first two households have one owner.
		homes.households[1].owner = homes.households[0].owner.clone();
		homes.terms = operator::opening_terms();
		homes.bounds = operator::bounds();
		let mut setup = Setup::empty();
		setup.genesis.sudo.key = None;
		for household in &homes.households {
			let balances = &mut setup.genesis.balances.balances;
			if !balances.iter().any(|(who, _)| *who == household.owner) {
				balances.push((household.owner.clone(), POCKET));
			}
		}
		setup.genesis.balances.balances.push((world::bystander(), POCKET));
		let mut setup = setup.community(homes.clone());
		for twin in twins::communities() {
			setup = setup.community(twin);
		}
		let (mut state, chain) = setup.start();
		let world = state.execute_with(|| World::new(seed, &homes));
		let mut simulation = Self { state, chain, world };
		simulation.world.leave_traces();
		for _ in 0..7 {
			simulation.era();
		}
		simulation.full_days();
		simulation.world.tally.size_at_first = simulation.state.execute_with(StateSize::measure);
		simulation
	}

	/// Runs a little more eras than the rings keep, in which everybody takes part to the maximum: this fills the state.
	fn full_days(&mut self) {
		self.world.full = true;
		// A submission is for the next era, and its statement comes two eras after that one.
		for _ in 0..homes::DAY + 4 {
			self.era();
		}
		// All meters are late once, so that every household has a late statement.
		self.world.silent = true;
		self.era();
		self.world.silent = false;
		self.era();
		self.world.full = false;
	}

	/// Runs one era of chain time, or more if the chain stands still.
	fn era(&mut self) {
		let Self { state, chain, world } = self;
		state.execute_with(|| {
			chain.skip_era();
			world.begin_day();
			stand_still(chain, world);
			block(chain, world, World::last_minute);
			if world.is_due("outage in the middle of a clearing") && Round::<Runtime>::exists() {
				world.tally.outages[3] += 1;
				chain.stand_still(world.rng.gen_range(1..4) * HALF_HOUR_MS);
			}
			block(chain, world, World::morning);
			while Round::<Runtime>::exists() {
				block(chain, world, |_| ());
			}
			if world.is_due("outage of minutes") {
				world.tally.outages[0] += 1;
				chain.stand_still(world.rng.gen_range(1..20) * MINUTE_MS);
			}
			block(chain, world, World::midday);
			world.tally.eras = u64::from(now().current - world.first_era);
		});
		// Otherwise each block is slower than the one before.
		state.commit_all().expect("no transaction is open between blocks");
	}

	/// Carries out what was scheduled for these eras and begins nothing new, then repeats the full days of the start.
	/// Asserts that nobody owes anything and that the state is not larger than after the first full days.
	fn close(&mut self) {
		for _ in 0..20 {
			self.world.restore = true;
			self.era();
		}
		self.world.restore = false;
		self.full_days();
		let Self { state, world, .. } = self;
		world.tally.size_at_last = state.execute_with(StateSize::measure);
		state.execute_with(|| {
			world.assert_nothing_owed();
			world.assert_bystander_untouched();
			world.tally.twins = world.twins.gains();
			twins::assert_nobody_ahead(&world.tally.twins);
		});
		let (first, last) = (world.tally.size_at_first, world.tally.size_at_last);
		assert!(last.is_at_most(&first), "the state grew from {first} to {last}");
	}
}

/// Lets the chain stand still for some eras, if such an outage is due.
fn stand_still(chain: &mut Chain, world: &mut World) {
	if world.is_due("outage of eras") {
		world.tally.outages[1] += 1;
		chain.stand_still(world.rng.gen_range(1..7) * HALF_HOUR_MS + world.rng.gen_range(0..HALF_HOUR_MS));
	}
	if world.is_due("outage longer than the rings") {
		world.tally.outages[2] += 1;
		// About once or twice the length of the rings, 48 eras, where open eras share slots with new ones; and other
		// lengths.
		let eras = *[46, 47, 48, 94, 95]
			.get(world.rng.gen_range(0..8))
			.unwrap_or(&world.rng.gen_range(49..100));
		chain.stand_still(eras * HALF_HOUR_MS);
	}
}

/// Makes one block, with `acts` inside it.
fn block(chain: &mut Chain, world: &mut World, acts: impl FnOnce(&mut World)) {
	chain.block_with(|| acts(world));
	world.observe();
}
