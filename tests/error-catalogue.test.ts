import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { CAPTURE_REFUSALS, FAILURE_REASONS, REFUND_FAILURE_REASONS, type Reason, reasons } from '@holdfast/contracts';
import { encodeStatus as encodeKeyError, keyErrors } from '@holdfast/idempotency/grpc';
import { problems as keyProblems } from '@holdfast/idempotency/http';
import { problems } from '@holdfast/orchestrator';
import { decodeStatus, encodeStatus, rpcErrors } from '@holdfast/rpc';
import { describe, expect, it } from 'vitest';

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
const plain = (text: string) => text.replaceAll('`', '');

/** The table's rows under a heading, as lists of cells without their markup. */
function rowsUnder(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => line.slice(2, -2).split(' | ').map(plain));
}

describe('docs/errors.md', () => {
  it('lists every failure reason of an order, and no other', () => {
    const documented = rowsUnder('Failure reasons of an order').map(([reason]) => reason);
    expect(documented.sort()).toEqual([...FAILURE_REASONS].sort());
  });

  it('lists every failure reason of a refund, and no other', () => {
    const documented = rowsUnder('Failure reasons of a refund').map(([reason]) => reason);
    expect(documented.sort()).toEqual([...REFUND_FAILURE_REASONS].sort());
  });

  it('lists every failure reason of a capture, and no other', () => {
    const documented = rowsUnder('Failure reasons of a capture').map(([reason]) => reason);
    expect(documented.sort()).toEqual([...CAPTURE_REFUSALS].sort());
  });

  it('lists every HTTP problem, whether the library has it, and the very sentence that is sent', () => {
    const coded = Object.entries(problems).map(([code, problem]) => [
      code,
      String(problem.status),
      problem.retryable ? 'yes' : 'no',
      code in keyProblems ? 'library' : 'API',
      plain(problem.detail),
    ]);
    expect(rowsUnder('HTTP problems')).toEqual(coded);
  });

  it('lists every gRPC reason, whether the library has it, and the very sentence that is sent', () => {
    const coded = Object.entries(rpcErrors).map(([reason, error]) => [
      reason,
      status[error.code],
      String(error.pushbackMs),
      reason in keyErrors ? 'library' : 'services',
      plain(reasons[reason as Reason].detail),
    ]);
    expect(rowsUnder('gRPC reasons')).toEqual(coded);
  });
});

describe('the catalogues', () => {
  it('are one: what the interceptor answers is what the services answer', () => {
    expect(rpcErrors).toMatchObject(keyErrors);
    expect(problems).toMatchObject(keyProblems);
  });

  it('G3: have one form on the wire, whichever of the two encoders wrote it', () => {
    const detail = { code: 9, message: 'größer als 128 '.repeat(20), reason: 'SEALED' };
    const metadata = { differing: 'a,b', field: '' };
    const bytes = encodeKeyError({ ...detail, domain: 'holdfast', info: metadata });
    expect(decodeStatus(bytes)).toEqual({ ...detail, metadata });
    expect(bytes).toEqual(encodeStatus({ ...detail, metadata }));
  });
});
