/** What a key may look like, over HTTP and gRPC alike. */
export const KEY_PATTERN = /^[A-Za-z0-9._~:-]{16,128}$/;

/**
 * How the derived key of a write begins whose caller sent neither a key nor a version: such a write can't be told from its own
 * retry. Stored data: never renamed.
 */
export const BLIND_KEY = 'blind~';

/** The same for people: the one sentence that every edge refuses a malformed key with. */
export const KEY_RULE = 'Send one key of 16 to 128 characters of [A-Za-z0-9._~:-].';
