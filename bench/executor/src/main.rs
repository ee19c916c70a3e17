//! Compares the time of a solve inside the runtime's wasm, through the executor of a node, with a native solve.
//!
//! `commonwatt-bench-executor RUNTIME.wasm` prints the rows of `docs/measurements/weights-and-speed.md`. It is a
//! separate package because it needs only some of the crates of the benchmark command next to it.

use codec::{Decode, Encode};
use commonwatt_game::*;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;
use std::{error::Error, hint::black_box};
use support::{
	measured::{leaning, medians, millis, on_chain, settling, STRATEGIES},
	wild_community, Lean, Random,
};

#[path = "../../../primitives/game/tests/support/mod.rs"]
mod support;

const ROUNDS: usize = 15;

/// A compiled runtime with its executor.
struct Runtime {
	executor: WasmExecutor,
	code: Vec<u8>,
}

impl Runtime {
	/// Compiles `code` in an executor with a node's default settings; see `node/src/service.rs`.
	fn new(code: Vec<u8>) -> Result<Self, Box<dyn Error>> {
		let runtime = Self {
			executor: WasmExecutor::builder().build(),
			code,
		};
		// The first call compiles the runtime; later calls find it by its hash.
		runtime.call("Core_version", &[])?;
		Ok(runtime)
	}

	fn call(&self, function: &str, arguments: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
		let code = RuntimeCode {
			code_fetcher: &WrappedRuntimeCode(self.code.as_slice().into()),
			heap_pages: None,
			hash: b"the only one".to_vec(),
		};
		let mut state = BasicExternalities::default();
		let context = CallContext::Offchain;
		let (answer, _) = self
			.executor
			.call(&mut state, &code, function, arguments, context);
		Ok(answer?)
	}

	fn solve(&self, arguments: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
		self.call("EnergyMarketApi_solve", arguments)
	}
}

/// Does natively what the runtime call does: decode, check, solve, encode.
fn answer(arguments: &[u8]) -> Result<Vec<u8>, codec::Error> {
	let (rules, households) = <(Rules, Vec<Household>)>::decode(&mut &*arguments)?;
	let game = Game::new(rules, households).map_err(|_| "the game is invalid")?;
	Ok(Some(solve(&game, &on_chain(&game), None)).encode())
}

/// Arguments of the runtime call, and the expected answer.
struct Question {
	arguments: Vec<u8>,
	answer: Vec<u8>,
	/// The same game with the very last strategy out of range, which is decoded and checked completely, but not solved.
	refused: Vec<u8>,
}

impl Question {
	fn new(game: &Game) -> Self {
		let mut households = game.households().to_vec();
		let last = households
			.last_mut()
			.and_then(|household| household.strategies.last_mut());
		if let Some(strategy) = last {
			strategy.consumption_wh = u32::MAX;
		}
		Self {
			arguments: (game.rules(), game.households()).encode(),
			answer: Some(solve(game, &on_chain(game), None)).encode(),
			refused: (game.rules(), households).encode(),
		}
	}
}

/// Times in ms for each game: medians over rounds through all games.
struct Times {
	games: usize,
	/// The runtime call in wasm, and the same work natively (`native`).
	wasm: f64,
	native: f64,
	/// The runtime call for a game that is decoded, checked and refused, and a call that does nothing (`empty`).
	refused: f64,
	empty: f64,
	/// Only the solve, natively.
	solve: f64,
}

fn measure(runtime: &Runtime, games: &[Game]) -> Result<Times, Box<dyn Error>> {
	let questions: Vec<_> = games.iter().map(Question::new).collect();
	for question in &questions {
		let found = runtime.solve(&question.arguments)?;
		if found != question.answer {
			let found = <Option<Solution>>::decode(&mut found.as_slice());
			return Err(format!("the runtime's solution differs from the native one: {found:?}").into());
		}
		if runtime.solve(&question.refused)? != None::<Solution>.encode() {
			return Err("the runtime solves an invalid game".into());
		}
	}
	let each = |call: &dyn Fn(&Question) -> Result<Vec<u8>, Box<dyn Error>>| {
		for question in &questions {
			black_box(call(black_box(question)).expect("the same call succeeded above"));
		}
	};
	let times = medians(
		ROUNDS,
		[
			&mut || each(&|question| runtime.solve(&question.arguments)),
			&mut || each(&|question| Ok(answer(&question.arguments)?)),
			&mut || each(&|question| runtime.solve(&question.refused)),
			&mut || each(&|_| runtime.call("Core_version", &[])),
			&mut || {
				for game in games {
					black_box(solve(black_box(game), &on_chain(game), None));
				}
			},
		],
	);
	let [wasm, native, refused, empty, solve] = times.map(|time| millis(time) / games.len() as f64);
	Ok(Times {
		games: games.len(),
		wasm,
		native,
		refused,
		empty,
		solve,
	})
}

/// A slow game: 100 buyers with dominated strategies, a seller, and four buyers without a pure equilibrium.
fn slow() -> Result<Game, Box<dyn Error>> {
	let text = include_str!("../../../primitives/game/tests/games/slow-105.json");
	Ok(serde_json::from_str::<json::GameJson>(text)?.into_game()?)
}

/// Searches for a game that uses up the whole budget.
fn exhausting(households: usize) -> Game {
	let exhausts = |game: &Game| {
		let config = on_chain(game);
		// The solver skips a household that the rest of the budget does not cover.
		solve(game, &config, None).evaluations + 20 > config.max_evaluations
	};
	let games = (0..).map(|seed| wild_community(&mut Random(seed), households, false));
	games.into_iter().find(exhausts).expect("some game exhausts it")
}

fn main() -> Result<(), Box<dyn Error>> {
	let path = std::env::args_os()
		.nth(1)
		.ok_or("usage: commonwatt-bench-executor RUNTIME.wasm")?;
	let runtime = Runtime::new(std::fs::read(path)?)?;
	let mut measured = Vec::new();
	// The runtime accepts at most 1,000 households.
	for (households, games) in [(100, 100), (1_000, 10)] {
		let settling = settling(games, households).into_iter().map(|(game, _)| game);
		let balance = (0..2).map(|seed| leaning(Lean::Balance, seed, households));
		let size = format!("{households} households x {STRATEGIES}");
		measured.push((size.clone(), measure(&runtime, &settling.collect::<Vec<_>>())?));
		measured.push((
			format!("{size} in balance"),
			measure(&runtime, &balance.collect::<Vec<_>>())?,
		));
	}
	for (name, game) in [("slow game, 105 households", slow()?), ("whole budget, 100 households", exhausting(100))] {
		measured.push((name.into(), measure(&runtime, &[game])?));
	}
	println!(
		"| wasm through the executor to native | whole call | less an empty call | solve alone | at most |"
	);
	println!("|---|---|---|---|---|");
	for (community, times) in &measured {
		let whole = times.wasm / times.native;
		let inside = (times.wasm - times.empty) / times.native;
		let alone = (times.wasm - times.refused) / times.solve;
		println!("| {community} | {whole:.2} | {inside:.2} | {alone:.2} | 3.00 |");
	}
	println!();
	println!("| community | games | wasm, ms | native, ms | wasm, refused, ms | wasm, empty call, ms | native solve, ms |");
	println!("|---|---|---|---|---|---|---|");
	for (community, times) in &measured {
		let Times {
			games,
			wasm,
			native,
			refused,
			empty,
			solve,
		} = times;
		println!(
			"| {community} | {games} | {wasm:.3} | {native:.3} | {refused:.3} | {empty:.3} | {solve:.3} |"
		);
	}
	Ok(())
}
