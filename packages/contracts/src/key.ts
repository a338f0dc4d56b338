/** What a key may look like, over HTTP and gRPC alike. */
export const KEY_PATTERN = /^[A-Za-z0-9._~:-]{16,128}$/;

/** The same for people: the one sentence that every edge refuses a malformed key with. */
export const KEY_RULE = 'Send one key of 16 to 128 characters of [A-Za-z0-9._~:-].';
