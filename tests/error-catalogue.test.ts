import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { FAILURE_REASONS, problems } from '@holdfast/orchestrator';
import { rpcErrors } from '@holdfast/rpc';
import { describe, expect, it } from 'vitest';

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');

/** The table's rows under a heading, as lists of cells without their markup. */
function rowsUnder(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.replaceAll('`', '')),
    );
}

describe('docs/errors.md', () => {
  it('lists every failure reason of an order, and no other', () => {
    expect(
      rowsUnder('Failure reasons')
        .map(([reason]) => reason)
        .sort(),
    ).toEqual([...FAILURE_REASONS].sort());
  });

  it('lists every HTTP problem with its status and whether a retry helps', () => {
    const documented = rowsUnder('HTTP problems').map(([code, httpStatus, retryable]) => [code, httpStatus, retryable]);
    const coded = Object.entries(problems).map(([code, problem]) => [
      code,
      String(problem.status),
      problem.retryable ? 'yes' : 'no',
    ]);
    expect(documented).toEqual(coded);
  });

  it('lists every gRPC reason with its status and pushback', () => {
    const documented = rowsUnder('gRPC reasons').map(([reason, code, pushback]) => [reason, code, pushback]);
    const coded = Object.entries(rpcErrors).map(([reason, error]) => [
      reason,
      status[error.code],
      String(error.pushbackMs),
    ]);
    expect(documented).toEqual(coded);
  });
});
