//! What households may do in an era, and what the game bound them to.

use crate::{money::Balance, EraIndex};
use alloc::vec::Vec;
use commonwatt_game::{Comfort, Game, GameFault, Household, Kind, Rules, SolverConfig, Strategy};

commonwatt_game::stored_types! {
	/// What a household hands in for one era. `Strategies` is a list of [`Strategy`]: a bounded one on the chain, a vector
	/// elsewhere.
	pub struct Submission<Strategies> {
		/// The era that it is meant for.
		pub era: EraIndex,
		/// Generation that the household expects, Wh.
		pub generation_wh: u32,
		/// What the household would do; the game chooses one of them.
		pub strategies: Strategies,
	}

	/// Energy by channel, Wh. At most one of the two directions of a channel is not zero.
	#[derive(Copy, Default)]
	pub struct Channels {
		/// Sold to the community.
		pub sold_to_community_wh: u32,
		/// Bought from the community.
		pub bought_from_community_wh: u32,
		/// Sold to the main grid.
		pub sold_to_main_wh: u32,
		/// Bought from the main grid.
		pub bought_from_main_wh: u32,
	}

	/// What a household is bound to after gate closure, with the inputs of its game, so that anybody can check it.
	/// `Strategies` is a list of [`Strategy`]: a bounded one on the chain, a vector elsewhere.
	pub struct Contract<Strategies> {
		/// The era of delivery.
		pub era: EraIndex,
		/// Generation that the game assumed, Wh.
		pub generation_wh: u32,
		/// Comfort that the game assumed.
		pub comfort: Option<Comfort>,
		/// The strategies that the game chose from.
		pub strategies: Strategies,
		/// The strategy that the game chose, counted from 0.
		pub chosen: u8,
		/// True where the household could not cover the cost of its strategies and trades with the main grid only.
		pub main_grid_only: bool,
		/// Energy to deliver and take, by channel.
		pub energy: Channels,
		/// Funds on hold for the contract; 0 once settled.
		#[cfg_attr(feature = "serde", serde(with = "crate::money::serialized"))]
		pub held: Balance,
	}
}

impl Channels {
	/// Channels of net positions in Wh, positive = sold. Energies of one household are below 2^32 Wh by the limits on
	/// readings and strategies.
	pub fn from_net(community_wh: i64, main_wh: i64) -> Self {
		let sold = |wh: i64| u32::try_from(wh.max(0)).unwrap_or(u32::MAX);
		Self {
			sold_to_community_wh: sold(community_wh),
			bought_from_community_wh: sold(community_wh.saturating_neg()),
			sold_to_main_wh: sold(main_wh),
			bought_from_main_wh: sold(main_wh.saturating_neg()),
		}
	}

	/// Net exchange with the community, Wh, positive = sold.
	pub fn community_wh(&self) -> i64 {
		i64::from(self.sold_to_community_wh) - i64::from(self.bought_from_community_wh)
	}

	/// Net exchange with the main grid, Wh, positive = sold.
	pub fn main_wh(&self) -> i64 {
		i64::from(self.sold_to_main_wh) - i64::from(self.bought_from_main_wh)
	}

	/// All four channels, in the order of the fields.
	pub fn all_wh(&self) -> [u64; 4] {
		[
			self.sold_to_community_wh,
			self.bought_from_community_wh,
			self.sold_to_main_wh,
			self.bought_from_main_wh,
		]
		.map(u64::from)
	}
}

impl<Strategies> Contract<Strategies> {
	/// The energy that settlement holds the household to; `None` where the chain kept it to the main grid, since it did
	/// not choose that contract.
	pub fn firm_energy(&self) -> Option<Channels> {
		(!self.main_grid_only).then_some(self.energy)
	}
}

impl<Strategies: AsRef<[Strategy]>> Contract<Strategies> {
	/// The strategy that the game chose; `None` where `chosen` points to none.
	pub fn chosen_strategy(&self) -> Option<&Strategy> {
		self.strategies.as_ref().get(usize::from(self.chosen))
	}

