//! Offers readings to the chain until each is final or can no longer be accepted.

use super::{
	confirm::{Confirmation, Progress},
	queue::{Born, Outcome, Queue, Ticket},
	row::{now_ms, tell, Row},
};
use crate::{
	chain::{
		self,
		send::{self, Offered, UsedBy},
		types::{EraView, Household, HouseholdId, Quality, ReportedBy, SubmitReading},
		Access, At, Node,
	},
	fault::Fault,
	keys::account,
	text::moment,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};
use subxt::utils::AccountId32;
use subxt_signer::sr25519::Keypair;

/// Timeout for the node's answers in one poll.
const ANSWER: Duration = Duration::from_secs(20);
/// The same for a light client, which asks the network for every value, and first joins it.
const LIGHT_ANSWER: Duration = Duration::from_secs(240);
/// Maximum number of readings in one poll: a file of a year may arrive at once.
const AT_ONCE: usize = 100;
/// A reading is signed at most this often in a run when other transactions of the meter's account take its nonce.
const MOST_SIGNED: u32 = 5;
/// How far ahead an era may begin, ms.
const MOST_AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;
/// Maximum validity of a transaction, blocks: the chain knows the hashes of this many.
const LONGEST_MORTALITY: u64 = 2_048;

/// Reports a queue's readings to a node, which may be away at times.
pub struct Reporter {
	access: Access,
	key: Keypair,
	meter: AccountId32,
	node: Option<Node>,
	/// The household that the meter must still confirm.
	confirmation: Option<Confirmation>,
	/// The last message about the node or the household, which is not repeated.
	said: String,
	/// Starts of the readings that are in a block that is not final.
	in_block: BTreeSet<u64>,
	/// The last reason why the chain did not take a reading, by the reading's start.
	refusals: BTreeMap<u64, String>,
	/// Starts of the readings whose transaction failed in a final block. Another one would fail as well, for a fee.
	failed: BTreeSet<u64>,
	/// How often each reading was signed in this run, by its start.
	signed: BTreeMap<u64, u32>,
	/// Starts of the readings whose transaction a full pool removed, so that they need another signature.
	removed: BTreeSet<u64>,
}

/// What to do with an open reading.
enum Step {
	/// Sign it, for the first time or because its transaction cannot get into a block.
	Sign,
	/// Offer its signed transaction.
	Offer(Ticket),
	/// Wait for the next poll.
	Wait,
	/// It cannot be sent, for this reason.
	Refuse(String),
}

/// The chain as one poll finds it.
struct Look {
	best: At,
	/// The newest final block.
	last: At,
	/// The eras in the newest block.
	view: EraView,
	/// The eras in the newest final block.
	final_view: EraView,
	era_ms: u64,
	slot_ms: u64,
	/// Number of eras for which late readings are taken.
	retained: u32,
	household: Option<(HouseholdId, Household)>,
}

impl Reporter {
	/// Reports to the chain, with the meter's key. With a household it first confirms that the meter measures it.
	pub fn new(access: Access, key: Keypair, household: Option<u32>) -> Self {
		Self {
			confirmation: household.map(Confirmation::new),
			access,
			meter: account(&key),
			key,
			node: None,
			said: String::new(),
			in_block: BTreeSet::new(),
			refusals: BTreeMap::new(),
			failed: BTreeSet::new(),
			signed: BTreeMap::new(),
			removed: BTreeSet::new(),
		}
	}

	/// Does what can be done now, and returns the readings that got an outcome. If the node is away or fails, the
	/// readings stay queued. An error is one of the queue.
	pub async fn advance(&mut self, queue: &mut Queue) -> Result<Vec<(Row, Outcome)>, Fault> {
		if queue.waiting().next().is_none() && self.confirmation.is_none() {
			return Ok(Vec::new());
		}
		let mut done = Vec::new();
		let patience = match self.access {
			Access::Node(_) => ANSWER,
			Access::Light(_) => LIGHT_ANSWER,
		};
		let step = tokio::time::timeout(patience, self.step(queue, &mut done)).await;
		match step {
			Ok(Ok(())) => (),
			// A fault of the queue.
			Ok(Err(fault @ Fault::Input(_))) => return Err(fault),
			Ok(Err(fault)) => {
				let fault = match &self.node {
					Some(node) => node.diagnose(fault).await,
					None => fault,
				};
				self.node = None;
				self.say(format!("{fault}; new readings are queued"));
			}
			Err(_) => {
				self.node = None;
				self.say(format!(
					"the node at {} does not answer; new readings are queued",
					self.access
				));
			}
		}
		Ok(done)
	}

