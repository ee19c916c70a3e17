/**
 * The two ways to a chain.
 *
 * - **Light client.** smoldot runs in a worker of the page, joins the chain's network, checks GRANDPA's finality and proves
 *   every answer against the state root of a final block. It needs nobody's word.
 * - **RPC.** A node answers, and the page believes it. For development chains, which have no finality, and mined ones.
 */

import { createClient } from 'polkadot-api';
import { getSmProvider } from 'polkadot-api/sm-provider';
import { startFromWorker } from 'polkadot-api/smoldot/from-worker';
import SmoldotWorker from 'polkadot-api/smoldot/worker?worker';
import { getWsProvider } from 'polkadot-api/ws';
import { Market } from './market.js';

/**
 * A connected chain.
 *
 * @typedef {object} Connection
 * @property {boolean} isProven whether a light client proves what the chain says
 * @property {string} from the name of the chain, or the address of the node that is believed
 * @property {Market} market
 * @property {() => void} close
 */

/**
 * Joins a chain's network as a light client.
 *
 * @param {string} specification the chain's raw specification, as JSON text
 * @param {(line: string) => void} log gets the light client's messages
 * @returns {Promise<Connection>}
 */
export async function joinNetwork(specification, log) {
	const { name } = JSON.parse(specification);
	const worker = new SmoldotWorker();
	const logCallback = (_level, target, message) => log(`${target}: ${message}`);
	const smoldot = startFromWorker(worker, { logCallback, maxLogLevel: 3 });
	const end = () => smoldot.terminate().finally(() => worker.terminate());
	// A wrong specification is refused here. The provider would try it again and again.
	const chain = await smoldot.addChain({ chainSpec: specification }).catch(async (fault) => {
		await end();
		throw fault;
	});
	const client = createClient(getSmProvider(() => chain));
	const close = () => {
		client.destroy();
		end();
	};
	return { isProven: true, from: name, market: await Market.open(client), close };
}

/**
 * Connects to a node that the page believes.
 *
 * @param {string} url such as ws://127.0.0.1:9944
 * @returns {Promise<Connection>}
 */
export async function believeNode(url) {
	const client = createClient(getWsProvider(url));
	return { isProven: false, from: url, market: await Market.open(client), close: () => client.destroy() };
}
