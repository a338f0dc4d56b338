/**
 * Keeps retries a small part of the traffic: in an outage a client must not multiply the load that caused it. Every
 * request earns a fraction of a retry, every retry spends one, and nothing beyond the reserve is saved up.
 */
export class RetryBudget {
  readonly #perRequest: number;
  readonly #reserve: number;
  #balance: number;

  /**
   * @param perRequest retries that one request earns, such as 0.2
   * @param reserve retries that may be made in a row by a client that has just started
   */
  constructor(perRequest: number, reserve: number) {
    this.#perRequest = perRequest;
    this.#reserve = reserve;
    this.#balance = reserve;
  }

  earn(): void {
    this.#balance = Math.min(this.#balance + this.#perRequest, this.#reserve);
  }

  /** @returns false when there is nothing left: don't retry */
  spend(): boolean {
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }
}
