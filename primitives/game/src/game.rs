//! A game that has been checked: nothing after [`Game::new`] can fail for its content.

use crate::{
	fault::{GameFault, HouseholdFault, ProfileFault},
	types::{Comfort, Rules, Strategy, MAX_ENERGY_WH, MAX_HOUSEHOLDS, MAX_STRATEGIES},
};
use alloc::vec::Vec;

/// One player.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Household {
	/// Generation forecast for the era, Wh, at most [`MAX_ENERGY_WH`].
	pub generation_wh: u32,
	/// Comfort model; without one every temperature is as good as any other (C = 1).
	pub comfort: Option<Comfort>,
	/// What the household may do, 1 to [`MAX_STRATEGIES`] entries.
	pub strategies: Vec<Strategy>,
}

impl Household {
	/// Accepts a household that a game with this meter resolution accepts.
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

	/// Comfort of a strategy as an exact fraction.
	pub(crate) fn comfort_of(&self, strategy: &Strategy) -> (u64, u64) {
		Comfort::of(self.comfort.as_ref(), strategy.temperature_centi_c)
	}
}

/// One community in one era: rules and players, checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
	rules: Rules,
	households: Vec<Household>,
}

impl Game {
	/// Checks everything that the solver relies on. A game without households is a game.
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

	/// The players, in the order that a profile uses.
	pub fn households(&self) -> &[Household] {
		&self.households
	}

	/// The rules of the community.
	pub fn rules(&self) -> &Rules {
		&self.rules
	}

	/// Gives the players back.
	pub fn into_households(self) -> Vec<Household> {
		self.households
	}

	/// The strategy that a profile picks for each household, or what is wrong with the profile.
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
