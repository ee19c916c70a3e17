//! Prometheus metrics of the market for a community's operator, from the events of final blocks and the runtime API.
//! The node serves them at the same address as the metrics of every Substrate node.
//!
//! Counters begin at 0 when the node starts, as Prometheus expects. Each block counts once, when it becomes final.

use crate::service::FullClient;
use codec::Decode;
use commonwatt_runtime::{Hash, Runtime, RuntimeEvent};
use frame_support::storage::storage_prefix;
use futures::StreamExt;
use pallet_energy_market::{
	game::Status,
	runtime_api::{EnergyMarketApi, EraView, QueueView},
	Event,
};
use sc_client_api::{BlockchainEvents, StorageKey, StorageProvider};
use sp_api::ProvideRuntimeApi;
use std::{error::Error, sync::Arc};
use substrate_prometheus_endpoint::{
	register, Counter, CounterVec, Gauge, Histogram, HistogramOpts, Opts, PrometheusError, Registry, F64, U64,
};

type EventRecord = frame_system::EventRecord<RuntimeEvent, Hash>;

/// Buckets in seconds: a round takes a few blocks on a small chain, and up to an era on a full one.
const CLEARING_BUCKETS: [f64; 10] = [0.5, 1.0, 2.0, 6.0, 12.0, 30.0, 60.0, 300.0, 900.0, 1_800.0];

/// The metrics; their help texts are in [`Metrics::register`].
struct Metrics {
	era: Gauge<U64>,
	era_ends: Gauge<F64>,
	queue_steps: Gauge<U64>,
	queue_blocks: Gauge<U64>,
	clearing: Histogram,
	games: CounterVec<U64>,
	missed_eras: Counter<U64>,
	readings: Counter<U64>,
	settled_households: Counter<U64>,
	missing_readings: Counter<U64>,
	energy_wh: CounterVec<U64>,
	unread_blocks: Counter<U64>,
}

impl Metrics {
	fn register(registry: &Registry) -> Result<Self, PrometheusError> {
		let gauge = |name, help| register(Gauge::<U64>::new(name, help)?, registry);
		let counter = |name, help| register(Counter::<U64>::new(name, help)?, registry);
		let counters =
			|name, help, label| register(CounterVec::<U64>::new(Opts::new(name, help), &[label])?, registry);
		Ok(Self {
			era: gauge("commonwatt_era", "Number of the running era")?,
			era_ends: register(
				Gauge::<F64>::new("commonwatt_era_end_seconds", "End of the running era, Unix time")?,
				registry,
			)?,
			queue_steps: gauge(
				"commonwatt_queue_steps",
				"Games and settlements that are still to be done",
			)?,
			queue_blocks: gauge(
				"commonwatt_queue_blocks",
				"Blocks that the remaining games and settlements need",
			)?,
			clearing: register(
				Histogram::with_opts(
					HistogramOpts::new(
						"commonwatt_clearing_seconds",
						"Chain time from the beginning of an era to the end of its round",
					)
					.buckets(CLEARING_BUCKETS.to_vec()),
				)?,
				registry,
			)?,
			games: counters(
				"commonwatt_games_total",
				"Clearings, by certificate: equilibrium, approximate, or failed (no contracts)",
				"certificate",
			)?,
			missed_eras: counter(
				"commonwatt_missed_eras_total",
				"Missed eras: without a block, or outlasted by an earlier round",
			)?,
			readings: counter("commonwatt_readings_total", "Readings accepted")?,
			settled_households: counter("commonwatt_settled_households_total", "Statements made")?,
			missing_readings: counter(
				"commonwatt_missing_readings_total",
				"Statements made on an estimate, because the meter was silent",
			)?,
			energy_wh: counters(
				"commonwatt_settled_wh_total",
				"Settled energy in Wh: within communities, bought from the main grid, sold to the main grid",
				"channel",
			)?,
			unread_blocks: counter(
				"commonwatt_unread_blocks_total",
				"Final blocks whose events this node could not read: newer runtime, or state gone",
			)?,
		})
	}

