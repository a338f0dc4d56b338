import { hash } from 'node:crypto';
import type { Scope } from '@holdfast/contracts';

/** Who calls, and what the credentials allow. */
export interface Caller {
  tenantId: string;
  scopes: ReadonlySet<Scope>;
}

/** Finds the caller of a bearer key; undefined when there is none. */
export type Authenticate = (authorization: string | undefined) => Caller | undefined;

const digest = (key: string): string => hash('sha256', key, 'base64');

/**
 * T1  A key opens what its scopes name and nothing else.
 *
 * @param callers by their API keys in the clear; only digests are kept. The look-up compares digests, whose timing says
 * nothing about a key.
 */
export function createAuthenticate(callers: ReadonlyMap<string, Caller>): Authenticate {
  const callerByDigest = new Map([...callers].map(([key, caller]) => [digest(key), caller]));
  return (authorization) => {
    const [, key] = /^Bearer +([^\s]+)$/i.exec(authorization ?? '') ?? [];
    return key === undefined ? undefined : callerByDigest.get(digest(key));
  };
}

/** The scope that is missing, to be named; undefined: one of `wanted` is there, or none is needed. */
export function missingScope({ scopes }: Caller, wanted: readonly Scope[]): string | undefined {
  // @guard T1 the scope of a call: "wanted.some((scope) => scopes.has(scope))" -> "true"
  if (wanted.length === 0 || wanted.some((scope) => scopes.has(scope))) return undefined;
  return wanted.join('` or `');
}
