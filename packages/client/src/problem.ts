/** What the API says about an error (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  /** What to do about it. */
  detail: string;
  /** One of the codes of docs/errors.md. */
  code: string;
  /** The same request under the same key may succeed later. */
  retryable: boolean;
  /** Places in the request, as JSON pointers into its body. */
  errors?: { pointer: string; detail: string }[];
}

/** @returns undefined when `body` is no problem of the API (a proxy's page, say) */
export function problemIn(body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, retryable, status } = body as Partial<Problem>;
  const isProblem = typeof code === 'string' && typeof retryable === 'boolean' && typeof status === 'number';
  return isProblem ? (body as Problem) : undefined;
}
