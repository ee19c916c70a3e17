/**
 * The walkthrough of docs/walkthrough.md against a real node, through the library that Polkadot.js Apps is made of.
 */

import { after, before, describe, it } from 'node:test';
import { Chain } from '../src/chain.js';
import { startNode } from '../src/node.js';
import { steps } from '../src/walkthrough.js';

describe('a person at a development chain', () => {
	let node;
	let failed = false;
	const context = {};

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
			// Each step builds on those before it.
			if (failed) return test.skip('an earlier step failed');
			failed = true;
			await run(context);
			failed = false;
		});
	}
});
