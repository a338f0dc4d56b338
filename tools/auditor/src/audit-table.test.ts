import type { AuditReport } from '@holdfast/testing/audit';
import { describe, expect, it } from 'vitest';
import { auditTable } from './audit-table.ts';

const REPORT: AuditReport = {
  violations: 22,
  checks: [
    { name: 'orders', compares: 'every order has ended', looked: 12_345, violations: 0, examples: [] },
    {
      name: 'stock',
      compares: 'on hand = sum of entries, and a lot more that does not fit into the width of a narrow terminal',
      looked: 7,
      violations: 22,
      examples: [{ subject: 'shop:tea', detail: '9 are on hand, its entries add up to 8' }],
    },
  ],
  orders: { completed: 10, failed: 1, cancelled: 0, parked: 2, running: 3 },
  dispatched: { fulfilled: 4, unfulfilled: 1 },
  money: [{ currency: 'EUR', completed: 1_100, refunded: 100, accounts: 400, provider: 600 }],
  tookMs: 5,
};

describe('the auditor’s table', () => {
  const lines = auditTable(REPORT, 80);

  it('marks each check as right or wrong, with its counts aligned', () => {
    expect(lines[1]).toBe('✔  orders     12,345           0  every order has ended');
    expect(lines[2]).toMatch(/^✘ {2}stock {10,}7 {10}22 {2}on hand = sum of entries/);
  });

  it('keeps to the width of the terminal', () => {
    for (const line of lines.slice(0, 3)) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[2]).toMatch(/…$/);
  });

  it('names what is violated, and how much more there is', () => {
    expect(lines).toContain('  shop:tea: 9 are on hand, its entries add up to 8');
    expect(lines).toContain('  and 21 more');
  });

  it('tells the orders by status and the money by currency', () => {
    const text = lines.join('\n');
    expect(text).toContain(
      '16 orders: 10 completed, 1 failed, 0 cancelled, 2 parked (waiting for an operator), 3 not ended',
    );
    expect(text).toContain('5 dispatched, 1 whose stock is still held');
    expect(text).toContain(
      'EUR: completed orders cost 1,100, 100 of it given back; taken: 1,000 (accounts 400, card provider 600)',
    );
  });
});
