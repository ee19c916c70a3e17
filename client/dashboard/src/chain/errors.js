/** What the chain says about a call that it refused. */

import { decAnyMetadata, unifyMetadata } from '@polkadot-api/substrate-bindings';

/**
 * The name of an error, such as EnergyMarket.NotOwner, and what the runtime's own documentation says about it.
 *
 * @param {any} error the client's form of a dispatch error
 * @param {() => Promise<Uint8Array>} metadata of the runtime
 */
export async function explain(error, metadata) {
	const names = [];
	for (let part = error; part?.type; part = part.value) names.push(part.type);
	if (names[0] !== 'Module') return names.join('.');
	const [, pallet, name] = names;
	const { pallets, lookup } = unifyMetadata(decAnyMetadata(await metadata()));
	const { errors } = pallets.find((one) => one.name === pallet) ?? {};
	const type = errors && lookup[errors.type]?.def;
	const variant = type?.tag === 'variant' ? type.value.find((one) => one.name === name) : undefined;
	const documented = variant?.docs.join(' ').trim();
	return documented ? `${pallet}.${name}: ${documented}` : `${pallet}.${name}`;
}
