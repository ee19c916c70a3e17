//! The terms that the community begins with, and returns to.

use commonwatt_testkit::{paper, Terms, MILLI};
use pallet_energy_market::ComfortBounds;

/// The paper's terms, with a reward for taking part and wide bounds of comfort.
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
