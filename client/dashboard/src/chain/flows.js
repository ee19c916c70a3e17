/** What a statement says about energy, as a person thinks of it. */

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
	const [first] = rows;
	if (!first) return '';
	return [Object.keys(first), ...rows.map(Object.values)]
		.map((row) => row.join(','))
		.join('\n')
		.concat('\n');
}
