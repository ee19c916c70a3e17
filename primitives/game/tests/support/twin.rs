//! The solver in plain f64: the same preparation, the same sweeps, the same certificate, other arithmetic. Only the first
//! two starts, to which the benches bound the solver as well. The measure for what fixed point costs.

use commonwatt_game::*;
use std::cmp::Ordering;

const EPSILON: f64 = 1.0 / 65_536.0;

#[derive(Clone, Copy, PartialEq)]
enum Side {
	Offers,
	Requests,
	Outside,
}

#[derive(Clone, Copy)]
struct Move {
	bound: f64,
	full: f64,
	base: f64,
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

impl Move {
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
	fixed: Option<Move>,
	current: Move,
	seen: Option<Pool>,
}

/// The rules in f64.
#[derive(Clone, Copy)]
struct Worth {
	log2_lambda: f64,
	log2_omega: f64,
	resolution: f64,
}

impl Worth {
	fn new(rules: &Rules) -> Self {
		let lambda = f64::from(rules.lambda.numerator) / f64::from(rules.lambda.denominator);
		let resolution = f64::from(rules.resolution_wh);
		Self {
			log2_lambda: lambda.log2() / 1000.0,
			log2_omega: (1000.0 / resolution).log2(),
			resolution,
		}
	}

	fn prepare(&self, household: &Household, choice: u8, strategy: &Strategy) -> Move {
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
		let base = match x {
			_ if comfort == 0.0 => f64::NEG_INFINITY,
			_ if x < self.resolution => self.log2_omega,
			_ => (comfort * 1000.0 / x).log2(),
		};
		let sign = if side == Side::Requests { -1.0 } else { 1.0 };
		let balanced = |traded: f64| sign * traded * self.log2_lambda + self.log2_omega;
		let (bound, full) = match side {
			_ if comfort == 0.0 => (base, base),
			Side::Outside => (base, base),
			Side::Offers => (balanced(x), balanced(x)),
			Side::Requests => (base.max(balanced((x - self.resolution).max(0.0))), balanced(x)),
		};
		Move {
			bound,
			full,
			base,
			comfort,
			x,
			side,
			choice,
		}
	}

	#[inline]
	fn payoff(&self, choice: &Move, others: &Pool) -> f64 {
		let (own, opposite) = match choice.side {
			Side::Offers => (others.offered + choice.x, others.requested),
			Side::Requests => (others.requested + choice.x, others.offered),
			Side::Outside => return choice.full,
		};
		if own <= opposite || choice.full == f64::NEG_INFINITY {
			return choice.full;
		}
		let sign = if choice.side == Side::Requests { -1.0 } else { 1.0 };
		let trade = sign * choice.x * opposite / own * self.log2_lambda;
		let spare = own - opposite;
		if choice.x * spare < self.resolution * own {
			return trade + self.log2_omega;
		}
		trade + choice.base - (spare / own).log2()
	}

