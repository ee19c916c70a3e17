//! The replay itself: a loop that looks at the chain, does what is due, and lets the next era begin.
//!
//! All its state is on the chain or in the journal, so it can be interrupted anywhere.

use super::{
	journal::{Journal, Planned, Seen},
	recover,
	setup::{Participant, Stage},
};
use crate::{
	chain::{
		self,
		events::{BlockLog, Scanner},
		send::{self, Signed, Tries},
		types::{EraView, Quality, Reading, Strategy, SubmitReading, SubmitStrategies},
		At, Node, Token,
	},
	cli::ReplayArgs,
	data::{Dataset, Measured},
	fault::Fault,
	ledger::{EraBook, Ledger},
	manager::{centi, Manager, State},
	summary::{EraLine, ReplaySummary, Sent},
};
use commonwatt_market::game::Preference;
use std::{
	collections::BTreeMap,
	ops::RangeInclusive,
	time::{Duration, Instant},
};

/// Polling interval on a chain whose eras pass by themselves.
const LOOK: Duration = Duration::from_millis(200);
/// Timeout for a round.
const CLEARING: Duration = Duration::from_secs(600);
/// Minimum number of blocks of an era that a wave of transactions needs.
const WAVE_BLOCKS: u64 = 4;

/// Maximum number of eras in which a period is tried.
const MOST_TRIES: usize = 20;

/// A replay in progress.
pub struct Engine<'a> {
	node: &'a Node,
	dataset: &'a Dataset,
	/// The home energy managers, if the homes are described.
	manager: Option<&'a Manager>,
	args: &'a ReplayArgs,
	stage: &'a Stage,
	journal: Journal,
	ledger: Ledger,
	scanner: Scanner,
	sent: &'a mut Sent,
	tries: Tries,
	/// Settled eras, which do not change any more.
	lines: BTreeMap<u32, EraLine>,
}

impl<'a> Engine<'a> {
	/// Creates a replay. `stage` has everything that it needs on the chain.
	pub fn new(
		node: &'a Node,
		(dataset, manager): (&'a Dataset, Option<&'a Manager>),
		args: &'a ReplayArgs,
		stage: &'a Stage,
		journal: Journal,
		ledger: Ledger,
		sent: &'a mut Sent,
	) -> Self {
		let scanner = Scanner::new(stage.community, stage.members.iter().copied());
		Self {
			node,
			dataset,
			manager,
			args,
			stage,
			journal,
			ledger,
			scanner,
			sent,
			tries: Tries::default(),
			lines: BTreeMap::new(),
		}
	}

	/// If the node no longer has the events of the next blocks, continues with the oldest block that it has, and reads
	/// the eras in the gap from its state. Returns the blocks that were skipped.
	pub async fn bridge_gap(&mut self) -> Result<Option<RangeInclusive<u64>>, Fault> {
		let head = self.node.head().await?;
		let (known, last) = (self.journal.cursor.number, head.block_number());
		if known >= last {
			return Ok(None);
		}
		let first = self.node.first_readable(known, last).await?;
		if first == known + 1 {
			return Ok(None);
		}
		// From the last settled era on without a gap, because each era's debts are checked against those after the era
		// before it.
		let open = || {
			let eras = self.plan().map(|planned| planned.era);
			eras.filter(|era| !self.is_settled(*era))
		};
		let next = self.ledger.last_settled().map(|era| era + 1);
		let eras: Vec<u32> = match (next.or_else(|| open().min()), open().max()) {
			(Some(from), Some(to)) => (from..=to).collect(),
			_ => Vec::new(),
		};
		let before = self.node.at(first).await?;
		let events = recover::events(&before, self.stage, &eras).await?;
		let block = BlockLog {
			number: first,
			hash: before.block_hash(),
			events,
			spec_version: recover::version(self.ledger.spec_version, chain::executed_by(&before).await?),
			money_faults: Vec::new(),
		};
		self.ledger.enter(&block);
		self.journal.enter(block)?;
		Ok(Some(known + 1..=first))
	}

	/// Does what is due in the current era, or lets the next one begin. True when everything is played and settled.
	pub async fn step(&mut self) -> Result<bool, Fault> {
		let (at, view) = self.between_rounds().await?;
		self.sum_up();
		let failed = |era: u32| self.book(era).is_some_and(|book| book.clearing_failed);
		if let Some(Planned { era, .. }) = self.plan().find(|planned| failed(planned.era)) {
			return Err(Fault::Chain(format!("the chain could not clear era {era}")));
		}
		if self.is_done(view.current) {
			return Ok(true);
		}
		if !self.send_due(&at, &view).await? {
			self.pass_era(&view).await?;
		}
		Ok(false)
	}

