/** What a statement says about energy, as a person thinks of it. */

/** The keys of the words for who reported a reading. */
export const reporters = { Meter: 'byMeter', Concentrator: 'byConcentrator', Nobody: 'byNobody' };

/**
 * Energies of a settled era, Wh. What matched inside the community beyond the contract counts as the neighbours'.
 *
 * @param {any} statement
 */
export function flows({ reading, energy, ...beyond }) {
	return {
		own: Math.min(reading.generation_wh, reading.consumption_wh),
		neighboursIn: energy.bought_from_community_wh + beyond.matched_short_wh,
		mainIn: energy.bought_from_main_wh + beyond.imbalance_import_wh,
		neighboursOut: energy.sold_to_community_wh + beyond.matched_long_wh,
		mainOut: energy.sold_to_main_wh + beyond.imbalance_export_wh,
	};
}

/** The statements as CSV, one line an era: energies in Wh, amounts in the smallest unit, for other programs. */
export function csv(statements) {
	const rows = statements.map((statement) => ({
		era: statement.era,
		generation_wh: statement.reading.generation_wh,
		consumption_wh: statement.reading.consumption_wh,
		quality: statement.reading.quality.type,
		reported_by: statement.reported_by.type,
		...statement.energy,
		matched_long_wh: statement.matched_long_wh,
		matched_short_wh: statement.matched_short_wh,
		imbalance_export_wh: statement.imbalance_export_wh,
		imbalance_import_wh: statement.imbalance_import_wh,
		price_per_kwh: statement.price_per_kwh,
		...statement.amounts,
	}));
	return table(rows);
}

/** Objects with the same fields as CSV: a header and a line for each. */
export function table(rows) {
	const [first] = rows;
	if (!first) return '';
	return [Object.keys(first), ...rows.map(Object.values)]
		.map((row) => row.join(','))
		.join('\n')
		.concat('\n');
}

/** Offers a text as a file to save. */
export function save(name, text) {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

/**
 * What some statements come to, in the smallest unit, as the chain's own bill adds it up: see `Amounts` in primitives/market.
 *
 * @param {{ amounts: Record<string, bigint> }[]} statements
 */
export function totals(statements) {
	const sums = { cost: 0n, revenue: 0n, reward: 0n, alone: 0n, savings: 0n };
	for (const { amounts } of statements) {
		sums.cost +=
			amounts.paid_to_pool + amounts.grid_fee + amounts.main_cost + amounts.matched_cost + amounts.imbalance_cost;
		sums.revenue +=
			amounts.received_from_pool + amounts.main_revenue + amounts.matched_revenue + amounts.imbalance_revenue;
		sums.reward += amounts.reward;
		sums.alone += amounts.alone_cost - amounts.alone_revenue;
	}
	sums.savings = sums.alone - (sums.cost - sums.revenue);
	return sums;
}
