//! `commonwatt audit`: solves and settles an era again from its inputs and compares the result with the chain's.
//!
//! Two blocks matter: the one that cleared the community's era, and the one that settled it. The inputs are the state
//! before and after such a block; the claims are the state after it and its events. Late readings are judged by the state
//! of the newest block.
//!
//! The audit judges the game's choice and its payoffs by the rules of the runtime that executed the block. If this
//! program does not have these rules, the audit takes choice and payoffs from the chain, computes everything else from
//! them, and names them in the report.

mod gate;
mod inputs;
mod late;
mod limits;
mod proof;
mod settle;
#[cfg(test)]
mod tests;

use crate::{
	chain::{
		self, events,
		game::other_rules,
		types::{CommunityId, EraRecord, EraView, MarketEvent},
		At, Node,
	},
	checks::{cleared_under, settled_under},
	cli::AuditArgs,
	compare,
	fault::{Fault, OrFault},
	files,
};
use gate::{Gate, Judge};
use inputs::{Happened, Inputs};
use late::LateStatements;
use limits::Limits;
use proof::Evidence;
use serde::Serialize;
use settle::{Claim, Settlement};
use subxt::config::substrate::H256;

/// Maximum number of blocks that are searched for an event. A round takes a few blocks.
const MOST_BLOCKS: u64 = 10_000;

/// A block that the audit reads.
#[derive(Clone, Copy, Debug, Serialize)]
struct Block {
	number: u64,
	hash: H256,
	/// `spec_version` of the runtime that executed it.
	executed_by: Option<u32>,
}

/// A part of the era as computed, and as the chain claims it.
#[derive(Serialize)]
struct Sides<Part> {
	block: Block,
	computed: Part,
	claimed: Option<Part>,
}

/// The results of an audit, in the form of its JSON.
#[derive(Default, Serialize)]
struct AuditReport {
	url: String,
	community: CommunityId,
	era: u32,
	gate: Option<Sides<Gate>>,
	/// `None` until the era is settled.
	settlement: Option<Sides<Settlement>>,
	/// The statements of late readings, as computed.
	late: LateStatements,
	/// Number of values that were proved against the blocks' hashes.
	proved: usize,
	/// What could not be judged from the inputs alone.
	notes: Vec<String>,
	/// Parts that were computed by rules that this program does not have. They are neither right nor wrong.
	not_judged: Vec<String>,
	/// All differences, in the order in which they were found.
	differences: Vec<String>,
}

/// Runs the subcommand.
pub async fn run(args: AuditArgs) -> Result<(), Fault> {
	files::probe(&args.json)?;
	let node = Node::open(&args.chain.access(), chain::PATIENCE).await?;
	let report = match audit(&node, &args).await {
		Ok(report) => report,
		Err(fault) => return Err(node.diagnose(fault).await),
	};
	files::write_json(&args.json, &report)?;
	print!("{}", text(&report));
	report.outcome()
}

