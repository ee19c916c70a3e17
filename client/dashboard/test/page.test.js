/**
 * The page in a browser: every view shows what the chain and `commonwatt bills` say, to the last digit, and is accessible.
 * COMMONWATT_PICTURES, if set, is a folder for pictures of the views, as in docs/pictures.
 */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chain } from '../../polkadot-js/src/chain.js';
import { decimal } from '../src/format.js';
import { commonwatt, servePage, startBrowser, startDay } from './harness.js';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const pictures = process.env.COMMONWATT_PICTURES;
const VIEWS = ['now', 'day', 'money', 'why', 'plan', 'community', 'meter', 'operator', 'proof'];
/** Bob of the paper, who sells in the morning. */
const HOUSEHOLD = 1;

describe('the page on a development chain', () => {
	let served;
	let browser;
	let node;
	/** @type {Chain} */
	let chain;
	let folder;

	before(async () => {
		[served, browser, node] = await Promise.all([servePage(), startBrowser(), startDay()]);
		chain = await Chain.connect(node.url);
		// A contract for the era that runs while the page is open.
		const { strategiesFor } = await chain.market('currentEra');
		const strategies = ['SellToCommunity', 'SellToMain'].map((kind) => ({
			kind,
			consumptionWh: 500,
			temperatureCentiC: 2_100,
		}));
		const { submitStrategies } = chain.api.tx.energyMarket;
		const { error } = await chain.send(
			submitStrategies(HOUSEHOLD, strategiesFor, 1_500, strategies),
			chain.account('//Bob'),
		);
		assert.equal(error, null);
		await chain.nextEra();
		folder = await mkdtemp(join(tmpdir(), 'commonwatt-page-'));
	});

	after(async () => {
		await chain?.disconnect();
		await browser?.close();
		await node?.stop();
		await served?.stop();
		if (folder) await rm(folder, { recursive: true });
	});

	/** Opens the page on the chain, as this household, in a window of this width. */
	async function open(width = 1_280, locale = 'en-GB') {
		const context = await browser.newContext({ viewport: { width, height: 900 }, locale });
		await context.addInitScript((household) => localStorage.setItem('household', household), `${HOUSEHOLD}`);
		const page = await context.newPage();
		const complaints = [];
		page.on('pageerror', (error) => complaints.push(String(error)));
		page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
		await page.goto(`${served.url}?rpc=${node.url}`);
		await page.waitForSelector('nav');
		return { page, context, complaints };
	}

	/** Goes to a view and waits until it shows a value. */
	async function show(page, view) {
		await page.evaluate((name) => {
			location.hash = name;
		}, view);
		await page.waitForSelector(`nav a[href="#${view}"][aria-current="page"]`);
		if (view === 'proof') await page.click('main form button');
		await page.waitForSelector('main dl, main table, main form.act');
	}

	/** A value of the view, without its unit and the locale's grouping. */
	const value = async (page, name) =>
		(await page.textContent(`[data-value="${name}"]`)).replace(/[^0-9.-]*$/, '').replaceAll(',', '');
	/** An amount of the smallest unit as the page writes it. */
	const money = (amount) =>
		decimal(BigInt(amount), 12)
			.replace(/^(-?\d+)$/, '$1.00')
			.replace(/(\.\d)$/, '$10');
	const kwh = (wh) => (Number(wh) / 1_000).toFixed(3);

	it('says that the node is believed', async () => {
		const { page, context } = await open();
		await page.locator('.status.believed', { hasText: `Believed: ${node.url} says this` }).waitFor();
		await context.close();
	});

	it('shows the bill that the chain and commonwatt bills compute', async () => {
		const { page, context, complaints } = await open();
		await show(page, 'money');
		// A month of the calendar may just have begun.
		await page.selectOption('.period select', 'day');
		await page.waitForSelector('[data-value="savings"]');
		const { current } = await chain.market('currentEra');
		const bill = await chain.market('bill', HOUSEHOLD, Math.max(0, current - 48), current);
		const debt = await chain.market('debt', HOUSEHOLD);
		const household = await chain.market('household', HOUSEHOLD);
		for (const [name, expected] of [
			['savings', bill.savings],
			['cost', bill.cost],
			['revenue', bill.revenue],
			['alone', BigInt(bill.aloneCost) - BigInt(bill.aloneRevenue)],
			['reward', bill.reward],
			['arrears', debt.arrears],
			['credit', debt.credit],
			['maxDebit', household.maxDebitPerEra],
		]) {
			assert.equal(await value(page, name), money(expected), name);
		}
		const file = join(folder, 'bills.json');
		await commonwatt(
			'bills',
			'--url',
			node.url,
			'--json',
			file,
			'--from',
			`${bill.firstEra}`,
			'--to',
			`${bill.lastEra}`,
		);
		const told = JSON.stringify(JSON.parse(await readFile(file, 'utf8')));
		assert.ok(told.includes(`"savings":"${BigInt(bill.savings)}"`), 'commonwatt bills has the same savings');
		assert.deepEqual(complaints, []);
		await context.close();
	});

	it('adds up the energy of the statements', async () => {
		const { page, context, complaints } = await open();
		await show(page, 'day');
		await page.waitForSelector('figure svg');
		const { current } = await chain.market('currentEra');
		const sums = { own: 0, neighboursIn: 0, mainIn: 0, neighboursOut: 0, mainOut: 0 };
		let eras = 0;
		for (let era = current - 48; era <= current; era += 1) {
			const statement = await chain.market('statement', HOUSEHOLD, era);
			if (!statement) continue;
			const { reading, energy } = statement;
			eras += 1;
			sums.own += Math.min(reading.generationWh, reading.consumptionWh);
			sums.neighboursIn += energy.boughtFromCommunityWh + statement.matchedShortWh;
			sums.mainIn += energy.boughtFromMainWh + statement.imbalanceImportWh;
			sums.neighboursOut += energy.soldToCommunityWh + statement.matchedLongWh;
			sums.mainOut += energy.soldToMainWh + statement.imbalanceExportWh;
		}
		assert.ok(eras > 8 && sums.neighboursOut > 0, JSON.stringify(sums));
		for (const [name, wh] of Object.entries(sums)) assert.equal(await value(page, name), kwh(wh), name);
		assert.equal(await page.locator('tbody tr').count(), eras);
		assert.deepEqual(complaints, []);
		await context.close();
	});

	it('shows the contract of the running era, and why it is that one', async () => {
		const { page, context, complaints } = await open();
		const { current } = await chain.market('currentEra');
		const contract = await chain.market('contract', HOUSEHOLD, current);
		const explanation = await chain.market('explain', HOUSEHOLD, current);
		await show(page, 'now');
		await page.waitForSelector('[data-value="held"]');
		assert.equal(await value(page, 'held'), money(contract.held));
		// Nobody buys, so the surplus goes to the main grid.
		assert.equal(await value(page, 'sold_to_main_wh'), kwh(contract.energy.soldToMainWh));
		assert.equal(await page.locator('[data-value="sold_to_community_wh"]').count(), 0);
		await show(page, 'why');
		await page.waitForSelector('tr.chosen');
		assert.equal(await page.locator('tbody tr').count(), contract.strategies.length);
		const number = await page.textContent('tr.chosen td');
		assert.equal(number, `${explanation.chosen + 1}`);
		assert.deepEqual(complaints, []);
		await context.close();
	});

	it('checks the certificate of an era and its sums', async () => {
		const { page, context, complaints } = await open();
		await show(page, 'proof');
		const { current } = await chain.market('currentEra');
		let era = current;
		while (((await chain.market('record', 0, era))?.certificate.tradedWh ?? 0) === 0) era -= 1;
		const { certificate } = await chain.market('record', 0, era);
		await page.fill('main form input', `${era}`);
		await page.click('main form button');
		await page.getByRole('heading', { name: `Era ${era.toLocaleString('en-GB')}` }).waitFor();
		assert.ok((await page.textContent('tbody')).includes(`${kwh(certificate.tradedWh)} kWh`));
		assert.match(await page.textContent('thead'), /as the node computed it again/);
		assert.match(await page.textContent('[data-value="certificate"]'), /Both are equal/);
		assert.equal(await page.textContent('[data-value="energySum"]'), 'exactly zero');
		assert.equal(await page.textContent('[data-value="matchedSum"]'), 'exactly zero');
		assert.equal(await page.textContent('[data-value="moneySum"]'), 'exactly zero');
		await page.fill('main form input', '1');
		await page.click('main form button');
		await page.getByText('The chain has no record of era 1.').waitFor();
		assert.deepEqual(complaints, []);
		await context.close();
	});

	it('speaks German where the reader does, with German numbers, and remembers another choice', async () => {
		const { page, context } = await open(1_280, 'de-AT');
		await page.getByText('Geglaubt:').waitFor();
		await show(page, 'money');
		await page.waitForSelector('[data-value="cost"]');
		assert.match(await page.textContent('[data-value="cost"]'), /^\d+,\d\d+ CWT$/);
		await page.selectOption('header select', 'en');
		await page.getByText('Believed:').waitFor();
		await page.reload();
		await page.getByText('Believed:').waitFor();
		assert.equal(await page.getAttribute('html', 'lang'), 'en');
		await context.close();
	});

	for (const width of [390, 1_280]) {
		it(`is accessible and fits a window of ${width} pixels`, async () => {
			const { page, context } = await open(width);
			await page.addScriptTag({ path: axe });
			for (const view of VIEWS) {
				await show(page, view);
				// What waits for an answer shows three dots.
				await page.waitForFunction(() => !document.querySelector('main')?.textContent?.includes('…'));
				const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(wider <= 0, `${view} is ${wider} pixels too wide`);
				/** @type {any} */
				const found = await page.evaluate('axe.run()');
				const serious = found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
				const said = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
				assert.deepEqual(said, [], view);
				if (pictures) await page.screenshot({ path: join(pictures, `dashboard-${view}-${width}.png`), scale: 'css' });
			}
			await context.close();
		});
	}
});
