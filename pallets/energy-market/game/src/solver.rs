//! Looking for an equilibrium with bounded work.
//!
//! # What makes it fast
//! - On the main grid, when neutral and on the short side of the pool a payoff does not depend on the others; it is
//!   computed once. Only the long side of the pool is computed during a sweep.
//! - The short-side payoff of a pool strategy is also the most that it can ever earn. Pool strategies are kept in the
//!   order of that bound, and a best response stops at the first bound that cannot beat what it has.
//! - A household whose pool strategies can never beat its best fixed one is decided before the first sweep.
//! - A household is skipped when S and B of the others are what they were at its last visit.
//! - Nothing is allocated during a sweep.

use crate::{
	game::Game,
	log2::Log2,
	search::Search,
	verify::{verify, Certificate, Status},
};
use alloc::vec::Vec;

/// Bounds of a solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(codec::MaxEncodedLen, scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SolverConfig {
	/// Largest gain from changing alone that an equilibrium may leave, part of the definition of one.
	pub epsilon: Log2,
	/// Most sweeps from one start.
	pub max_sweeps: u32,
	/// Most starts. The first is always made.
	pub max_starts: u32,
	/// Most candidates that the search over totals looks at, if no start settles: strategies of households in a range of
	/// totals, and profiles.
	pub max_candidates: u32,
}

impl Default for SolverConfig {
	/// Epsilon 2^-16, 32 sweeps from each of at most 16 starts, 2^21 candidates.
	fn default() -> Self {
		Self {
			epsilon: Log2(1 << 16),
			max_sweeps: 32,
			max_starts: 16,
			max_candidates: 1 << 21,
		}
	}
}

/// What a solve found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
	feature = "scale",
	derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking)
)]
#[cfg_attr(feature = "scale", derive(scale_info::TypeInfo))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Solution {
	/// The strategy of each household, as an index into its set.
	pub profile: Vec<u8>,
	/// The certificate of that profile, made by [`verify`].
	pub certificate: Certificate,
	/// Sweeps made over all starts.
	pub sweeps: u32,
	/// Starts made.
	pub starts: u32,
}

/// Sweeps after which a start is taken not to settle soon, and what it visits becomes a candidate for the fallback.
const PATIENCE: u32 = 8;

/// Solves a game: looks for a profile in which no household gains more than epsilon by changing alone.
///
/// Starts are deterministic: everyone in the pool, everyone on the main grid, `previous` (the last era's profile; one
/// that does not fit the game is ignored), and then, for as long as nothing has been certified or only an idle pool where
/// both sides have something to trade, scattered ones that are different every time. Each start makes sweeps in which every household in turn moves to its best strategy if
/// that gains more than epsilon. If no start settles, the totals S and B are searched instead: a bounded branch and
/// bound that is complete for small games and mostly decisive for large ones.
///
/// Among the equilibria found the one with the least energy exchanged with the main grid is kept, the earliest among
/// equals. If there is none, the result is the visited profile with the smallest largest gain, as `Approximate`.
///
/// Work is bounded: `max_starts * (2 * max_sweeps + 1) + 1` passes over the strategies of the game, and only if no start
/// settles `max_candidates` strategies and profiles more, which is every profile of a game that has no more of them.
pub fn solve(game: &Game, config: &SolverConfig, previous: Option<&[u8]>) -> Solution {
	let previous = previous.filter(|profile| game.chosen(profile).is_ok());
	let named = 2 + u32::from(previous.is_some());
	let mut search = Search::new(game, config.epsilon);
	let mut outcome = Outcome {
		found: None,
		fallback: None,
		trades: false,
	};
	let (mut sweeps, mut starts) = (0u32, 0u32);
	for start in 0..config.max_starts.max(1) {
		if start >= named && outcome.suffices(&search) {
			break;
		}
		starts += 1;
		match (start, previous) {
			(0, _) => search.begin_in_pool(),
			(1, _) => search.begin_on_main_grid(),
			(2, Some(profile)) => search.begin_from(game, profile),
			_ => search.begin_scattered(start),
		}
		let made = settle(&mut search, config.max_sweeps, &mut outcome);
		// Saturates only after 2^32 sweeps, a count that nobody lives to see.
		sweeps = sweeps.saturating_add(made.sweeps);
		if made.settled {
			outcome.settle(game, config.epsilon, &mut search);
		}
	}
	if !outcome.suffices(&search) {
		let least_traded_wh = u64::from(outcome.found.is_some());
		search.search_boxes(config.max_candidates.into(), least_traded_wh, |search| {
			outcome.judge(game, config.epsilon, search);
			outcome.suffices(search)
		});
	}
	let (profile, certificate) = outcome.into_parts(game, config.epsilon, &mut search);
	Solution {
		profile,
		certificate,
		sweeps,
		starts,
	}
}

