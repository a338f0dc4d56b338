/** What orders take on the disk, and whether memory stays where it is: as lines of text, and for the page. */
import type { Soak } from './soak.ts';
import type { Storage } from './storage.ts';

/** Bytes an order, as rows of cells; the first are the headings. */
export function storageCells(storage: Storage[]): string[][] {
  const rows = storage.flatMap(({ system, after, databases }) => {
    const all = databases.reduce((sum, { tableBytes }) => sum + tableBytes, 0);
    const allIndexes = databases.reduce((sum, { indexBytes }) => sum + indexBytes, 0);
    const each = databases.map(({ name, orders, tableBytes, indexBytes }) => [
      `${system}, after ${after}`,
      name,
      String(orders),
      ...[tableBytes, indexBytes, tableBytes + indexBytes].map((bytes) => bytes.toFixed(0)),
    ]);
    const sums = [all, allIndexes, all + allIndexes].map((bytes) => bytes.toFixed(0));
    return [...each, [`${system}, after ${after}`, 'all', '', ...sums]];
  });
  return [['bytes an order', 'database', 'orders', 'tables', 'indexes', 'both'], ...rows];
}

export function storageLines(storage: Storage[]): string[] {
  if (storage.length === 0) return [];
  const widths = [26, 13, 10, 8, 8, 8];
  const line = (cells: string[]) =>
    cells.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' ');
  return ['', ...storageCells(storage).map(line)];
}

/** Memory by process: at first, at most, at the end, and how fast it rose over the second half. */
export function soakCells({ samples, slopes }: Soak): string[][] {
  const first = samples[0]?.residentMb ?? {};
  const rows = Object.keys(first).map((name) => {
    const all = samples.map(({ residentMb }) => residentMb[name] ?? 0);
    const figures = [all[0] ?? 0, Math.max(...all), all.at(-1) ?? 0].map((mb) => mb.toFixed(0));
    return [name, ...figures, slopes[name]?.toFixed(2) ?? '-'];
  });
  return [['process', 'first MB', 'most MB', 'last MB', 'MB a minute'], ...rows];
}

export function soakLines(soak: Soak | null): string[] {
  if (soak === null) return [];
  const { minutes, clients, perSecond, ended, failed, firstFailure } = soak;
  const table = soakCells(soak).map(
    ([name = '', ...cells]) => `  ${name.padEnd(14)} ${cells.map((cell) => cell.padStart(12)).join('')}`,
  );
  return [
    '',
    `${clients} clients for ${minutes} min: ${ended} orders, ${perSecond.toFixed(0)} a second; resident memory, slope over the second half:`,
    ...table,
    ...(failed === 0 ? [] : [`✘ ${failed} requests failed, the first with: ${firstFailure}`]),
  ];
}
