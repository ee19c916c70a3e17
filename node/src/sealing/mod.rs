//! Sealing on demand, for a development chain: a single node makes all blocks, when they are needed.
//!
//! A block is sealed when transactions arrive (`--sealing instant`), when no block has been sealed for the length of
//! the interval (`instant` and `interval`), and when a caller of the RPC method `dev_sealAt` requests one at a certain
//! time. One task, [`Sealer::run`], does all three, so two seals never race for one parent. Blocks are final as soon as
//! they are sealed.
//!
//! The runtime is the same as on any other chain, so each block has the Aura slot of its timestamp. It lacks only an
//! author's signature, so no key is needed.

mod clock;

pub use clock::Refusal;

use crate::{
	cli::{DevOptions, Sealing},
	service::{FullClient, Pool, ProposerFactory, SelectChain, Shared},
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
use sc_service::error::Error as ServiceError;
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

/// Transactions that arrive within this time share a block. A person does not notice the delay.
const GATHERING: Duration = Duration::from_millis(50);

/// How long to wait for the pool to follow a new head.
const POOL_CATCH_UP: Duration = Duration::from_secs(2);

/// Maximum number of RPC callers in the queue; further callers wait for a free place.
const QUEUE_LENGTH: usize = 64;

/// A block that was sealed, imported and finalized.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SealedBlock {
	/// The block's hash.
	pub hash: Hash,
	/// The block's number.
	pub number: BlockNumber,
	/// The block's timestamp, in milliseconds since the Unix epoch.
	pub timestamp_ms: u64,
}

/// Reasons why no block was sealed.
#[derive(Debug)]
pub enum SealError {
	/// The requested timestamp is impossible.
	Refused(Refusal),
	/// The block must not be empty, but no transaction is ready.
	NoTransactions,
	/// The sealing task has ended: the node is shutting down.
	Stopped,
	/// Another error, with its text.
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

/// A request for a block at a timestamp.
pub struct SealAt {
	timestamp_ms: u64,
	reply: oneshot::Sender<Result<SealedBlock, SealError>>,
}

/// Moves a development chain's clock forward.
#[derive(Clone)]
pub struct DevClock(mpsc::Sender<SealAt>);

impl DevClock {
	/// Makes a clock, and the queue of its requests for a [`Sealer`].
	pub fn new() -> (Self, mpsc::Receiver<SealAt>) {
		let (sender, requests) = mpsc::channel(QUEUE_LENGTH);
		(Self(sender), requests)
	}

	/// Seals the next block at a timestamp, with the transactions that are ready in the pool, and returns when the
	/// block is final. `timestamp_ms` is in milliseconds since the Unix epoch.
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
	/// Whether transactions cause a block.
	instant: bool,
	/// Time without a block after which an empty one is sealed; `None` for no blocks by time.
	interval: Option<Duration>,
	requests: mpsc::Receiver<SealAt>,
}

/// The instants at which the next block is due.
#[derive(Default)]
struct Due {
	/// For transactions that have arrived.
	burst: Option<Instant>,
	/// At the end of the interval.
	interval: Option<Instant>,
}

impl Sealer {
	/// Makes a sealer that also answers the `requests` of a [`DevClock`].
	pub fn new(
		shared: &Shared,
		options: &DevOptions,
		requests: mpsc::Receiver<SealAt>,
	) -> Result<Self, ServiceError> {
		let slot_duration = sc_consensus_aura::slot_duration(&*shared.client)?.as_duration();
		let sealing = options.sealing.unwrap_or_default();
		let interval = options
			.block_interval_ms
			.map_or(slot_duration, Duration::from_millis);
		let by_time = sealing != Sealing::Manual && !interval.is_zero();
		Ok(Self {
			client: shared.client.clone(),
			pool: shared.pool.clone(),
			select_chain: shared.select_chain.clone(),
			proposer_factory: shared.proposer_factory.clone(),
			instant: sealing == Sealing::Instant,
			interval: by_time.then_some(interval),
			requests,
		})
	}

	/// Seals blocks until the node stops.
	pub async fn run(mut self) {
		let mut arrivals = self.pool.import_notification_stream();
		let mut due = Due::default();

		// Seal an empty block first. It moves chain time to the present, so that no client sees a chain in 1970.
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
					// The caller may be gone; the block is sealed all the same.
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
				log::error!("No block was sealed: {reason}");
			}
			self.schedule(&mut due, &outcome);
		}
	}

	/// Schedules the next block after an attempt to seal one.
	fn schedule(&self, due: &mut Due, outcome: &Result<(SealedBlock, bool), SealError>) {
		let now = Instant::now();
		// Transactions that did not fit go into the next block. If not even one fitted into an empty block, wait for
		// something to change.
		due.burst = (self.instant && matches!(outcome, Ok((_, true)))).then_some(now);
		// At most one interval passes between blocks. A failed attempt is repeated only after another interval.
		if outcome.is_ok() || due.interval.is_none_or(|instant| instant <= now) {
			due.interval = self.interval.and_then(|interval| now.checked_add(interval));
		}
	}

	/// Seals one block on the head of the chain, at `wanted_ms` or else at the next possible time. Also returns whether
	/// the pool has more transactions.
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
			// Derives the slot in the header from the timestamp below.
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

		// A caller may at once send a transaction that builds on this block, so let the pool catch up first.
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

	/// The timestamp of a block; 0 at genesis, which has none.
	fn timestamp_at(&self, block: Hash) -> Result<u64, SealError> {
		let key = StorageKey(pallet_timestamp::Now::<Runtime>::hashed_key().to_vec());
		match self.client.storage(block, &key).map_err(failed)? {
			Some(value) => u64::decode(&mut value.0.as_slice()).map_err(failed),
			None => Ok(0),
		}
	}
}

/// Provides the chosen timestamp as the block's inherent.
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

/// Waits until an instant, or forever.
async fn reach(instant: Option<Instant>) {
	match instant {
		Some(instant) => sleep_until(instant).await,
		None => pending().await,
	}
}

/// Milliseconds since the Unix epoch; 0 if the machine's clock is before it.
fn wall_clock_ms() -> u64 {
	SystemTime::now()
		.duration_since(UNIX_EPOCH)
		.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
