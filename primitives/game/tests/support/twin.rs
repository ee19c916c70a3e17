//! The twin: the solver in plain f64, with the same preparation, sweeps and certificate, and only the first two starts.
//! Benchmarks compare the solver with it to measure what fixed-point arithmetic costs.

use commonwatt_game::*;
use std::cmp::Ordering;

const EPSILON: f64 = 1.0 / 65_536.0;
const STARTS: usize = 2;
const MAX_SWEEPS: u32 = 16;

pub struct TwinSolution {
	pub profile: Vec<u8>,
	pub max_gain: f64,
	/// Sweeps made, summed over all starts.
	pub sweeps: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
	Offers,
	Requests,
	Outside,
}

#[derive(Clone, Copy)]
struct PreparedStrategy {
	max_payoff: f64,
	served_payoff: f64,
	unserved_payoff: f64,
	comfort: f64,
	x: f64,
	side: Side,
	choice: u8,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Pool {
	offered: f64,
	requested: f64,
}

impl PreparedStrategy {
	/// Adds the position to the pool, or removes it if `sign` is -1.
	fn join(&self, pool: &mut Pool, sign: f64) {
		match self.side {
			Side::Offers => pool.offered += sign * self.x,
			Side::Requests => pool.requested += sign * self.x,
			Side::Outside => {}
		}
	}
}

struct Player {
	household: usize,
	options: std::ops::Range<usize>,
	outside: Option<PreparedStrategy>,
	current: PreparedStrategy,
	seen: Option<Pool>,
}

struct BestResponse {
	strategy: Option<PreparedStrategy>,
	payoff: f64,
}

#[derive(Clone, Copy)]
struct LogRules {
	log2_lambda_per_wh: f64,
	log2_omega: f64,
	resolution_wh: f64,
}

impl LogRules {
	fn new(rules: &Rules) -> Self {
		let lambda = f64::from(rules.lambda.numerator) / f64::from(rules.lambda.denominator);
		let resolution_wh = f64::from(rules.resolution_wh);
		Self {
			log2_lambda_per_wh: lambda.log2() / 1000.0,
			log2_omega: (1000.0 / resolution_wh).log2(),
			resolution_wh,
		}
	}

	fn prepare(&self, household: &Household, choice: u8, strategy: &Strategy) -> PreparedStrategy {
		let comfort = household.comfort.map_or(1.0, |comfort| {
			let above = f64::from(strategy.temperature_centi_c) - f64::from(comfort.min_centi_c);
			let below = f64::from(comfort.max_centi_c) - f64::from(strategy.temperature_centi_c);
			let a = f64::from(comfort.a.numerator) / f64::from(comfort.a.denominator);
			if above <= 0.0 || below <= 0.0 {
				0.0
			} else {
				a * above * below / 10_000.0
			}
		});
		let x = strategy.net_wh(household.generation_wh).unsigned_abs() as f64;
		let side = match strategy.kind {
			Kind::SellToCommunity => Side::Offers,
			Kind::BuyFromCommunity => Side::Requests,
			_ => Side::Outside,
		};
		let unserved = match x {
			_ if comfort == 0.0 => f64::NEG_INFINITY,
			_ if x < self.resolution_wh => self.log2_omega,
			_ => (comfort * 1000.0 / x).log2(),
		};
		let sign = if side == Side::Requests { -1.0 } else { 1.0 };
		let balanced = |traded: f64| sign * traded * self.log2_lambda_per_wh + self.log2_omega;
		let (max_payoff, served_payoff) = match side {
			_ if comfort == 0.0 => (unserved, unserved),
			Side::Outside => (unserved, unserved),
			Side::Offers => (balanced(x), balanced(x)),
			Side::Requests => {
				let limit = balanced((x - self.resolution_wh).max(0.0));
				(unserved.max(limit), balanced(x))
			}
		};
		PreparedStrategy {
			max_payoff,
			served_payoff,
			unserved_payoff: unserved,
			comfort,
			x,
			side,
			choice,
		}
	}

