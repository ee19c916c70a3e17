//! How much slower a solve is inside the runtime's wasm, through the executor as a node has it, than natively.
//!
//! `commonwatt-bench-executor RUNTIME.wasm` prints the rows of `docs/performance.md`. It is a package of its own, because
//! it needs only a part of the crates of the benchmark command next to it.

use codec::{Decode, Encode};
use commonwatt_game::*;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;
use std::{error::Error, hint::black_box};
use support::{
	measured::{leaning, medians, millis, settling, STRATEGIES},
	Lean,
};

#[path = "../../../pallets/energy-market/game/tests/support/mod.rs"]
mod support;

const ROUNDS: usize = 15;

/// A runtime that has been compiled.
struct Runtime {
	executor: WasmExecutor,
	code: Vec<u8>,
}

impl Runtime {
	/// With what a node has unless told otherwise; see `node/src/service.rs`.
	fn new(code: Vec<u8>) -> Result<Self, Box<dyn Error>> {
		let runtime = Self {
			executor: WasmExecutor::builder().build(),
			code,
		};
		// The first call compiles; the later ones find the compiled runtime by its hash.
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

/// As the runtime has it.
fn config() -> SolverConfig {
	SolverConfig {
		max_sweeps: 32,
		max_starts: 8,
		..Default::default()
	}
}

/// What the runtime's call does: decode, check, solve, encode.
fn answer(arguments: &[u8]) -> Result<Vec<u8>, codec::Error> {
	let (rules, households) = <(Rules, Vec<Household>)>::decode(&mut &*arguments)?;
	let game = Game::new(rules, households).map_err(|_| "a game against the rules")?;
	Ok(Some(solve(&game, &config(), None)).encode())
}

/// What a runtime call takes for a game, and what it has to answer.
fn question(game: &Game) -> (Vec<u8>, Vec<u8>) {
	let solution = solve(game, &config(), None);
	(
		(game.rules(), game.households()).encode(),
		Some(solution).encode(),
	)
}

/// The runtime's call in wasm, the same work here, the solve alone here, and a call in wasm that does nothing, each in
/// ms: medians over rounds through all games.
struct Times {
	wasm: f64,
	native: f64,
	bare: f64,
	call: f64,
	games: usize,
}

fn measure(runtime: &Runtime, games: &[Game]) -> Result<Times, Box<dyn Error>> {
	let questions: Vec<_> = games.iter().map(question).collect();
	for (arguments, answer) in &questions {
		let found = runtime.solve(arguments)?;
		if found != *answer {
			let found = <Option<Solution>>::decode(&mut found.as_slice());
			return Err(format!("the runtime finds something else than this machine does: {found:?}").into());
		}
	}
	let each = |call: &dyn Fn(&[u8]) -> Result<Vec<u8>, Box<dyn Error>>| {
		for (arguments, _) in &questions {
			black_box(call(black_box(arguments)).expect("the same call succeeded before"));
		}
	};
	let [wasm, native, bare, call] = medians(
		ROUNDS,
		[
			&mut || each(&|arguments| runtime.solve(arguments)),
			&mut || each(&|arguments| Ok(answer(arguments)?)),
			&mut || {
				for game in games {
					black_box(solve(black_box(game), &config(), None));
				}
			},
			&mut || each(&|_| runtime.call("Core_version", &[])),
		],
	);
	let count = games.len();
	let [wasm, native, bare, call] = [wasm, native, bare, call].map(|time| millis(time) / count as f64);
	Ok(Times {
		wasm,
		native,
		bare,
		call,
		games: count,
	})
}

fn main() -> Result<(), Box<dyn Error>> {
	let path = std::env::args_os()
		.nth(1)
		.ok_or("usage: commonwatt-bench-executor RUNTIME.wasm")?;
	let runtime = Runtime::new(std::fs::read(path)?)?;
	let mut rows = Vec::new();
	for (households, games) in [(100, 100), (500, 20)] {
		let settling = settling(games, households)
			.into_iter()
			.map(|(game, _)| game)
			.collect::<Vec<_>>();
		let balance: Vec<_> = (0..2)
			.map(|seed| leaning(Lean::Balance, seed, households))
			.collect();
		rows.push((
			format!("{households} households x {STRATEGIES}"),
			measure(&runtime, &settling)?,
		));
		rows.push((
			format!("{households} households x {STRATEGIES} in balance"),
			measure(&runtime, &balance)?,
		));
	}
	println!("| ratio | measured | at most |");
	println!("|---|---|---|");
	for (size, times) in &rows {
		let ratio = times.wasm / times.native;
		println!("| wasm through the executor to native, {size} | {ratio:.2} | 3.00 |");
		let ratio = times.wasm / times.bare;
		println!("| the same to the solve alone, without decoding and checking the game | {ratio:.2} | |");
	}
	println!();
	println!("| community | games | wasm, ms | native, ms | the solve alone, ms | a wasm call that does nothing, ms |");
	println!("|---|---|---|---|---|---|");
	for (size, times) in &rows {
		let Times {
			wasm,
			native,
			bare,
			call,
			games,
		} = times;
		println!("| {size} | {games} | {wasm:.3} | {native:.3} | {bare:.3} | {call:.3} |");
	}
	Ok(())
}