/// What came of one start.
struct Settling {
	sweeps: u32,
	settled: bool,
}

/// Sweeps until nobody wants to move or the bound is reached.
fn settle(search: &mut Search, max_sweeps: u32, outcome: &mut Outcome) -> Settling {
	for sweep in 1..=max_sweeps {
		if !search.sweep() {
			return Settling {
				sweeps: sweep,
				settled: true,
			};
		}
		if sweep >= PATIENCE {
			outcome.offer(search);
		}
	}
	if max_sweeps < PATIENCE {
		outcome.offer(search);
	}
	Settling {
		sweeps: max_sweeps,
		settled: false,
	}
}

/// The best that was found so far.
struct Outcome {
	found: Option<Found>,
	fallback: Option<Fallback>,
	/// Whether one of the equilibria found trades anything.
	trades: bool,
}

/// A certified equilibrium.
struct Found {
	profile: Vec<u8>,
	certificate: Certificate,
	main_wh: u64,
}

/// The visited profile with the smallest largest gain.
struct Fallback {
	profile: Vec<u8>,
	gain: Log2,
}

impl Outcome {
	/// Whether there is no need to look further. That nobody enters a pool which nobody else is in is mostly an
	/// equilibrium, found at once from the main grid. It must not end the search where energy could be traded.
	fn suffices(&self, search: &Search) -> bool {
		self.found.is_some() && (self.trades || !search.could_trade())
	}

	/// Has a settled profile certified and keeps it if it exchanges less with the main grid than what was found
	/// before. One that is refused, which would take an error in the search, is a candidate for the fallback.
	fn settle(&mut self, game: &Game, epsilon: Log2, search: &mut Search) {
		let main_wh = search.main_wh();
		self.trades |= search.trades();
		if self.found.as_ref().is_some_and(|found| found.main_wh <= main_wh) {
			return;
		}
		let profile = search.profile().to_vec();
		let certificate = certify(game, &profile, epsilon);
		if certificate.status == Status::Equilibrium {
			self.found = Some(Found {
				profile,
				certificate,
				main_wh,
			});
		} else {
			self.offer(search);
		}
	}

	/// Keeps the present profile as the fallback if its largest gain is the smallest so far.
	fn offer(&mut self, search: &mut Search) {
		if self.found.is_some() {
			return;
		}
		let gain = search.largest_gain();
		match &mut self.fallback {
			Some(fallback) if fallback.gain <= gain => {}
			Some(fallback) => {
				fallback.gain = gain;
				fallback.profile.clear();
				fallback.profile.extend_from_slice(search.profile());
			}
			None => {
				self.fallback = Some(Fallback {
					profile: search.profile().to_vec(),
					gain,
				})
			}
		}
	}

	/// Takes a profile of the walk for an equilibrium, for a fallback, or for neither.
	fn judge(&mut self, game: &Game, epsilon: Log2, search: &mut Search) {
		let threshold = search.threshold();
		let limit = match (&self.found, &self.fallback) {
			(Some(_), _) => threshold,
			// A fallback has a gain above zero.
			(None, Some(fallback)) => threshold.max(Log2(fallback.gain.0.saturating_sub(1))),
			(None, None) => Log2::MAX,
		};
		if search.is_refuted(limit) {
			return;
		}
		if search.is_refuted(threshold) {
			self.offer(search);
		} else {
			self.settle(game, epsilon, search);
		}
	}

	fn into_parts(self, game: &Game, epsilon: Log2, search: &mut Search) -> (Vec<u8>, Certificate) {
		if let Some(found) = self.found {
			return (found.profile, found.certificate);
		}
		let profile = self
			.fallback
			.map_or_else(|| search.profile().to_vec(), |fallback| fallback.profile);
		let certificate = certify(game, &profile, epsilon);
		(profile, certificate)
	}
}

fn certify(game: &Game, profile: &[u8], epsilon: Log2) -> Certificate {
	verify(game, profile, epsilon).expect("each entry is the index of a strategy of its household; qed")
}
