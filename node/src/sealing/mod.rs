//! Sealing on demand, for a development chain: one node makes all blocks, when they are wanted.
//!
//! A block is sealed when transactions come in (`--sealing instant`), when none has been sealed for a while (`instant` and
//! `interval`), and when a caller of the RPC method `dev_sealAt` wants one at a certain time. All three go through one task, [`Sealer::run`], so two seals
//! never race for one parent. Blocks are final as soon as they are sealed.
//!
//! The runtime is the same as on any other chain, so each block carries the Aura slot that its timestamp falls in;
//! it lacks an author's signature alone, and no key is needed.

mod clock;

pub use clock::Refusal;

use crate::{
	cli::{DevOptions, Sealing},
	service::{FullClient, Pool, ProposerFactory, SelectChain},
};
use clock::HeadTime;
use codec::Decode;
use commonwatt_runtime::{opaque::Block, BlockNumber, Hash, Runtime};
use futures::{channel::oneshot, StreamExt};
use jsonrpsee::core::async_trait;
use sc_client_api::{HeaderBackend, StorageKey, StorageProvider};
use sc_consensus_manual_seal::{
	consensus::aura::AuraConsensusDataProvider, seal_block, Error as EngineError, SealBlockParams,
};
use sc_transaction_pool_api::TransactionPool;
use sp_inherents::CreateInherentDataProviders;
use std::{
	fmt,
	future::pending,
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
	sync::mpsc,
	time::{sleep_until, Instant},
};

/// Transactions that follow each other so closely share a block. A person does not notice the delay.
const GATHERING: Duration = Duration::from_millis(50);

/// So long may the pool take to follow a new head before it is taken as it is.
const POOL_CATCH_UP: Duration = Duration::from_secs(2);

/// So many callers of the RPC may wait in the queue; the next ones wait outside.
const QUEUE_LENGTH: usize = 64;

/// A block that was sealed, imported and finalized.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SealedBlock {
	/// The block's hash.
	pub hash: Hash,
	/// The block's number.
	pub number: BlockNumber,
	/// The block's timestamp, in milliseconds since 1970.
	pub timestamp_ms: u64,
}

/// Why no block was sealed.
#[derive(Debug)]
pub enum SealError {
	/// The wanted timestamp is impossible.
	Refused(Refusal),
	/// There was nothing to put into a block that must not be empty.
	NoTransactions,
	/// The sealing task has ended: the node is shutting down.
	Stopped,
	/// Something else went wrong.
	Failed(String),
}

impl fmt::Display for SealError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Refused(refusal) => refusal.fmt(f),
			Self::NoTransactions => f.write_str("no transaction is ready"),
			Self::Stopped => f.write_str("the node is shutting down"),
			Self::Failed(reason) => write!(f, "sealing failed: {reason}"),
		}
	}
}

fn failed(error: impl fmt::Display) -> SealError {
	SealError::Failed(error.to_string())
}

struct SealAt {
	timestamp_ms: u64,
	reply: oneshot::Sender<Result<SealedBlock, SealError>>,
}

/// Moves a development chain's clock.
#[derive(Clone)]
pub struct DevClock(mpsc::Sender<SealAt>);

impl DevClock {
	/// Seals the next block at a timestamp, with what is ready in the pool, and returns when the block is final.
	pub async fn seal_at(&self, timestamp_ms: u64) -> Result<SealedBlock, SealError> {
		let (reply, outcome) = oneshot::channel();
		self.0
			.send(SealAt { timestamp_ms, reply })
			.await
			.map_err(|_| SealError::Stopped)?;
		outcome.await.map_err(|_| SealError::Stopped)?
	}
}

/// Seals the blocks of a development chain.
pub struct Sealer {
	client: Arc<FullClient>,
	pool: Arc<Pool>,
	select_chain: SelectChain,
	proposer_factory: ProposerFactory,
	/// Seal for transactions.
	instant: bool,
	/// Seal after so long without a block.
	interval: Option<Duration>,
	requests: mpsc::Receiver<SealAt>,
}

/// When the next block is due, if nothing happens before.
struct Due {
	/// Because of transactions.
	burst: Option<Instant>,
	/// Because of time.
	interval: Option<Instant>,
}

impl Sealer {
	/// A sealer, and the clock that it takes orders from.
	pub fn new(
		client: Arc<FullClient>,
		pool: Arc<Pool>,
		select_chain: SelectChain,
		proposer_factory: ProposerFactory,
		options: &DevOptions,
		slot_duration: Duration,
	) -> (DevClock, Self) {
		let (sender, requests) = mpsc::channel(QUEUE_LENGTH);
		let sealing = options.sealing.unwrap_or_default();
		let interval = options
			.block_interval_ms
			.map_or(slot_duration, Duration::from_millis);
		let by_time = sealing != Sealing::Manual && !interval.is_zero();
		(
			DevClock(sender),
			Self {
				client,
				pool,
				select_chain,
				proposer_factory,
				instant: sealing == Sealing::Instant,
				interval: by_time.then_some(interval),
				requests,
			},
		)
	}

