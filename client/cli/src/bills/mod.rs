//! `commonwatt bills`: the bills of a community's households and key figures of the community, computed from events.

mod kpi;

use crate::{
	chain::{
		self,
		events::Scanner,
		game::GAME_RULES_SINCE,
		types::{Bill, CommunityId, HouseholdId, Statement},
		At, Node, Token,
	},
	cli::BillsArgs,
	compare,
	fault::Fault,
	files,
	ledger::Ledger,
	text::{self, kwh},
};
use kpi::{Account, Community};
use serde::Serialize;
use std::collections::BTreeMap;

/// The command's results, in the form of its JSON.
#[derive(Serialize)]
struct BillsReport {
	url: String,
	community_number: CommunityId,
	/// The first settled era and the last.
	eras: (u32, u32),
	token: String,
	community: Community,
	households: Vec<Account>,
	/// Number of statements and of bills that were compared with the chain's state.
	compared: (usize, usize),
	differences: Vec<String>,
}

/// Runs the subcommand.
pub async fn run(args: BillsArgs) -> Result<(), Fault> {
	if args.from > args.to {
		return Err(Fault::Input(format!(
			"--from {} is after --to {}",
			args.from, args.to
		)));
	}
	files::probe(args.json.iter().chain(&args.csv))?;
	let node = Node::open(&args.chain.access(), chain::PATIENCE).await?;
	match bills(&node, &args).await {
		Ok(report) if report.differences.is_empty() => Ok(()),
		Ok(report) => Err(Fault::Differs(report.differences)),
		Err(fault) => Err(node.diagnose(fault).await),
	}
}

async fn bills(node: &Node, args: &BillsArgs) -> Result<BillsReport, Fault> {
	let head = node.head().await?;
	let community = chain::community_id(&head, &args.community).await?;
	let ledger = read(node, &head, community, args).await?;
	let mut report = add_up(&ledger, community, args)?;
	compare_with_state(&head, &ledger, &mut report).await?;
	let money = node.money().await?;
	report.token = money.symbol.clone();
	files::write_json(&args.json, &report)?;
	if let Some(path) = &args.csv {
		files::write_csv(path, report.households.iter().map(columns))?;
	}
	print!("{}", shown(&report, &money));
	if let Some(household) = args.household.map(HouseholdId) {
		let account = report
			.households
			.iter()
			.find(|account| account.bill.household == household);
		let account = account.ok_or_else(|| {
			Fault::Input(format!(
				"--household {household}: it has no statement in these eras"
			))
		})?;
		print!("\n{}", bill_lines(account, &money));
	}
	Ok(report)
}

/// Reads the events from the beginning of the first era to the settlement of the last one.
async fn read(node: &Node, head: &At, community: CommunityId, args: &BillsArgs) -> Result<Ledger, Fault> {
	let from = match node.is_light() {
		false => args.from,
		true => args.from.max(retained_from(head).await?),
	};
	let oldest = node.first_block_for(from, head).await?;
	let first = node
		.first_block_where(oldest, head, |view| view.current >= from)
		.await?
		.ok_or_else(|| Fault::Input(format!("--from {}: this era has not begun", args.from)))?;
	let members = chain::members(head, community).await?;
	let mut scanner = Scanner::new(community, members);
	let mut ledger = Ledger::default();
	let blocks = head.block_number() - first + 1;
	let bar = text::progress(blocks, "blocks read");
	for number in first..=head.block_number() {
		ledger.enter(&scanner.read(node, number).await?);
		bar.inc(1);
		if ledger.last_settled().is_some_and(|era| era >= args.to) {
			break;
		}
	}
	bar.finish_and_clear();
	Ok(ledger)
}

/// The oldest era that the chain still keeps. A light client reads no older one, since it would have to go back to the
/// beginning of the chain, block by block.
async fn retained_from(head: &At) -> Result<u32, Fault> {
	let retained: u32 = chain::constant(head, "EnergyMarket", "RetainedEras")?;
	let current = chain::era(head).await?.map_or(0, |view| view.current);
	Ok(current.saturating_sub(retained))
}

