//! The report as a self-contained page of HTML.

use super::{
	days::{Cell, Days, Ways},
	figures::{exchange_wh, sum, Check, Figure, Figures},
	paper,
	plots::{escaped, style, table, Plot, Series, Style},
};
use crate::{data::Dataset, fault::Fault, summary::ReplaySummary, text::kwh};

const STYLE: &str = "\
:root{color-scheme:light}body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:0 1rem 3rem;\
color:#1a1a1a;background:#fff}h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.2rem}h3{font-size:1.05rem;margin:0}\
table{border-collapse:collapse;font-size:.92rem}th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right}\
th[scope=row],thead th:first-child,td.text{text-align:left;font-weight:normal}thead th{border-bottom:2px solid #888;\
vertical-align:bottom}.wide{overflow-x:auto}.wide th[scope=row]{min-width:7rem}.wide td:nth-child(6):last-child{\
min-width:16rem}.plots{display:grid;gap:1.5rem;grid-template-columns:repeat(auto-fit,\
minmax(min(100%,26rem),1fr))}figure{margin:0}figure>svg{width:100%;height:auto;display:block}.legend{list-style:none;\
padding:0;margin:.3rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.92rem}.sample{width:28px;height:12px}\
details{font-size:.92rem}summary{cursor:pointer;padding:.3rem 0}.yes{color:#00614a;font-weight:bold}.no{color:#a82a00;\
font-weight:bold}p.small{font-size:.9rem;color:#444}";

/// The whole page.
pub fn html(
	dataset: &Dataset,
	report: &ReplaySummary,
	ways: &Ways,
	figures: &Figures,
	is_paper: bool,
) -> Result<String, Fault> {
	let name = dataset.path.file_name().unwrap_or_default().to_string_lossy();
	let title = match is_paper {
		true => "The paper's day, played on the chain".to_owned(),
		false => format!("{name}, played on the chain"),
	};
	let (first, last) = (dataset.periods.first(), dataset.periods.last());
	let span = first.zip(last).map_or(String::new(), |(first, last)| {
		format!(
			"{} to {}",
			first.start.replace('T', " "),
			last.start.replace('T', " ")
		)
	});
	let mut body = format!(
		"<h1>{}</h1>\n<p>{} households, {} periods of {} minutes, {span}. Every contract and amount of \"with the game\" is \
		 what the chain computed and settled.</p>\n",
		escaped(&title),
		dataset.households.len(),
		dataset.periods.len(),
		dataset.period_minutes
	);
	for gap in &report.gaps {
		body += &format!("<p class=\"small\">Not in the file: {}.</p>\n", escaped(gap));
	}
	body += &headlines(figures, is_paper);
	body += &effects(ways);
	body += &checks(figures);
	body += "<h2>Figures</h2>\n<div class=\"plots\">\n";
	for plot in plots(dataset, ways, is_paper) {
		body += &format!(
			"<figure><h3>{}</h3>{}{}<figcaption class=\"small\">{}</figcaption>{}</figure>\n",
			escaped(&plot.title),
			plot.svg()?,
			plot.legend(),
			escaped(&plot.words),
			plot.table()
		);
	}
	body += "</div>\n";
	body += &households(figures, report);
	if is_paper {
		body += &tables(dataset, ways);
	}
	body += &notes(is_paper);
	Ok(format!(
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
		 content=\"width=device-width, initial-scale=1\"><title>{}</title><style>{STYLE}</style></head>\n<body>\n{body}\
		 </body></html>\n",
		escaped(&title)
	))
}

fn headlines(figures: &Figures, is_paper: bool) -> String {
	let mut heads = vec![
		"",
		"each alone with the main grid",
		"pool, no game",
		"each alone, consuming as in the game",
		"with the game",
	];
	if is_paper {
		heads.push("the paper says");
	}
	let rows = figures.figures.iter().map(|Figure { name, ways }| {
		let mut row = vec![name.clone()];
		row.extend(ways.iter().cloned());
		if is_paper {
			let claim = paper::CLAIMS.iter().find(|(of, _)| name.starts_with(of));
			row.push(claim.map_or(String::new(), |(_, claim)| (*claim).into()));
		}
		row
	});
	format!("<h2>Headlines</h2>\n{}", table(&heads, rows))
}

/// The effects of trading and of a changed consumption, kept apart.
fn effects(ways: &Ways) -> String {
	let [alone, pool, same, game] = ways.all().map(|days| sum(exchange_wh(days)));
	let rows = [
		("consuming otherwise, without trading", alone - same),
		("trading, at what is consumed in the game", same - game),
		("both: the game", alone - game),
		("for comparison: trading, at what the file consumes", alone - pool),
	];
	let rows = rows.map(|(name, less)| vec![name.into(), kwh(less)]);
	let used = sum(ways.game.load_wh()) - sum(ways.alone.load_wh());
	format!(
		"<h2>Two effects, kept apart</h2>\n{}<p class=\"small\">In the game, {} kWh {} than in the file. Load that was put \
		 off came back; the difference comes from heating or cooling, at the comfort shown above and in the last \
		 table.</p>\n",
		table(&["less exchanged with the main grid by", "kWh"], rows),
		kwh(used.abs()),
		if used < 0 { "less were consumed" } else { "more were consumed" }
	)
}

