/**
 * Numbers of the walkthrough: units, arguments of calls, and the sums that a settlement's events must have.
 */

import assert from 'node:assert/strict';

/**
 * @import { SubmittableExtrinsic } from '@polkadot/api/types'
 * @import { KeyringPair } from '@polkadot/keyring/types'
 * @import { Chain, ChainEvent } from './chain.js'
 * @import { Context } from './walkthrough.js'
 */

/** One token in the smallest unit. */
export const UNIT = 10n ** 12n;
export const ERA_MS = 60_000;
export const COMMUNITY = 0;
/** The IDs of the preset's households. */
export const [ALICE, BOB, CHARLIE, DAVE] = [0, 1, 2, 3];

/**
 * Thousandths of a token in the smallest unit.
 *
 * @param {number} count
 */
export const milli = (count) => (BigInt(count) * UNIT) / 1_000n;
export const tokens = (units) => `${Number(units) / Number(UNIT)} CWT`;
export const strategy = (kind, consumptionWh, temperatureCentiC) => ({ kind, consumptionWh, temperatureCentiC });
export const measured = (generationWh, consumptionWh, indoorCentiC) => ({
	generationWh,
	consumptionWh,
	indoorCentiC,
	quality: 'Measured',
});
export const sum = (values) => values.reduce((total, value) => total + BigInt(value), 0n);

/**
 * The data of all events of a name.
 *
 * @param {ChainEvent[]} events
 * @param {string} name
 * @returns {any[]}
 */
export const dataOf = (events, name) => events.filter((event) => event.name === name).map(({ data }) => data);

/**
 * The fields of all events of a name as the library has them.
 *
 * @param {ChainEvent[]} events
 * @param {string} name
 * @returns {any[]}
 */
export const rawOf = (events, name) => events.filter((event) => event.name === name).map(({ raw }) => raw);

/**
 * The data of all events of a name that concern the walkthrough's community: a chain may have others.
 *
 * @param {ChainEvent[]} events
 * @param {string} name
 * @returns {any[]}
 */
export const ofCommunity = (events, name) => dataOf(events, name).filter(({ community }) => community === COMMUNITY);

/**
 * The data of the one event of a name.
 *
 * @param {ChainEvent[]} events
 * @param {string} name
 */
export function one(events, name, select = dataOf) {
	const found = select(events, name);
	assert.equal(found.length, 1, `number of ${name} events among ${events.map((event) => event.name).join(', ')}`);
	return found[0];
}

/**
 * Sends a call that must be accepted.
 *
 * @param {Chain} chain
 * @param {SubmittableExtrinsic<'promise'>} call
 * @param {KeyringPair} signer
 */
export async function accepted(chain, call, signer) {
	const result = await chain.send(call, signer);
	assert.equal(result.error, null, `${call.method.section}.${call.method.method}`);
	return result;
}

/** The energy of a contract or a statement. Channels that are not given are 0. */
export const energy = (channels) => ({
	soldToCommunityWh: 0,
	boughtFromCommunityWh: 0,
	soldToMainWh: 0,
	boughtFromMainWh: 0,
	...channels,
});

/** The amounts of a statement, in the smallest unit. Amounts that are not given are 0. */
const amounts = (named) => ({
	paidToPool: 0n,
	receivedFromPool: 0n,
	gridFee: 0n,
	reward: 0n,
	paidToUtility: 0n,
	receivedFromUtility: 0n,
	mainCost: 0n,
	mainRevenue: 0n,
	matchedCost: 0n,
	matchedRevenue: 0n,
	imbalanceCost: 0n,
	imbalanceRevenue: 0n,
	aloneCost: 0n,
	aloneRevenue: 0n,
	arrears: 0n,
	credit: 0n,
	...named,
});

const asBigInts = (object) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, BigInt(value)]));

/** Checks the amounts of a statement. Those that are not given must be 0. */
export const amountsAre = (statement, named) => assert.deepEqual(asBigInts(statement.amounts), amounts(named));

