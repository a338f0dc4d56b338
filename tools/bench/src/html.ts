import { soakCells, storageCells } from './growth-report.ts';
import { type Line, type Results, totalCpu } from './report.ts';

const BAR_PX = 480;
const COLOURS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#3ca951', '#a463f2', '#97bbf5'];

/** The results as one page that needs nothing else: no script, no font, no request. */
export function htmlReport(results: Results, lines: Line[]): string {
  const { machine, options, revision, measuredAt } = results;
  const processes = [...new Set(lines.flatMap(({ cpuUs }) => Object.keys(cpuUs)))];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Holdfast bench ${escaped(revision)}</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1e23; }
table { border-collapse: collapse; } td, th { padding: .2rem .7rem; text-align: right; } td:first-child, th:first-child { text-align: left; }
tr:nth-child(even) { background: #f4f5f7; } svg text { font: 12px system-ui, sans-serif; }
</style></head><body>
<h1>Holdfast bench</h1>
<p>Revision ${escaped(revision)}, ${escaped(measuredAt)}. ${machine.cores} × ${escaped(machine.model)}, ${machine.memoryGb} GB,
Node ${escaped(machine.node)}, load ${machine.loadBefore.toFixed(1)} before, a core hashes ${machine.hashMbPerSecond} MB/s.
${options.seconds} s each after ${options.warmUpSeconds} s of warm-up, medians of ${options.repeats} interleaved runs.
fsync and synchronous_commit on; an order counts when its terminal status was told.</p>
<h2>A second</h2>
${bars(
  lines,
  (line) => line.perSecond,
  (line) => `${line.perSecond.toFixed(0)}${ratios(line)}`,
)}
<h2>Latency: p50, p95, p99 (ms)</h2>
${latencies(lines)}
<h2>CPU an order, by process (µs)</h2>
${legend(processes)}
${stacks(lines, processes)}
<h2>Figures</h2>
${table(lines)}
${growth(results)}
</body></html>
`;
}

function bars(lines: Line[], sizeOf: (line: Line) => number, labelOf: (line: Line) => string): string {
  const most = Math.max(...lines.map(sizeOf));
  return svg(
    lines,
    (line, y) =>
      rect(0, y, (sizeOf(line) / most) * BAR_PX, COLOURS[0]) +
      label(line, y, (sizeOf(line) / most) * BAR_PX, labelOf(line)),
  );
}

function latencies(lines: Line[]): string {
  const most = Math.max(...lines.map(({ p99Ms }) => p99Ms));
  const x = (ms: number) => (ms / most) * BAR_PX;
  return svg(lines, (line, y) =>
    [
      rect(0, y, x(line.p99Ms), COLOURS[6]),
      rect(0, y, x(line.p95Ms), COLOURS[0]),
      rect(0, y, x(line.p50Ms), '#1f3a8a'),
      label(line, y, x(line.p99Ms), `${line.p50Ms.toFixed(1)} · ${line.p95Ms.toFixed(1)} · ${line.p99Ms.toFixed(1)}`),
    ].join(''),
  );
}

function stacks(lines: Line[], processes: string[]): string {
  const most = Math.max(...lines.map(totalCpu));
  return svg(lines, (line, y) => {
    let x = 0;
    const parts = processes.map((name, at) => {
      const width = ((line.cpuUs[name] ?? 0) / most) * BAR_PX;
      x += width;
      return rect(x - width, y, width, COLOURS[at % COLOURS.length]);
    });
    return parts.join('') + label(line, y, x, totalCpu(line).toFixed(0));
  });
}

const ROW_PX = 26;
const NAME_PX = 130;

function svg(lines: Line[], draw: (line: Line, y: number) => string): string {
  const height = lines.length * ROW_PX;
  return `<svg role="img" width="${NAME_PX + BAR_PX + 380}" height="${height}">${lines.map((line, at) => draw(line, at * ROW_PX)).join('')}</svg>`;
}

function rect(x: number, y: number, width: number, colour = '#999'): string {
  return `<rect x="${(NAME_PX + x).toFixed(1)}" y="${y + 3}" width="${Math.max(0, width).toFixed(1)}" height="${ROW_PX - 8}" fill="${colour}"/>`;
}

function label(line: Line, y: number, x: number, text: string): string {
  const base = y + ROW_PX - 10;
  return `<text x="0" y="${base}">${escaped(line.scenario.name)}</text><text x="${(NAME_PX + x + 6).toFixed(1)}" y="${base}">${escaped(text)}</text>`;
}

function legend(processes: string[]): string {
  const entries = processes.map(
    (name, at) => `<span style="color:${COLOURS[at % COLOURS.length]}">■</span> ${escaped(name)}`,
  );
  return `<p>${entries.join(' &nbsp; ')}</p>`;
}

function ratios(line: Line): string {
  return line.ratios.map(({ to, ratio }) => `  (${ratio.toFixed(2)} × ${to})`).join('');
}

function table(lines: Line[]): string {
  const head = [
    'scenario',
    'what',
    'a second',
    'p50',
    'p95',
    'p99',
    'CPU µs',
    'commits',
    'fsyncs',
    'WAL bytes',
    'whole pages',
    'failed',
  ];
  const rows = lines.map((line) => [
    line.scenario.name,
    line.scenario.what,
    ...[line.perSecond.toFixed(0), line.p50Ms.toFixed(1), line.p95Ms.toFixed(1), line.p99Ms.toFixed(1)],
    ...[totalCpu(line).toFixed(0), line.commits.toFixed(2), line.fsyncs.toFixed(2), line.walBytes.toFixed(0)],
    ...[line.fullPages.toFixed(1), String(line.failed)],
  ]);
  return cellTable([head, ...rows]);
}

/** The first row are the headings. */
function cellTable([head = [], ...rows]: string[][]): string {
  const cells = (tag: string, values: string[]) => values.map((value) => `<${tag}>${escaped(value)}</${tag}>`).join('');
  return `<table><tr>${cells('th', head)}</tr>${rows.map((values) => `<tr>${cells('td', values)}</tr>`).join('')}</table>`;
}

function growth({ storage, soak }: Results): string {
  return [
    ...(storage.length === 0 ? [] : ['<h2>On the disk</h2>', cellTable(storageCells(storage))]),
    ...(soak === null
      ? []
      : [`<h2>Memory, ${soak.clients} clients for ${soak.minutes} min</h2>`, cellTable(soakCells(soak))]),
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