	fn say(&mut self, text: String) {
		if self.said != text {
			eprintln!("commonwatt: {text}");
			self.said = text;
		}
	}

	async fn step(&mut self, queue: &mut Queue, done: &mut Vec<(Row, Outcome)>) -> Result<(), Fault> {
		let node = match self.node.take() {
			Some(node) => node,
			None => Node::open(&self.access, Duration::ZERO).await?,
		};
		let looked = Look::new(&node, &self.meter).await;
		self.node = Some(node);
		let Some(look) = looked? else {
			self.say("the chain has no era yet".into());
			return Ok(());
		};
		self.confirm(&look).await?;
		match &look.household {
			_ if self.confirmation.is_some() => (),
			Some((household, _)) => self.say(format!("connected to {}, household {household}", self.access)),
			None => self.say(format!(
				"connected to {}; no household has the meter {} yet: new readings are queued",
				self.access, self.meter
			)),
		}
		// Readings of the open era come first: only they can become late.
		let mut waiting: Vec<_> = queue.waiting().cloned().collect();
		waiting.sort_by_key(|entry| {
			(
				look.era_of(&entry.row) != look.view.readings_of,
				entry.row.start_ms,
			)
		});
		for entry in waiting.into_iter().take(AT_ONCE) {
			let start_ms = entry.row.start_ms;
			match self.outcome(&look, &entry.row).await? {
				Some(outcome) => {
					queue.became(start_ms, outcome.clone())?;
					self.in_block.remove(&start_ms);
					self.refusals.remove(&start_ms);
					self.failed.remove(&start_ms);
					self.signed.remove(&start_ms);
					done.push((entry.row, outcome));
				}
				None => self.offer(&look, &entry.row, entry.ticket, queue).await?,
			}
		}
		Ok(())
	}

	/// Confirms the household, if the meter still must.
	async fn confirm(&mut self, look: &Look) -> Result<(), Fault> {
		let (Some(node), Some(mut confirmation)) = (&self.node, self.confirmation.take()) else {
			return Ok(());
		};
		let progress = confirmation
			.advance(node, (&look.best, &look.last), &self.key)
			.await;
		let household = confirmation.household();
		if !matches!(progress, Ok(Progress::Done)) {
			self.confirmation = Some(confirmation);
		}
		match progress? {
			Progress::Done => self.say(format!("the meter has confirmed household {household}")),
			Progress::Waits(text) => self.say(text),
		}
		Ok(())
	}

	/// A reading's outcome, if it is known.
	async fn outcome(&mut self, look: &Look, row: &Row) -> Result<Option<Outcome>, Fault> {
		if !row.start_ms.is_multiple_of(look.era_ms) {
			return Ok(Some(Outcome::Refused(format!(
				"no era begins at {}: eras are {} s long, counted from 1970-01-01T00:00:00Z",
				moment(row.start_ms),
				look.era_ms / 1_000
			))));
		}
		if look.is_far_ahead(row) {
			return Ok(Some(Outcome::Refused(format!(
				"{} is more than a day ahead: is the meter's clock right?",
				moment(row.start_ms)
			))));
		}
		let (Some((household, about)), Some(era)) = (&look.household, look.era_of(row)) else {
			return Ok(None);
		};
		let (household, limit_wh) = (*household, about.connection_limit_in(era));
		if row.reading.generation_wh.abs_diff(row.reading.consumption_wh) > limit_wh {
			return Ok(Some(Outcome::Refused(format!(
				"generation and consumption differ by more than the connection limit of {limit_wh} Wh"
			))));
		}
		let is_correction = row.reading.quality == Quality::Corrected;
		if let Some(there) = chain::meter_reading(&look.last, era, household).await? {
			// A reading that was corrected since counts as the meter's, too.
			let is_ours = there == row.reading || !is_correction && there.quality == Quality::Corrected;
			if is_ours || !is_correction {
				return Ok(Some(if is_ours { Outcome::Taken } else { Outcome::Other }));
			}
		}
		// The era is over if a final block takes readings of a later era, or of no era although a later one runs.
		let is_over = match look.final_view.readings_of {
			Some(open) => era < open,
			None => era < look.final_view.current,
		};
		if !is_over {
			return Ok(None);
		}
		let statement = chain::statement(&look.last, household, era).await?;
		let takes_late = look.takes_late(era, &self.meter);
		Ok(match statement {
			Some(statement) if statement.reading == row.reading => Some(Outcome::Taken),
			Some(statement) if statement.reported_by == ReportedBy::Meter && is_correction => {
				Some(Outcome::Late(self.refusals.get(&row.start_ms).cloned()))
			}
			Some(statement) if statement.reported_by == ReportedBy::Meter => {
				Some(match statement.reading.quality {
					Quality::Measured | Quality::Estimated => Outcome::Other,
					Quality::Corrected => Outcome::Taken,
				})
			}
			_ if takes_late => None,
			Some(_) => Some(Outcome::Late(self.refusals.get(&row.start_ms).cloned())),
			// The settlement may be under way.
			None if look.final_view.round.is_some() => None,
			None => Some(Outcome::Unsettled),
		})
	}