	#[inline]
	fn payoff(&self, strategy: &PreparedStrategy, others: &Pool) -> f64 {
		let (own, opposite) = match strategy.side {
			Side::Offers => (others.offered + strategy.x, others.requested),
			Side::Requests => (others.requested + strategy.x, others.offered),
			Side::Outside => return strategy.served_payoff,
		};
		if own <= opposite || strategy.served_payoff == f64::NEG_INFINITY {
			return strategy.served_payoff;
		}
		let sign = if strategy.side == Side::Requests {
			-1.0
		} else {
			1.0
		};
		let term = sign * strategy.x * opposite / own * self.log2_lambda_per_wh;
		let excess = own - opposite;
		if strategy.x * excess < self.resolution_wh * own {
			return term + self.log2_omega;
		}
		term + strategy.unserved_payoff - (excess / own).log2()
	}

	#[inline]
	fn best_response(
		&self,
		options: &[PreparedStrategy],
		outside: Option<PreparedStrategy>,
		others: &Pool,
	) -> BestResponse {
		let mut best = BestResponse {
			strategy: outside,
			payoff: outside.map_or(f64::NEG_INFINITY, |outside| outside.served_payoff),
		};
		for option in options {
			if option.max_payoff <= best.payoff {
				break;
			}
			let payoff = self.payoff(option, others);
			if payoff > best.payoff {
				best.strategy = Some(*option);
				best.payoff = payoff;
			}
		}
		best
	}
}

fn gain(then: f64, now: f64) -> f64 {
	// Two equal infinities have no difference.
	if then == now {
		0.0
	} else {
		then - now
	}
}

/// The state of a solve.
struct Search {
	rules: LogRules,
	/// The pool strategies of all players.
	options: Vec<PreparedStrategy>,
	players: Vec<Player>,
	profile: Vec<u8>,
	/// The positions of the households that are not players, in the pool and outside it.
	decided: Pool,
	decided_outside: f64,
	pool: Pool,
}

pub fn solve(game: &Game) -> TwinSolution {
	let mut search = Search::new(game);
	let mut sweeps = 0;
	let mut best: Option<(f64, Vec<u8>)> = None;
	for start in 0..STARTS {
		search.begin(start);
		let mut settled = false;
		for _ in 0..MAX_SWEEPS {
			sweeps += 1;
			settled = search.sweep();
			if settled {
				break;
			}
		}
		let main = search.main();
		if settled && best.as_ref().is_none_or(|(least, _)| main < *least) {
			for player in &search.players {
				search.profile[player.household] = player.current.choice;
			}
			best = Some((main, search.profile.clone()));
		}
	}
	let (_, profile) = best.expect("the games of the benchmarks settle");
	let max_gain = verify(&search.rules, game, &profile);
	TwinSolution {
		profile,
		max_gain,
		sweeps,
	}
}

impl Search {
	fn new(game: &Game) -> Self {
		let households = game.households();
		let strategies = households
			.iter()
			.map(|household| household.strategies.len())
			.sum();
		let mut search = Self {
			rules: LogRules::new(game.rules()),
			options: Vec::with_capacity(strategies),
			players: Vec::with_capacity(households.len()),
			profile: Vec::with_capacity(households.len()),
			decided: Pool::default(),
			decided_outside: 0.0,
			pool: Pool::default(),
		};
		let mut open: Vec<PreparedStrategy> = Vec::new();
		for (index, household) in households.iter().enumerate() {
			search.add(index, household, &mut open);
		}
		search
	}

	/// Prepares one household. `open` is scratch space.
	fn add(&mut self, index: usize, household: &Household, open: &mut Vec<PreparedStrategy>) {
		open.clear();
		let mut outside: Option<PreparedStrategy> = None;
		for (choice, strategy) in household.strategies.iter().enumerate() {
			let prepared = self.rules.prepare(household, choice as u8, strategy);
			if prepared.side != Side::Outside && prepared.max_payoff > f64::NEG_INFINITY {
				open.push(prepared);
			} else if outside
				.is_none_or(|best| (prepared.served_payoff, -prepared.x) > (best.served_payoff, -best.x))
			{
				outside = Some(prepared);
			}
		}
		drop_dominated(open);
		let floor = outside.map_or(f64::NEG_INFINITY, |best| best.served_payoff);
		open.retain(|option| option.max_payoff > floor);
		open.sort_unstable_by(|left, right| {
			let order = descending(left.max_payoff, right.max_payoff);
			let order = order.then((left.side as u8).cmp(&(right.side as u8)));
			let order = order.then(left.x.total_cmp(&right.x));
			order.then(left.choice.cmp(&right.choice))
		});
		let current = open
			.first()
			.copied()
			.or(outside)
			.expect("a household has a strategy");
		self.profile.push(current.choice);
		if open.is_empty() || open.len() + usize::from(outside.is_some()) == 1 {
			current.join(&mut self.decided, 1.0);
			if current.side == Side::Outside {
				self.decided_outside += current.x;
			}
			return;
		}
		let first = self.options.len();
		self.options.extend_from_slice(open);
		self.players.push(Player {
			household: index,
			options: first..self.options.len(),
			outside,
			current,
			seen: None,
		});
	}