fn checks(figures: &Figures) -> String {
	let row = |check: &Check| {
		let (class, word) = if check.holds { ("yes", "yes") } else { ("no", "NO") };
		format!(
			"<tr><th scope=\"row\">{}</th><td class=\"{class}\">{word}</td><td class=\"text\">{}</td></tr>\n",
			escaped(check.what),
			escaped(&check.detail)
		)
	};
	let rows: String = figures.checks.iter().map(row).collect();
	format!(
		"<h2>What must hold</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">that</th><th \
		 scope=\"col\">holds</th><th scope=\"col\"></th></tr></thead><tbody>\n{rows}</tbody></table></div>\n"
	)
}

/// The paper's figures 4 to 7 for any community, and plots of its load and of its trade. The paper has no such figures
/// as the last two, so they have numbers only on other pages.
fn plots(dataset: &Dataset, ways: &Ways, is_paper: bool) -> Vec<Plot> {
	let periods = dataset.periods.iter();
	let starts: Vec<String> = periods.map(|period| period.start.clone()).collect();
	let plot = |id: &str, title: String, words: &str, series: Vec<Series>| Plot {
		id: id.into(),
		title,
		words: words.into(),
		starts: starts.clone(),
		series,
	};
	let number = |paper: u32, ours: u32| match is_paper {
		true => format!("Figure {paper} of the paper: "),
		false => format!("Figure {ours}: "),
	};
	let one = dataset.households.first().map_or("", String::as_str);
	let net = |days: &Days| days.sums(|cell| -cell.main_wh);
	vec![
		plot(
			"generation",
			number(4, 1) + "generation",
			"Energy generated in each period, kWh, a line for each household.",
			series_by_household(dataset, &ways.game, |cell| cell.generation_wh),
		),
		plot(
			"loads",
			number(5, 2) + "loads before the game",
			"Energy consumed in each period as the file says, kWh, a line for each household.",
			series_by_household(dataset, &ways.alone, |cell| cell.consumption_wh),
		),
		plot(
			"household",
			number(6, 3) + &format!("{one} before and after the game"),
			"Consumption of the first household in each period, kWh.",
			first_household_series(dataset, ways, is_paper),
		),
		plot(
			"grid",
			number(7, 4) + "load of the main grid before and after the game",
			"Bought from the main grid less sold to it by all households in each period, kWh; below zero more is sold.",
			vec![
				Series::of_wh("before: each alone", Style::Dashes, net(&ways.alone)),
				Series::of_wh("after: with the game", Style::Line, net(&ways.game)),
			],
		),
		plot(
			"community",
			match is_paper {
				true => "Load of the community before and after the game".to_owned(),
				false => "Figure 5: load of the community before and after the game".to_owned(),
			},
			"Energy consumed by all households in each period, kWh.",
			community_series(ways),
		),
		plot(
			"tradable",
			match is_paper {
				true => "Traded in the community, and what was tradable".to_owned(),
				false => "Figure 6: traded in the community, and what was tradable".to_owned(),
			},
			"Energy traded with the game in each period, kWh, and the smaller of all surplus and all deficit at the \
			 consumption that the game chose: the most that could be traded.",
			vec![
				Series::of_wh("tradable", Style::Dashes, ways.game.tradable_wh.clone()),
				Series::of_wh("traded", Style::Line, ways.game.traded_wh()),
			],
		),
	]
}

/// The community's load before and after the game, and its generation.
fn community_series(ways: &Ways) -> Vec<Series> {
	let generation_wh = ways.game.sums(|cell| cell.generation_wh.into());
	vec![
		Series::of_wh("before", Style::Dashes, ways.alone.load_wh()),
		Series::of_wh("after", Style::Line, ways.game.load_wh()),
		Series::of_wh("generation", Style::Line, generation_wh),
	]
}

/// A series for each household, of the energy that `pick` takes from a cell, Wh.
fn series_by_household(dataset: &Dataset, days: &Days, pick: fn(&Cell) -> u32) -> Vec<Series> {
	let households = dataset.households.iter().enumerate();
	households
		.map(|(index, name)| {
			let wh = days.of(index).map(|cell| i64::from(pick(cell)));
			Series::of_wh(name, style(index), wh)
		})
		.collect()
}

