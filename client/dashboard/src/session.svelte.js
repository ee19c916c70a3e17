/** What the page knows: the chain, its newest final block, the era, and whose page this is. */

import { keep } from './chain/kept.js';
import { split } from './chain/periods.js';
import { Format } from './format.js';
import { preferred, words } from './strings.js';

/**
 * @import { Connection } from './chain/connection.js'
 * @import { Signer } from './chain/sign.js'
 */

/** After this time without a new final block the page says that it shows what it knew before, ms. */
const STALE_MS = 60_000;

class Session {
	/** @type {Connection | undefined} */
	connection = $state.raw();
	/** @type {{ hash: string, number: number } | undefined} */
	block = $state.raw();
	/** When the newest final block came, ms since 1970. */
	blockCame = $state(0);
	/** The answer to `current_era` at that block. */
	era = $state.raw();
	/** Why the chain cannot be reached, or ''. */
	fault = $state('');
	now = $state(Date.now());
	language = $state(localStorage.getItem('language') ?? preferred());
	household = $state(Number(localStorage.getItem('household') ?? 0));
	/** The chosen household as of that block; undefined if the chain has none of this number. */
	home = $state.raw();
	/** The community of that household, as the chain's overview of it. */
	overview = $state.raw();
	/** Who signs.
	 * @type {Signer | undefined}
	 */
	signer = $state.raw();

	say = $derived(words(this.language));
	format = $derived(new Format(this.locale, this.connection?.market.token ?? { symbol: '', decimals: 12 }));

	/** The reader's locale in the page's language: a German page in Austria has Austrian numbers. */
	get locale() {
		return navigator.languages.find((tag) => tag.split('-')[0] === this.language) ?? this.language;
	}

	get isStale() {
		return this.block !== undefined && this.now - this.blockCame > STALE_MS;
	}

	/** The length of an era, ms. */
	get eraMs() {
		return Number(this.era.ends_ms - this.era.started_ms);
	}

	/** The beginning of an era, ms since 1970. */
	begins(era) {
		return era * this.eraMs;
	}

	/** The newest settled era of the community, which changes once an era. */
	get settled() {
		return this.overview?.settled?.era;
	}

	/** The statements of a household that this browser knows, the oldest first, with those that the chain has now. */
	async statements(market, block, household) {
		const retained = await market.statements(household, this.era.current, block);
		return await keep(market.genesis, household, retained, this.eraMs);
	}

	/** The statements of a period and of the one before it, by the chain's clock. */
	split(statements, period) {
		return split(statements, period, Number(this.era.now_ms), (era) => this.begins(era));
	}

	/** @param {Connection} connection */
	attach(connection) {
		this.connection = connection;
		this.fault = '';
		this.stop = connection.market.follow(
			(block) => this.look(block),
			(fault) => {
				this.fault = fault.message;
			},
		);
	}

	leave() {
		this.stop?.();
		this.connection?.close();
		this.connection = undefined;
		this.block = undefined;
		this.era = undefined;
		this.home = undefined;
		this.overview = undefined;
		this.signer = undefined;
	}

	/** Reads what every view needs, at a block. */
	async look(block = this.block) {
		const { connection, household } = this;
		if (!connection || !block) return;
		const { market } = connection;
		try {
			const [era, home] = await Promise.all([
				market.ask('current_era', block),
				market.ask('household', block, household),
			]);
			const overview = await market.ask('overview', block, home?.community ?? 0);
			if (this.connection !== connection || this.household !== household) return;
			// A slower answer about an older block must not replace a newer one.
			if (this.block && this.block.number > block.number) return;
			Object.assign(this, { block, era, home, overview, blockCame: Date.now(), fault: '' });
		} catch (/** @type {any} */ fault) {
			this.fault = fault.message;
		}
	}

	choose(household) {
		localStorage.setItem('household', String(household));
		this.household = household;
		this.home = undefined;
		this.look();
	}

	speak(language) {
		localStorage.setItem('language', language);
		this.language = language;
		document.documentElement.lang = language;
	}
}

export const session = new Session();
