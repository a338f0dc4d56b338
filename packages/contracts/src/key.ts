/** What a key may look like, over HTTP and gRPC alike. */
export const KEY_PATTERN = /^[A-Za-z0-9._~:-]{16,128}$/;

/**
 * How the derived key of a write begins whose caller sent neither a key nor a version: such a write can't be told from its own
 * retry. Stored data: never renamed.
 */
export const BLIND_KEY = 'blind~';

/** What a change of stock or of an account is about; part of its proof. Stored data: never renamed. */
export type ChangedBook = 'stock' | 'account';

/**
 * What the proof is made of that goes out with such a change, by the orchestrator's secret: whoever has no more than a
 * certificate can't make one, and one that was made says under which key how much was to be changed. The books keep it as long
 * as the change, so that it can be judged when the claim has long been purged. It is no part of the key: a key that is used
 * again for another amount, after its claim was purged, has to be found among the changes that were made (K5).
 * @param change what was to be set, or `delta`; what is undefined was not to be
 */
export function changeProofParts(
  book: ChangedBook,
  { tenantId, key, change }: { tenantId: string; key: string; change: object },
): string[] {
  const members = Object.entries(change)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return ['change', book, tenantId, key, JSON.stringify(members)];
}

/** The same of the decision to dispatch an order's shipment, of which there is one. */
export function dispatchProofParts({ tenantId, orderId }: { tenantId: string; orderId: string }): string[] {
  return ['dispatch', tenantId, orderId];
}

/** The same for people: the one sentence that every edge refuses a malformed key with. */
export const KEY_RULE = 'Send one key of 16 to 128 characters of [A-Za-z0-9._~:-].';
