/**
 * How long each view of the page takes, and how much memory the tab, in a community of 1,000 households with 48 settled
 * eras, beside the same page in a community of 4. Prints a table for docs/dashboard.md. Run by `scripts/bench.sh page`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sr25519CreateDerive } from '@polkadot-labs/hdkd';
import { DEV_MINI_SECRET, ss58Address } from '@polkadot-labs/hdkd-helpers';
import { Chain } from '../../polkadot-js/src/chain.js';
import { nodeBinary, startNode } from '../../polkadot-js/src/node.js';
import { servePage, startBrowser } from '../test/harness.js';

const ERAS = 48;
const VIEWS = ['now', 'day', 'money', 'why', 'plan', 'community', 'meter', 'operator', 'proof'];

/** Writes the specification of a development chain with one community of this many households. */
async function specification(folder, households) {
	const options = { maxBuffer: 2 ** 26 };
	const { stdout } = await promisify(execFile)(nodeBinary(), ['export-chain-spec', '--chain', 'dev'], options);
	const spec = JSON.parse(stdout);
	const [community] = spec.genesis.runtimeGenesis.patch.energyMarket.communities;
	const derive = sr25519CreateDerive(DEV_MINI_SECRET);
	const [first] = community.households;
	community.households = Array.from({ length: households }, (_, number) => ({
		...first,
		meter: ss58Address(derive(`//bench//${number}`).publicKey, 42),
		preference: {
			flexible_down_percent: 20,
			flexible_up_percent: 0,
			response_centi_c_per_kwh: 0,
			trade_with_community: true,
		},
	}));
	const file = join(folder, `${households}.json`);
	await writeFile(file, JSON.stringify(spec));
	return file;
}

/** Waits until all games of the running era are solved, and the era before the last is settled. */
async function cleared(chain) {
	while ((await chain.market('queue')).steps > 0) await chain.api.rpc.chain.getHeader();
}

/** Starts a chain, and plays eras in which a data concentrator reports everybody. */
async function play(folder, households) {
	const file = await specification(folder, households);
	const node = await startNode(nodeBinary(), ['--chain', file]);
	const chain = await Chain.connect(node.url);
	const { setConcentrator, submitReadings } = chain.api.tx.energyMarket;
	await chain.send(setConcentrator(0, chain.account('//Ferdie').address), chain.account('//Eve'));
	for (let era = 0; era < 4; era += 1) await chain.nextEra();
	for (let played = 0; played <= ERAS; played += 1) {
		await cleared(chain);
		const { readingsOf } = await chain.market('currentEra');
		const items = Array.from({ length: households }, (_, household) => ({
			household,
			era: readingsOf,
			reading: {
				generationWh: (household % 2) * 700,
				consumptionWh: 300 + (household % 500),
				indoorCentiC: 2_000,
				quality: 'Measured',
			},
		}));
		const { error } = await chain.send(submitReadings(items), chain.account('//Ferdie'));
		if (error) throw new Error(error);
		await chain.nextEra();
	}
	await cleared(chain);
	return { node, chain };
}

/** Opens each view, and measures the time until it shows its last value, its longest task, and the tab's memory. */
async function measure(browser, url, node) {
	const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, locale: 'en-GB' });
	const page = await context.newPage();
	await page.addInitScript(() => {
		const tasks = [];
		Object.assign(globalThis, { tasks });
		new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
			type: 'longtask',
		});
	});
	await page.goto(`${url}?rpc=${node.url}`);
	await page.waitForSelector('main dl');
	const session = await context.newCDPSession(page);
	const rows = new Map();
	for (const view of VIEWS) {
		await page.evaluate(() => /** @type {any} */ (globalThis).tasks.splice(0));
		const begun = performance.now();
		await page.evaluate((name) => {
			location.hash = name;
		}, view);
		await page.waitForSelector(`nav a[href="#${view}"][aria-current="page"]`);
		if (view === 'proof') {
			await page.click('main form button');
			await page.waitForSelector('[data-value="certificate"]');
		}
		// Every question that waits for its answer shows three dots.
		await page.waitForFunction(() => !document.querySelector('main')?.textContent?.includes('…'));
		const ms = performance.now() - begun;
		const longest = await page.evaluate(() => Math.max(0, .../** @type {any} */ (globalThis).tasks));
		await session.send('HeapProfiler.collectGarbage');
		const { usedSize } = await session.send('Runtime.getHeapUsage');
		rows.set(view, { ms, longest, mb: usedSize / 2 ** 20 });
	}
	await context.close();
	return rows;
}

const folder = await mkdtemp(join(tmpdir(), 'commonwatt-bench-'));
const [served, browser] = await Promise.all([servePage(), startBrowser()]);
const results = [];
for (const households of [4, 1_000]) {
	console.error(`playing ${ERAS} eras of ${households} households`);
	const { node, chain } = await play(folder, households);
	results.push(await measure(browser, served.url, node));
	await chain.disconnect();
	await node.stop();
}
const [small, large] = results;
console.log('| view | 4 households, ms | 1,000 households, ms | ratio | longest task, ms | memory of the tab, MB |');
console.log('|---|---|---|---|---|---|');
for (const view of VIEWS) {
	const [few, many] = [small.get(view), large.get(view)];
	const cells = [few.ms.toFixed(0), many.ms.toFixed(0), (many.ms / few.ms).toFixed(1), many.longest.toFixed(0)];
	console.log(`| ${[view, ...cells, many.mb.toFixed(1)].join(' | ')} |`);
}
await browser.close();
await served.stop();
await rm(folder, { recursive: true });
