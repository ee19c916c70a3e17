//! Terms for unit tests.

use commonwatt_market::{paper, Tariffs, Terms};

/// The paper's terms with round tariffs.
pub const TEST_TERMS: Terms = Terms {
	tariffs: Tariffs {
		retail_per_kwh: 300,
		feed_in_per_kwh: 80,
		imbalance_import_per_kwh: 360,
		imbalance_export_per_kwh: 40,
		grid_fee_per_kwh: 10,
	},
	reward_cap_per_kwh: 5,
	..paper::TERMS
};
