//! Between the chain's types and those of the game crate, which are the same by another way of encoding.

use super::types::{Certificate, Comfort, Delivered, Kind, Ratio, Rules, Status, Strategy};
use commonwatt_game as game;

/// The first `spec_version` of the runtime whose payoffs are those of this program's game crate. In earlier ones a
/// household gained by what it bought from the community as if it had sold it.
pub const GAME_RULES_SINCE: u32 = 101;

/// What to call the rules by which a runtime computed payoffs, if this program cannot judge them. `spec_version` is that
/// runtime's; it is `None` where it is unknown. A runtime later than those that are known is judged by the present
/// rules: if its rules are others, the difference must show.
pub fn other_rules(spec_version: Option<u32>) -> Option<String> {
	match spec_version {
		Some(GAME_RULES_SINCE..) => None,
		Some(version) => Some(format!("other rules (runtime version {version})")),
		None => {
			Some("unknown rules (the node no longer has the block that tells the runtime version)".into())
		}
	}
}

impl From<Ratio> for game::Ratio {
	fn from(ratio: Ratio) -> Self {
		Self {
			numerator: ratio.numerator,
			denominator: ratio.denominator,
		}
	}
}

impl From<Rules> for game::Rules {
	fn from(rules: Rules) -> Self {
		Self {
			lambda: rules.lambda.into(),
			resolution_wh: rules.resolution_wh,
		}
	}
}

impl From<Comfort> for game::Comfort {
	fn from(comfort: Comfort) -> Self {
		Self {
			min_centi_c: comfort.min_centi_c,
			max_centi_c: comfort.max_centi_c,
			a: comfort.a.into(),
		}
	}
}

impl From<Kind> for game::Kind {
	fn from(kind: Kind) -> Self {
		match kind {
			Kind::SellToCommunity => Self::SellToCommunity,
			Kind::BuyFromCommunity => Self::BuyFromCommunity,
			Kind::Neutral => Self::Neutral,
			Kind::BuyFromMain => Self::BuyFromMain,
			Kind::SellToMain => Self::SellToMain,
		}
	}
}

impl From<game::Kind> for Kind {
	fn from(kind: game::Kind) -> Self {
		match kind {
			game::Kind::SellToCommunity => Self::SellToCommunity,
			game::Kind::BuyFromCommunity => Self::BuyFromCommunity,
			game::Kind::Neutral => Self::Neutral,
			game::Kind::BuyFromMain => Self::BuyFromMain,
			game::Kind::SellToMain => Self::SellToMain,
		}
	}
}

impl From<Strategy> for game::Strategy {
	fn from(s: Strategy) -> Self {
		Self {
			kind: s.kind.into(),
			consumption_wh: s.consumption_wh,
			temperature_centi_c: s.temperature_centi_c,
		}
	}
}

impl From<game::Strategy> for Strategy {
	fn from(s: game::Strategy) -> Self {
		Self {
			kind: s.kind.into(),
			consumption_wh: s.consumption_wh,
			temperature_centi_c: s.temperature_centi_c,
		}
	}
}

impl From<game::Delivered> for Delivered {
	fn from(delivered: game::Delivered) -> Self {
		Self {
			comfort_ppm: delivered.comfort_ppm,
			payoff: delivered.payoff.0,
		}
	}
}

impl From<game::Certificate> for Certificate {
	fn from(certificate: game::Certificate) -> Self {
		Self {
			status: match certificate.status {
				game::Status::Equilibrium => Status::Equilibrium,
				game::Status::Approximate => Status::Approximate,
			},
			offered_wh: certificate.offered_wh,
			requested_wh: certificate.requested_wh,
			traded_wh: certificate.traded_wh,
			max_gain: certificate.max_gain.0,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn rules_are_those_of_the_version() {
		let named = |version| other_rules(version).unwrap_or_default();
		assert_eq!(named(Some(100)), "other rules (runtime version 100)");
		assert_eq!(named(Some(0)), "other rules (runtime version 0)");
		assert!(named(None).starts_with("unknown rules"));
		for version in [101, 102, u32::MAX] {
			assert_eq!(other_rules(Some(version)), None);
		}
	}
}