	/// Adds an event to the counters.
	fn count(&self, event: Event<Runtime>) {
		match event {
			Event::EraCleared { record, .. } => self.game(match record.certificate.status {
				Status::Equilibrium => "equilibrium",
				Status::Approximate => "approximate",
			}),
			Event::ClearingFailed { .. } => self.game("failed"),
			Event::ErasMissed { first, last } => {
				self.missed_eras.inc_by(u64::from(last.saturating_sub(first)) + 1)
			}
			Event::ReadingSubmitted { .. } => self.readings.inc(),
			Event::EraSettled { totals, .. } => {
				self.settled_households.inc_by(totals.households.into());
				self.missing_readings.inc_by(totals.missing_readings.into());
				for (channel, wh) in [
					("community", totals.community_wh),
					("bought_from_main", totals.bought_from_main_wh),
					("sold_to_main", totals.sold_to_main_wh),
				] {
					self.energy_wh.with_label_values(&[channel]).inc_by(wh);
				}
			}
			_ => {}
		}
	}

	fn game(&self, certificate: &str) {
		self.games.with_label_values(&[certificate]).inc();
	}

	/// Sets the gauges to the running era and the rest of its round.
	fn show(&self, era: &EraView, queue: &QueueView) {
		// The queue first: whoever reads in between must not see a new era whose round looks complete.
		self.queue_steps.set(queue.steps.into());
		self.queue_blocks.set(queue.blocks.into());
		self.era_ends.set(era.ends_ms as f64 / 1_000.0);
		self.era.set(era.current.into());
	}
}

/// Updates the metrics from final blocks until the node stops.
pub struct Watcher {
	client: Arc<FullClient>,
	metrics: Metrics,
	/// The era whose round is in progress, until it has been timed.
	clearing: Option<u32>,
}

impl Watcher {
	/// Registers the metrics.
	///
	/// Error: a metric of the same name is registered already.
	pub fn new(client: Arc<FullClient>, registry: &Registry) -> Result<Self, PrometheusError> {
		Ok(Self {
			client,
			metrics: Metrics::register(registry)?,
			clearing: None,
		})
	}

	/// Counts every block once, in order, when it becomes final.
	pub async fn run(mut self) {
		let mut finality = self.client.finality_notification_stream();
		while let Some(notification) = finality.next().await {
			for block in notification.tree_route.iter().chain([&notification.hash]) {
				if let Err(reason) = self.read(*block) {
					log::debug!("Could not read the market metrics of block {block:?}: {reason}");
					self.metrics.unread_blocks.inc();
				}
			}
		}
	}

	fn read(&mut self, block: Hash) -> Result<(), Box<dyn Error>> {
		for EventRecord { event, .. } in self.events(block)? {
			if let RuntimeEvent::EnergyMarket(event) = event {
				if let Event::EraStarted { era, .. } = event {
					self.clearing = Some(era);
				}
				self.metrics.count(event);
			}
		}
		let api = self.client.runtime_api();
		let era = api.current_era(block)?;
		let queue = api.queue(block)?;
		if let Some(era) = era {
			self.time(&era, &queue);
			self.metrics.show(&era, &queue);
		}
		Ok(())
	}

	/// Observes the length of a round once for each era, when it is complete. A round that outlasts its era is not
	/// timed; the queue shows it.
	fn time(&mut self, era: &EraView, queue: &QueueView) {
		if queue.steps == 0 && self.clearing.take() == Some(era.current) {
			let took_ms = era.now_ms.saturating_sub(era.started_ms);
			self.metrics.clearing.observe(took_ms as f64 / 1_000.0);
		}
	}

	fn events(&self, block: Hash) -> Result<Vec<EventRecord>, Box<dyn Error>> {
		let key = StorageKey(storage_prefix(b"System", b"Events").to_vec());
		match self.client.storage(block, &key)? {
			Some(raw) => Ok(Decode::decode(&mut raw.0.as_slice())?),
			None => Ok(Vec::new()),
		}
	}
}
