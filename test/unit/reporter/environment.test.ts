import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ciRunOf, httpAddress } from '../../../src/reporter/environment/ci.ts';
import { gitStateOf } from '../../../src/reporter/environment/git.ts';
import { linksOf } from '../../../src/reporter/environment/links.ts';
import { otherReporters } from '../../../src/reporter/environment/other-reporters.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'gemba-place-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function put(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

describe('the CI run', () => {
  it.each([
    [
      {
        GITHUB_ACTIONS: 'true',
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_REPOSITORY: 'a/shop',
        GITHUB_RUN_ID: '7',
        GITHUB_RUN_ATTEMPT: '2',
        GITHUB_REF_NAME: '12/merge',
        GITHUB_HEAD_REF: 'fix-total',
        GITHUB_BASE_REF: 'main',
        GITHUB_SHA: COMMIT,
      },
      ['github', 'https://github.com/a/shop/actions/runs/7/attempts/2', 'fix-total', COMMIT, 'main'],
    ],
    [
      {
        GITLAB_CI: 'true',
        CI_JOB_URL: 'https://gitlab.example/a/shop/-/jobs/9',
        CI_COMMIT_REF_NAME: 'main',
        CI_COMMIT_SHA: COMMIT,
        CI_DEFAULT_BRANCH: 'main',
      },
      ['gitlab', 'https://gitlab.example/a/shop/-/jobs/9', 'main', COMMIT, 'main'],
    ],
    [
      {
        JENKINS_URL: 'https://ci.example/',
        BUILD_URL: 'https://ci.example/job/shop/3/',
        GIT_BRANCH: 'origin/main',
        GIT_COMMIT: COMMIT,
      },
      ['jenkins', 'https://ci.example/job/shop/3/', 'main', COMMIT, null],
    ],
    [
      {
        TF_BUILD: 'True',
        SYSTEM_COLLECTIONURI: 'https://dev.azure.com/acme/',
        SYSTEM_TEAMPROJECT: 'web shop',
        BUILD_BUILDID: '5',
        BUILD_SOURCEBRANCH: 'refs/heads/release/2',
        BUILD_SOURCEVERSION: COMMIT,
      },
      ['azure', 'https://dev.azure.com/acme/web%20shop/_build/results?buildId=5', 'release/2', COMMIT, null],
    ],
    [
      {
        CIRCLECI: 'true',
        CIRCLE_BUILD_URL: 'https://circleci.com/gh/a/shop/4',
        CIRCLE_BRANCH: 'main',
        CIRCLE_SHA1: COMMIT,
      },
      ['circleci', 'https://circleci.com/gh/a/shop/4', 'main', COMMIT, null],
    ],
  ])(
    'is read from the variables of its system: %#',
    (env, [provider, url, branch, commit, defaultBranch]) => {
      expect(ciRunOf(env)).toEqual({ provider, url, branch, commit, defaultBranch });
    },
  );

  it('is none elsewhere, and without an address where a variable holds none', () => {
    expect(ciRunOf({ CI: 'true' })).toBeNull();
    expect(ciRunOf({ GITLAB_CI: 'true', CI_JOB_URL: 'javascript:alert(1)' })).toMatchObject({
      url: null,
      branch: null,
    });
    expect(httpAddress('https://user:token@ci.example/x')).toBe('https://ci.example/x');
    expect(httpAddress('data:text/html,x')).toBeNull();
  });
});

describe('the working copy', () => {
  it('has branch and commit, of a loose or a packed reference', () => {
    expect(gitStateOf(folder)).toBeNull();
    put('.git/HEAD', 'ref: refs/heads/fix/total\n');
    expect(gitStateOf(path.join(folder, '.git'))).toEqual({ branch: 'fix/total', commit: null });
    put('.git/packed-refs', `# pack-refs\n${COMMIT} refs/heads/fix/total\n`);
    mkdirSync(path.join(folder, 'e2e/tests'), { recursive: true });
    expect(gitStateOf(path.join(folder, 'e2e/tests'))).toEqual({ branch: 'fix/total', commit: COMMIT });
    put('.git/refs/heads/fix/total', `${'f'.repeat(40)}\n`);
    expect(gitStateOf(folder)).toEqual({ branch: 'fix/total', commit: 'f'.repeat(40) });
    put('.git/HEAD', `${COMMIT}\n`);
    expect(gitStateOf(folder)).toEqual({ branch: null, commit: COMMIT });
  });

  it('may be a worktree', () => {
    put('main/.git/worktrees/w/HEAD', 'ref: refs/heads/side\n');
    put('main/.git/worktrees/w/commondir', '../..\n');
    put('main/.git/refs/heads/side', COMMIT);
    put('w/.git', `gitdir: ${path.join(folder, 'main/.git/worktrees/w')}\n`);
    expect(gitStateOf(path.join(folder, 'w'))).toEqual({ branch: 'side', commit: COMMIT });
  });
});

describe('the other reporters', () => {
  const context = { argv: [], env: {}, configDir: '/repo', cwd: '/repo' };

  it.each<
    [string, Parameters<typeof otherReporters>[0], Partial<Parameters<typeof otherReporters>[1]>, boolean]
  >([
    ['json', [['json']], {}, true],
    ['junit', [['junit'], ['list']], {}, true],
    ['json into a file', [['json', { outputFile: 'r.json' }]], {}, false],
    ['json into a file of a variable', [['json']], { env: { PLAYWRIGHT_JSON_OUTPUT_FILE: 'r.json' } }, false],
    ['json into a named file', [['json']], { env: { PLAYWRIGHT_JSON_OUTPUT_NAME: 'r.json' } }, false],
    ['list and html', [['list'], ['html']], {}, false],
    [
      'json of the command line',
      [['list']],
      { argv: ['merge-reports', '--reporter', 'json,gemba-agent/reporter'] },
      true,
    ],
    ['list of the command line', [['json']], { argv: ['test', '--reporter=list'] }, false],
  ])('%s: stdout is data: %#', (_, reporters, parts, expected) => {
    expect(otherReporters(reporters, { ...context, ...parts }).writeToStdout).toBe(expected);
  });

  it('are blob and github, and html with its folder', () => {
    expect(otherReporters([['blob'], ['github'], ['html', { outputFolder: 'out' }]], context)).toEqual({
      writeToStdout: false,
      hasBlob: true,
      hasGithub: true,
      htmlFolder: '/repo/out',
    });
    const env = { PLAYWRIGHT_HTML_OUTPUT_DIR: 'elsewhere' };
    expect(otherReporters([['html']], { ...context, env }).htmlFolder).toBe('/repo/elsewhere');
  });
});

describe('the links', () => {
  const sources = () => ({
    folder: path.join(folder, 'gemba-report'),
    configDir: folder,
    htmlFolder: null,
    ciUrl: 'https://ci.example/1',
    startedAt: 1000,
  });

  it('lead to the html report of the run', () => {
    const htmlFolder = path.join(folder, 'out/my report');
    expect(linksOf(undefined, { ...sources(), htmlFolder })).toEqual({
      playwrightReport: '../out/my%20report/index.html',
      ci: 'https://ci.example/1',
    });
    expect(linksOf(undefined, { ...sources(), htmlFolder: tmpdir() }).playwrightReport).toBeNull();
  });

  it('lead to a report on disk only where it is not older than the run', () => {
    put('playwright-report/index.html', '');
    utimesSync(path.join(folder, 'playwright-report/index.html'), 2, 2);
    expect(linksOf(undefined, sources()).playwrightReport).toBe('../playwright-report/index.html');
    expect(linksOf(undefined, { ...sources(), startedAt: 3000 }).playwrightReport).toBeNull();
  });

  it('are those of the option, or none', () => {
    const given = { playwrightReport: 'https://pages.example/r/', ci: 'https://other.example/2' };
    expect(linksOf(given, sources())).toEqual(given);
    expect(linksOf({ playwrightReport: 'reports/html' }, sources()).playwrightReport).toBe(
      '../reports/html/index.html',
    );
    expect(
      linksOf({ ci: 'javascript:alert(1)', playwrightReport: 'javascript:alert(1)' }, sources()),
    ).toEqual({
      playwrightReport: null,
      ci: null,
    });
    expect(linksOf(false, sources())).toEqual({ playwrightReport: null, ci: null });
  });
});
