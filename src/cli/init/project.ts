import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const MAX_FILES = 20_000;
const MAX_DEPTH = 12;
const NOT_SEARCHED = new Set(['node_modules', 'test-results', 'playwright-report', 'gemba-report', 'dist']);
const SOURCE = /\.[cm]?[jt]sx?$/;
const IMPORT = /(?:from\s*|import\s*|require\(\s*)['"]@playwright\/test['"]/;
const CONFIG = /^playwright[\w.-]*\.config\.[cm]?[jt]s$/;

/** The Playwright config of a folder, in the order in which Playwright itself looks. */
export function findPlaywrightConfig(folder: string): string | null {
  const names = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map((end) => `playwright.config.${end}`);
  return names.find((name) => existsSync(join(folder, name))) ?? null;
}

/** Files below a folder that import from `@playwright/test`, without Playwright's configs; relative, with slashes. */
export function importersOf(folder: string): string[] {
  const found: string[] = [];
  let left = MAX_FILES;
  const search = (below: string, depth: number): void => {
    for (const entry of readdirSync(below, { withFileTypes: true })) {
      if (left-- <= 0) return;
      const path = join(below, entry.name);
      if (entry.isDirectory()) {
        const isSearched = !entry.name.startsWith('.') && !NOT_SEARCHED.has(entry.name);
        if (isSearched && depth < MAX_DEPTH) search(path, depth + 1);
      } else if (entry.isFile() && SOURCE.test(entry.name) && !CONFIG.test(entry.name)) {
        if (IMPORT.test(readFileSync(path, 'utf8'))) found.push(relative(folder, path).replaceAll('\\', '/'));
      }
    }
  };
  search(folder, 0);
  return found.sort();
}

/** Lines that a `.gitignore` lacks. */
export function missingLines(text: string, wanted: readonly string[]): string[] {
  const there = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')));
  return wanted.filter((line) => !there.has(line.replace(/\/$/, '')));
}

/** The folder of tests that a Playwright config names in plain text; null where it names none. */
export function plainTestDir(source: string): string | null {
  return /\btestDir['"]?\s*:\s*(['"`])([^'"`$]+)\1/.exec(withoutComments(source))?.[2] ?? null;
}

/**
 * The base URL of a Playwright config, where it is plain: a text by itself, or the default behind an environment's. Not
 * one of a comment, and none where several differ.
 */
export function plainBaseUrl(source: string): string | null {
  const urls = new Set([...withoutComments(source).matchAll(BASE_URL)].map(([, , url]) => url!));
  const [url, ...others] = urls;
  if (url === undefined || others.length > 0 || !URL.canParse(url)) return null;
  const { username, password, search, hash } = new URL(url);
  return username + password + search + hash === '' ? url : null;
}

function withoutComments(source: string): string {
  return source.replaceAll(COMMENT_OR_TEXT, (part) => (part.startsWith('/') ? '' : part));
}

const COMMENT_OR_TEXT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const BASE_URL =
  /\bbaseURL['"]?\s*:\s*(?:process\.env\.\w+\s*(?:\?\?|\|\|)\s*)?(['"`])(https?:\/\/[^'"`\s$]+)\1/g;