	/// Starts with the strategies that could earn most, or from the second start on with those in the pool whose energy
	/// is closest to that of the best strategy outside.
	fn begin(&mut self, start: usize) {
		self.pool = self.decided;
		for player in &mut self.players {
			let own = &self.options[player.options.clone()];
			player.current = match (start, player.outside) {
				(0, _) | (_, None) => own
					.first()
					.copied()
					.or(player.outside)
					.expect("a player has a strategy"),
				(_, Some(outside)) => {
					let distance = |option: &&PreparedStrategy| (option.x - outside.x).abs() as u64;
					own.iter().min_by_key(distance).copied().unwrap_or(outside)
				}
			};
			player.current.join(&mut self.pool, 1.0);
			player.seen = None;
		}
	}

	/// Visits each player once. Returns whether nobody moved.
	fn sweep(&mut self) -> bool {
		let Self {
			rules,
			options,
			players,
			pool,
			..
		} = self;
		let mut settled = true;
		for player in players {
			let mut others = *pool;
			player.current.join(&mut others, -1.0);
			if player.seen == Some(others) {
				continue;
			}
			player.seen = Some(others);
			let now = rules.payoff(&player.current, &others);
			let best = rules.best_response(&options[player.options.clone()], player.outside, &others);
			let Some(next) = best.strategy.filter(|_| gain(best.payoff, now) > EPSILON) else {
				continue;
			};
			settled = false;
			player.current = next;
			next.join(&mut others, 1.0);
			*pool = others;
		}
		settled
	}

	/// Energy that the current profile exchanges with the main grid.
	fn main(&self) -> f64 {
		let outside = self
			.players
			.iter()
			.filter(|player| player.current.side == Side::Outside);
		self.decided_outside
			+ outside.map(|player| player.current.x).sum::<f64>()
			+ (self.pool.offered - self.pool.requested).abs()
	}
}

fn descending(left: f64, right: f64) -> Ordering {
	right.partial_cmp(&left).unwrap_or(Ordering::Equal)
}

/// Drops pool strategies for which another one is never worse: equal sales with less comfort, and purchases with at
/// least the energy and at most the comfort of another.
fn drop_dominated(open: &mut Vec<PreparedStrategy>) {
	open.sort_unstable_by(|left, right| {
		let order = (left.side as u8, left.x).partial_cmp(&(right.side as u8, right.x));
		let order = order.unwrap_or(Ordering::Equal);
		let order = order.then(descending(left.comfort, right.comfort));
		order.then(left.choice.cmp(&right.choice))
	});
	open.dedup_by(|left, right| left.side == right.side && left.x == right.x);
	let mut most = 0.0;
	open.retain(|option| {
		let better = option.side != Side::Requests || option.comfort > most;
		if option.side == Side::Requests {
			most = f64::max(most, option.comfort);
		}
		better
	});
}

/// The largest gain of any household by changing alone, in one pass over every strategy.
fn verify(rules: &LogRules, game: &Game, profile: &[u8]) -> f64 {
	let mut pool = Pool::default();
	for (household, choice) in game.households().iter().zip(profile) {
		let strategy = &household.strategies[usize::from(*choice)];
		rules.prepare(household, *choice, strategy).join(&mut pool, 1.0);
	}
	let mut largest = 0.0;
	for (household, choice) in game.households().iter().zip(profile) {
		let mut others = pool;
		let current = rules.prepare(household, *choice, &household.strategies[usize::from(*choice)]);
		current.join(&mut others, -1.0);
		let now = rules.payoff(&current, &others);
		for strategy in &household.strategies {
			let then = rules.payoff(&rules.prepare(household, 0, strategy), &others);
			largest = f64::max(largest, gain(then, now));
		}
	}
	largest
}
