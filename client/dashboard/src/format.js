/** Energies, amounts and times in the reader's locale. */

const MINUS = '-';

/**
 * An amount of the smallest unit as a decimal number of tokens, exact, without zeros at the end.
 *
 * @param {bigint} amount
 * @param {number} decimals
 */
export function decimal(amount, decimals) {
	const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0');
	const whole = digits.slice(0, digits.length - decimals);
	const rest = digits.slice(digits.length - decimals).replace(/0+$/, '');
	return `${amount < 0n ? MINUS : ''}${whole}${rest && `.${rest}`}`;
}

/**
 * The amount of the smallest unit that a decimal number of tokens is. The inverse of `decimal`.
 *
 * @param {string} text such as 0.25
 * @param {number} decimals
 */
export function smallest(text, decimals) {
	const [, whole, rest = ''] = text.trim().match(/^(\d+)(?:\.(\d+))?$/) ?? [];
	if (whole === undefined || rest.length > decimals) throw new RangeError(text);
	return BigInt(whole + rest.padEnd(decimals, '0'));
}

/** Degrees in the chain's unit, hundredths. */
export const centi = (degrees) => Math.round(degrees * 100);

/** Writes for one locale. */
export class Format {
	/**
	 * @param {string} locale such as de-AT
	 * @param {{ symbol: string, decimals: number }} token
	 */
	constructor(locale, token) {
		this.locale = locale;
		this.token = token;
		this.exact = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 20 });
		this.kilo = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
		this.share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
		this.moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
		this.clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
		this.one = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 2 });
		this.integer = new Intl.NumberFormat(locale);
	}

	/**
	 * Every digit of an amount, at least two decimal places.
	 *
	 * @param {bigint} amount smallest unit
	 */
	money(amount) {
		// As text: a number would lose digits.
		const value = /** @type {any} */ (decimal(amount, this.token.decimals));
		return `${this.exact.format(value)} ${this.token.symbol}`;
	}

	/**
	 * The amount that a person typed, in the smallest unit.
	 *
	 * @param {string} text
	 */
	amount(text) {
		return smallest(text, this.token.decimals);
	}

	/** @param {bigint} amount of the smallest unit for each kWh */
	price(amount) {
		return `${this.money(amount)}/kWh`;
	}

	/** @param {bigint | number} wh */
	energy(wh) {
		const value = /** @type {any} */ (decimal(BigInt(wh), 3));
		return `${this.kilo.format(value)} kWh`;
	}

	/** @param {number} centi hundredths of a degree */
	temperature(centi) {
		return `${this.one.format(centi / 100)} °C`;
	}

	/**
	 * @param {bigint} part
	 * @param {bigint} whole
	 */
	percent(part, whole) {
		return whole === 0n ? '–' : this.share.format(Number(part) / Number(whole));
	}

	/** @param {number | bigint} ms since 1970 */
	time(ms) {
		return this.moment.format(Number(ms));
	}

	/** @param {number | bigint} ms since 1970 */
	hour(ms) {
		return this.clock.format(Number(ms));
	}

	/** @param {number | bigint} value */
	count(value) {
		return this.integer.format(value);
	}
}
