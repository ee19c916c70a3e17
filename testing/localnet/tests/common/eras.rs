//! Reads from the events of a chain's final blocks what happened to every era, and checks it.

use futures::{stream, StreamExt};
use std::{collections::BTreeMap, fmt, sync::Arc};
use subxt::{
	backend::LegacyBackend, ext::scale_decode::DecodeAsType, rpcs::RpcClient, OnlineClient, SubstrateConfig,
};

/// Number of blocks that are fetched in parallel.
const AHEAD: usize = 8;

/// A connection to a node.
pub async fn connect(url: &str) -> Result<OnlineClient<SubstrateConfig>, subxt::Error> {
	let rpc = RpcClient::from_insecure_url(url).await?;
	// The legacy RPC methods work for any block at any time.
	let backend = LegacyBackend::builder().build(rpc);
	Ok(OnlineClient::from_backend(Arc::new(backend)).await?)
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct EraStarted {
	era: u32,
	settling: Option<u32>,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct ErasMissed {
	first: u32,
	last: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct Record {
	era: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct EraCleared {
	community: u32,
	record: Record,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct EraSettled {
	community: u32,
	era: u32,
}

/// An event about eras.
enum Happened {
	Started(EraStarted),
	Missed(ErasMissed),
	Cleared(EraCleared),
	Settled(EraSettled),
	Failed,
}

/// What happened to every era on the final chain.
#[derive(Debug, Default)]
pub struct Eras {
	/// Number of final blocks.
	pub blocks: u64,
	/// Eras that began, each with the era that its round settles.
	started: Vec<(u32, Option<u32>)>,
	/// Ranges of missed eras.
	missed: Vec<(u32, u32)>,
	/// How often the games of an era were solved, by community and era.
	cleared: BTreeMap<(u32, u32), u32>,
	/// How often an era was settled, by community and era.
	settled: BTreeMap<(u32, u32), u32>,
	/// Number of failed clearings.
	failed: u32,
}

impl Eras {
	/// Reads the events of all final blocks of a node.
	pub async fn of(url: &str) -> Result<Self, subxt::Error> {
		let api = connect(url).await?;
		let last = api.at_current_block().await?.block_number();
		let mut eras = Self::default();
		let mut blocks = stream::iter(1..=last)
			.map(|number| happenings(&api, number))
			.buffered(AHEAD);
		while let Some(block) = blocks.next().await {
			eras.blocks += 1;
			block?.into_iter().for_each(|one| eras.enter(one));
		}
		Ok(eras)
	}

	fn enter(&mut self, happened: Happened) {
		match happened {
			Happened::Started(event) => self.started.push((event.era, event.settling)),
			Happened::Missed(event) => self.missed.push((event.first, event.last)),
			Happened::Cleared(event) => {
				*self
					.cleared
					.entry((event.community, event.record.era))
					.or_default() += 1
			}
			Happened::Settled(event) => *self.settled.entry((event.community, event.era)).or_default() += 1,
			Happened::Failed => self.failed += 1,
		}
	}

	/// The era that runs in the newest final block.
	pub fn current(&self) -> Option<u32> {
		self.started.last().map(|(era, _)| *era)
	}

	/// How many eras began.
	pub fn started(&self) -> usize {
		self.started.len()
	}

	/// How many eras were missed.
	pub fn missed(&self) -> u32 {
		self.missed.iter().map(|(first, last)| last - first + 1).sum()
	}

	/// Returns an error unless every era from the first on either began once or was missed once, and in every community
	/// each era that began was solved once and each era that was due was settled once, and no other era was. The newest
	/// round may still be running.
	pub fn check(&self) -> Result<(), String> {
		let mut gaps = self.missed.iter();
		for pair in self.started.windows(2) {
			let (before, next) = (pair[0].0, pair[1].0);
			let gap = (before + 1, next - 1);
			if next <= before || (gap.0 <= gap.1 && gaps.next() != Some(&gap)) {
				return Err(format!(
					"era {next} began after era {before}, which does not agree with the missed eras {:?}",
					self.missed
				));
			}
		}
		if let Some(more) = gaps.next() {
			return Err(format!(
				"eras {more:?} are reported as missed, but no such eras lie between those that began"
			));
		}
		if self.failed > 0 {
			return Err(format!("{} clearing(s) failed", self.failed));
		}
		let last = self.started.len().saturating_sub(1);
		let due = |place: usize| if place == last { 0..=1 } else { 1..=1 };
		let communities: Vec<u32> = self.cleared.keys().map(|(community, _)| *community).collect();
		let communities = communities.into_iter().max().map_or(0, |last| last + 1);
		let (mut cleared, mut settled) = (self.cleared.clone(), self.settled.clone());
		for community in 0..communities {
			for (place, (era, settling)) in self.started.iter().enumerate() {
				let solved = cleared.remove(&(community, *era)).unwrap_or(0);
				if !due(place).contains(&solved) {
					return Err(format!(
						"community {community}: era {era} was solved {solved} times"
					));
				}
				let Some(settling) = settling else { continue };
				let times = settled.remove(&(community, *settling)).unwrap_or(0);
				if !due(place).contains(&times) {
					return Err(format!(
						"community {community}: era {settling} was settled {times} times"
					));
				}
			}
		}
		if !cleared.is_empty() || !settled.is_empty() {
			return Err(format!(
				"by (community, era), unexpected eras were solved: {cleared:?}, or settled: {settled:?}"
			));
		}
		Ok(())
	}
}

impl fmt::Display for Eras {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(
			f,
			"{} final blocks, {} eras began, {} missed, {} solved, {} settled",
			self.blocks,
			self.started(),
			self.missed(),
			self.cleared.len(),
			self.settled.len()
		)
	}
}

/// The events about eras in one block.
async fn happenings(api: &OnlineClient<SubstrateConfig>, number: u64) -> Result<Vec<Happened>, subxt::Error> {
	let mut found = Vec::new();
	for event in api.at_block(number).await?.events().fetch().await?.iter() {
		let event = event?;
		if event.pallet_name() != "EnergyMarket" {
			continue;
		}
		let happened = match event.event_name() {
			"EraStarted" => Happened::Started(event.decode_fields_unchecked_as()?),
			"ErasMissed" => Happened::Missed(event.decode_fields_unchecked_as()?),
			"EraCleared" => Happened::Cleared(event.decode_fields_unchecked_as()?),
			"EraSettled" => Happened::Settled(event.decode_fields_unchecked_as()?),
			"ClearingFailed" => Happened::Failed,
			_ => continue,
		};
		found.push(happened);
	}
	Ok(found)
}