	/// Offers a reading, if the chain takes the readings of its era now, in time or late.
	async fn offer(
		&mut self,
		look: &Look,
		row: &Row,
		ticket: Option<Ticket>,
		queue: &mut Queue,
	) -> Result<(), Fault> {
		let (Some(node), Some((household, _)), Some(era)) = (&self.node, &look.household, look.era_of(row))
		else {
			return Ok(());
		};
		let is_late = look.view.readings_of != Some(era);
		let is_there = if is_late {
			let statement = chain::statement(&look.best, *household, era).await?;
			statement.is_some_and(|statement| statement.reading == row.reading)
		} else {
			let there = chain::meter_reading(&look.best, era, *household).await?;
			let is_correction = row.reading.quality == Quality::Corrected;
			there.is_some_and(|there| !is_correction || there == row.reading)
		};
		if is_there {
			if self.in_block.insert(row.start_ms) {
				tell(row, format_args!("in a block, {}", look.best.block_number()));
			}
			return Ok(());
		}
		// The block that had it may have been reverted.
		self.in_block.remove(&row.start_ms);
		if is_late && !look.takes_late(era, &self.meter) {
			return Ok(());
		}
		let start_ms = row.start_ms;
		if self.failed.contains(&start_ms) {
			return Ok(());
		}
		let nonce = chain::account(&look.best, &self.meter).await?.nonce;
		let is_dead = self.removed.remove(&start_ms);
		let ticket = ticket.filter(|ticket| !is_dead && (ticket.era, ticket.is_late) == (era, is_late));
		let times = self.signed.get(&start_ms).copied().unwrap_or(0);
		let ticket = match decide(node, look, &self.meter, (nonce, times), ticket).await? {
			Step::Wait => return Ok(()),
			Step::Offer(ticket) => ticket,
			Step::Sign => {
				self.signed.insert(start_ms, times.saturating_add(1));
				let ticket = self.sign(look, (era, is_late), nonce, row)?;
				queue.signed(start_ms, ticket.clone())?;
				let late = if is_late { ", late" } else { "" };
				tell(row, format_args!("sent for era {era}{late}"));
				ticket
			}
			Step::Refuse(reason) => {
				self.failed.insert(start_ms);
				self.refused(row, reason);
				return Ok(());
			}
		};
		match send::offer(node, &ticket.bytes, (&self.meter, ticket.nonce)).await? {
			// If a block has just used the nonce, the next poll finds out for which transaction.
			Offered::Pooled | Offered::NonceUsed => (),
			Offered::NoRoom => self.refused(row, "the node's transaction pool is full".into()),
			Offered::Removed { .. } => {
				self.removed.insert(start_ms);
				self.refused(
					row,
					"the node's transaction pool was full and removed it; it is signed again".into(),
				);
			}
			Offered::Refused { reason, .. } => self.refused(row, reason),
		}
		Ok(())
	}

	/// Says why a reading is not taken, unless that was the last reason too.
	fn refused(&mut self, row: &Row, reason: String) {
		if self.refusals.get(&row.start_ms) != Some(&reason) {
			tell(row, format_args!("not taken so far: {reason}"));
			self.refusals.insert(row.start_ms, reason);
		}
	}

