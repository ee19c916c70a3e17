/**
 * Questions to the market, each answered by the state of one final block, and calls to it.
 */

import { explain } from './errors.js';

const API = 'EnergyMarketApi';

/**
 * @import { PolkadotClient } from 'polkadot-api'
 * @import { PolkadotSigner } from 'polkadot-api/signer'
 * @typedef {{ hash: string, number: number }} Block
 * @typedef {{ pallet: string, call: string, args: any, onBehalf?: string }} Call a call of a pallet; `onBehalf` is the
 *   account whose proxy signs it
 * @typedef {'signing' | 'sent' | 'included'} Step how far a transaction has come
 */

/** The market of a chain. */
export class Market {
	/**
	 * @param {PolkadotClient} client
	 * @param {{ symbol: string, decimals: number }} token
	 * @param {{ genesis: string, prefix: number, isPublic: boolean, canSeal: boolean }} chain its first block, the prefix of
	 *   its addresses, whether it is more than a test, and whether its node ends an era on request
	 */
	constructor(client, token, { genesis, prefix, isPublic, canSeal }) {
		this.client = client;
		this.token = token;
		this.genesis = genesis;
		this.prefix = prefix;
		this.isPublic = isPublic;
		this.canSeal = canSeal;
		/** @type {any} */
		this.api = client.getUnsafeApi();
	}

	/** @param {PolkadotClient} client */
	static async open(client) {
		const [{ properties, genesisHash }, type, { methods }] = await Promise.all([
			client.getChainSpecData(),
			client._request('system_chainType', []),
			client._request('rpc_methods', []),
		]);
		const [decimals, symbol] = [[properties.tokenDecimals].flat()[0], [properties.tokenSymbol].flat()[0]];
		const token = { decimals: Number(decimals), symbol: String(symbol) };
		return new Market(client, token, {
			genesis: genesisHash,
			prefix: Number(properties.ss58Format ?? 42),
			isPublic: !['Development', 'Local'].includes(type),
			canSeal: methods.includes('dev_sealAt'),
		});
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
	 * All statements of a community's newest settled eras, the newest era first, as they are after late readings.
	 *
	 * @param {number} community
	 * @param {number} current the running era
	 * @param {Block} block
	 * @param {number} most how many eras at most
	 * @returns {Promise<[number, any][][]>} for each era each household's number and statement
	 */
	async books(community, current, block, most = Number.POSITIVE_INFINITY) {
		const books = [];
		for (const era of (await this.retained(current)).toReversed()) {
			if (books.length === most) break;
			const statements = await this.ask('statements', block, community, era);
			if (statements.length > 0) books.push(statements);
		}
		const households = [...new Set(books.flat().map(([household]) => household))];
		// The books keep statements as they were settled.
		const keys = households.map((household) => [household]);
		const late = await this.api.query.EnergyMarket.LateStatements.getValues(keys, { at: block.hash });
		const corrected = new Map(households.map((household, index) => [household, late[index]]));
		return books.map((book) =>
			book.map(([household, statement]) => [
				household,
				corrected.get(household)?.find(({ era }) => era === statement.era) ?? statement,
			]),
		);
	}

	/**
	 * The households of a community, each with its number.
	 *
	 * @param {number} community
	 * @param {Block} block
	 * @returns {Promise<any[]>}
	 */
	async households(community, block) {
		const numbers = await this.ask('members', block, community);
		// In one question, since there may be a thousand.
		const keys = numbers.map((number) => [number]);
		const homes = await this.api.query.EnergyMarket.Households.getValues(keys, { at: block.hash });
		return homes.map((home, index) => ({ number: numbers[index], ...home }));
	}

	/**
	 * The eras whose statements and records the chain keeps, and the running era.
	 *
	 * @param {number} current
	 * @returns {Promise<number[]>}
	 */
	async retained(current) {
		const first = Math.max(0, current - (await this.api.constants.EnergyMarket.RetainedEras()));
		return Array.from({ length: current - first + 1 }, (_, index) => first + index);
	}

	/**
	 * Signs a call, sends it, and waits until a final block has it. An error says why the chain refused it.
	 *
	 * @param {Call} call
	 * @param {PolkadotSigner} signer
	 * @param {(step: Step) => void} progress
	 * @returns {Promise<Block>} the final block
	 */
	async send({ pallet, call, args, onBehalf }, signer, progress) {
		const own = this.api.tx[pallet][call](args);
		const transaction = onBehalf
			? this.api.tx.Proxy.proxy({
					real: { type: 'Id', value: onBehalf },
					force_proxy_type: undefined,
					call: own.decodedCall,
				})
			: own;
		progress('signing');
		const result = await new Promise((resolve, reject) => {
			const next = (event) => {
				if (event.type === 'broadcasted') progress('sent');
				if (event.type === 'txBestBlocksState' && event.found) progress('included');
				if (event.type === 'finalized') resolve(event);
			};
			transaction.signSubmitAndWatch(signer).subscribe({ next, error: reject });
		});
		const { block, events, dispatchError } = result;
		const executed = events.find(({ type, value }) => type === 'Proxy' && value.type === 'ProxyExecuted');
		const inner = executed?.value.value.result;
		const error = dispatchError ?? (inner && !inner.success ? inner.value : undefined);
		if (error) throw new Error(await explain(error, () => this.client.getMetadata(block.hash)));
		return block;
	}

	/**
	 * Ends the running era of a development chain, and seals one block more, in which the chain clears the new era.
	 *
	 * @param {bigint} endsMs when the era ends
	 */
	async endEra(endsMs) {
		for (const at of [Number(endsMs), Number(endsMs) + 2_000]) await this.client._request('dev_sealAt', [at]);
	}

	/**
	 * The home energy managers of an owner.
	 *
	 * @param {string} owner
	 * @returns {Promise<string[]>}
	 */
	async managers(owner) {
		const [proxies] = await this.api.query.Proxy.Proxies.getValue(owner);
		return proxies.filter(({ proxy_type }) => proxy_type.type === 'HomeManager').map(({ delegate }) => delegate);
	}

	/**
	 * The open offers of membership in a community.
	 *
	 * @param {number} community
	 * @param {Block} block
	 * @returns {Promise<any[]>} each with its household's number
	 */
	async offers(community, block) {
		const all = await this.api.query.EnergyMarket.Offers.getEntries({ at: block.hash });
		return all
			.map(({ keyArgs: [household], value }) => ({ household, ...value }))
			.filter((offer) => offer.community === community);
	}
}