	/// The eras that are settled, in order.
	pub fn lines(&self) -> impl Iterator<Item = &EraLine> {
		self.lines.values()
	}

	/// The summary so far.
	pub fn report(&self, money: Token) -> ReplaySummary {
		let lines = self.lines().cloned().collect();
		ReplaySummary::new(
			self.dataset,
			(self.args, self.manager.is_some()),
			self.stage,
			lines,
			&self.ledger.money_faults,
			money,
		)
	}

	/// Sums up the eras that were settled since the last time.
	fn sum_up(&mut self) {
		for planned in &self.journal.plan {
			if self.lines.contains_key(&planned.era) {
				continue;
			}
			let Some(book) = self.ledger.era(planned.era) else {
				continue;
			};
			let key = (planned.period, planned.era, self.is_played(planned));
			if let Some(line) = EraLine::new(key, self.dataset, self.stage, book) {
				self.lines.insert(planned.era, line);
			}
		}
	}

	fn book(&self, era: u32) -> Option<&EraBook> {
		self.ledger.era(era)
	}

	fn is_settled(&self, era: u32) -> bool {
		self.book(era).is_some_and(|book| book.totals.is_some())
	}

	/// Whether every household that the file has a reading of took part in the period's game.
	fn is_played(&self, planned: &Planned) -> bool {
		let (Some(book), Some(period)) = (self.book(planned.era), self.dataset.periods.get(planned.period))
		else {
			return false;
		};
		let took_part = |(player, measured): (&Participant, &Option<Measured>)| {
			measured.is_none()
				|| book.submitted.contains_key(&player.id) && book.contracts.contains_key(&player.id)
		};
		let mut players = self.stage.players.iter().zip(&period.measured);
		book.record.is_some() && players.all(took_part)
	}

	fn plan(&self) -> impl Iterator<Item = &Planned> {
		self.journal.plan.iter()
	}

	fn is_done(&self, current: u32) -> bool {
		let played = self.plan().filter(|p| p.era <= current && self.is_played(p));
		let settled = played.filter(|p| self.is_settled(p.era));
		settled.count() == self.dataset.periods.len()
	}

	/// The first period that is neither played nor planned for an era to come. A period whose era passed without it,
	/// wholly or in part, is played again.
	fn next_period(&self, current: u32) -> Option<usize> {
		(0..self.dataset.periods.len()).find(|period| {
			let mut plans = self.plan().filter(|planned| planned.period == *period);
			plans.all(|planned| planned.era <= current && !self.is_played(planned))
		})
	}

	/// Reads all blocks up to the newest final one into the books.
	async fn read_blocks(&mut self) -> Result<At, Fault> {
		let head = self.node.head().await?;
		let last = head.block_number();
		for number in self.journal.cursor.number + 1..=last {
			let block = self.scanner.read(self.node, number).await?;
			self.ledger.enter(&block);
			if !block.events.is_empty() || !block.money_faults.is_empty() {
				self.journal.enter(block)?;
			} else if number == last {
				self.journal.saw(Seen {
					number,
					hash: block.hash,
				})?;
			}
		}
		Ok(head)
	}

	/// Waits until no round is under way, and reads all blocks.
	async fn between_rounds(&mut self) -> Result<(At, EraView), Fault> {
		let begun = Instant::now();
		loop {
			let at = self.read_blocks().await?;
			match chain::era(&at).await? {
				Some(view) if view.round.is_none() => return Ok((at, view)),
				Some(view) if self.moves_clock() => {
					// Each block does a part of the round. A block that the node seals by itself meanwhile does so too.
					self.node.seal_at(view.now_ms + self.node.slot_ms).await?;
				}
				_ => tokio::time::sleep(LOOK).await,
			}
			if begun.elapsed() > CLEARING {
				return Err(Fault::Chain(format!(
					"the round of clearings and settlements is not complete after {} s",
					CLEARING.as_secs()
				)));
			}
		}
	}

	fn moves_clock(&self) -> bool {
		self.node.has_movable_clock && !self.args.wait
	}

