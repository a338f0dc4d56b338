import type { StepCall } from '@holdfast/contracts';
import { boundedRemainingMs, checkEpoch, checkKey, checkTenantId, type ServerCall } from '@holdfast/rpc';

/** One call of a message that carries many: its fields are the message's, where what was not sent is empty. */
export class StreamedCall implements ServerCall {
  readonly #call: StepCall;
  readonly #receivedAtMs = performance.now();
  readonly signal: AbortSignal;

  constructor(call: StepCall, signal: AbortSignal) {
    this.#call = call;
    this.signal = signal;
  }

  key(): string {
    return checkKey(sent(this.#call.idempotencyKey));
  }

  keyIfSent(): string | undefined {
    const key = sent(this.#call.idempotencyKey);
    return key === undefined ? undefined : checkKey(key);
  }

  epoch(): number {
    return checkEpoch(String(this.#call.sagaEpoch));
  }

  tenantId(): string {
    return checkTenantId(sent(this.#call.tenantId));
  }

  authorization(): undefined {
    return undefined;
  }

  traceparent(): string | undefined {
    return sent(this.#call.traceparent);
  }

  header(): undefined {
    return undefined;
  }

  remainingMs(): number {
    return boundedRemainingMs(this.#call.timeoutMs - (performance.now() - this.#receivedAtMs));
  }
}

function sent(value: string): string | undefined {
  return value === '' ? undefined : value;
}