	#[inline]
	fn best_response(&self, options: &[Move], fixed: Option<Move>, others: &Pool) -> (Option<Move>, f64) {
		let mut best = (fixed, fixed.map_or(f64::NEG_INFINITY, |fixed| fixed.full));
		for option in options {
			if option.bound <= best.1 {
				break;
			}
			let payoff = self.payoff(option, others);
			if payoff > best.1 {
				best = (Some(*option), payoff);
			}
		}
		best
	}
}

fn gain(then: f64, now: f64) -> f64 {
	if then == now {
		0.0
	} else {
		then - now
	}
}

/// The profile, its largest gain and the sweeps made.
pub fn solve(game: &Game) -> (Vec<u8>, f64, u32) {
	let worth = Worth::new(game.rules());
	let strategies = game
		.households()
		.iter()
		.map(|household| household.strategies.len())
		.sum();
	let mut options: Vec<Move> = Vec::with_capacity(strategies);
	let mut players = Vec::with_capacity(game.households().len());
	let mut profile = Vec::with_capacity(game.households().len());
	let (mut decided, mut decided_outside) = (Pool::default(), 0.0);
	let mut open: Vec<Move> = Vec::new();
	for (index, household) in game.households().iter().enumerate() {
		open.clear();
		let mut fixed: Option<Move> = None;
		for (choice, strategy) in household.strategies.iter().enumerate() {
			let prepared = worth.prepare(household, choice as u8, strategy);
			if prepared.side != Side::Outside && prepared.bound > f64::NEG_INFINITY {
				open.push(prepared);
			} else if fixed.is_none_or(|best| (prepared.full, -prepared.x) > (best.full, -best.x)) {
				fixed = Some(prepared);
			}
		}
		// Purchases of as much or more with as much comfort or less go, and so do the same sales with less.
		open.sort_unstable_by(|left, right| {
			let order = (left.side as u8, left.x).partial_cmp(&(right.side as u8, right.x));
			let order = order.unwrap_or(Ordering::Equal);
			let order = order.then(
				right
					.comfort
					.partial_cmp(&left.comfort)
					.unwrap_or(Ordering::Equal),
			);
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
		let floor = fixed.map_or(f64::NEG_INFINITY, |best| best.full);
		open.retain(|option| option.bound > floor);
		open.sort_unstable_by(|left, right| {
			let order = right.bound.partial_cmp(&left.bound).unwrap_or(Ordering::Equal);
			let order = order.then((left.side as u8).cmp(&(right.side as u8)));
			let order = order.then(left.x.partial_cmp(&right.x).unwrap_or(Ordering::Equal));
			order.then(left.choice.cmp(&right.choice))
		});
		let current = open.first().copied().or(fixed).unwrap();
		profile.push(current.choice);
		if open.is_empty() || open.len() + usize::from(fixed.is_some()) == 1 {
			current.join(&mut decided, 1.0);
			if current.side == Side::Outside {
				decided_outside += current.x;
			}
			continue;
		}
		let first = options.len();
		options.extend_from_slice(&open);
		players.push(Player {
			household: index,
			options: first..options.len(),
			fixed,
			current,
			seen: None,
		});
	}
	let mut sweeps = 0;
	let mut found: Option<(f64, Vec<u8>)> = None;
	for start in 0..2 {
		let mut pool = decided;
		for player in &mut players {
			let own = &options[player.options.clone()];
			player.current = match (start, player.fixed) {
				(0, _) | (_, None) => own.first().copied().or(player.fixed).unwrap(),
				(_, Some(fixed)) => {
					let apart = |option: &&Move| (option.x - fixed.x).abs() as u64;
					own.iter().min_by_key(apart).copied().unwrap_or(fixed)
				}
			};
			player.current.join(&mut pool, 1.0);
			player.seen = None;
		}
		let mut settled = false;
		for _ in 0..16 {
			sweeps += 1;
			settled = !sweep(&worth, &options, &mut players, &mut pool);
			if settled {
				break;
			}
		}
		let outside = players
			.iter()
			.filter(|player| player.current.side == Side::Outside);
		let main = decided_outside
			+ outside.map(|player| player.current.x).sum::<f64>()
			+ (pool.offered - pool.requested).abs();
		if settled && found.as_ref().is_none_or(|found| main < found.0) {
			for player in &players {
				profile[player.household] = player.current.choice;
			}
			found = Some((main, profile.clone()));
		}
	}
	let (_, profile) = found.unwrap();
	let gain = verify(&worth, game, &profile);
	(profile, gain, sweeps)
}

fn sweep(worth: &Worth, options: &[Move], players: &mut [Player], pool: &mut Pool) -> bool {
	let mut restless = false;
	for player in players {
		let mut others = *pool;
		player.current.join(&mut others, -1.0);
		if player.seen == Some(others) {
			continue;
		}
		player.seen = Some(others);
		let now = worth.payoff(&player.current, &others);
		let (best, then) = worth.best_response(&options[player.options.clone()], player.fixed, &others);
		let Some(best) = best.filter(|_| gain(then, now) > EPSILON) else {
			continue;
		};
		restless = true;
		player.current = best;
		best.join(&mut others, 1.0);
		*pool = others;
	}
	restless
}

/// One pass over every strategy, from the definition.
fn verify(worth: &Worth, game: &Game, profile: &[u8]) -> f64 {
	let mut pool = Pool::default();
	for (household, choice) in game.households().iter().zip(profile) {
		let strategy = &household.strategies[usize::from(*choice)];
		worth.prepare(household, *choice, strategy).join(&mut pool, 1.0);
	}
	let mut largest = 0.0;
	for (household, choice) in game.households().iter().zip(profile) {
		let mut others = pool;
		let current = worth.prepare(household, *choice, &household.strategies[usize::from(*choice)]);
		current.join(&mut others, -1.0);
		let now = worth.payoff(&current, &others);
		for strategy in &household.strategies {
			largest = f64::max(
				largest,
				gain(worth.payoff(&worth.prepare(household, 0, strategy), &others), now),
			);
		}
	}
	largest
}
