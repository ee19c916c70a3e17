//! Between the chain's types and those of the game crate, which are the same by another way of encoding.

use super::types::{Certificate, Comfort, Delivered, Kind, Ratio, Rules, Status, Strategy};
use commonwatt_game as game;

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
