//! The terms that the community starts with and returns to.

use commonwatt_testkit::{paper, Terms, MILLI};
use pallet_energy_market::ComfortBounds;

/// The paper's terms, with an incentive and wide comfort bounds.
pub(crate) fn opening_terms() -> Terms {
	Terms {
		incentive_per_era: 100 * MILLI,
		comfort_bounds: Some(ComfortBounds {
			min_centi_c: 1_000,
			max_centi_c: 3_500,
		}),
		..paper::TERMS
	}
}
