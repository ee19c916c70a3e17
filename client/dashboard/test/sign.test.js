/**
 * The walkthrough's steps (docs/walkthrough.md), done in the page on a development chain: what people sign there is on the
 * chain, and does what the walkthrough says.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chain } from '../../polkadot-js/src/chain.js';
import { nodeBinary, startNode } from '../../polkadot-js/src/node.js';
import { servePage, startBrowser } from './harness.js';
import { Person } from './person.js';

describe('the walkthrough in the page', () => {
	let served;
	let browser;
	let node;
	/** @type {Chain} */
	let chain;
	let page;
	/** @type {Person} */
	let person;
	/** The era for which Alice and Bob trade. */
	let era;

	before(async () => {
		// The chain's time passes only by what the test does, however slow the machine is.
		const still = ['--dev', '--block-interval-ms', '0'];
		[served, browser, node] = await Promise.all([servePage(), startBrowser(), startNode(nodeBinary(), still)]);
		chain = await Chain.connect(node.url);
		const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, locale: 'en-GB' });
		page = await context.newPage();
		await page.goto(`${served.url}?rpc=${node.url}`);
		await page.waitForSelector('nav');
		person = new Person(page, chain);
	});

	after(async () => {
		await chain?.disconnect();
		await browser?.close();
		await node?.stop();
		await served?.stop();
	});

	it('steps 3 and 5: two neighbours send strategies, and have a contract', async () => {
		await person.endEra();
		era = (await chain.market('currentEra')).strategiesFor;
		await person.as('//Alice', 'plan', 0);
		await person.strategies(3_300, [
			['SellToCommunity', 1_300, 21],
			['SellToMain', 1_300, 21],
		]);
		await person.as('//Bob', 'plan', 1);
		await person.strategies(500, [
			['BuyFromCommunity', 2_000, 21],
			['BuyFromMain', 2_000, 21],
			['BuyFromMain', 1_500, 16],
			['BuyFromCommunity', 1_500, 14],
		]);
		await person.endEra();
		const record = await chain.market('record', 0, era);
		assert.equal(record.certificate.tradedWh, 1_500);
		await page.locator('[data-value="held"]', { hasText: '0.30 CWT' }).waitFor();
	});

	it('step 4: a mistake is named in the words of the runtime', async () => {
		const said = await person.report('//Ferdie', 0, [100, 100, 21], true);
		assert.match(said, /EnergyMarket\.UnknownMeter: The signing account is not a meter/);
		await person.as('//Bob', 'plan', 0);
		await page.getByText(`This household belongs to ${chain.account('//Alice').address}`).waitFor();
		assert.match(await person.sign('Save the preference', true), /EnergyMarket\.NotOwner/);
	});

	it('step 6: a home energy manager acts for its owner, and for nobody else', async () => {
		await person.as('//Charlie', 'plan', 2);
		await page.locator('[data-value="noManager"]').waitFor();
		await person.form('Appoint it').locator('input').fill(chain.account('//Dave').address);
		await person.sign('Appoint it');
		await page.locator('[data-value="manager"]', { hasText: chain.account('//Dave').address }).waitFor();
		await person.as('//Dave', 'plan', 2);
		await page.getByText('You sign as the home energy manager of').waitFor();
		await person.strategies(1_500, [['SellToCommunity', 500, 21]]);
		const { strategiesFor } = await chain.market('currentEra');
		assert.ok(await chain.stored('submissions', 2, strategiesFor % 2), 'the chain has what Dave sent for Charlie');
		await person.as('//Dave', 'plan', 1);
		assert.match(await person.sign('Save the preference', true), /NotOwner/);
	});

	it('step 6: a household joins with three signatures', async () => {
		await person.as('//Eve', 'operator', 0);
		const offer = person.form('Offer a membership');
		await offer.locator('[name="owner"]').fill(chain.account('//Dave').address);
		await offer.locator('[name="meter"]').fill(chain.account('//page//meter').address);
		await offer.locator('[name="limit"]').fill('5000');
		await person.sign('Offer a membership');
		await page.locator('[data-value="offers"]', { hasText: 'Household 4' }).waitFor();
		await person.as('//Dave', 'plan', 3);
		await person.form('Accept').getByRole('button').click();
		await page.getByText('accepted, meter not confirmed yet').waitFor({ timeout: 60_000 });
		await person.as('//page//meter', 'meter', 3);
		// The form goes away with the offer.
		await person.form('Confirm household 4 as its meter').getByRole('button').click();
		await person.form('Confirm household 4 as its meter').waitFor({ state: 'detached', timeout: 60_000 });
		assert.deepEqual(await chain.market('householdsOf', chain.account('//Dave').address), [3, 4]);
	});

	it('step 7: meters report for nothing', async () => {
		await person.endEra();
		/** @returns {Promise<any>} */
		const account = async () =>
			(await chain.api.query.system.account(chain.account('//Bob//stash').address)).toPrimitive();
		const before = await account();
		await person.report('//Alice//stash', 0, [3_100, 1_300, 21]);
		await person.report('//Bob//stash', 1, [500, 2_100, 20.9]);
		const after = await account();
		assert.deepEqual(after.data, before.data);
		assert.equal(after.nonce, before.nonce + 1);
	});

	it('step 8: a standing preference, and the household’s other settings', async () => {
		await person.as('//Alice', 'plan', 0);
		await person.sign('Save the preference');
		await page.locator('[data-value="preference"]', { hasText: 'up to 20 % less' }).waitFor();
		assert.deepEqual((await chain.market('household', 0)).preference, {
			flexibleDownPercent: 20,
			flexibleUpPercent: 0,
			responseCentiCPerKwh: 0,
			tradeWithCommunity: true,
		});
		await person.sign('Save the range');
		await page.locator('[data-value="comfort"]', { hasText: 'from 18.0 °C to 24.0 °C' }).waitFor();
		await person.form('Save the limit').locator('input').fill('2.5');
		await person.sign('Save the limit');
		await page.locator('[data-value="limit"]', { hasText: 'Now: 2.50 CWT' }).waitFor();
		assert.equal(BigInt((await chain.market('household', 0)).maxDebitPerEra), 2_500_000_000_000n);
	});

	it('step 9: the era is settled as the walkthrough says', async () => {
		await person.endEra();
		await person.show('money');
		await page.selectOption('.period select', 'day');
		await page.fill('.who input', '0');
		await page.press('.who input', 'Enter');
		await page.locator('[data-value="savings"]', { hasText: '0.109 CWT' }).waitFor({ timeout: 60_000 });
		const statement = await chain.market('statement', 0, era);
		assert.equal(BigInt(statement.amounts.receivedFromPool), 285_000_000_000n);
	});

	it('the operator suspends, admits again and pauses', async () => {
		await person.as('//Eve', 'operator', 0);
		const row = page.locator('[data-value="members"] tbody tr').nth(2);
		await row.getByRole('button', { name: 'Suspend' }).click();
		await row.getByText(/suspended from era/).waitFor({ timeout: 60_000 });
		await row.getByRole('button', { name: 'Admit again' }).click();
		await row.getByRole('button', { name: 'Suspend' }).waitFor({ timeout: 60_000 });
		await person.form('Pause the community').getByRole('button').click();
		await page.getByText(/^Paused from era/).waitFor({ timeout: 60_000 });
		assert.ok((await chain.market('community', 0)).paused.next?.value);
	});

	it('the operator sees silent meters, and prints invoices with the chain’s own bills', async () => {
		await page.locator('[data-value="alarms"]', { hasText: 'Household 2: no reading' }).waitFor();
		const { current } = await chain.market('currentEra');
		const bill = await chain.market('bill', 1, 0, current);
		await page.getByRole('button', { name: 'Make the invoices' }).click();
		await page.getByText(/5 invoices, /).waitFor();
		await page.emulateMedia({ media: 'print' });
		const shown = await page.textContent('[data-value="balance 1"]');
		assert.ok(await page.locator('.invoice').first().isVisible());
		assert.ok(!(await page.locator('nav').isVisible()));
		const balance = BigInt(bill.cost) - BigInt(bill.revenue);
		assert.equal(Number.parseFloat(shown), Number(balance) / 1e12);
		await page.emulateMedia({ media: 'screen' });
	});
});