	/// Lets the next era begin.
	async fn pass_era(&mut self, view: &EraView) -> Result<(), Fault> {
		if self.moves_clock() {
			self.node.seal_at(view.ends_ms).await?;
			return Ok(());
		}
		loop {
			let at = self.read_blocks().await?;
			if chain::era(&at)
				.await?
				.is_some_and(|now| now.current > view.current)
			{
				return Ok(());
			}
			tokio::time::sleep(LOOK).await;
		}
	}

	/// Sends what is due in this era and not on the chain yet. False if nothing is due.
	async fn send_due(&mut self, at: &At, view: &EraView) -> Result<bool, Fault> {
		let mut wave = self.due_readings(at, view).await?;
		let readings = wave.len();
		wave.extend(self.due_strategies(at, view).await?);
		if wave.is_empty() {
			return Ok(false);
		}
		self.sent.readings += readings as u32;
		self.sent.strategies += (wave.len() - readings) as u32;
		let outcome = send::send(self.node, at, wave).await?;
		for failed in outcome.failed {
			// The era ended meanwhile. The next step looks again: a period that the era missed is played once more.
			if !failed.came_late() {
				return Err(failed.into_fault());
			}
		}
		// The next step looks at the chain: what an earlier run sent is there, and what is missing is signed again.
		self.tries.enter(outcome.missed)?;
		Ok(true)
	}

	/// A household's state before an era, after all eras before it.
	fn state_before(&self, manager: &Manager, (index, player): (usize, &Participant), era: u32) -> State {
		let mut state = manager.beginning(index);
		let mut before: Vec<&Planned> = self.plan().filter(|planned| planned.era < era).collect();
		before.sort_by_key(|planned| planned.era);
		for planned in before {
			let book = self.book(planned.era);
			let contract = book.and_then(|book| book.contracts.get(&player.id));
			let contracted = contract.map(|contract| contract.strategy.consumption_wh);
			state = manager.follow(index, planned.period, &state, contracted).state;
		}
		state
	}

	/// The reading of a household's meter for an era: the generation of the file, and the consumption that was
	/// contracted, or that its manager made of it. `None` if the reading does not reach the chain.
	fn reading(
		&self,
		(index, player): (usize, &Participant),
		planned: &Planned,
		measured: &Measured,
		contract: &Strategy,
	) -> Option<Reading> {
		let contracted = contract.consumption_wh;
		let lived = self.manager.map(|manager| {
			let state = self.state_before(manager, (index, player), planned.era);
			manager.follow(index, planned.period, &state, Some(contracted))
		});
		if lived.is_some_and(|lived| !lived.is_read) {
			return None;
		}
		Some(Reading {
			generation_wh: measured.generation_wh,
			consumption_wh: lived.map_or(contracted, |lived| lived.metered.consumption_wh),
			indoor_centi_c: lived.map_or(contract.temperature_centi_c, |lived| centi(lived.state.indoor_c)),
			quality: Quality::Measured,
		})
	}

	/// Signs the missing readings of the era before this one.
	async fn due_readings(&self, at: &At, view: &EraView) -> Result<Vec<Signed>, Fault> {
		let mut wave = Vec::new();
		let Some(era) = view.readings_of else {
			return Ok(wave);
		};
		let Some(planned) = self.journal.plan.iter().rfind(|planned| planned.era == era) else {
			return Ok(wave);
		};
		let (Some(book), Some(period)) = (self.book(era), self.dataset.periods.get(planned.period)) else {
			return Ok(wave);
		};
		let players = self.stage.players.iter().enumerate();
		for (player, measured) in players.zip(&period.measured) {
			let (_, Participant { id, name, keys, .. }) = player;
			let Some(measured) = measured else { continue };
			let Some(contract) = book.contracts.get(id) else {
				continue;
			};
			let known = book.readings.contains_key(id) || book.statements.contains_key(id);
			if known || chain::meter_reading(at, era, *id).await?.is_some() {
				continue;
			}
			let Some(reading) = self.reading(player, planned, measured, &contract.strategy) else {
				continue;
			};
			let what = format!("the reading of {name} for era {era}");
			let arguments = SubmitReading { era, reading };
			let call = ("EnergyMarket", "submit_reading");
			wave.push(send::sign(at, &keys.meter, call, arguments, what).await?);
		}
		Ok(wave)
	}

