/* What a contrast run has come to, as Markdown. */
import { type Verdict, WRONGS, type Wrong } from './judge.ts';
import { FAULTS, type Fault } from './orders.ts';
import type { Way } from './patterns.ts';

const TITLES: Record<Way, string> = {
  holdfast: '**Holdfast**',
  'undo-registered-after-the-act': 'undo registered after the act',
  'undo-of-completed-tasks': 'undo only of completed tasks',
  'time-out-means-failure': 'time-out means failure',
};
const WRONG_TITLES: Record<Wrong, string> = {
  charged: 'failed, yet charged',
  reserved: 'failed, yet stock is held',
  shipped: 'failed, yet shipped',
  incomplete: 'completed, something missing',
  'not-ended': 'never ended',
};
const FAULT_TITLES: Record<Fault | 'none', string> = {
  'request-lost': 'one request lost',
  'reply-lost': 'one reply lost',
  late: 'one call 2 s late',
  'replies-lost-for-a-while': 'replies lost for 10 s',
  'held-up-for-a-while': 'calls held up for 10 s',
  'dies-before': 'process dies before the call',
  'dies-after': 'process dies after the answer',
  none: 'none planned',
};

export function wrongTable(verdicts: ReadonlyMap<Way, Verdict>): string[] {
  const head = ['', 'completed', 'turned back', 'end wrong', ...WRONGS.map((wrong) => WRONG_TITLES[wrong])];
  const rows = [...verdicts].map(([way, { completed, turnedBack, wrong, byWrong }]) => [
    TITLES[way],
    ...[completed, turnedBack, wrong, ...WRONGS.map((name) => byWrong[name])].map(String),
  ]);
  return table([head, ...rows]);
}

export function faultTable(verdicts: ReadonlyMap<Way, Verdict>): string[] {
  const faults = [...FAULTS, 'none'] as const;
  const head = ['orders that end wrong, by what went wrong', ...[...verdicts.keys()].map((way) => TITLES[way])];
  const rows = faults.map((fault) => [
    FAULT_TITLES[fault],
    ...[...verdicts.values()].map(({ byFault }) => String(byFault[fault])),
  ]);
  return table([head, ...rows]);
}

function table([head = [], ...rows]: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...rows.map(line)];
}
