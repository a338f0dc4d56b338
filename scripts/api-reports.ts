// Writes what each public package exports to its folder api/, one report for each entry point, so that a change of the
// API shows in a review. `--check` only compares, and fails on any difference. A package is public when its package.json
// says `"holdfast": { "public": true }`; its entry points are those of `exports`.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES = join(ROOT, 'packages');
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const BASE = join(ROOT, 'tsconfig.base.json');
/** `npm run typecheck` checks the types, and does it once. */
const UNCHECKED = { noCheck: true, typeRoots: [join(ROOT, 'node_modules/@types')] };
/** Where in the scratch folder a note belongs: differs with each run, and with each line added above. */
const PLACES = /^\/\/ \S*\/\.holdfast\/api-\w+\/[^/\s]+\/src\/(\S+)\.d\.ts:\d+:\d+ - /gm;
const SOURCES = './src/';

type Exported = string | { [condition: string]: Exported };
interface Manifest {
  exports: Record<string, Exported>;
  holdfast?: { public?: boolean };
}
interface Entry {
  /** The package's folder below packages/. */
  folder: string;
  /** The report's path below packages/. */
  report: string;
  /** Below src/. */
  source: string;
}

const isCheck = process.argv.includes('--check');
const folders = publicFolders();
const scratch = makeScratch(folders);
let differing: string[];
try {
  const reports = reportsOf(folders, scratch);
  differing = folders.flatMap((folder) => compareOrWrite(folder, reports));
} finally {
  rmSync(scratch, { recursive: true });
}
if (isCheck && differing.length > 0) {
  console.error(`the API reports do not match the source: run npm run gen and commit\n  ${differing.join('\n  ')}`);
  process.exitCode = 1;
} else {
  console.log(isCheck ? 'the API reports match the source' : `wrote ${differing.length} changed API reports`);
}

/** @returns the names of the public packages' folders */
function publicFolders(): string[] {
  const all = globSync('packages/*/package.json', { cwd: ROOT }).map((path) => basename(dirname(path)));
  return all.filter((folder) => manifestOf(folder).holdfast?.public === true).sort();
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8')) as Manifest;
}

/**
 * Where the declarations are written, with each package's folder as below packages/. What a package depends on is found
 * from there too, by a link. Not in node_modules, which API Extractor takes for foreign.
 */
function makeScratch(folders: string[]): string {
  mkdirSync(join(ROOT, '.holdfast'), { recursive: true });
  const fresh = mkdtempSync(join(ROOT, '.holdfast', 'api-'));
  for (const folder of folders) {
    mkdirSync(join(fresh, folder));
    symlinkSync(join(PACKAGES, folder, 'node_modules'), join(fresh, folder, 'node_modules'));
  }
  return fresh;
}

/** @returns the paths of the reports that differ from the source */
function compareOrWrite(folder: string, reports: Map<string, string>): string[] {
  const committed = globSync('api/*.api.md', { cwd: join(PACKAGES, folder) }).map((path) => join(folder, path));
  const wanted = [...reports.keys()].filter((path) => path.startsWith(`${folder}/`));
  const changed = [...new Set([...wanted, ...committed])].sort().filter((path) => {
    const file = join(PACKAGES, path);
    return !existsSync(file) || readFileSync(file, 'utf8') !== reports.get(path);
  });
  if (!isCheck) for (const path of changed) write(join(PACKAGES, path), reports.get(path));
  return changed.map((path) => `packages/${path}`);
}

function write(path: string, text: string | undefined): void {
  mkdirSync(dirname(path), { recursive: true });
  // An entry point that is gone leaves no report behind.
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}

/** @returns the text of each report by its path below packages/ */
function reportsOf(folders: string[], fresh: string): Map<string, string> {
  const entries = folders.flatMap(entriesOf);
  emitDeclarations(fresh, entries);
  const configs = entries.map((entry) => configOf(fresh, entry));
  return new Map(extract(configs).map((text, at) => [entries[at]?.report ?? '', text]));
}

function entriesOf(folder: string): Entry[] {
  return Object.entries(manifestOf(folder).exports).flatMap(([subpath, exported]) => {
    const source = sourceOf(exported);
    return source === undefined ? [] : [{ folder, report: `${folder}/api/${reportNameOf(subpath)}`, source }];
  });
}

/** `.` is index.api.md, `./fastify` is fastify.api.md. */
function reportNameOf(subpath: string): string {
  return `${subpath.replace(/^\.\/?/, '').replaceAll('/', '.') || 'index'}.api.md`;
}

/** Under some condition, or under none, an entry point names its source; a file that is no source has no API. */
function sourceOf(exported: Exported): string | undefined {
  if (typeof exported !== 'string') return Object.values(exported).map(sourceOf).find(Boolean);
  return exported.startsWith(SOURCES) && exported.endsWith('.ts') ? exported.slice(SOURCES.length) : undefined;
}

/** One compilation for all packages. */
function emitDeclarations(outDir: string, entries: Entry[]): void {
  const emit = { noEmit: false, emitDeclarationOnly: true, declaration: true, rootDir: PACKAGES, outDir };
  const config = join(outDir, 'tsconfig.json');
  const files = entries.map(({ folder, source }) => join(PACKAGES, folder, 'src', source));
  writeFileSync(config, JSON.stringify({ extends: BASE, compilerOptions: { ...emit, ...UNCHECKED }, files }));
  const { status } = spawnSync(TSC, ['-p', config], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the declarations could not be written');
}

function configOf(fresh: string, { folder, report, source }: Entry): ExtractorConfig {
  const entry = join(fresh, folder, 'src', source.replace(/\.ts$/, '.d.ts'));
  const { compilerOptions } = JSON.parse(readFileSync(BASE, 'utf8'));
  const tsconfig = { compilerOptions: { ...compilerOptions, ...UNCHECKED }, files: [entry] };
  const none = { logLevel: ExtractorLogLevel.None };
  const reports = { reportFolder: join(fresh, folder), reportTempFolder: join(fresh, 'temp') };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: join(fresh, folder),
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      apiReport: { enabled: true, reportFileName: basename(report), ...reports },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: { overrideTsconfig: tsconfig },
      // What an exported declaration mentions without its being exported is noted in the report, for the reviewer.
      messages: {
        extractorMessageReporting: { default: none, 'ae-forgotten-export': { ...none, addToApiReportFile: true } },
        tsdocMessageReporting: { default: none },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(PACKAGES, folder, 'package.json'),
  });
}

/** One program for all entry points: reading the libraries' types is what takes the time. */
function extract(configs: ExtractorConfig[]): string[] {
  const [first] = configs;
  if (first === undefined) return [];
  const additionalEntryPoints = configs.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath);
  const compilerState = CompilerState.create(first, { additionalEntryPoints });
  return configs.map((config) => {
    const options = { localBuild: true, compilerState, messageCallback: sayOnlyErrors };
    if (Extractor.invoke(config, options).errorCount > 0)
      throw new Error(`no report of ${config.mainEntryPointFilePath}`);
    return readFileSync(config.reportFilePath, 'utf8').replaceAll(PLACES, '// $1.ts - ');
  });
}

/** That the report is new is nothing to say: it is always written to an empty folder. */
function sayOnlyErrors(message: ExtractorMessage): void {
  message.handled = message.logLevel !== 'error';
}