fn add_up(ledger: &Ledger, community: CommunityId, args: &BillsArgs) -> Result<BillsReport, Fault> {
	let mut accounts = BTreeMap::<HouseholdId, Account>::new();
	let mut whole = Community::default();
	let mut eras: Option<(u32, u32)> = None;
	for (era, book) in ledger.eras(args.from..=args.to) {
		// An era that the chain missed has only statements of late readings.
		if book.totals.is_none() && book.late.is_empty() {
			continue;
		}
		eras = Some((eras.map_or(era, |(first, _)| first), era));
		if book.totals.is_some() {
			whole.add(book);
		}
		for (household, statement) in book.final_statements() {
			let was_read = book.readings.contains_key(&household) || book.late.contains_key(&household);
			let account = accounts
				.entry(household)
				.or_insert_with(|| Account::new(household, era));
			account.add(statement, was_read);
			account.late_correction += book.late_correction(household);
		}
	}
	let eras = eras.ok_or_else(|| {
		Fault::Input(format!(
			"community {}: no settled era from {} to {} in the events that the node has",
			args.community, args.from, args.to
		))
	})?;
	Ok(BillsReport {
		url: args.chain.access().to_string(),
		community_number: community,
		eras,
		token: String::new(),
		community: whole,
		households: accounts.into_values().collect(),
		compared: (0, 0),
		differences: Vec::new(),
	})
}

/// Compares the statements and bills with those that the state still has.
async fn compare_with_state(head: &At, ledger: &Ledger, report: &mut BillsReport) -> Result<(), Fault> {
	let (first, last) = report.eras;
	let mut oldest = None;
	for (era, book) in ledger.eras(first..=last) {
		let of_state: BTreeMap<HouseholdId, Statement> =
			chain::statements(head, report.community_number, era)
				.await?
				.into_iter()
				.collect();
		if of_state.is_empty() || book.totals.is_none() {
			continue;
		}
		oldest = oldest.or(Some(era));
		let statements = book.statements.iter();
		let of_events: BTreeMap<HouseholdId, Statement> =
			statements.map(|(id, settled)| (*id, settled.statement)).collect();
		let found = compare::differences(("in the events", &of_events), ("in the state", &of_state))?;
		report.compared.0 += of_state.len();
		report
			.differences
			.extend(found.into_iter().map(|one| format!("era {era}, household {one}")));
	}
	let Some(oldest) = oldest else { return Ok(()) };
	for account in &report.households {
		let Some(of_state) = chain::bill(head, account.bill.household, (oldest, last)).await? else {
			continue;
		};
		// The state's bill covers only the eras that the state still has, so this one must too.
		let mut bill = Bill::empty(account.bill.household, of_state.first_era);
		for (_, book) in ledger.eras(oldest..=last) {
			if let Some(statement) = book.final_statement(account.bill.household) {
				bill.add(statement);
			}
		}
		let found = compare::differences(("in the events", &bill), ("in the state", &of_state))?;
		report.compared.1 += 1;
		let found = found.into_iter();
		report
			.differences
			.extend(found.map(|one| format!("bill of household {}, {one}", account.bill.household)));
	}
	Ok(())
}

fn optional(value: Option<impl ToString>) -> String {
	value.map_or(String::new(), |value| value.to_string())
}

