/** What the auditor found. */

export interface Violation {
  /** The order, item, account or payment that it is about. */
  subject: string;
  detail: string;
}

export interface AuditCheck {
  name: string;
  /** What is compared with what. */
  compares: string;
  /** How many rows were looked at. */
  looked: number;
  violations: number;
  /** The first ones. */
  examples: Violation[];
}

export interface MoneyLine {
  /** ISO 4217 */
  currency: string;
  /** Minor units: totals of the completed orders. */
  completed: number;
  /** What was given back of them since. */
  refunded: number;
  /** Captured − refunded, in the customers' accounts. */
  accounts: number;
  /** Captured − refunded, at the card provider. */
  provider: number;
}

export interface AuditReport {
  /** A1 holds when this is 0. */
  violations: number;
  checks: AuditCheck[];
  /** Accepted orders, by the state of their saga. */
  orders: OrderCounts;
  /** Completed orders that were dispatched, by whether their stock is fulfilled: until then the word is on its way. */
  dispatched: { fulfilled: number; unfulfilled: number };
  money: MoneyLine[];
  tookMs: number;
}

export interface OrderCounts {
  completed: number;
  failed: number;
  cancelled: number;
  /** Waiting for an operator: neither a violation nor judged. */
  parked: number;
  /** Not ended yet: a violation, unless the audit allows them; never judged. */
  running: number;
}

const MAX_EXAMPLES = 20;

/** Collects what one check comes upon. */
export interface Tally {
  look(rows: number): void;
  violation(subject: string, detail: string): void;
  result(): AuditCheck;
}

export function tally(name: string, compares: string, onLook: (name: string, looked: number) => void): Tally {
  const check: AuditCheck = { name, compares, looked: 0, violations: 0, examples: [] };
  return {
    look(rows) {
      check.looked += rows;
      onLook(name, check.looked);
    },
    violation(subject, detail) {
      check.violations += 1;
      if (check.examples.length < MAX_EXAMPLES) check.examples.push({ subject, detail });
    },
    result: () => check,
  };
}