/** The change of the owner's balance according to a statement. */
export function netOf({ amounts }) {
	const a = asBigInts(amounts);
	return a.receivedFromPool + a.reward + a.receivedFromUtility - a.paidToPool - a.gridFee - a.paidToUtility;
}

/**
 * Checks from events alone that energy and money of a settled era sum to zero, and that the totals say the same.
 *
 * @param {ChainEvent[]} events
 * @param {number} era
 */
export function sumsToZero(events, era) {
	const statements = ofCommunity(events, 'energyMarket.HouseholdSettled').map(({ statement }) => statement);
	const { totals } = one(events, 'energyMarket.EraSettled', ofCommunity);
	assert.ok(statements.every((statement) => statement.era === era));
	assert.equal(totals.households, statements.length);

	const energyOf = (channel) => sum(statements.map((statement) => statement.energy[channel]));
	assert.equal(energyOf('soldToCommunityWh') - energyOf('boughtFromCommunityWh'), 0n, 'community energy');
	assert.equal(BigInt(totals.communityWh), energyOf('soldToCommunityWh'));
	const deviation = (field) => sum(statements.map((statement) => statement[field]));
	assert.equal(deviation('matchedLongWh') - deviation('matchedShortWh'), 0n, 'matched deviations');
	assert.equal(BigInt(totals.matchedWh), deviation('matchedLongWh'));
	assert.equal(BigInt(totals.soldToMainWh), energyOf('soldToMainWh') + deviation('imbalanceExportWh'));
	assert.equal(BigInt(totals.boughtFromMainWh), energyOf('boughtFromMainWh') + deviation('imbalanceImportWh'));

	const moneyOf = (amount) => sum(statements.map((statement) => statement.amounts[amount]));
	assert.equal(moneyOf('receivedFromPool') - moneyOf('paidToPool'), 0n, 'money through the pool');
	assert.equal(BigInt(totals.throughPool), moneyOf('paidToPool'));
	assert.equal(BigInt(totals.gridFees), moneyOf('gridFee'));
	assert.equal(BigInt(totals.rewards), moneyOf('reward'));
	assert.equal(BigInt(totals.toUtility), moneyOf('paidToUtility'));
	assert.equal(BigInt(totals.fromUtility), moneyOf('receivedFromUtility'));
	return { statements, totals };
}

/**
 * Checks that the money of everyone in a settlement changed as the events say: each owner's as the household's
 * statements do, the operator's by the fees, the utility's by its bills, the pool's not at all.
 *
 * @param {Context} context
 * @param {{events: ChainEvent[], before: string, after: string}} round as `nextEra` returns it
 */
export async function moneyMoved(context, { events, before, after }) {
	const { chain, owners, operator, utility } = context;
	const { totals } = one(events, 'energyMarket.EraSettled', ofCommunity);
	const expected = new Map();
	const expect = (address, change) => expected.set(address, (expected.get(address) ?? 0n) + change);
	for (const { household, statement } of ofCommunity(events, 'energyMarket.HouseholdSettled')) {
		expect(owners[household], netOf(statement));
	}
	expect(operator.address, BigInt(totals.gridFees));
	expect(utility.address, BigInt(totals.toUtility) - BigInt(totals.fromUtility) - BigInt(totals.toPot));
	expect(await chain.poolAccount(COMMUNITY), 0n);
	// A pot has no account until somebody pays into it.
	const potChange = BigInt(totals.toPot) - BigInt(totals.rewards);
	if (potChange !== 0n) expect(await chain.market('potAccount', COMMUNITY), potChange);
	for (const [address, change] of expected) {
		const [had, has] = [await chain.balanceAt(before, address), await chain.balanceAt(after, address)];
		assert.ok(had > 0n, `${address} has an account`);
		assert.equal(has - had, change, `balance of ${address}`);
	}
	assert.equal(sum([...expected.values()]), 0n, 'sum of all changes');
}
