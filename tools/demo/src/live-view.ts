import type { Progress } from './progress.ts';

export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 200;
const PLAIN_LINE_MS = 3_000;
const BAR_WIDTH = 30;
const CLEAR_TO_END = '\x1b[0J';

/** The run while it runs: redrawn in place on a terminal, a plain line now and then elsewhere. @returns ends it */
export function showProgress(progress: Progress, screen: Screen): () => void {
  const tty = screen.isTTY === true;
  let drawn = 0;
  const draw = () => {
    const lines = linesOf(progress, tty);
    if (!tty) return screen.write(`${lines.join('   ')}\n`);
    const width = screen.columns ?? 80;
    const up = drawn > 0 ? `\x1b[${drawn}A\r` : '';
    drawn = lines.length;
    return screen.write(`${up}${CLEAR_TO_END}${lines.map((line) => line.slice(0, width - 1)).join('\n')}\n`);
  };
  draw();
  const timer = setInterval(draw, tty ? REDRAW_MS : PLAIN_LINE_MS);
  return () => {
    clearInterval(timer);
    draw();
  };
}

/** @param bar whether there is room for a bar */
export function linesOf(progress: Progress, bar: boolean): string[] {
  const seconds = (performance.now() - progress.startedAtMs) / 1_000;
  const share = progress.endedCount / progress.wanted;
  const rate = seconds > 0 ? progress.endedCount / seconds : 0;
  const filled = Math.round(share * BAR_WIDTH);
  const head = bar ? `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ` : '';
  const statuses = ['completed', 'failed', 'cancelled'] as const;
  return [
    `${head}${progress.endedCount}/${progress.wanted} orders ended, ${rate.toFixed(0)}/s, ${seconds.toFixed(0)} s`,
    statuses.map((status) => `${progress.ended.get(status) ?? 0} ${status}`).join(', '),
    `${progress.killCount} ${progress.strikes}${listed(progress.kills)}, ${progress.retries} requests sent again`,
  ];
}

function listed(counts: Map<string, number>): string {
  return counts.size === 0 ? '' : ` (${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')})`;
}