	/// Signs a reading. The transaction is valid for the slots of two eras, rounded up to a power of two, and at most
	/// for [`LONGEST_MORTALITY`] blocks.
	fn sign(&self, look: &Look, (era, is_late): (u32, bool), nonce: u64, row: &Row) -> Result<Ticket, Fault> {
		let slots = 2 * look.era_ms / look.slot_ms.max(1);
		let blocks = slots.next_power_of_two().clamp(4, LONGEST_MORTALITY);
		let arguments = SubmitReading {
			era,
			reading: row.reading,
		};
		let call = match is_late {
			true => ("EnergyMarket", "submit_late_reading"),
			false => ("EnergyMarket", "submit_reading"),
		};
		let (_, bytes) = send::encode(&look.last, &self.key, (nonce, blocks), call, arguments)?;
		Ok(Ticket {
			era,
			is_late,
			nonce,
			born: Some(Born {
				number: look.last.block_number(),
				hash: look.last.block_hash(),
			}),
			last_block: look.last.block_number() + blocks,
			bytes,
		})
	}
}

/// What to do with a reading that the best block does not have. `nonce` is the meter's next one; `times` is how often
/// the reading was signed in this run.
async fn decide(
	node: &Node,
	look: &Look,
	meter: &AccountId32,
	(nonce, times): (u64, u32),
	ticket: Option<Ticket>,
) -> Result<Step, Fault> {
	let Some(ticket) = ticket else {
		return Ok(Step::Sign);
	};
	if ticket.last_block < look.best.block_number() {
		return Ok(Step::Sign);
	}
	if let Some(Born { number, hash }) = ticket.born {
		// A node that is behind has no block of this number yet, which proves nothing.
		if node.block_hash(number).await?.is_some_and(|there| there != hash) {
			return Ok(Step::Sign);
		}
	}
	if ticket.nonce >= nonce {
		return Ok(Step::Offer(ticket));
	}
	if chain::account(&look.last, meter).await?.nonce <= ticket.nonce {
		return Ok(Step::Wait);
	}
	let after = ticket.born.map_or(0, |born| born.number);
	let account = (meter, ticket.nonce);
	Ok(match send::used_by(node, &look.last, &ticket.bytes, account, after).await? {
		UsedBy::Itself(None) => Step::Wait,
		UsedBy::Itself(Some(reason)) => Step::Refuse(format!("its transaction failed in a block: {reason}")),
		UsedBy::Another if times < MOST_SIGNED => Step::Sign,
		UsedBy::Another => Step::Refuse(format!(
			"other transactions of the meter's account took the nonce of {times} of its transactions: does another \
			 program sign with the same key?"
		)),
		UsedBy::Forgotten => Step::Refuse(
			"its transaction failed in a block, or another one used its nonce; the node no longer has the \
			 block that tells".to_owned(),
		),
	})
}

impl Look {
	/// Polls the node; `None` before the chain's first block.
	async fn new(node: &Node, meter: &AccountId32) -> Result<Option<Self>, Fault> {
		let (best, last) = (node.best().await?, node.head().await?);
		let views = (chain::era(&best).await?, chain::era(&last).await?);
		let (Some(view), Some(final_view)) = views else {
			return Ok(None);
		};
		let mut household = None;
		if let Some(id) = chain::household_of_meter(&best, meter).await? {
			household = chain::household(&best, id).await?.map(|about| (id, about));
		}
		Ok(Some(Self {
			household,
			era_ms: (view.ends_ms / (u64::from(view.current) + 1)).max(1),
			slot_ms: node.slot_ms,
			retained: chain::constant(&best, "EnergyMarket", "RetainedEras")?,
			best,
			last,
			view,
			final_view,
		}))
	}

	/// The era of a reading, counted from the Unix epoch.
	fn era_of(&self, row: &Row) -> Option<u32> {
		u32::try_from(row.start_ms / self.era_ms).ok()
	}

	/// Whether an era begins more than a day after now, by the later one of the chain's clock and this machine's: the
	/// chain's is behind while the chain stands still, and ahead on development chains.
	fn is_far_ahead(&self, row: &Row) -> bool {
		row.start_ms > now_ms().max(self.view.now_ms).saturating_add(MOST_AHEAD_MS)
	}

	/// Whether the chain takes a late reading of an era by this meter: the era is over and retained, nothing of it is
	/// still to be settled, the meter measured the household in it, and the owner is still the same.
	fn takes_late(&self, era: u32, meter: &AccountId32) -> bool {
		let is_settling = self.view.round.is_some_and(|round| round.settle_era == Some(era));
		let measured = |household: &Household| {
			let is_same_owner = household.owner_in(era) == household.owner_in(self.view.current);
			household.is_member_in(era) && household.meter_in(era) == meter && is_same_owner
		};
		self.view.readings_of.is_some_and(|open| era < open)
			&& self.view.current.saturating_sub(era) < self.retained
			&& !is_settling
			&& self.household.as_ref().is_some_and(|(_, about)| measured(about))
	}
}
