import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const COLUMNS = 120;
/** What a clone does not have: installed packages, and what the programs write. */
const NOT_IN_A_CLONE = /(^|\/)(node_modules|\.holdfast)\//;
/** A code span is taken for a path of this repository if it begins at one of its folders and names a file. */
const REPO_PATH = /^(?:apps|packages|tools|tests|docs|protos|deploy|scripts|examples)\/[\w./-]+\.[a-z]+$/;

/** Not wrapped yet: other work is under way in it. */
const NOT_WRAPPED_YET = ['docs/errors.md'];

interface Place {
  file: string;
  line: number;
  text: string;
}

/** New documents count before they are added, deleted ones no more. */
function documents(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT });
  return listed
    .toString()
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(ROOT, file)));
}

/** The lines outside code blocks. */
function prose(file: string): Place[] {
  let inCode = false;
  return readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .map((text, index) => ({ file, line: index + 1, text }))
    .filter(({ text }) => {
      if (!/^\s*```/.test(text)) return !inCode;
      inCode = !inCode;
      return false;
    });
}

/** Anchors as GitHub makes them of headings. */
function anchors(file: string): string[] {
  return prose(file)
    .filter(({ text }) => /^#+ /.test(text))
    .map(({ text }) =>
      text
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

function brokenLinks({ file, line, text }: Place): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const linked = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(ROOT, linked))) return true;
      return anchor !== undefined && linked.endsWith('.md') && !anchors(linked).includes(anchor);
    })
    .map((target) => `${file}:${line} ${target}`);
}

/** A link whose text is a file's name names the file that it leads to. */
function staleNames({ file, line, text }: Place): string[] {
  return [...text.matchAll(/\[([\w.-]+\.(?:ts|sql|proto))\]\(([^)\s#]+)/g)]
    .filter((match) => match[1] !== basename(match[2] ?? ''))
    .map((match) => `${file}:${line} ${match[1]}`);
}

function brokenPaths({ file, line, text }: Place): string[] {
  return [...text.matchAll(/`([^`]+)`/g)]
    .map((match) => match[1] ?? '')
    .filter((span) => REPO_PATH.test(span) && !NOT_IN_A_CLONE.test(span))
    .filter((span) => !existsSync(join(ROOT, span)) && !existsSync(join(ROOT, dirname(file), span)))
    .map((span) => `${file}:${line} ${span}`);
}

/** Tables and lines with a link cannot be wrapped without breaking them. */
function tooLong({ file, text }: Place): boolean {
  return !NOT_WRAPPED_YET.includes(file) && text.length > COLUMNS && !text.startsWith('|') && !text.includes('](');
}

const lines = documents().flatMap(prose);

test('every relative link in the documents leads to a file, and to a heading where it names one', () => {
  expect(lines.length).toBeGreaterThan(500);
  expect(lines.flatMap(brokenLinks)).toEqual([]);
});

test('every link that is named like a file leads to the file of that name', () => {
  expect(lines.flatMap(staleNames)).toEqual([]);
});

test('every path of the repository in a code span exists', () => {
  expect(lines.flatMap(brokenPaths)).toEqual([]);
});

test('no line of prose is longer than 120 columns', () => {
  expect(lines.filter(tooLong).map(({ file, line }) => `${file}:${line}`)).toEqual([]);
});

test('every command `npm run …` in the documents is a script of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const pages = documents().map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
  const named = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => ({ file, script: match[1] ?? '' })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ script }) => !(script in scripts))).toEqual([]);
});
