/*
 * What proves to the auditor that this API has decided a change of the participants' books.
 *
 * A1  The auditor makes the proof again from the entry, by the secret of this database, and names what has none: a balance that
 *     was raised by a call that nobody outside has asked for, though with a certificate that counts.
 * K1  The proof is made of the key and the request alone: every attempt sends the same.
 * K5  It goes out beside the key, not in it: the key stays the same for another amount, so that a change that was made is found
 *     under it, however long ago its claim was purged.
 */
import { type ChangedBook, changeProofParts, dispatchProofParts } from '@holdfast/contracts';
import type { Fingerprinter } from '@holdfast/idempotency';

type Prover = Pick<Fingerprinter, 'derivedId'>;

/** @param key derived from the client's key, or made for this attempt */
export function changeProof(
  { derivedId }: Prover,
  book: ChangedBook,
  proved: { tenantId: string; key: string; change: object },
): string {
  return derivedId(...changeProofParts(book, proved));
}

/** The same for each request to dispatch this order: there is one such decision, so its proof can be its key. */
export function dispatchKey({ derivedId }: Prover, order: { tenantId: string; orderId: string }): string {
  return derivedId(...dispatchProofParts(order));
}
