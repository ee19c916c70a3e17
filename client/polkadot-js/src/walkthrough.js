/**
 * The steps of the walkthrough: each makes calls and checks the results. docs/walkthrough.md describes the same steps
 * for a person. All expected numbers are worked out by hand from docs/market.md.
 */

import assert from 'node:assert/strict';
import { INVALID_PARAMS } from './chain.js';
import {
	ALICE,
	accepted,
	amountsAre,
	BOB,
	CHARLIE,
	COMMUNITY,
	DAVE,
	dataOf,
	ERA_MS,
	energy,
	measured,
	milli,
	moneyMoved,
	netOf,
	ofCommunity,
	one,
	rawOf,
	strategy,
	sumsToZero,
	tokens,
	UNIT,
} from './figures.js';

/**
 * @import { SubmittableExtrinsic } from '@polkadot/api/types'
 * @import { KeyringPair } from '@polkadot/keyring/types'
 * @import { Chain } from './chain.js'
 */

/**
 * What the steps share. The caller sets the chain, and `say` where it wants the steps' remarks; each step sets what later
 * steps need.
 *
 * @typedef {object} Context
 * @property {Chain} chain
 * @property {(line: string) => void} say
 * @property {KeyringPair} alice
 * @property {KeyringPair} bob
 * @property {KeyringPair} charlie
 * @property {KeyringPair} dave
 * @property {KeyringPair} operator
 * @property {KeyringPair} utility
 * @property {KeyringPair} aliceMeter
 * @property {KeyringPair} bobMeter
 * @property {KeyringPair} newMeter of the household that joins
 * @property {Record<number, string>} owners addresses by number of household
 * @property {number} era the running era
 * @property {number} delivered the era that the meters report
 * @property {number} silent the era without readings
 * @property {number} cottage the household that joins
 */

