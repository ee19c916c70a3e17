/**
 * Functions for what a person does with a chain in Polkadot.js Apps: connect, sign, query, move the clock.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

/** JSON-RPC's error code "invalid params", with which `dev_sealAt` refuses a time. */
export const INVALID_PARAMS = -32602;

/** The RPC method of a development chain that moves its clock. The chain's metadata describes everything else. */
const rpc = {
	dev: {
		sealAt: {
			description: 'Seals the next block at a timestamp, in milliseconds since 1970',
			params: [{ name: 'timestampMs', type: 'u64' }],
			type: 'Json',
		},
	},
};

const CLEARING_TIMEOUT_MS = 30_000;

/**
 * @import { KeyringPair } from '@polkadot/keyring/types'
 * @import { SubmittableExtrinsic } from '@polkadot/api/types'
 */

/**
 * An event, its fields by name.
 *
 * @typedef {object} ChainEvent
 * @property {string} name `pallet.Event` as the metadata spells it
 * @property {any} data the fields as plain values
 * @property {any} raw the fields as the library has them
 */

/** One connection and the accounts of a development chain. */
export class Chain {
	/** @param {ApiPromise} api */
	constructor(api) {
		this.api = api;
		const keyring = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 });
		/**
		 * The account of a secret path such as `//Alice//stash`.
		 *
		 * @param {string} path
		 */
		this.account = (path) => keyring.addFromUri(path, { name: path });
	}

	/** @param {string} url such as ws://127.0.0.1:9944 */
	static async connect(url) {
		// No reconnection: a lost node is an error. No warnings about RPC methods that the library does not know.
		const provider = new WsProvider(url, false);
		await provider.connect();
		const api = await ApiPromise.create({ provider, rpc, noInitWarn: true, throwOnConnect: true });
		return new Chain(api);
	}

	async disconnect() {
		await this.api.disconnect();
	}

	/**
	 * Calls a function of the market's runtime API.
	 *
	 * @param {string} method
	 * @returns {Promise<any>} plain values
	 */
	async market(method, ...args) {
		return (await this.api.call.energyMarketApi[method](...args)).toPrimitive();
	}

	/**
	 * Reads one of the market's storage items.
	 *
	 * @param {string} item
	 * @returns {Promise<any>} plain values
	 */
	async stored(item, ...keys) {
		return (await this.api.query.energyMarket[item](...keys)).toPrimitive();
	}

	/**
	 * Signs a call, sends it, and waits until it is in a final block.
	 *
	 * @param {SubmittableExtrinsic<'promise'>} call
	 * @param {KeyringPair} signer
	 * @returns {Promise<{events: ChainEvent[], error: string | null, fee: bigint}>} what it did, and the name of the error if
	 *   it was refused
	 */
	async send(call, signer) {
		const { status, events, dispatchError } = await new Promise((resolve, reject) => {
			let unsubscribe = () => {};
			const seen = (result) => {
				// A development chain's blocks are final at once, and the status may skip from Ready to Finalized.
				if (!result.status.isFinalized && !result.isError) return;
				unsubscribe();
				resolve(result);
			};
			call.signAndSend(signer, seen).then((off) => (unsubscribe = off), reject);
		});
		if (!status.isFinalized) throw new Error(`the pool dropped the transaction: ${status.type}`);
		const plain = events.map(({ event }) => this.plainEvent(event));
		// A meter's first reading of an era is free and has no such event.
		const paid = plain.find(({ name }) => name === 'transactionPayment.TransactionFeePaid');
		return {
			events: plain,
			error: dispatchError ? this.errorName(dispatchError) : null,
			fee: BigInt(paid?.data.actualFee ?? 0),
		};
	}

	/** The name of an error in the form `pallet.Error`. */
	errorName(error) {
		if (!error.isModule) return error.toString();
		const { section, name } = this.api.registry.findMetaError(error.asModule);
		return `${section}.${name}`;
	}

	/** @returns {ChainEvent} */
	plainEvent({ section, method, data }) {
		const named = (values) => Object.fromEntries(data.map((_, index) => [data.names?.[index] ?? index, values[index]]));
		return { name: `${section}.${method}`, data: named(data.toPrimitive()), raw: named(data) };
	}

	/**
	 * The events of a block.
	 *
	 * @returns {Promise<ChainEvent[]>}
	 */
	async eventsAt(hash) {
		/** @type {any} */
		const events = await (await this.api.at(hash)).query.system.events();
		return events.map(({ event }) => this.plainEvent(event));
	}

	/**
	 * All that an account has, on hold or not, at a block.
	 *
	 * @param {string} hash
	 * @param {string} address
	 * @returns {Promise<bigint>}
	 */
	async balanceAt(hash, address) {
		/** @type {any} */
		const { data } = await (await this.api.at(hash)).query.system.account(address);
		return data.free.toBigInt() + data.reserved.toBigInt();
	}

	/**
	 * What of an account is on hold for the market's contracts, or for another reason of the market.
	 *
	 * @param {string} address
	 * @param {string} reason
	 * @returns {Promise<bigint>}
	 */
	async held(address, reason = 'Contract') {
		/** @type {any} */
		const holds = await this.api.query.balances.holds(address);
		return holds
			.filter(({ id }) => id.isEnergyMarket && id.asEnergyMarket.type === reason)
			.reduce((sum, { amount }) => sum + amount.toBigInt(), 0n);
	}

	/**
	 * Where the pool's money of a community lies.
	 *
	 * @param {number} community
	 * @returns {Promise<string>}
	 */
	async poolAccount(community) {
		return (await this.api.call.energyMarketApi.poolAccount(community)).toString();
	}

	/**
	 * Ends the running era and waits until the new one is cleared.
	 *
	 * @returns {Promise<{era: number, events: ChainEvent[], before: string, after: string}>} the era that runs now, what
	 *   happened, and the blocks before and after it
	 */
	async nextEra() {
		const before = await this.api.rpc.chain.getHeader();
		const deadline = Date.now() + CLEARING_TIMEOUT_MS;
		// Two blocks of a chain are half a slot apart at least, `minimumPeriod`.
		/** @type {any} */
		const minimumPeriod = this.api.consts.timestamp.minimumPeriod;
		const slotMs = 2 * minimumPeriod.toNumber();
		/** @type {any} */
		const { dev } = this.api.rpc;
		const ending = await this.market('currentEra');
		for (let clock = ending; clock.current === ending.current; clock = await this.market('currentEra')) {
			try {
				await dev.sealAt(Math.max(clock.endsMs, clock.nowMs + slotMs));
			} catch (/** @type {any} */ error) {
				// The chain may have moved on by itself in the meantime.
				if (error.code !== INVALID_PARAMS || Date.now() > deadline) throw error;
			}
		}
		let view = await this.market('currentEra');
		while (view.round !== null) {
			if (Date.now() > deadline) throw new Error(`era ${view.current}: clearing did not finish in time`);
			await sleep(100);
			view = await this.market('currentEra');
		}
		const head = await this.api.rpc.chain.getHeader();
		const events = [];
		for (let number = before.number.toNumber() + 1; number <= head.number.toNumber(); number += 1) {
			events.push(...(await this.eventsAt(await this.api.rpc.chain.getBlockHash(number))));
		}
		return { era: view.current, events, before: before.hash.toHex(), after: head.hash.toHex() };
	}
}
