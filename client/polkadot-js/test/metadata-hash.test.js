/**
 * A hardware wallet shows a transaction by metadata that it is given, and signs the hash of that metadata with the
 * transaction (RFC 78 of the Polkadot Fellows). The runtime has the hash of its own metadata. So the chain takes only what
 * was shown as it is. The hash is computed here by the library that wallets use.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { merkleizeMetadata } from '@polkadot-api/merkleize-metadata';
import { Chain } from '../src/chain.js';
import { startNode } from '../src/node.js';

describe('a transaction with the hash of the metadata', () => {
	let node;
	/** @type {Chain} */
	let chain;
	/** The metadata as a wallet's companion gets it, and the properties that the hash includes. */
	let metadata;
	let properties;

	before(async () => {
		node = await startNode();
		chain = await Chain.connect(node.url);
		const { api } = chain;
		const answer = /** @type {any} */ (await api.call.metadata.metadataAtVersion(15));
		metadata = answer.unwrap().toU8a(true);
		const { tokenDecimals, tokenSymbol } = /** @type {any} */ (await api.rpc.system.properties()).toPrimitive();
		properties = {
			base58Prefix: api.registry.chainSS58,
			decimals: [tokenDecimals].flat()[0],
			tokenSymbol: [tokenSymbol].flat()[0],
			specName: api.runtimeVersion.specName.toString(),
			specVersion: api.runtimeVersion.specVersion.toNumber(),
		};
	});

	after(async () => {
		await chain?.disconnect();
		await node?.stop();
	});

	/** Alice limits what may leave her account for an era, signed with this hash. */
	const signed = async (hash) => {
		const call = chain.api.tx.energyMarket.setMaxDebit(0, 7_000_000_000_000n);
		const options = { mode: 1, metadataHash: `0x${Buffer.from(hash).toString('hex')}`, withSignedTransaction: true };
		return await call.signAsync(chain.account('//Alice'), options);
	};

	it('is taken if the wallet had the metadata and the token of this chain', async () => {
		const merkleized = merkleizeMetadata(metadata, properties);
		const transaction = await signed(merkleized.digest());
		// What a wallet needs to show it: the types that it uses, with a proof of some kilobytes.
		const proof = merkleized.getProofForExtrinsic(transaction.toU8a());
		assert.ok(proof.length < 16_384, `${proof.length} bytes`);
		await transaction.send();
		const { api } = chain;
		const limit = async () => {
			const household = /** @type {any} */ (await api.call.energyMarketApi.household(0)).toPrimitive();
			return BigInt(household.maxDebitPerEra);
		};
		await chain.nextEra();
		assert.equal(await limit(), 7_000_000_000_000n);
	});

	/** @type {[string, () => [Uint8Array, object]][]} */
	const lies = [
		['amounts have other decimals', () => [metadata, { ...properties, decimals: 15 }]],
		['the token has another name', () => [metadata, { ...properties, tokenSymbol: 'WATT' }]],
		[
			'the call has another name',
			() => {
				const text = Buffer.from(metadata).toString('latin1').replace('set_max_debit', 'set_max_gifts');
				return [new Uint8Array(Buffer.from(text, 'latin1')), properties];
			},
		],
	];
	for (const [what, lie] of lies) {
		it(`is refused if the wallet was told that ${what}`, async () => {
			const [told, token] = lie();
			const transaction = await signed(merkleizeMetadata(told, /** @type {any} */ (token)).digest());
			await assert.rejects(transaction.send(), /bad signature/);
		});
	}
});
