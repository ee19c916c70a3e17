/**
 * Who signs in the page: an account of a wallet extension, or a development key. The page never sees a wallet's keys.
 */

import { sr25519CreateDerive } from '@polkadot-labs/hdkd';
import { DEV_MINI_SECRET, ss58Address } from '@polkadot-labs/hdkd-helpers';
import { connectInjectedExtension, getInjectedExtensions } from 'polkadot-api/pjs-signer';
import { getPolkadotSigner } from 'polkadot-api/signer';

/**
 * @import { PolkadotSigner } from 'polkadot-api/signer'
 * @typedef {{ name: string, address: string, signer: PolkadotSigner }} Signer
 */

/**
 * The accounts of all wallet extensions that let this page see them. The extensions ask the person first.
 *
 * @param {number} prefix the chain's prefix of addresses
 * @returns {Promise<Signer[]>}
 */
export async function walletAccounts(prefix) {
	const wallets = await Promise.all(
		getInjectedExtensions().map((name) => connectInjectedExtension(name, 'Commonwatt')),
	);
	return wallets.flatMap((wallet) =>
		wallet.getAccounts().map(({ name, polkadotSigner }) => {
			const address = ss58Address(polkadotSigner.publicKey, prefix);
			return { name: name ?? address, address, signer: polkadotSigner };
		}),
	);
}

/**
 * A key of development chains, which everybody knows.
 *
 * @param {string} path such as //Alice//stash
 * @param {number} prefix the chain's prefix of addresses
 * @returns {Signer}
 */
export function developmentKey(path, prefix) {
	const { publicKey, sign } = sr25519CreateDerive(DEV_MINI_SECRET)(path);
	return { name: path, address: ss58Address(publicKey, prefix), signer: getPolkadotSigner(publicKey, 'Sr25519', sign) };
}