async fn audit(node: &Node, args: &AuditArgs) -> Result<AuditReport, Fault> {
	let head = node.head().await?;
	let mut report = AuditReport {
		url: args.chain.access().to_string(),
		community: chain::community_id(&head, &args.community).await?,
		era: args.era,
		..AuditReport::default()
	};
	let (id, era) = (report.community, args.era);
	let first = node.first_block_for(era, &head).await?;
	// The era is cleared in the round that starts with it.
	let Some(begun) = node
		.first_block_where(first, &head, |view| view.current >= era)
		.await?
	else {
		return Err(Fault::Input(format!("--era {era}: this era has not begun")));
	};
	let is_cleared = |event: &MarketEvent| match event {
		MarketEvent::EraCleared { community, record } => *community == id && record.era == era,
		MarketEvent::ClearingFailed { community, era: of } => (*community, *of) == (id, era),
		_ => false,
	};
	let over = |view: &EraView| view.current > era || view.round.is_none();
	let Some(closed) = event_block(node, begun, &head, is_cleared, over).await? else {
		return Err(Fault::Input(format!(
			"the node shows no gate closure of community {} for era {era}; the oldest block \
			 whose state the node has is {first}",
			args.community
		)));
	};
	let limits = close_gate(node, closed, &mut report).await?;
	// The era is settled in the round that starts when its readings are complete.
	let readings_in = |view: &EraView| view.readings_of.is_some_and(|of| of > era);
	if let Some(begun) = node.first_block_where(closed, &head, readings_in).await? {
		let is_settled = |event: &MarketEvent| matches!(event, MarketEvent::EraSettled { community, era: of, .. } if (*community, *of) == (id, era));
		let over = |view: &EraView| view.round.is_none();
		if let Some(settled) = event_block(node, begun, &head, is_settled, over).await? {
			settle_era(node, settled, &limits, &mut report).await?;
			judge_late(node, head, &mut report).await?;
		}
	}
	if let Some(url) = &args.against {
		against(node, url, &mut report).await?;
	}
	Ok(report)
}

/// The first block from `from` on with an event that `is_it` accepts. Stops after the block whose clock satisfies
/// `over`, and after [`MOST_BLOCKS`] blocks.
async fn event_block(
	node: &Node,
	from: u64,
	head: &At,
	is_it: impl Fn(&MarketEvent) -> bool,
	over: impl Fn(&EraView) -> bool,
) -> Result<Option<u64>, Fault> {
	let last = head.block_number().min(from.saturating_add(MOST_BLOCKS));
	for number in from..=last {
		let at = node.at(number).await?;
		if events::of_market(&at).await?.iter().any(&is_it) {
			return Ok(Some(number));
		}
		if number > from && chain::era(&at).await?.is_some_and(|view| over(&view)) {
			return Ok(None);
		}
	}
	Ok(None)
}

/// Reads a block and its parent for a community's step; `begins` as for [`Happened::read`].
async fn inputs(
	node: &Node,
	number: u64,
	community: CommunityId,
	begins: impl Fn(&MarketEvent) -> bool,
) -> Result<(Block, Inputs), Fault> {
	let mut after = Evidence::of(node.at(number).await?);
	let before = Evidence::of(node.at(number.saturating_sub(1)).await?);
	let hash = after.at.block_hash();
	let happened = Happened::read(&mut after, begins).await?;
	let mut inputs = Inputs {
		before,
		after,
		happened,
		community,
	};
	let executed_by = inputs.executed_by().await?;
	let block = Block {
		number,
		hash,
		executed_by,
	};
	Ok((block, inputs))
}

/// Proves every value that was read, and the parent by the block's header. What is false becomes a difference.
async fn prove(node: &Node, inputs: &Inputs, report: &mut AuditReport) -> Result<(), Fault> {
	let (before, after) = (&inputs.before, &inputs.after);
	report.proved += before.len() + after.len();
	for evidence in [after, before] {
		if let Err(reason) = evidence.check(node).await? {
			report.differences.push(reason);
		}
	}
	let header = after.at.block_header().await.or_fault()?;
	if header.parent_hash != before.at.block_hash() {
		report.differences.push(format!(
			"block {}: the node shows another block before it than the parent that its header names",
			header.number
		));
	}
	Ok(())
}

