import { hash } from 'node:crypto';

/** Finds the tenant of a bearer key; undefined when there is none. */
export type Authenticate = (authorization: string | undefined) => string | undefined;

const digest = (key: string): string => hash('sha256', key, 'base64');

/**
 * @param tenantByKey the API keys in the clear; only their digests are kept. The look-up compares digests, whose timing
 * says nothing about a key.
 */
export function createAuthenticate(tenantByKey: Map<string, string>): Authenticate {
  const tenantByDigest = new Map([...tenantByKey].map(([key, tenant]) => [digest(key), tenant]));
  return (authorization) => {
    const [, key] = /^Bearer +([^\s]+)$/i.exec(authorization ?? '') ?? [];
    return key === undefined ? undefined : tenantByDigest.get(digest(key));
  };
}