/** @type {{title: string, run: (context: Context) => Promise<void>}[]} */
export const steps = [
	{
		title: 'connects to a development chain and sees its token',
		async run(context) {
			const { chain } = context;
			const { api } = chain;
			context.say ??= () => {};
			assert.equal(String(await api.rpc.system.chain()), 'Commonwatt Development');
			assert.equal((await api.rpc.system.chainType()).type, 'Development');
			assert.deepEqual(api.registry.chainTokens, ['CWT']);
			assert.deepEqual(api.registry.chainDecimals, [12]);
			assert.equal(api.registry.chainSS58, 42);
			assert.equal(api.runtimeVersion.specName.toString(), 'commonwatt');

			context.alice = chain.account('//Alice');
			context.bob = chain.account('//Bob');
			context.charlie = chain.account('//Charlie');
			context.dave = chain.account('//Dave');
			context.operator = chain.account('//Eve');
			context.utility = chain.account('//Ferdie');
			context.aliceMeter = chain.account('//Alice//stash');
			context.bobMeter = chain.account('//Bob//stash');
			context.say(
				`${api.runtimeVersion.specName} ${api.runtimeVersion.specVersion}, token ${api.registry.chainTokens}`,
			);
		},
	},
	{
		title: 'reads the community and its four households from chain state',
		async run(context) {
			const { chain, alice, bob, charlie, dave, operator, utility, say } = context;
			const community = await chain.stored('communities', COMMUNITY);
			assert.deepEqual(community, {
				name: 'paper',
				operator: operator.address,
				utility: utility.address,
				concentrator: { now: null, next: null, afterNext: null },
				paused: { now: false, next: null, afterNext: null },
				bounds: {
					highestRetailPerKwh: Number(milli(600)),
					lowestFeedInPerKwh: Number(milli(40)),
					highestImbalanceImportPerKwh: Number(milli(720)),
					lowestImbalanceExportPerKwh: 0,
					highestGridFeePerKwh: Number(milli(50)),
					highestIncentivePerEra: Number(milli(100_000)),
					highestConnectionLimitWh: 100_000,
				},
				endedTerms: [],
				nextTerms: null,
				terms: {
					rules: { lambda: { numerator: 4, denominator: 1 }, resolutionWh: 10 },
					tariffs: {
						retailPerKwh: Number(milli(300)),
						feedInPerKwh: Number(milli(80)),
						imbalanceImportPerKwh: Number(milli(360)),
						imbalanceExportPerKwh: Number(milli(40)),
						gridFeePerKwh: Number(milli(10)),
					},
					priceRule: 'MidMarket',
					incentivePerEra: 0,
					comfortBounds: null,
					rewardCapPerKwh: Number(milli(5)),
				},
			});
			const members = await chain.stored('members', COMMUNITY);
			assert.deepEqual(members.slice(0, 4), [ALICE, BOB, CHARLIE, DAVE]);

			context.owners = {};
			for (const number of members) {
				context.owners[number] = (await chain.stored('households', number)).owner;
			}
			for (const [number, owner] of [alice, bob, charlie, dave].entries()) {
				const household = await chain.stored('households', number);
				assert.equal(household.owner, owner.address);
				assert.equal(household.meter, chain.account(`${owner.meta.name}//stash`).address);
				assert.equal(household.connectionLimitWh, 15_000);
				assert.deepEqual(household.comfort, {
					minCentiC: 1_500,
					maxCentiC: 2_700,
					a: { numerator: 1, denominator: 36 },
				});
				assert.equal(await chain.stored('meterOf', household.meter), number);
			}
			say(`community '${community.name}' with households ${members.join(', ')}`);
		},
	},
	{
		title: 'finds all runtime API functions in the metadata, without type definitions of its own',
		async run({ chain, say }) {
			const { api } = chain;
			assert.deepEqual(Object.keys(api.call.energyMarketApi).sort(), [
				'bill',
				'community',
				'contract',
				'contracts',
				'currentEra',
				'debt',
				'explain',
				'household',
				'householdsOf',
				'members',
				'overview',
				'poolAccount',
				'potAccount',
				'queue',
				'record',
				'solve',
				'statement',
				'statements',
				'trades',
				'verify',
			]);
			/** @type {any[]} */
			const described = Object.values(api.call.energyMarketApi);
			for (const { meta } of described) {
				for (const type of [meta.type, ...meta.params.map((param) => param.type)]) {
					assert.doesNotMatch(api.registry.createType(type).toRawType(), /Raw|Bytes|Unknown|DoNotConstruct/, type);
				}
			}
			const view = await chain.market('currentEra');
			assert.equal(view.startedMs, view.current * ERA_MS);
			assert.equal(view.endsMs, view.startedMs + ERA_MS);
			assert.equal(view.strategiesFor, view.current + 1);
			assert.ok(view.nowMs >= view.startedMs && view.nowMs < view.endsMs);
			assert.deepEqual(await chain.market('community', COMMUNITY), await chain.stored('communities', COMMUNITY));
			assert.deepEqual(await chain.market('members', COMMUNITY), await chain.stored('members', COMMUNITY));
			assert.equal(await chain.market('household', 4_000_000_000), null);
			assert.equal(await chain.market('overview', 4_000_000_000), null);
			say(`era ${view.current} runs until ${new Date(view.endsMs).toISOString()}`);
		},
	},
	{
		title: 'moves the clock to the next era, and cannot move it back',
		async run(context) {
			const { chain, say } = context;
			const before = await chain.market('currentEra');
			const { era, events } = await chain.nextEra();
			assert.equal(era, before.current + 1);
			const nothing = { phase: null, solving: null, settling: null, next: null, steps: 0, refTime: 0, blocks: 0 };
			assert.deepEqual(await chain.market('queue'), nothing, 'the queue must be empty');
			const started = one(events, 'energyMarket.EraStarted');
			assert.deepEqual(started, { era, readingsOf: before.current, settling: before.readingsOf });
			assert.equal((await chain.market('currentEra')).readingsOf, before.current);
			context.era = era;

			// Without declaring the method, as in the JavaScript console of Apps.
			/** @type {any} */
			const { _rpcCore } = chain.api;
			await assert.rejects(
				_rpcCore.provider.send('dev_sealAt', [before.startedMs]),
				({ code, message }) => code === INVALID_PARAMS && message.includes('must be in a later slot than the head'),
			);
			say(`era ${era}`);
		},
	},
	{
		title: 'Alice offers her surplus and Bob asks for energy, for the next era',
		async run({ chain, alice, bob, era, say }) {
			const { submitStrategies } = chain.api.tx.energyMarket;
			// A surplus of 3,300 - 1,300 = 2,000 Wh, at 21 degrees.
			const offers = [strategy('SellToCommunity', 1_300, 2_100), strategy('SellToMain', 1_300, 2_100)];
			const { events } = await accepted(chain, submitStrategies(ALICE, era + 1, 3_300, offers), alice);
			assert.deepEqual(one(events, 'energyMarket.StrategiesSubmitted'), {
				household: ALICE,
				era: era + 1,
				generationWh: 3_300,
				strategies: offers,
			});
			// A deficit of 2,000 - 500 = 1,500 Wh at 21 degrees, or of 1,000 Wh at 16 or 14 degrees.
			const requests = [
				strategy('BuyFromCommunity', 2_000, 2_100),
				strategy('BuyFromMain', 2_000, 2_100),
				strategy('BuyFromMain', 1_500, 1_600),
				strategy('BuyFromCommunity', 1_500, 1_400),
			];
			const { fee } = await accepted(chain, submitStrategies(BOB, era + 1, 500, requests), bob);
			assert.ok(fee > 0n && fee < milli(10), `fee ${fee}`);
			assert.deepEqual(await chain.stored('submissions', BOB, (era + 1) % 2), {
				era: era + 1,
				generationWh: 500,
				strategies: requests,
			});
			say(`both submissions for era ${era + 1} are stored; a submission costs ${tokens(fee)}`);
		},
	},
	{
		title: 'an invalid call fails with a named error and changes nothing',
		async run({ chain, alice, aliceMeter, bob, utility, operator, era, say }) {
			const { energyMarket } = chain.api.tx;
			const sell = [strategy('SellToCommunity', 1_300, 2_100)];
			const forAlice = (...submission) => energyMarket.submitStrategies(ALICE, ...submission);
			const offer = energyMarket.offerMembership(COMMUNITY, bob.address, utility.address, 15_000);
			const submitted = await chain.stored('submissions', ALICE, (era + 1) % 2);
			/** @type {[string, SubmittableExtrinsic<'promise'>, KeyringPair, string][]} */
			const refusals = [
				["a stranger's meter", energyMarket.submitReading(era - 1, measured(0, 0, 2_100)), utility, 'UnknownMeter'],
				["another's household", forAlice(era + 1, 3_300, sell), bob, 'NotOwner'],
				['an era that runs already', forAlice(era, 3_300, sell), alice, 'StrategiesForWrongEra'],
				['selling a deficit', forAlice(era + 1, 0, sell), alice, 'KindContradictsNetPosition'],
				['no strategy', forAlice(era + 1, 0, []), alice, 'NoStrategies'],
				['an offer by somebody who is not the operator', offer, bob, 'NotOperator'],
				['a confirmation that nobody asked for', energyMarket.confirmMeter(ALICE), utility, 'UnknownOffer'],
				[
					"a neighbour's meter",
					energyMarket.proposeChange(ALICE, { Meter: aliceMeter.address }),
					operator,
					'MeterAlreadyRegistered',
				],
			];
			for (const [what, call, signer, name] of refusals) {
				const { error } = await chain.send(call, signer);
				assert.equal(error, `energyMarket.${name}`, what);
				say(`${what}: ${error}`);
			}
			assert.deepEqual(await chain.stored('submissions', ALICE, (era + 1) % 2), submitted);
			assert.equal(await chain.stored('meterOf', utility.address), null);
		},
	},
	{
		title: 'the game makes contracts with funds on hold, and anyone can check its certificate',
		async run(context) {
			const { chain, alice, bob, say } = context;
			const { era, events } = await chain.nextEra();
			assert.equal(era, context.era + 1);
			context.era = era;

			const certificate = {
				status: 'Equilibrium',
				offeredWh: 2_000,
				requestedWh: 1_500,
				tradedWh: 1_500,
				maxGain: 0,
			};
			// Besides the record, the API returns the tradable energy: the smaller of surplus and deficit.
			const { tradableWh, ...record } = await chain.market('record', COMMUNITY, era);
			assert.equal(tradableWh, 1_500);
			assert.equal(record.players, 2);
			assert.deepEqual(record.certificate, certificate);
			assert.equal(BigInt(record.pricePerKwh), milli(190));
			assert.equal(record.settled, null);
			assert.deepEqual(await chain.market('verify', COMMUNITY, era), certificate);
			assert.deepEqual(one(events, 'energyMarket.EraCleared', ofCommunity), { community: COMMUNITY, record });

			const seller = await chain.market('contract', ALICE, era);
			assert.equal(seller.chosen, 0);
			assert.deepEqual(seller.energy, energy({ soldToCommunityWh: 1_500, soldToMainWh: 500 }));
			// What breaking the sale of 1.5 kWh would cost: imbalance import less the price.
			assert.equal(BigInt(seller.held), milli(255));
			const buyer = await chain.market('contract', BOB, era);
			assert.equal(buyer.chosen, 0);
			assert.equal(buyer.mainGridOnly, false);
			assert.deepEqual(buyer.energy, energy({ boughtFromCommunityWh: 1_500 }));
			// 1.5 kWh at the price of 0.19 and the grid fee of 0.01.
			assert.equal(BigInt(buyer.held), milli(300));
			assert.deepEqual(await chain.market('contracts', COMMUNITY, era), [
				[ALICE, seller],
				[BOB, buyer],
			]);
			assert.equal(await chain.held(bob.address), BigInt(buyer.held));
			assert.equal(await chain.held(alice.address), BigInt(seller.held));

			// A payoff of zero has no logarithm: the smallest number represents it.
			const log2 = ({ payoffsLog2 }) =>
				payoffsLog2.map((payoff) => (BigInt(payoff) === -(2n ** 63n) ? -Infinity : Number(payoff) / 2 ** 32));
			const close = (actual, expected) => {
				assert.equal(actual.length, expected.length);
				for (const [i, value] of expected.entries()) {
					const same = actual[i] === value || Math.abs(actual[i] - value) < 1e-8;
					assert.ok(same, `payoff ${i}: ${actual[i]} instead of ${value}`);
				}
			};
			// By hand, with energies in kWh, lambda = 4 and omega = 100. Comfort is 1 at 21 degrees, 11/36 at 16 and 0
			// at 14. Energy sold to the community raises Alice's payoff; energy bought from it lowers Bob's.
			const why = await chain.market('explain', ALICE, era);
			assert.equal(why.chosen, 0);
			close(log2(why), [1.5 * 2 - Math.log2(0.5), -Math.log2(2)]);
			const whyBuyer = await chain.market('explain', BOB, era);
			assert.equal(whyBuyer.chosen, 0);
			close(log2(whyBuyer), [
				-1.5 * 2 + Math.log2(100),
				-Math.log2(1.5),
				-Math.log2(1) + Math.log2(11 / 36),
				-Infinity,
			]);
			say(`era ${era}: ${record.certificate.status}, S ${certificate.offeredWh} Wh, B ${certificate.requestedWh} Wh`);
			say(
				`on hold for Bob: ${tokens(buyer.held)}; his payoffs, log2: ${log2(whyBuyer)
					.map((v) => v.toFixed(3))
					.join(', ')}`,
			);
		},
	},
	{
		title: 'Charlie lets Dave act as home energy manager, for the market and nothing else',
		async run({ chain, charlie, dave, era, say }) {
			const { proxy, energyMarket, balances } = chain.api.tx;
			const sell = energyMarket.submitStrategies(CHARLIE, era + 1, 1_500, [strategy('SellToCommunity', 500, 2_100)]);
			assert.equal((await chain.send(sell, dave)).error, 'energyMarket.NotOwner');
			const forCharlie = (call) => proxy.proxy(charlie.address, null, call);
			assert.equal((await chain.send(forCharlie(sell), dave)).error, 'proxy.NotProxy');

			await accepted(chain, proxy.addProxy(dave.address, 'HomeManager', 0), charlie);
			/** @type {any} */
			const proxies = (await chain.api.query.proxy.proxies(charlie.address)).toPrimitive();
			const [[granted], deposit] = proxies;
			assert.deepEqual(granted, { delegate: dave.address, proxyType: 'HomeManager', delay: 0 });
			assert.equal(BigInt(deposit), milli(11));

			const { events } = await accepted(chain, forCharlie(sell), dave);
			assert.deepEqual(one(events, 'proxy.ProxyExecuted'), { result: { ok: null } });
			assert.equal(one(events, 'energyMarket.StrategiesSubmitted').household, CHARLIE);
			assert.equal((await chain.stored('submissions', CHARLIE, (era + 1) % 2)).era, era + 1);

			const attempt = await accepted(chain, forCharlie(balances.transferKeepAlive(dave.address, UNIT)), dave);
			const { result } = one(attempt.events, 'proxy.ProxyExecuted', rawOf);
			assert.equal(chain.errorName(result.asErr), 'system.CallFiltered');
			assert.equal(dataOf(attempt.events, 'balances.Transfer').length, 0);
			say(`Dave submitted for Charlie; a transfer through the same proxy: system.CallFiltered`);
		},
	},
	{
		title: 'a household joins: Eve offers, Dave accepts, and the meter confirms without a fee',
		async run(context) {
			const { chain, operator, dave, say } = context;
			const members = await chain.market('members', COMMUNITY);
			// A path that no earlier run on this chain has used.
			context.newMeter = chain.account(`//Dave//cottage//${members.length}`);
			const { offerMembership, acceptMembership, confirmMeter } = chain.api.tx.energyMarket;
			const meter = context.newMeter;
			const offer = offerMembership(COMMUNITY, dave.address, meter.address, 5_000);
			const offered = one((await accepted(chain, offer, operator)).events, 'energyMarket.MembershipOffered');
			context.cottage = offered.household;
			assert.equal(await chain.held(operator.address, 'Offer'), UNIT, 'the deposit');
			// Nobody is a member who has not agreed.
			await accepted(chain, acceptMembership(context.cottage, UNIT, null), dave);
			assert.equal(await chain.market('household', context.cottage), null);
			assert.deepEqual(await chain.market('members', COMMUNITY), members);
			const { events } = await accepted(chain, confirmMeter(context.cottage), meter);
			assert.equal(await chain.held(operator.address, 'Offer'), 0n);
			context.owners[context.cottage] = dave.address;
			const joined = one(events, 'energyMarket.HouseholdJoined');
			joined.maxDebitPerEra = BigInt(joined.maxDebitPerEra);
			assert.deepEqual(joined, {
				community: COMMUNITY,
				household: context.cottage,
				owner: dave.address,
				meter: context.newMeter.address,
				connectionLimitWh: 5_000,
				maxDebitPerEra: UNIT,
				comfort: null,
			});
			assert.deepEqual(await chain.market('members', COMMUNITY), [...members, context.cottage]);
			assert.deepEqual((await chain.market('householdsOf', dave.address)).slice(-1), [context.cottage]);
			assert.equal((await chain.market('household', context.cottage)).memberSince, context.era);
			say(`household ${context.cottage}, Dave's second`);
		},
	},
	{
		title: 'Dave submits for both of his households in one batch',
		async run({ chain, dave, era, cottage, say }) {
			const { utility, energyMarket } = chain.api.tx;
			const buy = (household, consumptionWh) =>
				energyMarket.submitStrategies(household, era + 1, 0, [strategy('BuyFromCommunity', consumptionWh, 2_100)]);
			const { events } = await accepted(chain, utility.batch([buy(DAVE, 600), buy(cottage, 200)]), dave);
			one(events, 'utility.BatchCompleted');
			assert.deepEqual(
				dataOf(events, 'energyMarket.StrategiesSubmitted').map(({ household }) => household),
				[DAVE, cottage],
			);

			const halted = await accepted(chain, utility.batch([buy(DAVE, 600), buy(BOB, 200)]), dave);
			const { index, error } = one(halted.events, 'utility.BatchInterrupted', rawOf);
			assert.equal(index.toNumber(), 1);
			assert.equal(chain.errorName(error), 'energyMarket.NotOwner');
			say(`households ${DAVE} and ${cottage} in one transaction`);
		},
	},
	{
		title: 'in the next era the meters submit readings for the previous one',
		async run(context) {
			const { chain, alice, aliceMeter, bobMeter, era: delivered, cottage, say } = context;
			const { era } = await chain.nextEra();
			assert.equal(era, delivered + 1);
			Object.assign(context, { era, delivered });

			// The submissions by proxy and batch became contracts: S = 1,000 Wh, B = 600 + 200 Wh.
			const { certificate } = await chain.market('record', COMMUNITY, era);
			assert.deepEqual(certificate, {
				status: 'Equilibrium',
				offeredWh: 1_000,
				requestedWh: 800,
				tradedWh: 800,
				maxGain: 0,
			});
			const contracted = async (household) => (await chain.market('contract', household, era)).energy;
			assert.deepEqual(await contracted(CHARLIE), energy({ soldToCommunityWh: 800, soldToMainWh: 200 }));
			assert.deepEqual(await contracted(DAVE), energy({ boughtFromCommunityWh: 600 }));
			assert.deepEqual(await contracted(cottage), energy({ boughtFromCommunityWh: 200 }));
			assert.equal(await chain.market('contract', ALICE, era), null);

			// Alice generated 200 Wh less than she had submitted, and Bob consumed 100 Wh more.
			const { submitReading } = chain.api.tx.energyMarket;
			const reading = measured(3_100, 1_300, 2_100);
			const { events } = await accepted(chain, submitReading(delivered, reading), aliceMeter);
			assert.deepEqual(one(events, 'energyMarket.ReadingSubmitted'), { household: ALICE, era: delivered, reading });
			await accepted(chain, submitReading(delivered, measured(500, 2_100, 2_090)), bobMeter);

			const errorOf = async (call, signer) => (await chain.send(call, signer)).error;
			assert.equal(
				await errorOf(submitReading(delivered, measured(9_000, 0, 2_100)), aliceMeter),
				'energyMarket.ReadingAlreadySubmitted',
			);
			const corrected = { ...reading, quality: 'Corrected' };
			await accepted(chain, submitReading(delivered, corrected), aliceMeter);
			assert.equal(await errorOf(submitReading(era, reading), bobMeter), 'energyMarket.ReadingForWrongEra');
			assert.equal(await errorOf(submitReading(delivered, reading), alice), 'energyMarket.UnknownMeter');
			const { newest } = await chain.stored('readings', ALICE);
			assert.deepEqual(newest, { era: delivered, reading: corrected, byMeter: true });
			say(
				`era ${era} has contracts for households ${CHARLIE}, ${DAVE}, ${cottage}; the readings of era ${delivered} are in`,
			);
		},
	},
	{
		title: 'Alice sets a standing preference for eras without a submission',
		async run({ chain, alice, say }) {
			const preference = {
				flexibleDownPercent: 20,
				flexibleUpPercent: 0,
				responseCentiCPerKwh: 0,
				tradeWithCommunity: true,
			};
			const { setPreference } = chain.api.tx.energyMarket;
			const { events } = await accepted(chain, setPreference(ALICE, preference), alice);
			assert.deepEqual(one(events, 'energyMarket.PreferenceChanged'), { household: ALICE, preference });
			assert.deepEqual((await chain.market('household', ALICE)).preference, preference);
			const tooMuch = setPreference(ALICE, { ...preference, flexibleDownPercent: 101 });
			assert.equal((await chain.send(tooMuch, alice)).error, 'energyMarket.PreferenceOutOfRange');
			say(`Alice would give up to ${preference.flexibleDownPercent} % of her consumption`);
		},
	},
	{
		title:
			'the era is settled: energy and money sum to zero, holds are released, balances change as the statements say',
		async run(context) {
			const { chain, alice, bob, dave, delivered, era: silent, say } = context;
			const round = await chain.nextEra();
			assert.equal(round.era, silent + 1);
			Object.assign(context, { era: round.era, silent });

			const { statements, totals } = sumsToZero(round.events, delivered);
			await moneyMoved(context, round);

			// Contracted: 1.5 kWh at the mid-market price of 0.19, and 0.5 kWh fed in at 0.08. Alice delivered 0.2 kWh less and
			// Bob took 0.1 kWh more, each at 0.36.
			const seller = await chain.market('statement', ALICE, delivered);
			assert.deepEqual(seller.energy, energy({ soldToCommunityWh: 1_500, soldToMainWh: 500 }));
			assert.deepEqual([seller.imbalanceImportWh, seller.imbalanceExportWh], [200, 0]);
			amountsAre(seller, {
				receivedFromPool: milli(285),
				mainRevenue: milli(40),
				imbalanceCost: milli(72),
				paidToUtility: milli(32),
				aloneRevenue: milli(144),
			});
			const buyer = await chain.market('statement', BOB, delivered);
			assert.deepEqual(buyer.reading, measured(500, 2_100, 2_090));
			assert.deepEqual(buyer.energy, energy({ boughtFromCommunityWh: 1_500 }));
			assert.deepEqual([buyer.imbalanceImportWh, buyer.imbalanceExportWh], [100, 0]);
			amountsAre(buyer, {
				paidToPool: milli(285),
				gridFee: milli(15),
				imbalanceCost: milli(36),
				paidToUtility: milli(36),
				aloneCost: milli(480),
			});
			assert.equal(totals.communityWh, 1_500);
			const { tradableWh, ...record } = await chain.market('record', COMMUNITY, delivered);
			assert.equal(tradableWh, 1_500);
			assert.deepEqual(record.settled, totals);
			assert.deepEqual(seller, statements[0]);
			const all = await chain.market('statements', COMMUNITY, delivered);
			assert.deepEqual(
				all.map(([, statement]) => statement),
				statements,
			);
			// The delivered payoffs: comfort times 4 to the power of 1.5 (seller) or -1.5 (buyer), divided by the 0.3
			// or 0.1 kWh exchanged with the main grid.
			const worth = ({ delivered }) => Number(BigInt(delivered.payoff)) / 2 ** 32;
			const byHand = ({ delivered }, communityKwh, mainKwh) =>
				Math.log2(delivered.comfortPpm / 1e6) + 2 * communityKwh - Math.log2(mainKwh);
			assert.ok(Math.abs(worth(seller) - byHand(seller, 1.5, 0.3)) < 1e-5, `${worth(seller)}`);
			assert.ok(Math.abs(worth(buyer) - byHand(buyer, -1.5, 0.1)) < 1e-5, `${worth(buyer)}`);
			// The overview: nothing is owed, the pot is empty, and it has the newest cleared and settled eras.
			const overview = await chain.market('overview', COMMUNITY);
			assert.deepEqual([overview.suspended, overview.arrears, overview.credit, overview.potBalance], [0, 0, 0, 0]);
			assert.equal(overview.households, (await chain.market('members', COMMUNITY)).length);
			assert.equal(overview.pot, await chain.market('potAccount', COMMUNITY));
			assert.equal(overview.pool, await chain.poolAccount(COMMUNITY));
			assert.deepEqual(overview.settled, record);
			assert.equal(overview.cleared.era, context.era);

			// Alice earned 0.253; with the main grid alone it would have been 0.144.
			const bill = await chain.market('bill', ALICE, delivered, delivered);
			assert.equal(BigInt(bill.savings), milli(109));
			assert.deepEqual(await chain.market('trades', COMMUNITY, delivered), [
				{ seller: ALICE, buyer: BOB, energyWh: 1_500 },
			]);

			assert.equal((await chain.market('contract', BOB, delivered)).held, 0);
			assert.equal(await chain.held(bob.address), 0n);
			assert.equal(await chain.held(alice.address), BigInt((await chain.market('contract', ALICE, context.era)).held));
			// Dave's contracts of the era before are open: 0.6 and 0.2 kWh at price and fee.
			assert.equal(await chain.held(dave.address), milli(160));
			say(`Alice ${tokens(netOf(seller))}, Bob ${tokens(netOf(buyer))}, community energy ${totals.communityWh} Wh`);
		},
	},
	{
		title: 'the preference alone made a contract for Alice',
		async run({ chain, era, say }) {
			const contract = await chain.market('contract', ALICE, era);
			assert.equal(contract.generationWh, 3_100, 'as in the last reading');
			const used = contract.strategies.map(({ consumptionWh }) => consumptionWh);
			assert.equal(Math.max(...used), 1_300, 'as in the last reading');
			assert.equal(Math.min(...used), 1_040, '20 % less');
			assert.ok(contract.strategies.some(({ kind }) => kind === 'SellToCommunity'));
			assert.equal((await chain.market('verify', COMMUNITY, era)).status, 'Equilibrium');
			say(JSON.stringify(contract.strategies));
		},
	},
	{
		title: 'a silent meter brings its owner no advantage',
		async run(context) {
			const { chain, charlie, dave, silent, cottage, say } = context;
			const round = await chain.nextEra();
			assert.equal(round.era, context.era + 1);
			context.era = round.era;

			const { totals } = sumsToZero(round.events, silent);
			await moneyMoved(context, round);
			assert.equal(totals.missingReadings, totals.households);
			assert.equal(totals.communityWh, 800);

			const seller = await chain.market('statement', CHARLIE, silent);
			assert.deepEqual(seller.reading, { ...measured(0, 500, 2_100), quality: 'Estimated' });
			// Charlie's contract is firm: 0.8 kWh at 0.19 and 0.2 kWh at 0.08. Without generation he lacks 1 kWh and the
			// 0.5 kWh that he consumed, at 0.36.
			assert.deepEqual(seller.energy, energy({ soldToCommunityWh: 800, soldToMainWh: 200 }));
			assert.equal(seller.imbalanceImportWh, 1_500);
			amountsAre(seller, {
				receivedFromPool: milli(152),
				mainRevenue: milli(16),
				imbalanceCost: milli(540),
				aloneCost: milli(150),
				paidToUtility: milli(524),
			});
			// Dave has what he contracted: 0.6 kWh at 0.19 and 0.01.
			const buyer = await chain.market('statement', DAVE, silent);
			assert.deepEqual(buyer.energy, energy({ boughtFromCommunityWh: 600 }));
			assert.equal(buyer.imbalanceImportWh, 0);
			amountsAre(buyer, { paidToPool: milli(114), gridFee: milli(6), aloneCost: milli(180) });
			const second = await chain.market('statement', cottage, silent);
			assert.equal(BigInt(second.amounts.paidToPool), milli(38));
			assert.equal(await chain.held(dave.address), 0n);
			assert.equal(await chain.held(charlie.address), 0n);
			say(`Charlie paid ${tokens(seller.amounts.paidToUtility)} for what he did not deliver`);
		},
	},
	{
		title: 'Sudo creates a second community, and nobody else can',
		async run({ chain, alice, bob, operator, utility, say }) {
			const { terms, bounds } = await chain.stored('communities', COMMUNITY);
			const { sudo, energyMarket } = chain.api.tx;
			const parties = [operator.address, utility.address];
			const found = energyMarket.createCommunity('Elm Street', ...parties, terms, bounds);
			assert.equal((await chain.send(found, bob)).error, 'BadOrigin');
			const count = await chain.stored('communityCount');
			const { events } = await accepted(chain, sudo.sudo(found), alice);
			assert.deepEqual(one(events, 'sudo.Sudid'), { sudoResult: { ok: null } });
			const created = one(events, 'energyMarket.CommunityCreated');
			assert.equal(created.community, count);
			assert.equal(created.pool, await chain.poolAccount(count));
			assert.equal(created.pot, await chain.market('potAccount', count));
			assert.equal((await chain.stored('communities', count)).name, 'Elm Street');
			say(`community ${count}`);
		},
	},
	{
		title: 'Charlie removes the proxy and Alice her preference',
		async run({ chain, alice, charlie, dave }) {
			await accepted(chain, chain.api.tx.proxy.removeProxy(dave.address, 'HomeManager', 0), charlie);
			const proxies = (await chain.api.query.proxy.proxies(charlie.address)).toPrimitive();
			assert.deepEqual(proxies, [[], 0]);
			await accepted(chain, chain.api.tx.energyMarket.setPreference(ALICE, null), alice);
			assert.equal((await chain.market('household', ALICE)).preference, null);
		},
	},
];
