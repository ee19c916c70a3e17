//! Games and households. [`Game::new`] checks all input, so that the solver never fails on a [`Game`].

use crate::{
	fault::{GameFault, HouseholdFault, ProfileFault},
	limits::{MAX_ENERGY_WH, MAX_HOUSEHOLDS, MAX_STRATEGIES},
	types::{Comfort, Fraction, Rules, Strategy},
};
use alloc::vec::Vec;

crate::view_types! {
	/// A household: one player of the game.
	pub struct Household {
		/// Generation forecast for the era in Wh, at most [`MAX_ENERGY_WH`].
		pub generation_wh: u32,
		/// Comfort model. Without one, C = 1 at every temperature.
		pub comfort: Option<Comfort>,
		/// The strategies to choose from, 1 to [`MAX_STRATEGIES`].
		pub strategies: Vec<Strategy>,
	}
}

impl Household {
	/// Makes every check that [`Game::new`] makes of a household, for a game with this meter resolution in Wh.
	pub fn check(&self, resolution_wh: u32) -> Result<(), HouseholdFault> {
		if self.generation_wh > MAX_ENERGY_WH {
			return Err(HouseholdFault::GenerationOverRange);
		}
		if let Some(comfort) = &self.comfort {
			comfort.check().map_err(HouseholdFault::Comfort)?;
		}
		if self.strategies.is_empty() {
			return Err(HouseholdFault::NoStrategies);
		}
		if self.strategies.len() > MAX_STRATEGIES {
			return Err(HouseholdFault::TooManyStrategies);
		}
		for (strategy, entry) in (0u8..).zip(&self.strategies) {
			entry
				.check(self.generation_wh, resolution_wh)
				.map_err(|fault| HouseholdFault::Strategy { strategy, fault })?;
		}
		Ok(())
	}

	/// Comfort C of a strategy, exact.
	pub(crate) fn comfort_of(&self, strategy: &Strategy) -> Fraction<u64> {
		Comfort::of(self.comfort.as_ref(), strategy.temperature_centi_c)
	}
}

/// The game of one community in one era: rules and households, already checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
	rules: Rules,
	households: Vec<Household>,
}

impl Game {
	/// Checks everything that the solver relies on. A game may have no households.
	pub fn new(rules: Rules, households: Vec<Household>) -> Result<Self, GameFault> {
		rules.check().map_err(GameFault::Rules)?;
		if households.len() > MAX_HOUSEHOLDS {
			return Err(GameFault::TooManyHouseholds);
		}
		for (household, entry) in (0u32..).zip(&households) {
			entry
				.check(rules.resolution_wh)
				.map_err(|fault| GameFault::Household { household, fault })?;
		}
		Ok(Self { rules, households })
	}

	/// The households, in the order of the entries of a profile.
	pub fn households(&self) -> &[Household] {
		&self.households
	}

	/// The rules of the community.
	pub fn rules(&self) -> &Rules {
		&self.rules
	}

	/// Returns the households without copying them.
	pub fn into_households(self) -> Vec<Household> {
		self.households
	}

	/// The strategy that a profile chooses for each household. Fails if the profile does not fit the game.
	pub(crate) fn chosen(&self, profile: &[u8]) -> Result<Vec<Strategy>, ProfileFault> {
		if profile.len() != self.households.len() {
			return Err(ProfileFault::WrongLength);
		}
		let mut chosen = Vec::with_capacity(profile.len());
		for (household, (entry, choice)) in (0u32..).zip(self.households.iter().zip(profile)) {
			let strategy = entry.strategies.get(usize::from(*choice));
			chosen.push(*strategy.ok_or(ProfileFault::UnknownStrategy { household })?);
		}
		Ok(chosen)
	}
}
