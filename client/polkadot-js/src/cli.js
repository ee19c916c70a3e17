/**
 * Runs the walkthrough on a running development chain: `npm start -- ws://127.0.0.1:9944`.
 *
 * It checks the same numbers as the test, so nobody else may trade on that chain meanwhile.
 */

import { Chain } from './chain.js';
import { steps } from './walkthrough.js';

/** @import { Context } from './walkthrough.js' */

const url = process.argv[2] ?? 'ws://127.0.0.1:9944';
let chain;
try {
	chain = await Chain.connect(url);
} catch (/** @type {any} */ error) {
	console.error(`No node answers at ${url} (${error?.message ?? error}). Start one with: commonwatt-node --dev`);
	process.exit(1);
}
const context = /** @type {Context} */ ({ chain, say: (line) => console.log(`   ${line}`) });
try {
	for (const [index, { title, run }] of steps.entries()) {
		console.log(`${index + 1}. ${title}`);
		await run(context);
	}
} catch (error) {
	console.error(error);
	process.exitCode = 1;
} finally {
	await chain.disconnect();
}
