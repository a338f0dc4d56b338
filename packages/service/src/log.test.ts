import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createLog } from './log.ts';

it('H23: of a database’s error a log says the message and the code, never the row that its details quote', () => {
  const log = createLog('test', 'info');
  const lines: string[] = [];
  Object.assign(log, { [pino.symbols.streamSym]: { write: (line: string) => void lines.push(line) } });
  const quoted = { detail: 'Failing row contains (Ann, Harbour Road 1).', where: 'unnamed portal parameter $3 = Ann' };
  const error = Object.assign(new Error('a check failed'), { code: '23514', ...quoted });
  log.error({ err: error }, 'a request failed');
  log.child({}).error({ err: new Error('it failed', { cause: error }) }, 'a request failed');
  expect(lines.join('')).toContain('a check failed');
  expect(lines.join('')).toContain('23514');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toMatch(/Ann|Harbour/);
});
