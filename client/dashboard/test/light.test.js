/**
 * The page as a light client of four validators: it proves what it shows, and says so when no node answers. A lying node
 * deceives the page only over RPC, which the page marks.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { Chain } from '../../polkadot-js/src/chain.js';
import { servePage, startBrowser, startNetwork } from './harness.js';
import { Person } from './person.js';

/** The households of the genesis agreed to this limit, and the liar says something else: as 16 bytes, little endian. */
const [LIMIT, LIE] = [100_000_000_000_000n, 900_000_000_000_000n];
const bytes = (amount) =>
	Array.from({ length: 16 }, (_, index) =>
		Number((amount >> BigInt(8 * index)) & 255n)
			.toString(16)
			.padStart(2, '0'),
	).join('');

/** A proxy in front of a node that falsifies the limit in every answer. */
function lie(url) {
	const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
	let told = 0;
	server.on('connection', (client) => {
		const upstream = new WebSocket(url);
		const waiting = [];
		client.on('message', (data) =>
			upstream.readyState === 1 ? upstream.send(data.toString()) : waiting.push(data.toString()),
		);
		upstream.on('open', () => {
			for (const text of waiting) upstream.send(text);
		});
		upstream.on('message', (data) => {
			const text = data.toString();
			if (text.includes(bytes(LIMIT))) told += 1;
			client.send(text.replaceAll(bytes(LIMIT), bytes(LIE)));
		});
		client.on('close', () => upstream.terminate());
		upstream.on('close', () => client.terminate());
		upstream.on('error', () => client.terminate());
	});
	return {
		url: () => `ws://127.0.0.1:${/** @type {any} */ (server.address()).port}`,
		told: () => told,
		stop: () => server.close(),
	};
}

describe('the page as a light client', () => {
	let served;
	let browser;
	let network;
	/** @type {Chain} */
	let chain;
	let page;
	/** @type {Person} */
	let person;

	before(async () => {
		[browser, network] = await Promise.all([startBrowser(), startNetwork()]);
		served = await servePage('--chain', network.specification);
		chain = await Chain.connect(network.urls[0]);
		const context = await browser.newContext({ locale: 'en-GB' });
		page = await context.newPage();
		person = new Person(page, chain);
	});

	after(async () => {
		await chain?.disconnect().catch(() => undefined);
		await browser?.close();
		await network?.stop();
		await served?.stop();
	});

	const verified = async () =>
		Number((await page.textContent('.status')).match(/block ([\d,]+)/)[1].replaceAll(',', ''));

	/** Waits until the page has verified this block. */
	const follow = (block) =>
		page.waitForFunction(
			(number) =>
				Number(
					document
						.querySelector('.status')
						?.textContent?.match(/block ([\d,]+)/)?.[1]
						.replaceAll(',', ''),
				) >= number,
			block,
			{ timeout: 60_000 },
		);

	it('proves its first value, and says how long it took', async () => {
		const begun = Date.now();
		await page.goto(`${served.url}#money`);
		await page.waitForSelector('[data-value="maxDebit"]');
		// A figure for docs/dashboard.md, not a test: it depends on what else the machine does.
		console.log(`first proven value after ${Date.now() - begun} ms`);
		assert.equal(await page.textContent('[data-value="maxDebit"]'), '100.00 CWT');
		assert.match(await page.textContent('.status'), /Verified here up to block/);
		assert.equal(await page.locator('.status.believed').count(), 0);
	});

	it('shows the era and the members that a node says', async () => {
		await page.goto(`${served.url}#community`);
		await page.waitForSelector('[data-value="households"]');
		const overview = await chain.market('overview', 0);
		assert.equal(await page.textContent('[data-value="households"]'), `${overview.households}`);
		await person.show('now');
		const { current } = await chain.market('currentEra');
		const shown = Number((await page.textContent('main h2')).replace(/\D/g, ''));
		// The page follows final blocks, the node's answer its newest one.
		assert.ok(current - shown <= 1 && shown <= current, `${shown}, ${current}`);
	});

	it('does not believe a node that lies, which the page over RPC does and says', async () => {
		const liar = lie(network.urls[1]);
		const other = await (await browser.newContext({ locale: 'en-GB' })).newPage();
		await other.goto(`${served.url}?rpc=${liar.url()}#money`);
		await other.waitForSelector('[data-value="maxDebit"]');
		assert.equal(await other.textContent('[data-value="maxDebit"]'), '900.00 CWT');
		assert.ok(liar.told() > 0);
		assert.match(await other.textContent('.status.believed'), /Believed/);
		await other.context().close();
		liar.stop();
		await person.show('money');
		await page.waitForSelector('[data-value="maxDebit"]');
		assert.equal(await page.textContent('[data-value="maxDebit"]'), '100.00 CWT');
	});

	it('computes a certificate again on the proven state', async () => {
		await person.show('proof');
		await page.waitForSelector('main form');
		// The chain clears its first era when the next one begins.
		let era;
		const deadline = Date.now() + 180_000;
		do {
			assert.ok(Date.now() < deadline, 'no era was cleared');
			await sleep(1_000);
			era = (await chain.market('currentEra')).current;
		} while (!(await chain.market('record', 0, era)));
		await follow((await chain.api.rpc.chain.getHeader()).number.toNumber());
		await page.fill('main form input', `${era}`);
		await page.click('main form button');
		await page.getByText('Certificate, computed again here').waitFor();
		assert.match(await page.textContent('[data-value="certificate"]'), /Both are equal/);
		const block = await page.locator('.hash').first().textContent();
		const [number, hash] = block.split(' ');
		assert.equal((await chain.api.rpc.chain.getBlockHash(Number(number.replaceAll(',', '')))).toHex(), hash);
	});

	it('follows new final blocks', async () => follow((await verified()) + 1));

	it('sends what a person signs to the network itself, and sees it become final', async () => {
		await person.as('//Alice', 'plan', 0);
		const saved = await person.sign('Save the preference');
		const [, block] = saved.match(/block ([\d,]+)/) ?? [];
		await person.strategies(3_300, [['SellToCommunity', 1_300, 21]]);
		// The page has seen a final block with it; this node may be a block behind.
		const number = Number(block?.replaceAll(',', ''));
		const at = await chain.api.at(await chain.api.rpc.chain.getBlockHash(number));
		const household = /** @type {any} */ ((await at.query.energyMarket.households(0)).toPrimitive());
		assert.equal(household.preference.flexibleDownPercent, 20);
	});

	it('goes on when one of its boot nodes is killed', async () => {
		await network.kill();
		await follow((await verified()) + 5);
		assert.match(await page.textContent('.status'), /Verified here up to block/);
	});

	it('says so when no node answers any more, and shows what it last proved', async () => {
		await person.show('money');
		await page.waitForSelector('[data-value="maxDebit"]');
		await chain.disconnect();
		await network.stop();
		network = undefined;
		await page.getByText('No new final block since').waitFor({ timeout: 120_000 });
		assert.equal(await page.textContent('[data-value="maxDebit"]'), '100.00 CWT');
	});
});
