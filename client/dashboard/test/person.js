/** What a person does in the page: goes to a view, takes a key, fills in a form, signs, and waits for the final block. */

import assert from 'node:assert/strict';

/** @import { Page } from 'playwright-core' */
/** @import { Chain } from '../../polkadot-js/src/chain.js' */

/** Time for a transaction to become final on a busy machine. */
const PATIENCE = { timeout: 120_000 };

export class Person {
	/**
	 * @param {Page} page
	 * @param {Chain} chain the chain, for addresses
	 */
	constructor(page, chain) {
		this.page = page;
		this.chain = chain;
	}

	/** Goes to a view. */
	async show(view) {
		await this.page.evaluate((name) => {
			location.hash = name;
		}, view);
		await this.page.waitForSelector(`nav a[href="#${view}"][aria-current="page"]`);
	}

	/** Goes to a view of a household, as the person with this development key. */
	async as(path, view, household) {
		await this.show(view);
		await this.page.fill('.who input', `${household}`);
		await this.page.press('.who input', 'Enter');
		await this.page.fill('.signer input', path);
		await this.page.click('.signer button:not([type="button"])');
		const { address } = this.chain.account(path);
		await this.page.locator('[data-value="signer"]', { hasText: address }).waitFor();
	}

	/** The form with this title. */
	form(title) {
		return this.page.getByRole('form', { name: title });
	}

	/** Signs a form, and waits for the final block that has the call, or for the error. Returns what the page says. */
	async sign(title, fails = false) {
		const form = this.form(title);
		const done = form.getByRole('status').filter({ hasText: 'Done: in final block' });
		const refused = form.getByRole('alert');
		for (let tries = 1; ; tries += 1) {
			await form.getByRole('button').last().click();
			await done.or(refused).waitFor(PATIENCE);
			const error = (await refused.count()) > 0 ? String(await refused.textContent()) : '';
			// Between two eras a person signs again: the gate is closed for some blocks, or the era has just begun that the
			// page, which follows final blocks, still calls the next one.
			if (!fails && tries < 5 && /GateClosed|StrategiesForWrongEra/.test(error)) continue;
			assert.equal(error !== '', fails, error || 'it was not refused');
			return error || String(await done.textContent());
		}
	}

	/** Sends strategies for the next era: kind, consumption in Wh, degrees indoors. */
	async strategies(generation, rows) {
		const one = this.form('Sign');
		await one.locator('[name="generation"]').fill(`${generation}`);
		for (const [index, [kind, consumption, indoor]] of rows.entries()) {
			if (index > 0) await one.getByRole('button', { name: 'Add a strategy' }).click();
			const row = one.locator('li').nth(index);
			await row.locator('[name="kind"]').selectOption(kind);
			await row.locator('[name="consumption"]').fill(`${consumption}`);
			await row.locator('[name="indoor"]').fill(`${indoor}`);
		}
		return await this.sign('Sign');
	}

	/** Reports a reading as a meter. */
	async report(path, household, [generation, consumption, indoor], fails = false) {
		await this.as(path, 'meter', household);
		const { readingsOf } = await this.chain.market('currentEra');
		const title = `Report era ${readingsOf.toLocaleString('en-GB')} as the meter`;
		const form = this.form(title);
		await form.locator('[name="generation"]').fill(`${generation}`);
		await form.locator('[name="consumption"]').fill(`${consumption}`);
		await form.locator('[name="indoor"]').fill(`${indoor}`);
		return await this.sign(title, fails);
	}

	/** Ends the running era by the page's button. */
	async endEra() {
		await this.show('now');
		const { current } = await this.chain.market('currentEra');
		await this.page.getByRole('button', { name: 'End this era now' }).click();
		const next = `Era ${(current + 1).toLocaleString('en-GB')}`;
		await this.page.getByRole('heading', { name: next, exact: true }).waitFor(PATIENCE);
	}
}
