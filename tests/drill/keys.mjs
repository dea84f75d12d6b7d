// Everybody's keys in the drill: derived from their names, good for nothing else.
import { stringToBytes } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { hex, keccak } from '../country/bytes.mjs';

const cache = new Map();

export function keyOf(name) {
	if (!cache.has(name))
		cache.set(name, hex(keccak(stringToBytes(`egress drill/${name}`))));
	return cache.get(name);
}

export const addressOf = (name) =>
	privateKeyToAccount(keyOf(name)).address.toLowerCase();
