//! The JSON documents that the command `commonwatt-game` reads and writes. `docs/game.md` has examples.

use crate::{
	allocation::allocate,
	fault::ProfileFault,
	game::{Game, Household},
	log2::Log2,
	solver::Solution,
	types::{Comfort, Kind, Ratio, Rules, Strategy},
	verify::{explain, Certificate, Status},
};
use serde::{Deserialize, Serialize};
use std::{format, string::String, vec::Vec};

/// A [`Game`] as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GameJson {
	/// A decimal ("4", "1.5") or a fraction ("3/2").
	pub lambda: String,
	/// Meter resolution in Wh.
	pub resolution_wh: u32,
	/// In the order of the entries of a profile.
	pub households: Vec<HouseholdJson>,
}

/// A [`Household`] as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdJson {
	/// Generation forecast for the era in Wh.
	pub generation_wh: u32,
	/// May be null or absent, in which case comfort is always 1.
	#[serde(default)]
	pub comfort: Option<ComfortJson>,
	/// At least one entry.
	pub strategies: Vec<StrategyJson>,
}

/// A [`Comfort`] model as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComfortJson {
	/// Lower end of the range, in hundredths of a degree Celsius.
	pub min_centi_c: i16,
	/// Upper end of the range, in hundredths of a degree Celsius.
	pub max_centi_c: i16,
	/// Sensitivity per square degree, a decimal or a fraction.
	pub a: String,
}

/// A [`Strategy`] as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyJson {
	/// The name of one of the five kinds.
	pub kind: Kind,
	/// Consumption in the era in Wh.
	pub consumption_wh: u32,
	/// Indoor temperature in hundredths of a degree Celsius.
	pub temperature_centi_c: i16,
}

/// A [`Solution`], as the command `solve` writes it. The command `verify` reads only its profile.
#[derive(Clone, Debug, Serialize)]
pub struct SolutionJson {
	/// Whether the profile is certified as an equilibrium.
	pub status: Status,
	/// For each household, the index of its strategy.
	pub profile: Vec<u8>,
	/// S, the energy offered to the pool, in Wh.
	pub offered_wh: u64,
	/// B, the energy requested from the pool, in Wh.
	pub requested_wh: u64,
	/// V, the traded energy, in Wh.
	pub traded_wh: u64,
	/// For each household, its energies and its payoff.
	pub households: Vec<ShareJson>,
	/// Largest gain of any household from changing alone, as a base-2 logarithm.
	pub max_gain_log2: String,
	/// Sweeps made, summed over all starts.
	pub sweeps: u32,
	/// Starts made.
	pub starts: u32,
	/// Evaluations of a payoff, as the budget counts them.
	pub evaluations: u64,
}

/// One household's part of a solution. Energies are positive when sold.
#[derive(Clone, Debug, Serialize)]
pub struct ShareJson {
	/// Energy exchanged inside the community, in Wh.
	pub community_wh: i64,
	/// Energy exchanged with the main grid, in Wh.
	pub main_wh: i64,
	/// Payoff of its strategy, as a base-2 logarithm.
	pub payoff_log2: String,
}

/// A [`Certificate`], as the command `verify` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateJson {
	/// Whether the profile is certified as an equilibrium.
	pub status: Status,
	/// S, the energy offered to the pool, in Wh.
	pub offered_wh: u64,
	/// B, the energy requested from the pool, in Wh.
	pub requested_wh: u64,
	/// V, the traded energy, in Wh.
	pub traded_wh: u64,
	/// Largest gain of any household from changing alone, as a base-2 logarithm.
	pub max_gain_log2: String,
}

/// The payoff of one strategy, as the command `explain` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct PayoffJson {
	/// Index of the strategy.
	pub strategy: usize,
	/// Whether the profile chooses the strategy.
	pub chosen: bool,
	/// Payoff against the others' choices, as a base-2 logarithm.
	pub payoff_log2: String,
}

