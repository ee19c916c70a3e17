/**
 * Runs the walkthrough of docs/walkthrough.md on a real node, through the library that Polkadot.js Apps is built on.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Chain } from '../src/chain.js';
import { startNode } from '../src/node.js';
import { steps } from '../src/walkthrough.js';

/** @import { Context } from '../src/walkthrough.js' */

describe('the walkthrough on a development chain', () => {
	let node;
	let failed = false;
	const context = /** @type {Context} */ ({});

	before(async () => {
		node = await startNode();
		context.chain = await Chain.connect(node.url);
	});

	after(async () => {
		await context.chain?.disconnect();
		await node?.stop();
	});

	for (const { title, run } of steps) {
		it(title, { timeout: 120_000 }, async (test) => {
			// Each step needs those before it.
			if (failed) return test.skip('an earlier step failed');
			failed = true;
			await run(context);
			failed = false;
		});
	}

	it('every call, query, event and error named in docs/walkthrough.md exists on the chain', async () => {
		const guide = await readFile(new URL('../../../docs/walkthrough.md', import.meta.url), 'utf8');
		const { tx, query, events, errors, call } = context.chain.api;
		const named = [...guide.matchAll(/`(energyMarket|proxy|utility|sudo|balances|system)\.([A-Za-z]+)/g)];
		assert.ok(named.length > 20, `${named.length} names found`);
		for (const [, section, name] of named) {
			const known = [tx, query, events, errors].some((kind) => kind[section]?.[name] !== undefined);
			assert.ok(known, `docs/walkthrough.md names ${section}.${name}, which does not exist`);
		}
		const calls = [...guide.matchAll(/^- `(\w+)\((?:|\d|\d, E\+\d)\)`/gm)].map(([, name]) => name);
		const expected = ['contract', 'explain', 'overview', 'queue', 'record', 'verify'];
		assert.deepEqual([...new Set(calls)].sort(), expected);
		for (const name of calls) assert.ok(call.energyMarketApi[name], name);
	});
});
