/**
 * Statements that this browser keeps. The chain keeps a day of eras, and a month needs more, so the page remembers each
 * statement that it has seen. They stay in this browser.
 */

import { get, set } from 'idb-keyval';

/** Longer than the longest period and the one before it, ms. */
const KEEP_MS = 70 * 24 * 3_600_000;

/**
 * Adds statements to those that are kept, replaces corrected ones, and returns all, the oldest first.
 *
 * @param {string} chain hash of the first block
 * @param {number} household
 * @param {any[]} statements
 * @param {number} eraMs length of an era
 * @returns {Promise<any[]>}
 */
export async function keep(chain, household, statements, eraMs) {
	const place = `statements ${chain} ${household}`;
	/** @type {Map<number, any>} */
	const known = (await get(place)) ?? new Map();
	for (const statement of statements) known.set(statement.era, statement);
	const newest = Math.max(...known.keys());
	const all = [...known].filter(([era]) => (newest - era) * eraMs < KEEP_MS).sort(([one], [other]) => one - other);
	if (statements.length > 0) await set(place, new Map(all));
	return all.map(([, statement]) => statement);
}