/// The columns of a bill, with their values.
fn columns(account: &Account) -> files::Row {
	let bill = &account.bill;
	let [sold, bought, to_main, from_main] = bill.energy_wh;
	vec![
		("household", account.bill.household.to_string()),
		("first_era", bill.first_era.to_string()),
		("last_era", bill.last_era.to_string()),
		("eras", bill.eras.to_string()),
		("generation_wh", account.generation_wh.to_string()),
		("consumption_wh", account.consumption_wh.to_string()),
		("sold_to_community_wh", sold.to_string()),
		("bought_from_community_wh", bought.to_string()),
		("sold_to_main_wh", to_main.to_string()),
		("bought_from_main_wh", from_main.to_string()),
		("matched_long_wh", bill.matched_long_wh.to_string()),
		("matched_short_wh", bill.matched_short_wh.to_string()),
		("imbalance_export_wh", bill.imbalance_export_wh.to_string()),
		("imbalance_import_wh", bill.imbalance_import_wh.to_string()),
		("contract_cost", bill.contract_cost.to_string()),
		("contract_revenue", bill.contract_revenue.to_string()),
		("matched_cost", bill.matched_cost.to_string()),
		("matched_revenue", bill.matched_revenue.to_string()),
		("imbalance_cost", bill.imbalance_cost.to_string()),
		("imbalance_revenue", bill.imbalance_revenue.to_string()),
		("late_correction", account.late_correction.to_string()),
		("cost", bill.cost.to_string()),
		("revenue", bill.revenue.to_string()),
		("reward", bill.reward.to_string()),
		("alone_cost", bill.alone_cost.to_string()),
		("alone_revenue", bill.alone_revenue.to_string()),
		("savings", bill.savings.to_string()),
		("self_consumption_percent", optional(account.self_consumption())),
		("self_sufficiency_percent", optional(account.self_sufficiency())),
		("peak_load_wh", account.peak_load_wh.to_string()),
		("peak_bought_wh", account.peak_bought_wh.to_string()),
		("comfort_ppm", optional(account.comfort_ppm)),
		("least_comfort_ppm", optional(account.least_comfort_ppm)),
		("uncomfortable_eras", account.uncomfortable_eras.to_string()),
		("missing_readings", account.missing_readings.to_string()),
	]
}

/// Ascending eras as text. Consecutive eras are shown as "first to last".
fn runs(eras: &[u32]) -> String {
	let runs = eras.chunk_by(|one, next| one.checked_add(1) == Some(*next));
	let texts = runs.map(|run| match run {
		[first, .., last] => format!("{first} to {last}"),
		_ => run.iter().map(u32::to_string).collect(),
	});
	texts.collect::<Vec<_>>().join(", ")
}

/// The report as text for a terminal.
fn shown(report: &BillsReport, money: &Token) -> String {
	format!(
		"{}\n{}  compared with the chain's state: {} statements, {} bills; money in {}\n",
		household_table(&report.households, money),
		community_text(report),
		report.compared.0,
		report.compared.1,
		report.token
	)
}

/// A percentage as text, or "-" for a missing one.
fn percent_text(percent: Option<f64>) -> String {
	percent.map_or("-".into(), |percent| format!("{percent:.1}"))
}

/// The households' bills as a table for a terminal.
fn household_table(households: &[Account], money: &Token) -> String {
	let mut text = String::from(
		"household  eras   sold kWh     bought    to main  from main        cost     revenue    reward    savings \
		 own use suffic.  comfort\n",
	);
	for account in households {
		let bill = &account.bill;
		let [sold, bought, to_main, from_main] = bill.energy_wh.map(kwh);
		text += &format!(
			"{:>9} {:>5} {sold:>10} {bought:>10} {to_main:>10} {from_main:>10} {:>11} {:>11} {:>9} {:>10} {:>7} {:>7} \
			 {:>8}\n",
			account.bill.household,
			bill.eras,
			money.text(bill.cost),
			money.text(bill.revenue),
			money.text(bill.reward),
			money.signed_text(bill.savings),
			percent_text(account.self_consumption()),
			percent_text(account.self_sufficiency()),
			account
				.comfort_ppm
				.map_or("-".into(), |ppm| format!("{:.3}", ppm as f64 / 1_000_000.0)),
		);
	}
	text
}