async fn close_gate(node: &Node, number: u64, report: &mut AuditReport) -> Result<Limits, Fault> {
	let (id, era) = (report.community, report.era);
	let begins = |event: &MarketEvent| match event {
		MarketEvent::ContractMade { community, .. } => *community == id,
		MarketEvent::EraCleared { community, .. } => *community == id,
		_ => false,
	};
	let (block, mut inputs) = inputs(node, number, id, begins).await?;
	let limits = Limits::of(&inputs.after.at)?;
	let mut state = None;
	if let Some(record) = inputs.of_era("Records", era, limits.retained).await? {
		let contracts: Option<Vec<_>> = inputs.of_era("Contracts", era, limits.retained).await?;
		let contracts = contracts.unwrap_or_default().into_iter().collect();
		state = Some(Gate { record, contracts });
	}
	let rules = other_rules(block.executed_by);
	let judge = match rules {
		Some(_) => Judge::Chain(state.as_ref()),
		None => Judge::Solver(limits::solver(&inputs.after.at)?),
	};
	let computed = gate::solve(&mut inputs, era, &limits, judge).await?;
	report.not_judged.extend(rules.map(|rules| cleared_under(&rules)));
	prove(node, &inputs, report).await?;
	let Some(computed) = computed else {
		report.differences.push(format!(
			"era {era}: the chain shows a gate closure although the community is paused"
		));
		return Ok(limits);
	};
	let events = gate::claimed(&inputs.happened.market, id, era, &computed);
	report.compare("gate closure", &computed, events.as_ref(), state.as_ref())?;
	report.gate = Some(Sides {
		block,
		computed,
		claimed: state,
	});
	Ok(limits)
}

async fn settle_era(
	node: &Node,
	number: u64,
	limits: &Limits,
	report: &mut AuditReport,
) -> Result<(), Fault> {
	let (id, era) = (report.community, report.era);
	let Some(gate) = &report.gate else { return Ok(()) };
	let begins = |event: &MarketEvent| match event {
		MarketEvent::HouseholdSettled { community, .. } => *community == id,
		MarketEvent::EraSettled { community, .. } => *community == id,
		_ => false,
	};
	let (block, mut inputs) = inputs(node, number, id, begins).await?;
	let statements: Option<Vec<_>> = inputs.of_era("Statements", era, limits.retained).await?;
	let statements = statements.unwrap_or_default().into_iter().collect();
	let record: Option<EraRecord> = inputs.of_era("Records", era, limits.retained).await?;
	let totals = record.and_then(|record| record.settled);
	let state = totals.map(|totals| Settlement { totals, statements });
	let none = Default::default();
	let rules = other_rules(block.executed_by);
	let claim = Claim {
		statements: state.as_ref().map_or(&none, |state| &state.statements),
		to_pot: totals.map(|totals| totals.to_pot),
		other_payoffs: rules.is_some(),
	};
	let notes = &mut report.notes;
	let computed = settle::settle(&mut inputs, &gate.computed, limits, claim, notes).await?;
	let has_payoffs = computed.statements.values().any(|s| s.delivered.is_some());
	let rules = rules.filter(|_| has_payoffs);
	report.not_judged.extend(rules.map(|rules| settled_under(&rules)));
	prove(node, &inputs, report).await?;
	let events = settle::claimed(&inputs.happened.market, id, era);
	report.compare("settlement", &computed, events.as_ref(), state.as_ref())?;
	report.settlement = Some(Sides {
		block,
		computed,
		claimed: state,
	});
	Ok(())
}

/// Judges the late readings that the newest block's state has of the era.
async fn judge_late(node: &Node, head: At, report: &mut AuditReport) -> Result<(), Fault> {
	let (Some(gate), Some(settlement)) = (&report.gate, &report.settlement) else {
		return Ok(());
	};
	let (terms, settled) = (&gate.computed.record.terms, &settlement.computed);
	let mut state = Evidence::of(head);
	let claimed = LateStatements::read(&mut state, report.era, settled).await?;
	let computed = claimed.computed(settled, terms);
	let corrections = computed.corrections(settled);
	report.proved += state.len();
	if let Err(reason) = state.check(node).await? {
		report.differences.push(reason);
	}
	let found = compare::differences(("computed", &computed), ("on the chain", &claimed))?;
	let found = found.into_iter().map(|one| format!("late reading: {one}"));
	report.differences.extend(found);
	let money = node.money().await?;
	report
		.notes
		.extend(corrections.into_iter().map(|(household, correction)| {
			format!(
				"household {household} reported late, which changed its bill by {} {}",
				money.signed_text(correction),
				money.symbol
			)
		}));
	report.late = computed;
	Ok(())
}