/// The first household's consumption before and after the game, with the paper's numbers beside it.
fn first_household_series(dataset: &Dataset, ways: &Ways, is_paper: bool) -> Vec<Series> {
	let mut series = vec![
		Series::of_wh("before", Style::Dashes, ways.alone.load_of_wh(0)),
		Series::of_wh("after", Style::Line, ways.game.load_of_wh(0)),
	];
	if is_paper {
		let of_paper = |name: &str, pick: fn(&(&str, i64, i64)) -> i64| Series {
			name: name.into(),
			style: Style::Points,
			values: dataset
				.periods
				.iter()
				.map(|period| {
					let given = paper::CONSUMPTION
						.iter()
						.find(|given| period.start.get(11..16) == Some(given.0));
					given.map(|given| pick(given) as f64 / 1_000.0)
				})
				.collect(),
		};
		series.push(of_paper("before, the paper's Table 2", |given| given.1));
		series.push(of_paper("after, the paper's Table 2", |given| given.2));
	}
	series
}

fn households(figures: &Figures, report: &ReplaySummary) -> String {
	let amount = |amount| report.money.signed_text(amount);
	let range = |range: (f64, f64)| format!("{:.1} to {:.1}", range.0, range.1);
	let stored = |wh: f64| format!("{:.3}", wh / 1_000.0);
	let columns = figures.lines.iter().map(|line| {
		let columns = vec![
			("household", line.name.clone()),
			("kWh before", kwh(line.consumption_before_wh)),
			("kWh after", kwh(line.consumption_after_wh)),
			("peak before", kwh(line.peak_before_wh)),
			("peak after", kwh(line.peak_after_wh)),
			("degrees before", range(line.indoor_before_c)),
			("degrees after", range(line.indoor_c)),
			("comfort before", format!("{:.3}", line.comfort_before)),
			("comfort after", format!("{:.3}", line.comfort)),
			(
				"kWh to be back at the setpoint at the end",
				stored(line.stored_wh),
			),
			("paid alone, as in the file", amount(line.cost_before)),
			("paid alone, as in the game", amount(line.cost_alone)),
			("paid in the game", amount(line.cost)),
		];
		columns.into_iter().unzip::<_, _, Vec<_>, Vec<_>>()
	});
	let (heads, rows): (Vec<Vec<&str>>, Vec<Vec<String>>) = columns.unzip();
	let heads = heads.into_iter().next().unwrap_or_default();
	format!(
		"<h2>Households</h2>\n{}<p class=\"small\">Paid less earned, {}; rewards are not in it.</p>\n",
		table(&heads, rows),
		escaped(&report.token)
	)
}

/// The paper's tables beside ours.
fn tables(dataset: &Dataset, ways: &Ways) -> String {
	let at = |time: &str| {
		let mut periods = dataset.periods.iter();
		periods.position(|period| period.start.get(11..16) == Some(time))
	};
	let generation = paper::GENERATION.iter().map(|(time, of_paper)| {
		let mut row = vec![(*time).to_owned()];
		for (household, wh) in of_paper.iter().enumerate() {
			let ours = at(time).and_then(|period| ways.game.cells[period].get(household));
			row.push(kwh(*wh));
			row.push(ours.map_or("-".into(), |cell| kwh(cell.generation_wh)));
		}
		row
	});
	let consumption = paper::CONSUMPTION.iter().map(|(time, before, after)| {
		let ours = |days: &Days| {
			let cell = at(time).and_then(|period| days.cells[period].first());
			cell.map_or("-".into(), |cell| kwh(cell.consumption_wh))
		};
		vec![
			(*time).to_owned(),
			kwh(*before),
			ours(&ways.alone),
			kwh(*after),
			ours(&ways.game),
		]
	});
	let heads = ["", "h1", "ours", "h2", "ours", "h3", "ours", "h4", "ours"];
	format!(
		"<h2>The paper's tables beside ours</h2>\n<h3>Table 1: generation, kWh</h3>\n{}<h3>Table 2: consumption of household \
		 1, kWh</h3>\n{}",
		table(&heads, generation),
		table(&["", "before", "ours", "after", "ours"], consumption)
	)
}

fn notes(is_paper: bool) -> String {
	let mut notes = String::from(
		"<h2>What the numbers are</h2>\n<p>A period's energies are what the meters would report. The homes (resistance, \
		 capacity, device, share of load that can wait) are described in a file or are the program's defaults; they are not \
		 measured. Comfort follows the paper's eq. (2), from the temperature at a period's end. \"Alone\" buys at retail and \
		 sells at the feed-in tariff. \"Pool, no game\" shares out what the file's surplus and deficit allow, at the \
		 community's price and with its grid fee.</p>\n",
	);
	if is_paper {
		notes += "<p>From the paper: generation at the times of its Table 1, and the first household's consumption before the \
		          game at the times of its Table 2. Made up, with a fixed seed: all other loads, the homes, the \
		          outdoor temperature and the tariffs. The paper's figures 5 to 7 are pictures without numbers, so ours \
		          stand beside its words only, and agreement with them to the percent would mean nothing. Its households \
		          also choose from other levels of consumption than ours; it does not say from which.</p>\n";
	}
	notes
}
