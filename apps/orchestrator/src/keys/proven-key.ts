/*
 * The keys that changes of the participants' books travel under: each carries a proof that this API has decided it.
 *
 * A1  The auditor makes the proof again from the entry, by the secret of this database, and names what has none: a balance that
 *     was raised by a call that nobody outside has asked for, though with a certificate that counts.
 * K1  The proof is made of the key and the request alone: every attempt sends the same.
 */
import { type ChangedBook, changeProofParts, dispatchProofParts, PROOF_SEPARATOR } from '@holdfast/contracts';
import type { Fingerprinter } from '@holdfast/idempotency';

type Prover = Pick<Fingerprinter, 'derivedId'>;

/** @param base derived from the client's key, or made for this attempt */
export function provenChangeKey(
  { derivedId }: Prover,
  book: ChangedBook,
  proved: { tenantId: string; base: string; change: object },
): string {
  return proved.base + PROOF_SEPARATOR + derivedId(...changeProofParts(book, proved));
}

/** The same for each request to dispatch this order: there is one such decision. */
export function dispatchKey({ derivedId }: Prover, order: { tenantId: string; orderId: string }): string {
  return derivedId(...dispatchProofParts(order));
}