impl AuditReport {
	/// The result of the audit: an error with the first difference, else with the parts that could not be judged.
	fn outcome(self) -> Result<(), Fault> {
		let (id, era) = (self.community, self.era);
		match self.differences.into_iter().next() {
			Some(first) => Err(Fault::Disagrees(first)),
			None if self.not_judged.is_empty() => Ok(()),
			None => {
				let of_era = |part| format!("era {era} of community {id}: {part}");
				Err(Fault::NotJudged(
					self.not_judged.into_iter().map(of_era).collect(),
				))
			}
		}
	}

	/// Compares what was computed with the chain's state and with its events.
	fn compare<Part: Serialize>(
		&mut self,
		what: &str,
		computed: &Part,
		events: Option<&Part>,
		state: Option<&Part>,
	) -> Result<(), Fault> {
		for (where_from, claimed) in [("on the chain", state), ("in the events", events)] {
			match claimed {
				Some(claimed) => {
					let found = compare::differences(("computed", computed), (where_from, claimed))?;
					let found = found.into_iter().map(|one| format!("{what}: {one}"));
					self.differences.extend(found);
				}
				None => self
					.differences
					.push(format!("{what}: computed, but missing {where_from}")),
			}
		}
		Ok(())
	}

	fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
		let gate = self.gate.iter().map(|sides| sides.block);
		gate.chain(self.settlement.iter().map(|sides| sides.block))
	}
}

/// Compares the blocks' hashes and metadata with those of another node.
async fn against(node: &Node, url: &str, report: &mut AuditReport) -> Result<(), Fault> {
	let other = Node::connect(url, chain::PATIENCE).await?;
	for block in report.blocks().collect::<Vec<_>>() {
		match other.block_hash(block.number).await? {
			Some(hash) if hash == block.hash => {
				if node.metadata(block.hash).await? != other.metadata(block.hash).await? {
					report.differences.push(format!(
						"block {}: its metadata differs from that at {url}",
						block.number
					));
				}
			}
			Some(hash) => report.differences.push(format!(
				"block {}: its hash is {:?} here and {hash:?} at {url}",
				block.number, block.hash
			)),
			None => report
				.notes
				.push(format!("{url} has no block {} yet", block.number)),
		}
	}
	Ok(())
}

fn text(report: &AuditReport) -> String {
	let mut text = String::new();
	let mut line = |line: String| text += &(line + "\n");
	for (name, block) in ["gate closure", "settlement"].iter().zip(report.blocks()) {
		let version = match block.executed_by {
			Some(version) => format!("runtime version {version}"),
			None => "runtime version unknown".into(),
		};
		line(format!(
			"  {name:<12} block {} {:?}, {version}",
			block.number, block.hash
		));
	}
	for note in &report.notes {
		line(format!("  note: {note}"));
	}
	if let (true, Some(gate)) = (report.differences.is_empty(), &report.gate) {
		let record = &gate.computed.record;
		let settled = match &report.settlement {
			Some(settlement) => format!("{} statements", settlement.computed.statements.len()),
			None => "not settled yet".into(),
		};
		let (agrees, claimed) = match report.not_judged.is_empty() {
			true => ("agrees", ""),
			false => ("agrees in all that can be judged", " claimed"),
		};
		line(format!(
			"{agrees}: era {} of community {}: {} contracts, {:?}{claimed}, {} Wh traded, {settled}; {} values proved",
			report.era,
			report.community,
			record.players,
			record.certificate.status,
			record.certificate.traded_wh,
			report.proved
		));
	} else if report.differences.len() > 1 {
		line(format!("  {} differences", report.differences.len()));
	}
	text
}