	/// The player of the game that the contract came from.
	fn player(&self) -> Household {
		Household {
			generation_wh: self.generation_wh,
			comfort: self.comfort,
			strategies: self.strategies.as_ref().to_vec(),
		}
	}
}

/// The game that contracts came from.
pub fn game_of<'a, Strategies: AsRef<[Strategy]> + 'a>(
	rules: Rules,
	contracts: impl Iterator<Item = &'a Contract<Strategies>>,
) -> Result<Game, GameFault> {
	Game::new(rules, contracts.map(Contract::player).collect())
}

/// The most that a community could trade at the consumption that its contracts chose, Wh: the smaller of all surplus
/// and all deficit, households that chose the main grid included. `None` where a contract has no chosen strategy.
pub fn tradable_wh<'a, Strategies: AsRef<[Strategy]> + 'a>(
	contracts: impl Iterator<Item = &'a Contract<Strategies>>,
) -> Option<u64> {
	let (mut surplus, mut deficit) = (0u64, 0u64);
	for contract in contracts {
		let net_wh = contract.chosen_strategy()?.net_wh(contract.generation_wh);
		let side = if net_wh > 0 { &mut surplus } else { &mut deficit };
		// At most 65,535 households times 2^32 Wh: far below the end of the type.
		*side = side.saturating_add(net_wh.unsigned_abs());
	}
	Some(surplus.min(deficit))
}

/// The strategies that a community's meter resolution and a household's connection allow. Terms may have changed since
/// a household submitted them.
pub fn allowed_strategies(
	strategies: impl IntoIterator<Item = Strategy>,
	generation_wh: u32,
	resolution_wh: u32,
	connection_limit_wh: u32,
) -> Vec<Strategy> {
	let is_allowed = |strategy: &Strategy| {
		strategy.check(generation_wh, resolution_wh).is_ok()
			&& strategy.net_wh(generation_wh).unsigned_abs() <= u64::from(connection_limit_wh)
	};
	strategies.into_iter().filter(is_allowed).collect()
}

/// The same strategy with the main grid in place of the community.
#[must_use]
pub fn on_main_grid(strategy: Strategy) -> Strategy {
	let kind = match strategy.kind {
		Kind::SellToCommunity => Kind::SellToMain,
		Kind::BuyFromCommunity => Kind::BuyFromMain,
		kind @ (Kind::Neutral | Kind::BuyFromMain | Kind::SellToMain) => kind,
	};
	Strategy { kind, ..strategy }
}

/// The work that a chain allows its solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SolverLimits {
	/// Most sweeps from one start.
	pub max_sweeps: u32,
	/// Most starts.
	pub max_starts: u32,
	/// Most evaluations of a payoff in one game, whatever its size.
	pub max_evaluations: u32,
	/// Further evaluations for each household of the game.
	pub max_evaluations_per_household: u32,
}

impl SolverLimits {
	/// The limits of the runtime that this crate belongs to: what it takes to search small games through, and some ten
	/// starts that do not settle in large ones.
	pub const RUNTIME: Self = Self {
		max_sweeps: 32,
		max_starts: 32,
		max_evaluations: 65_536,
		max_evaluations_per_household: 1_024,
	};

	/// Most evaluations of a payoff for a game of so many households.
	pub fn evaluations(&self, households: u32) -> u32 {
		let for_households = self.max_evaluations_per_household.saturating_mul(households);
		self.max_evaluations.saturating_add(for_households)
	}

	/// The bounds for one game. Epsilon is the solver's own; no chain changes it.
	pub fn config(&self, game: &Game) -> SolverConfig {
		// A game has at most 65,535 households.
		let households = game.households().len() as u32;
		SolverConfig {
			max_sweeps: self.max_sweeps,
			max_starts: self.max_starts,
			max_evaluations: self.evaluations(households).into(),
			..SolverConfig::default()
		}
	}
}
