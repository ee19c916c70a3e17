//! `commonwatt books`: rebuilds every balance and every household's energy from events alone and compares them with the
//! chain's state.

mod entries;
mod state;
#[cfg(test)]
mod tests;

use crate::{
	chain::{self, Node, Token},
	cli::BooksArgs,
	compare,
	fault::{Fault, OrFault},
	files,
	text::{self, kwh},
};
use entries::{is_entered, Books, Energy, Entry};
use futures::{stream, StreamExt};
use serde::Serialize;
use state::State;
use std::collections::BTreeMap;

/// Number of blocks that are requested at the same time.
const AHEAD: usize = 8;
/// Maximum number of differences that are shown.
const SHOWN: usize = 20;

/// The command's results, in the form of its JSON.
#[derive(Serialize)]
struct BooksReport<'a> {
	url: &'a str,
	/// The block whose state the books were opened with.
	opened_at: u64,
	/// The block whose state they were compared with.
	compared_with: u64,
	/// Number of blocks whose events were entered.
	blocks: u64,
	/// Sum of all transaction fees, which are burned.
	#[serde(with = "chain::types::money")]
	fees: chain::types::Balance,
	/// By household, over all eras that were settled in these blocks.
	energy: &'a BTreeMap<chain::types::HouseholdId, Energy>,
	/// Every difference, in words.
	differences: &'a [String],
	books: &'a State,
}

/// Runs the subcommand.
pub async fn run(args: BooksArgs) -> Result<(), Fault> {
	files::probe(&args.json)?;
	let node = Node::connect(&args.url, chain::PATIENCE).await?;
	match audit(&node, &args).await {
		Ok(differences) if differences.is_empty() => Ok(()),
		Ok(differences) => Err(Fault::Differs(shortened(differences))),
		Err(fault) => Err(node.diagnose(fault).await),
	}
}

/// Keeps the books and compares them with the state. Returns the differences.
async fn audit(node: &Node, args: &BooksArgs) -> Result<Vec<String>, Fault> {
	let head = node.head().await?;
	let (first, last) = (args.from, head.block_number());
	if first > last {
		return Err(Fault::Input(format!(
			"--from {first}: this block is not final yet; the newest final block is {last}"
		)));
	}
	if !node.is_readable(first).await? {
		let oldest = node.first_readable(first, last).await?;
		return Err(Fault::Input(format!(
			"the node no longer has the state of block {first}; the oldest block whose state it has is {oldest}: start \
			 there with --from {oldest}, or use a node that keeps all states (--state-pruning archive)"
		)));
	}
	let retained = chain::constant(&head, "EnergyMarket", "RetainedEras")?;
	let mut books = Books::open(State::read(&node.at(first).await?).await?, retained);
	enter_blocks(node, &mut books, first, last).await?;
	books.close();
	let state = State::read(&head).await?;
	let mut differences = books.faults.clone();
	differences.extend(compared(&books.state, &state)?);
	let report = BooksReport {
		url: &args.url,
		opened_at: first,
		compared_with: last,
		blocks: last - first,
		fees: books.fees,
		energy: &books.energy,
		differences: &differences,
		books: &books.state,
	};
	files::write_json(&args.json, &report)?;
	println!("{}", summary(&books, &node.money().await?));
	if differences.is_empty() {
		println!(
			"books: {} accounts and {} households rebuilt from the events of {} blocks; all agree with the state of \
			 block {last}",
			books.state.accounts.len(),
			books.state.households.len(),
			last - first
		);
	}
	Ok(differences)
}

/// Every number that differs between the books and the chain's state, or that only one of them has.
fn compared(books: &State, chain: &State) -> Result<Vec<String>, Fault> {
	compare::differences(("in the books", books), ("in the state", chain))
}

/// Enters the events of all blocks after the first.
async fn enter_blocks(node: &Node, books: &mut Books, first: u64, last: u64) -> Result<(), Fault> {
	let bar = text::progress(last - first, "blocks read");
	let read = |number| async move { Ok::<_, Fault>((number, events(node, number).await?)) };
	let mut blocks = stream::iter(first + 1..=last).map(read).buffered(AHEAD);
	while let Some(block) = blocks.next().await {
		let (number, entries) = block?;
		for entry in entries {
			books.enter(number, entry);
		}
		bar.inc(1);
	}
	bar.finish_and_clear();
	Ok(())
}

/// The events of a block that the books have a rule for, in order.
async fn events(node: &Node, number: u64) -> Result<Vec<Entry>, Fault> {
	let mut entries = Vec::new();
	for event in node.at(number).await?.events().fetch().await.or_fault()?.iter() {
		let event = event.or_fault()?;
		let (pallet, name) = (event.pallet_name(), event.event_name());
		if is_entered(pallet, name) {
			let entry = event.decode_as::<Entry>().or_fault();
			entries.push(entry.map_err(|fault| {
				Fault::Chain(format!(
					"block {number}: this program cannot read the event {pallet}.{name}: {fault}"
				))
			})?);
		}
	}
	Ok(entries)
}

/// The sums of the books as text.
fn summary(books: &Books, money: &Token) -> String {
	let mut sum = Energy::default();
	for energy in books.energy.values() {
		sum.add(energy.eras, energy.all_wh());
	}
	let issued = u128::try_from(books.state.issuance).unwrap_or(0);
	format!(
		"  energy, kWh: {} sold and {} bought in the community, {} sold to the main grid, {} bought from it\n  money, \
		 {}: {} on all accounts, {} paid in fees and burned",
		kwh(sum.sold_to_community_wh),
		kwh(sum.bought_from_community_wh),
		kwh(sum.sold_to_main_wh),
		kwh(sum.bought_from_main_wh),
		money.symbol,
		money.text(issued),
		money.text(books.fees)
	)
}

/// The first [`SHOWN`] differences, and the number of the others.
fn shortened(mut differences: Vec<String>) -> Vec<String> {
	let more = differences.len().saturating_sub(SHOWN);
	differences.truncate(SHOWN);
	if more > 0 {
		differences.push(format!("and {more} more"));
	}
	differences
}
