/**
 * Questions to the market, each answered by the state of one final block.
 */

const API = 'EnergyMarketApi';

/**
 * @import { PolkadotClient } from 'polkadot-api'
 * @typedef {{ hash: string, number: number }} Block
 */

/** The market of a chain. */
export class Market {
	/**
	 * @param {PolkadotClient} client
	 * @param {{ symbol: string, decimals: number }} token
	 */
	constructor(client, token) {
		this.client = client;
		this.token = token;
		/** @type {any} */
		this.api = client.getUnsafeApi();
	}

	/** @param {PolkadotClient} client */
	static async open(client) {
		const { properties } = await client.getChainSpecData();
		const [decimals, symbol] = [[properties.tokenDecimals].flat()[0], [properties.tokenSymbol].flat()[0]];
		return new Market(client, { decimals: Number(decimals), symbol: String(symbol) });
	}

	/**
	 * Calls back with each new final block.
	 *
	 * @param {(block: Block) => void} next
	 * @param {(fault: Error) => void} failed
	 * @returns {() => void} ends it
	 */
	follow(next, failed) {
		const blocks = this.client.finalizedBlock$.subscribe({ next, error: failed });
		return () => blocks.unsubscribe();
	}

	/**
	 * Calls a function of the market's runtime API at a block.
	 *
	 * @param {string} method
	 * @param {Block} block
	 * @returns {Promise<any>}
	 */
	async ask(method, block, ...args) {
		return await this.api.apis[API][method](...args, { at: block.hash });
	}

	/**
	 * A household's statements of the retained eras, the oldest first; none for an era that is not settled.
	 *
	 * @param {number} household
	 * @param {number} current the running era
	 * @param {Block} block
	 */
	async statements(household, current, block) {
		const eras = await this.retained(current);
		const all = await Promise.all(eras.map((era) => this.ask('statement', block, household, era)));
		return all.filter((statement) => statement !== undefined);
	}

	/**
	 * The eras of which the chain may have statements and records, up to the running one.
	 *
	 * @param {number} current
	 * @returns {Promise<number[]>}
	 */
	async retained(current) {
		const first = Math.max(0, current - (await this.api.constants.EnergyMarket.RetainedEras()));
		return Array.from({ length: current - first + 1 }, (_, index) => first + index);
	}
}