	/// Seals blocks until the node stops.
	pub async fn run(mut self) {
		let mut arrivals = self.pool.import_notification_stream();
		let mut due = Due {
			burst: None,
			interval: None,
		};

		// An empty block first: it brings chain time to the present, so that nobody sees a chain in 1970.
		let outcome = self.seal(None, true).await;
		self.schedule(&mut due, &outcome);

		loop {
			let outcome = tokio::select! {
				biased;
				Some(SealAt { timestamp_ms, reply }) = self.requests.recv() => {
					let outcome = self.seal(Some(timestamp_ms), true).await;
					if !matches!(outcome, Err(SealError::Refused(_))) {
						self.schedule(&mut due, &outcome);
					}
					// The caller may have gone away in the meantime, and the block is sealed all the same.
					let _ = reply.send(outcome.map(|(block, _)| block));
					continue;
				},
				_ = reach(due.burst) => self.seal(None, false).await,
				_ = reach(due.interval) => self.seal(None, true).await,
				arrival = arrivals.next(), if self.instant => {
					if arrival.is_none() {
						// The pool drops listeners that have fallen too far behind.
						arrivals = self.pool.import_notification_stream();
					}
					due.burst.get_or_insert_with(|| Instant::now() + GATHERING);
					continue;
				},
			};
			if let Err(SealError::Failed(reason)) = &outcome {
				log::error!("No block sealed: {reason}");
			}
			self.schedule(&mut due, &outcome);
		}
	}

	/// Sets the time of the next block, after one was sealed or not.
	fn schedule(&self, due: &mut Due, outcome: &Result<(SealedBlock, bool), SealError>) {
		let now = Instant::now();
		// What did not fit goes into the next block. What is ready but did not even get into an empty block waits for
		// something to change.
		due.burst = (self.instant && matches!(outcome, Ok((_, true)))).then_some(now);
		// The chain is never older than one interval; a failed attempt waits for its next turn.
		if outcome.is_ok() || due.interval.is_none_or(|instant| instant <= now) {
			due.interval = self.interval.and_then(|interval| now.checked_add(interval));
		}
	}

	/// Seals one block on the head of the chain. Also says whether the pool holds more transactions.
	async fn seal(
		&mut self,
		wanted_ms: Option<u64>,
		create_empty: bool,
	) -> Result<(SealedBlock, bool), SealError> {
		let parent = self.client.info();
		let slot_duration = sc_consensus_aura::standalone::slot_duration_at(&*self.client, parent.best_hash)
			.map_err(failed)?;
		let head = HeadTime {
			timestamp_ms: self.timestamp_at(parent.best_hash)?,
			slot_ms: slot_duration.as_millis(),
		};
		let timestamp_ms = match wanted_ms {
			Some(wanted_ms) => {
				head.check(wanted_ms).map_err(SealError::Refused)?;
				wanted_ms
			}
			None => head.next(wall_clock_ms()),
		};

		let (sender, outcome) = oneshot::channel();
		seal_block(SealBlockParams {
			create_empty,
			finalize: true,
			parent_hash: Some(parent.best_hash),
			sender: Some(sender),
			pool: self.pool.clone(),
			client: self.client.clone(),
			env: &mut self.proposer_factory,
			select_chain: &self.select_chain,
			// Derives the slot in the block's header from the timestamp below.
			consensus_data_provider: Some(&AuraConsensusDataProvider::<Block>::new_with_slot_duration(
				slot_duration,
			)),
			block_import: &mut self.client.clone(),
			create_inherent_data_providers: &At(timestamp_ms),
		})
		.await;
		let created = outcome
			.await
			.map_err(|_| SealError::Stopped)?
			.map_err(|error| match error {
				EngineError::EmptyTransactionPool => SealError::NoTransactions,
				other => failed(other),
			})?;

		// Whoever hears of the block may at once send a transaction that builds on it, so let the pool catch up first.
		let more = self
			.pool
			.ready_at_with_timeout(created.hash, POOL_CATCH_UP)
			.await
			.next()
			.is_some();
		let number = parent.best_number.saturating_add(1);
		Ok((
			SealedBlock {
				hash: created.hash,
				number,
				timestamp_ms,
			},
			more,
		))
	}

	/// Chain time at a block; zero at genesis, which has none.
	fn timestamp_at(&self, block: Hash) -> Result<u64, SealError> {
		let key = StorageKey(pallet_timestamp::Now::<Runtime>::hashed_key().to_vec());
		match self.client.storage(block, &key).map_err(failed)? {
			Some(value) => u64::decode(&mut value.0.as_slice()).map_err(failed),
			None => Ok(0),
		}
	}
}

/// Gives a block the timestamp that was chosen for it.
struct At(u64);

#[async_trait]
impl CreateInherentDataProviders<Block, ()> for At {
	type InherentDataProviders = sp_timestamp::InherentDataProvider;

	async fn create_inherent_data_providers(
		&self,
		_parent: Hash,
		_: (),
	) -> Result<Self::InherentDataProviders, Box<dyn std::error::Error + Send + Sync>> {
		Ok(sp_timestamp::InherentDataProvider::new(self.0.into()))
	}
}

/// Ends at an instant, or never.
async fn reach(instant: Option<Instant>) {
	match instant {
		Some(instant) => sleep_until(instant).await,
		None => pending().await,
	}
}

/// Milliseconds since 1970; zero on a machine whose clock is set before that.
fn wall_clock_ms() -> u64 {
	SystemTime::now()
		.duration_since(UNIX_EPOCH)
		.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
