//! The JSON that people and auditors exchange: what the `commonwatt-game` command reads and writes.

use crate::{
	allocate, explain, Certificate, Comfort, Game, Household, Kind, Log2, ProfileFault, Ratio, Rules,
	Solution, Status, Strategy,
};
use serde::{Deserialize, Serialize};
use std::{format, string::String, vec::Vec};

/// A game.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GameJson {
	/// Decimal ("4", "1.5") or fraction ("3/2").
	pub lambda: String,
	/// Meter resolution in Wh.
	pub resolution_wh: u32,
	/// The players, in the order that profiles use.
	pub households: Vec<HouseholdJson>,
}

/// A player.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdJson {
	/// Forecast for the era in Wh.
	pub generation_wh: u32,
	/// May be null or absent.
	#[serde(default)]
	pub comfort: Option<ComfortJson>,
	/// At least one.
	pub strategies: Vec<StrategyJson>,
}

/// A comfort model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComfortJson {
	/// Hundredths of a degree Celsius.
	pub min_centi_c: i16,
	/// Hundredths of a degree Celsius.
	pub max_centi_c: i16,
	/// Per square degree; decimal or fraction.
	pub a: String,
}

/// A strategy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyJson {
	/// One of the five kinds, by name.
	pub kind: Kind,
	/// Wh in the era.
	pub consumption_wh: u32,
	/// Hundredths of a degree Celsius.
	pub temperature_centi_c: i16,
}

/// A solution, as `solve` writes it. `verify` needs the profile only.
#[derive(Clone, Debug, Serialize)]
pub struct SolutionJson {
	/// Whether the profile was certified.
	pub status: Status,
	/// Index of each household's choice.
	pub profile: Vec<u8>,
	/// S in Wh.
	pub offered_wh: u64,
	/// B in Wh.
	pub requested_wh: u64,
	/// V in Wh.
	pub traded_wh: u64,
	/// What becomes of each household.
	pub households: Vec<ShareJson>,
	/// Largest gain from changing alone, log2.
	pub max_gain_log2: String,
	/// Sweeps over all starts.
	pub sweeps: u32,
	/// Starts made.
	pub starts: u32,
	/// Evaluations of a payoff.
	pub evaluations: u64,
}

/// One household's part of a solution. Positive energies are sold.
#[derive(Clone, Debug, Serialize)]
pub struct ShareJson {
	/// Exchanged inside the community, Wh.
	pub community_wh: i64,
	/// Exchanged with the main grid, Wh.
	pub main_wh: i64,
	/// Payoff of the choice.
	pub payoff_log2: String,
}

/// A certificate, as `verify` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateJson {
	/// Whether the profile is an equilibrium.
	pub status: Status,
	/// S in Wh.
	pub offered_wh: u64,
	/// B in Wh.
	pub requested_wh: u64,
	/// V in Wh.
	pub traded_wh: u64,
	/// Largest gain from changing alone, log2.
	pub max_gain_log2: String,
}

/// One line of an explanation.
#[derive(Clone, Debug, Serialize)]
pub struct PayoffJson {
	/// Index of the strategy.
	pub strategy: usize,
	/// Whether the profile picks it.
	pub chosen: bool,
	/// Its payoff against the others' choices.
	pub payoff_log2: String,
}

/// Reads "4", "0.0277" or "1/36" exactly. Both parts of the fraction must fit 32 bits.
pub fn ratio(text: &str) -> Result<Ratio, String> {
	let bad = |why: &str| format!("\"{text}\" {why}");
	let number = |digits: &str| {
		let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
		if !plain {
			return Err(bad("is neither a decimal nor a fraction"));
		}
		digits
			.parse::<u32>()
			.map_err(|_| bad("does not fit two 32-bit integers"))
	};
	if let Some((numerator, denominator)) = text.split_once('/') {
		return Ok(Ratio {
			numerator: number(numerator)?,
			denominator: number(denominator)?,
		});
	}
	let Some((whole, fraction)) = text.split_once('.') else {
		return Ok(Ratio {
			numerator: number(text)?,
			denominator: 1,
		});
	};
	number(whole)?;
	number(fraction)?;
	let fraction = fraction.trim_end_matches('0');
	let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
	let denominator = 10u32
		.checked_pow(places)
		.ok_or_else(|| bad("has more decimals than fit, write a fraction"))?;
	Ok(Ratio {
		numerator: number(&format!("{whole}{fraction}"))?,
		denominator,
	})
}

impl GameJson {
	/// The game, or which household and field is wrong.
	pub fn into_game(self) -> Result<Game, String> {
		let lambda = ratio(&self.lambda).map_err(|fault| format!("lambda: {fault}"))?;
		let rules = Rules {
			lambda,
			resolution_wh: self.resolution_wh,
		};
		let mut households = Vec::with_capacity(self.households.len());
		for (index, household) in self.households.into_iter().enumerate() {
			let comfort = match household.comfort {
				Some(comfort) => {
					let a = ratio(&comfort.a)
						.map_err(|fault| format!("household {index}: comfort.a: {fault}"))?;
					Some(Comfort {
						min_centi_c: comfort.min_centi_c,
						max_centi_c: comfort.max_centi_c,
						a,
					})
				}
				None => None,
			};
			let strategy = |strategy: StrategyJson| Strategy {
				kind: strategy.kind,
				consumption_wh: strategy.consumption_wh,
				temperature_centi_c: strategy.temperature_centi_c,
			};
			let strategies = household.strategies.into_iter().map(strategy).collect();
			households.push(Household {
				generation_wh: household.generation_wh,
				comfort,
				strategies,
			});
		}
		Game::new(rules, households).map_err(|fault| format!("{fault}"))
	}
}

impl SolutionJson {
	/// What `solve` writes.
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
	fn ratios_are_read_exactly() {
		let is = |text, numerator, denominator| {
			assert_eq!(
				ratio(text),
				Ok(Ratio {
					numerator,
					denominator
				}),
				"{text}"
			)
		};
		is("4", 4, 1);
		is("1/36", 1, 36);
		is("1.50", 15, 10);
		is("0.0277", 277, 10_000);
		is("2.0", 2, 1);
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