/// A household's bill in lines, for a terminal.
fn bill_lines(account: &Account, money: &Token) -> String {
	let bill = &account.bill;
	let [sold, bought, to_main, from_main] = bill.energy_wh;
	let mut text = format!(
		"bill of household {}, eras {} to {} ({} settled), {}\n{:<42} {:>10} {:>12} {:>12}\n",
		bill.household, bill.first_era, bill.last_era, bill.eras, money.symbol, "", "kWh", "to pay", "earned"
	);
	let mut line = |what: &str, wh: Option<u64>, cost: u128, revenue: u128| {
		let amount = |amount| {
			if amount == 0 {
				"-".into()
			} else {
				money.text(amount)
			}
		};
		text += &format!(
			"{what:<42} {:>10} {:>12} {:>12}\n",
			wh.map_or(String::new(), kwh),
			amount(cost),
			amount(revenue)
		);
	};
	line(
		"bought (contract and grid fee, or retail)",
		Some(bought + from_main),
		bill.contract_cost,
		0,
	);
	line(
		"sold (contract, or feed-in)",
		Some(sold + to_main),
		0,
		bill.contract_revenue,
	);
	line(
		"unplanned surplus, neighbours took it",
		Some(bill.matched_long_wh),
		0,
		bill.matched_revenue,
	);
	line(
		"unplanned shortfall, neighbours had it",
		Some(bill.matched_short_wh),
		bill.matched_cost,
		0,
	);
	line(
		"unplanned surplus, main grid took it",
		Some(bill.imbalance_export_wh),
		0,
		bill.imbalance_revenue,
	);
	line(
		"unplanned shortfall, main grid had it",
		Some(bill.imbalance_import_wh),
		bill.imbalance_cost,
		0,
	);
	line("together", None, bill.cost, bill.revenue);
	line("rewards", None, 0, bill.reward);
	line(
		"with the main grid alone",
		None,
		bill.alone_cost,
		bill.alone_revenue,
	);
	text += &format!(
		"saved by the community, without rewards: {}; late readings changed this bill by {}\n",
		money.signed_text(bill.savings),
		money.signed_text(account.late_correction)
	);
	text
}

/// The community's key figures as text for a terminal.
fn community_text(report: &BillsReport) -> String {
	let community = &report.community;
	let mut text = format!(
		"community {}, eras {} to {}: {} settled, {} games, {} certified, {} with trade; sweeps {} at most, \
		 starts {}\n",
		report.community_number,
		report.eras.0,
		report.eras.1,
		community.eras,
		community.games,
		community.equilibria,
		community.games_with_trade,
		community.most_sweeps,
		community.most_starts
	);
	text += &format!(
		"  kWh: {} generated, {} consumed, {} traded, {} to the main grid, {} from it; peaks {} consumed, {} bought\n  \
		 self-consumption {} %, self-sufficiency {} %; {} reading(s) missing\n",
		kwh(community.generation_wh),
		kwh(community.consumption_wh),
		kwh(community.community_wh),
		kwh(community.sold_to_main_wh),
		kwh(community.bought_from_main_wh),
		kwh(community.peak_load_wh),
		kwh(community.peak_bought_wh),
		percent_text(community.self_consumption),
		percent_text(community.self_sufficiency),
		community.missing_readings
	);
	if !community.approximate.is_empty() {
		text += &format!("  not certified: eras {:?}\n", community.approximate);
	}
	if !community.other_rules.is_empty() {
		text += &format!(
			"  cleared under rules that this client cannot judge (runtime version below {GAME_RULES_SINCE}, or \
			 unknown): eras {}\n",
			runs(&community.other_rules)
		);
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn consecutive_eras_are_shown_as_a_range() {
		assert_eq!(runs(&[]), "");
		assert_eq!(runs(&[3, 4, 5, 7, u32::MAX]), "3 to 5, 7, 4294967295");
	}

	#[test]
	fn bill_has_a_line_for_each_reason_to_pay() {
		let mut account = Account::new(HouseholdId(3), 10);
		account.bill.matched_long_wh = 500;
		account.bill.matched_revenue = 40_000_000_000;
		account.bill.imbalance_cost = 108_000_000_000;
		account.late_correction = -12_000_000_000;
		let money = Token {
			symbol: "CWT".into(),
			decimals: 12,
		};
		let text = bill_lines(&account, &money);
		for part in ["neighbours took it", "0.500", "0.0400", "0.1080", "by -0.0120"] {
			assert!(text.contains(part), "{part} is not in\n{text}");
		}
	}
}
