/** Periods of time, each with the one before it. */

const DAY_MS = 24 * 3_600_000;
export const periods = ['day', 'week', 'month'];

/**
 * The beginnings of a period that ends now, and of the one before it, ms since 1970. A day and a week are the last 24
 * hours and seven days; a month is the calendar's, and is compared with the whole month before.
 *
 * @param {string} period
 * @param {number} now
 */
export function begin(period, now) {
	if (period === 'month') {
		const today = new Date(now);
		const first = new Date(today.getFullYear(), today.getMonth(), 1);
		const before = new Date(today.getFullYear(), today.getMonth() - 1, 1);
		return { from: first.getTime(), before: before.getTime() };
	}
	const length = period === 'week' ? 7 * DAY_MS : DAY_MS;
	return { from: now - length, before: now - 2 * length };
}

/**
 * The statements of a period and of the one before it.
 *
 * @param {any[]} statements
 * @param {string} period
 * @param {number} now
 * @param {(era: number) => number} begins the beginning of an era
 */
export function split(statements, period, now, begins) {
	const { from, before } = begin(period, now);
	const between = (start, end) =>
		statements.filter(({ era }) => begins(era) >= start && (end === undefined || begins(era) < end));
	return { current: between(from, undefined), previous: between(before, from) };
}