	/// The period that is played in an era. If none is planned yet, plans the next one.
	fn plan_for(&mut self, era: u32, view: &EraView) -> Result<Option<Planned>, Fault> {
		if let Some(planned) = self.plan().find(|planned| planned.era == era) {
			return Ok(Some(*planned));
		}
		let Some(period) = self.next_period(view.current).filter(|_| self.has_time(view)) else {
			return Ok(None);
		};
		let tries = self.plan().filter(|planned| planned.period == period).count();
		if tries >= MOST_TRIES {
			return Err(Fault::Chain(format!(
				"{tries} eras missed period {period}: they are too short for the transactions of {} households",
				self.stage.players.len()
			)));
		}
		let planned = Planned { period, era };
		self.journal.plan(planned)?;
		Ok(Some(planned))
	}

	/// Signs the missing strategies for the next era. They come from the period that is planned for it, or else from the
	/// next period of the file.
	async fn due_strategies(&mut self, at: &At, view: &EraView) -> Result<Vec<Signed>, Fault> {
		let mut wave = Vec::new();
		let era = view.current + 1;
		let Some(planned) = self.plan_for(era, view)? else {
			return Ok(wave);
		};
		let Some(period) = self.dataset.periods.get(planned.period) else {
			return Ok(wave);
		};
		let book = self.ledger.era(era);
		for (index, (player, measured)) in self.stage.players.iter().zip(&period.measured).enumerate() {
			let Some(measured) = measured else { continue };
			if book.is_some_and(|book| book.submitted.contains_key(&player.id)) {
				continue;
			}
			let (generation_wh, strategies) = self.would((index, player), &planned, measured);
			if strategies.is_empty() {
				return Err(Fault::Input(format!(
					"{}: household {} in period {}: with {} Wh generated and {} Wh consumed, no strategy is within its \
					 connection limit of {} Wh",
					self.dataset.path.display(),
					player.name,
					period.start,
					measured.generation_wh,
					measured.consumption_wh,
					player.connection_limit_wh
				)));
			}
			let what = format!("the strategies of {} for era {era}", player.name);
			let arguments = SubmitStrategies {
				household: player.id,
				era,
				generation_wh,
				strategies,
			};
			let call = ("EnergyMarket", "submit_strategies");
			wave.push(send::sign(at, &player.keys.owner, call, arguments, what).await?);
		}
		Ok(wave)
	}

	/// The generation that a household expects in a period, and its strategies within its connection limit.
	fn would(
		&self,
		(index, player): (usize, &Participant),
		planned: &Planned,
		measured: &Measured,
	) -> (u32, Vec<Strategy>) {
		let resolution_wh = self.stage.terms.rules.resolution_wh;
		let (generation_wh, mut strategies) = match self.manager {
			Some(manager) => {
				let state = self.state_before(manager, (index, player), planned.era);
				manager.strategies(index, planned.period, &state, resolution_wh)
			}
			None => (
				measured.generation_wh,
				flexible(player, *measured, self.args, resolution_wh),
			),
		};
		let limit = player.connection_limit_wh;
		strategies.retain(|strategy| generation_wh.abs_diff(strategy.consumption_wh) <= limit);
		(generation_wh, strategies)
	}

	/// Whether enough of this era is left for a wave of strategies. On a chain whose clock is moved, every block takes
	/// a slot of the era, so it is better to wait for a fresh era than to use half of one.
	fn has_time(&self, view: &EraView) -> bool {
		let left = view.ends_ms.saturating_sub(view.now_ms);
		let blocks = if self.moves_clock() {
			4 * WAVE_BLOCKS
		} else {
			WAVE_BLOCKS
		};
		// Half an era is always enough, or short eras could never be used.
		let most = view.ends_ms.saturating_sub(view.started_ms) / 2;
		left >= blocks.saturating_mul(self.node.slot_ms).min(most)
	}
}

/// The strategies of a household without a manager: what the file says, and its flexible share less and more.
fn flexible(
	player: &Participant,
	measured: Measured,
	args: &ReplayArgs,
	resolution_wh: u32,
) -> Vec<Strategy> {
	let preference = Preference {
		flexible_down_percent: args.flexibility.flexible,
		flexible_up_percent: args.flexibility.flexible,
		response_centi_c_per_kwh: args.flexibility.response,
		trade_with_community: true,
	};
	preference.strategies(
		resolution_wh,
		measured.generation_wh,
		measured.consumption_wh,
		player.indoor_centi_c,
	)
}
