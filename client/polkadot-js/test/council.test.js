/**
 * The council as Polkadot.js Apps sees it. Its page Governance > Council reads members and motions through the derived
 * queries of `@polkadot/api` under the name `council`, and moves, votes and closes by the calls of that name.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chain } from '../src/chain.js';
import { startNode } from '../src/node.js';

describe('the council in Polkadot.js Apps', () => {
	let node;
	/** @type {Chain} */
	let chain;
	/** @type {import('@polkadot/keyring/types').KeyringPair[]} */
	let members;

	before(async () => {
		node = await startNode();
		chain = await Chain.connect(node.url);
		members = ['//Alice', '//Bob', '//Eve'].map(chain.account);
	});

	after(async () => {
		await chain?.disconnect();
		await node?.stop();
	});

	it('has its members and says that there are motions', async () => {
		const { derive } = chain.api;
		const addresses = members.map(({ address }) => address).sort();
		const named = (await derive.council.members()).map(String).sort();
		assert.deepEqual(named, addresses);
		assert.equal(await derive.council.hasProposals(), true);
		// The page shows seats through this query, also on chains without elections.
		const info = await derive.elections.info();
		assert.deepEqual(info.members.map(([who]) => String(who)).sort(), addresses);
	});

	it('shows a motion with its call, its votes and its end, and carries it out', async () => {
		const { api } = chain;
		const { terms, bounds } = await chain.stored('communities', 0);
		const [alice, bob, eve] = members;
		const call = api.tx.energyMarket.createCommunity('Oak', eve.address, bob.address, terms, bounds);
		const moved = await chain.send(api.tx.council.propose(2, call, call.method.encodedLength), alice);
		assert.equal(moved.error, null);

		const [{ hash, proposal, votes: atFirst }, ...others] = await api.derive.council.proposals();
		assert.equal(others.length, 0);
		assert.ok(proposal && atFirst);
		assert.equal(`${proposal.section}.${proposal.method}`, 'energyMarket.createCommunity');
		assert.equal(atFirst.threshold.toNumber(), 2);
		assert.ok(atFirst.end.toNumber() > 43_000);
		const { index } = atFirst;

		for (const member of [alice, bob]) {
			assert.equal((await chain.send(api.tx.council.vote(hash, index, true), member)).error, null);
		}
		const [{ votes }] = await api.derive.council.proposals();
		assert.deepEqual(votes?.ayes.map(String).sort(), [alice.address, bob.address].sort());
		// As the page does, with the weight that the chain says.
		const { weight } = await call.paymentInfo(alice);
		const closed = await chain.send(
			api.tx.council.close(hash, index, weight, call.method.encodedLength),
			chain.account('//Dave'),
		);
		assert.equal(closed.error, null);
		assert.equal((await api.derive.council.proposals()).length, 0);
		const count = await chain.stored('communityCount');
		assert.equal((await chain.stored('communities', count - 1)).name, 'Oak');
	});
});
