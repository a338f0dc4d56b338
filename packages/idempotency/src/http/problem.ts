/*
 * Problems as RFC 9457 has them, with `code` and `retryable`. The same sentence for the same reason as over gRPC.
 *
 * H6  A reused key is refused with the places that differ, never with their values.
 */
import { isRetryable, type Reason, reasons } from '@holdfast/contracts/reasons';

/** One code of a catalogue. */
export interface ProblemEntry {
  status: number;
  title: string;
  /** Whether the same request, under the same key, may succeed later. `Retry-After` is sent then. */
  retryable: boolean;
  /** What the caller does about it, unless the place that fails knows better. */
  detail: string;
  /** What it is called over gRPC; none where it happens over HTTP only. */
  reason?: Reason;
}

/** An entry for what has a reason: what is retryable, and what to do, is said there. */
export function problemEntry<R extends Reason>(reason: R, status: number, title: string): ProblemEntry & { reason: R } {
  return { status, title, retryable: isRetryable(reason), detail: reasons[reason].detail, reason };
}

/** What the library answers by itself, instead of a handler. An application's catalogue begins with it. */
export const problems = {
  'idempotency-key-missing': problemEntry('IDEMPOTENCY_KEY_MISSING', 400, 'An Idempotency-Key is required'),
  'idempotency-key-invalid': problemEntry('IDEMPOTENCY_KEY_INVALID', 400, 'The Idempotency-Key is malformed'),
  'request-in-progress': problemEntry('REQUEST_IN_PROGRESS', 409, 'The same request is running'),
  'operation-undone': problemEntry('SEALED', 409, 'The operation was undone'),
  'idempotency-answer-expired': problemEntry('ANSWER_EXPIRED', 410, 'The answer is no longer stored'),
  'idempotency-key-expired': problemEntry('IDEMPOTENCY_KEY_EXPIRED', 412, 'The Idempotency-Key is too old'),
  'idempotency-key-reused': problemEntry('IDEMPOTENCY_KEY_REUSED', 422, 'The key belongs to another request'),
  'try-again': problemEntry('TRY_AGAIN', 503, 'Nothing was done; try again'),
  'store-unavailable': problemEntry('STORE_UNAVAILABLE', 503, 'The database does not answer'),
} satisfies Record<string, ProblemEntry>;

export type ProblemCode = keyof typeof problems;

/** The reasons that have a code in the library's catalogue. */
export type ProblemReason = (typeof problems)[ProblemCode]['reason'];

/** The codes of a catalogue by their reasons: where a call's refusal over gRPC becomes one over HTTP. */
export function codesByReason<Code extends string>(
  catalogue: Readonly<Record<Code, ProblemEntry>>,
): ReadonlyMap<string, Code> {
  const codes = new Map<string, Code>();
  for (const code in catalogue) {
    const { reason } = catalogue[code];
    if (reason !== undefined) codes.set(reason, code);
  }
  return codes;
}

const codes = codesByReason<ProblemCode>(problems);

/** A place in the request, and what is wrong there. Never its value. */
export type Fault =
  /** `pointer`: an RFC 6901 JSON pointer into the body. */
  | { pointer: string; detail: string }
  /** `parameter`: `path.name` or `query.name`. */
  | { parameter: string; detail: string };

/** One problem on its way to a caller. */
export interface Problem<Code extends string = string> {
  code: Code;
  status: number;
  title: string;
  /** What the caller does about it. Never a value of the request. */
  detail: string;
  retryable: boolean;
  errors?: readonly Fault[];
}

/** What the library's own problems look like to an application that sends them in a form of its own. */
export type IdempotencyProblem = Problem<ProblemCode>;

/** What is said beside the catalogue's entry: a more exact sentence, and the places at fault. */
export interface Said {
  detail?: string | undefined;
  errors?: readonly Fault[] | undefined;
}

/** A problem of a catalogue. */
export function problemOf<Code extends string>(
  catalogue: Readonly<Record<Code, ProblemEntry>>,
  code: Code,
  { detail, errors }: Said = {},
): Problem<Code> {
  const entry = catalogue[code];
  const { status, title, retryable } = entry;
  return { code, status, title, detail: detail ?? entry.detail, retryable, ...(errors && { errors }) };
}

/** The library's problem for a reason. */
export function problemFor(reason: ProblemReason, said?: Said): IdempotencyProblem {
  return problemOf(problems, codes.get(reason) as ProblemCode, said);
}

/** H6. @param differing JSON pointers, `path.name` or `query.name`; none where another operation has the key */
export function differingFaults(differing: readonly string[]): Fault[] {
  if (differing.length === 0) return [{ pointer: '', detail: 'The first request under this key was another one.' }];
  const detail = 'Differs from the first request.';
  return differing.map((place) =>
    place === '' || place.startsWith('/') ? { pointer: place, detail } : { parameter: place, detail },
  );
}

export const PROBLEM_TYPE = 'application/problem+json';
/** When the same request is worth sending again. */
export const RETRY_AFTER_SECONDS = '1';

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A problem as it is sent (and, where a refusal is final, stored): the same bytes for the same problem. */
export function problemAnswer({ code, status, title, detail, retryable, errors }: Problem): ProblemAnswer {
  const type = `urn:holdfast:problem:${code}`;
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  if (retryable) headers['retry-after'] = RETRY_AFTER_SECONDS;
  const body = JSON.stringify({ type, title, status, detail, code, retryable, ...(errors && { errors }) });
  return { status, headers, body };
}
