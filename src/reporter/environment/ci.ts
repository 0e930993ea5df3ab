import type { Env } from '../../shared/env.ts';
import { withoutLogins } from '../../shared/redact.ts';
import type { ReportCi } from '../report/model.ts';

/** The CI run, from the variables that the system sets. */
export interface CiRun extends ReportCi {
  /** Trends compare with it where the branch itself has no runs; null where the system does not name it. */
  readonly defaultBranch: string | null;
}

const MAX_TEXT = 300;

/** The CI run that this process belongs to; null elsewhere. */
export function ciRunOf(env: Env): CiRun | null {
  const found = PROVIDERS.find(({ is }) => is(env));
  if (!found) return null;
  const { url, branch, commit, defaultBranch } = found.facts(env);
  return {
    provider: found.name,
    url: httpAddress(url),
    branch: text(branch),
    commit: text(commit),
    defaultBranch: text(defaultBranch),
  };
}

interface Facts {
  readonly url?: string | undefined;
  readonly branch?: string | undefined;
  readonly commit?: string | undefined;
  readonly defaultBranch?: string | undefined;
}

interface Provider {
  readonly name: ReportCi['provider'];
  readonly is: (env: Env) => boolean;
  readonly facts: (env: Env) => Facts;
}

const PROVIDERS: readonly Provider[] = [
  { name: 'github', is: (env) => env['GITHUB_ACTIONS'] === 'true', facts: github },
  { name: 'gitlab', is: (env) => env['GITLAB_CI'] === 'true', facts: gitlab },
  { name: 'azure', is: (env) => /^true$/i.test(env['TF_BUILD'] ?? ''), facts: azure },
  { name: 'circleci', is: (env) => env['CIRCLECI'] === 'true', facts: circleci },
  { name: 'jenkins', is: (env) => Boolean(env['JENKINS_URL'] ?? env['JENKINS_HOME']), facts: jenkins },
];

function github(env: Env): Facts {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  const attempt = env['GITHUB_RUN_ATTEMPT'];
  const suffix = attempt && attempt !== '1' ? `/attempts/${attempt}` : '';
  return {
    url: server && repository && run ? `${server}/${repository}/actions/runs/${run}${suffix}` : undefined,
    // For a pull request, GITHUB_REF_NAME is the merge's.
    branch: env['GITHUB_HEAD_REF'] || env['GITHUB_REF_NAME'],
    commit: env['GITHUB_SHA'],
    defaultBranch: env['GITHUB_BASE_REF'],
  };
}

function gitlab(env: Env): Facts {
  return {
    url: env['CI_JOB_URL'] || env['CI_PIPELINE_URL'],
    branch: env['CI_MERGE_REQUEST_SOURCE_BRANCH_NAME'] || env['CI_COMMIT_REF_NAME'],
    commit: env['CI_COMMIT_SHA'],
    defaultBranch: env['CI_DEFAULT_BRANCH'],
  };
}

function azure(env: Env): Facts {
  const server = env['SYSTEM_COLLECTIONURI'] || env['SYSTEM_TEAMFOUNDATIONCOLLECTIONURI'];
  const { SYSTEM_TEAMPROJECT: project, BUILD_BUILDID: build } = env;
  const page = `_build/results?buildId=${encodeURIComponent(build ?? '')}`;
  return {
    url: server && project && build ? `${server}${encodeURIComponent(project)}/${page}` : undefined,
    branch: branchOf(env['SYSTEM_PULLREQUEST_SOURCEBRANCH'] || env['BUILD_SOURCEBRANCH']),
    commit: env['SYSTEM_PULLREQUEST_SOURCECOMMITID'] || env['BUILD_SOURCEVERSION'],
    defaultBranch: branchOf(env['SYSTEM_PULLREQUEST_TARGETBRANCH']),
  };
}

function circleci(env: Env): Facts {
  return { url: env['CIRCLE_BUILD_URL'], branch: env['CIRCLE_BRANCH'], commit: env['CIRCLE_SHA1'] };
}

function jenkins(env: Env): Facts {
  return {
    url: env['BUILD_URL'],
    branch: env['CHANGE_BRANCH'] || env['BRANCH_NAME'] || branchOf(env['GIT_BRANCH']),
    commit: env['GIT_COMMIT'],
    defaultBranch: env['CHANGE_TARGET'],
  };
}

/** `refs/heads/main`, `origin/main` → `main` */
function branchOf(ref: string | undefined): string | undefined {
  return ref?.replace(/^refs\/heads\//, '').replace(/^origin\//, '');
}

/** An address that a page may link to; a job's variable may hold anything. */
export function httpAddress(url: string | undefined): string | null {
  if (!url || url.length > 2000 || !URL.canParse(url)) return null;
  return /^https?:$/.test(new URL(url).protocol) ? withoutLogins(url) : null;
}

function text(value: string | undefined): string | null {
  return value ? value.slice(0, MAX_TEXT) : null;
}