/// Parses a decimal ("4", "0.0277") or a fraction ("1/36") exactly. Numerator and denominator must fit 32 bits. An
/// error quotes the text and says what is wrong with it.
pub fn ratio(text: &str) -> Result<Ratio, String> {
	let bad = |why: &str| format!("\"{text}\" {why}");
	let number = |digits: &str| {
		let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
		if !plain {
			return Err(bad("must be a decimal such as 1.5 or a fraction such as 3/2"));
		}
		digits
			.parse::<u32>()
			.map_err(|_| bad("has too many digits: numerator and denominator must fit 32 bits"))
	};
	let (numerator, denominator) = if let Some((numerator, denominator)) = text.split_once('/') {
		(number(numerator)?, number(denominator)?)
	} else if let Some((whole, fraction)) = text.split_once('.') {
		number(whole)?;
		number(fraction)?;
		let fraction = fraction.trim_end_matches('0');
		let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
		let denominator = 10u32
			.checked_pow(places)
			.ok_or_else(|| bad("has too many decimals; write it as a fraction"))?;
		(number(&format!("{whole}{fraction}"))?, denominator)
	} else {
		(number(text)?, 1)
	};
	Ok(Ratio {
		numerator,
		denominator,
	})
}

impl GameJson {
	/// Checks the game and converts it. An error names the household and the field that is wrong.
	pub fn into_game(self) -> Result<Game, String> {
		let lambda = ratio(&self.lambda).map_err(|fault| format!("lambda: {fault}"))?;
		let rules = Rules {
			lambda,
			resolution_wh: self.resolution_wh,
		};
		let mut households = Vec::with_capacity(self.households.len());
		for (index, household) in self.households.into_iter().enumerate() {
			let household = household
				.into_household()
				.map_err(|fault| format!("household {index}: {fault}"))?;
			households.push(household);
		}
		Game::new(rules, households).map_err(|fault| format!("{fault}"))
	}
}

impl HouseholdJson {
	/// An error names the field that is wrong.
	fn into_household(self) -> Result<Household, String> {
		let comfort = match self.comfort {
			Some(comfort) => Some(Comfort {
				min_centi_c: comfort.min_centi_c,
				max_centi_c: comfort.max_centi_c,
				a: ratio(&comfort.a).map_err(|fault| format!("comfort.a: {fault}"))?,
			}),
			None => None,
		};
		let strategy = |strategy: StrategyJson| Strategy {
			kind: strategy.kind,
			consumption_wh: strategy.consumption_wh,
			temperature_centi_c: strategy.temperature_centi_c,
		};
		Ok(Household {
			generation_wh: self.generation_wh,
			comfort,
			strategies: self.strategies.into_iter().map(strategy).collect(),
		})
	}
}

impl SolutionJson {
	/// The document for a solution of the game. Fails if the profile does not fit the game.
	pub fn new(game: &Game, solution: &Solution) -> Result<Self, ProfileFault> {
		let shares = allocate(game, &solution.profile)?;
		let mut households = Vec::with_capacity(shares.len());
		for (index, (share, choice)) in shares.iter().zip(&solution.profile).enumerate() {
			let payoffs = explain(game, &solution.profile, index)?;
			let payoff = payoffs
				.get(usize::from(*choice))
				.copied()
				.unwrap_or(Log2::NEG_INFINITY);
			households.push(ShareJson {
				community_wh: share.community_wh,
				main_wh: share.main_wh,
				payoff_log2: format!("{payoff}"),
			});
		}
		let certificate = solution.certificate;
		Ok(Self {
			status: certificate.status,
			profile: solution.profile.clone(),
			offered_wh: certificate.offered_wh,
			requested_wh: certificate.requested_wh,
			traded_wh: certificate.traded_wh,
			households,
			max_gain_log2: format!("{}", certificate.max_gain),
			sweeps: solution.sweeps,
			starts: solution.starts,
			evaluations: solution.evaluations,
		})
	}
}

impl From<Certificate> for CertificateJson {
	fn from(certificate: Certificate) -> Self {
		Self {
			status: certificate.status,
			offered_wh: certificate.offered_wh,
			requested_wh: certificate.requested_wh,
			traded_wh: certificate.traded_wh,
			max_gain_log2: format!("{}", certificate.max_gain),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ratio_parses_decimals_and_fractions_exactly() {
		let parses_to = |text, numerator, denominator| {
			assert_eq!(
				ratio(text),
				Ok(Ratio {
					numerator,
					denominator
				}),
				"{text}"
			)
		};
		parses_to("4", 4, 1);
		parses_to("1/36", 1, 36);
		parses_to("1.50", 15, 10);
		parses_to("0.0277", 277, 10_000);
		parses_to("2.0", 2, 1);
		for bad in [
			"",
			"/",
			"1/",
			".5",
			"1.",
			"-1",
			"+1",
			"1e3",
			"1/2/3",
			"4294967296",
			"0.12345678901",
			"1.2.3",
		] {
			assert!(ratio(bad).is_err(), "{bad}");
		}
	}
}
