//! Adding statements up to a bill, as the runtime does.

use super::types::{Bill, Statement};

impl Bill {
	/// The bill of no era, from one on.
	pub fn of_no_era(first_era: u32) -> Self {
		Self {
			first_era,
			last_era: first_era,
			eras: 0,
			energy_wh: [0; 4],
			reward: 0,
			cost: 0,
			revenue: 0,
			alone_cost: 0,
			alone_revenue: 0,
			savings: 0,
		}
	}

	/// Adds an era, which is later than those before.
	pub fn add(&mut self, statement: &Statement) {
		let amounts = &statement.amounts;
		self.last_era = statement.era;
		self.eras += 1;
		for (sum, wh) in self.energy_wh.iter_mut().zip(statement.energy.all_wh()) {
			*sum += wh;
		}
		self.reward += amounts.reward;
		self.cost += amounts.paid_to_pool + amounts.grid_fee + amounts.main_cost;
		self.revenue += amounts.received_from_pool + amounts.main_revenue;
		self.alone_cost += amounts.alone_cost;
		self.alone_revenue += amounts.alone_revenue;
		self.savings += amounts.savings();
	}
}
