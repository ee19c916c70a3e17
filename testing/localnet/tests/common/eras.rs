//! Reads from the events of a chain's final blocks what happened to every era, and checks it.

use commonwatt_client::{
	chain::{
		events::of_market,
		types::{CommunityId, EraRecord, MarketEvent},
		Node,
	},
	fault::Fault,
};
use futures::{stream, StreamExt};
use std::{collections::BTreeMap, fmt};

/// Number of blocks that are fetched in parallel.
const AHEAD: usize = 8;

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
	cleared: BTreeMap<(CommunityId, u32), u32>,
	/// How often an era was settled, by community and era.
	settled: BTreeMap<(CommunityId, u32), u32>,
	/// Number of failed clearings.
	failed: u32,
}

impl Eras {
	/// Reads the events of all final blocks of a node.
	pub async fn of(node: &Node) -> Result<Self, Fault> {
		let last = node.head().await?.block_number();
		let mut eras = Self::default();
		let mut blocks = stream::iter(1..=last)
			.map(|number| async move { of_market(&node.at(number).await?).await })
			.buffered(AHEAD);
		while let Some(block) = blocks.next().await {
			eras.blocks += 1;
			block?.into_iter().for_each(|event| eras.enter(event));
		}
		Ok(eras)
	}

	fn enter(&mut self, event: MarketEvent) {
		match event {
			MarketEvent::EraStarted { era, settling, .. } => self.started.push((era, settling)),
			MarketEvent::ErasMissed { first, last } => self.missed.push((first, last)),
			MarketEvent::EraCleared {
				community,
				record: EraRecord { era, .. },
			} => *self.cleared.entry((community, era)).or_default() += 1,
			MarketEvent::EraSettled { community, era, .. } => {
				*self.settled.entry((community, era)).or_default() += 1;
			}
			MarketEvent::ClearingFailed { .. } => self.failed += 1,
			_ => (),
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
		let communities: Vec<u32> = self.cleared.keys().map(|(community, _)| community.0).collect();
		let communities = communities.into_iter().max().map_or(0, |last| last + 1);
		let (mut cleared, mut settled) = (self.cleared.clone(), self.settled.clone());
		for community in (0..communities).map(CommunityId) {
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
