/* What benchmarks and the scripts that write docs use of the package's inside; no part of the package. */
export { gembaJsonSchema } from './docs/json-schema.ts';
export { referenceText } from './docs/reference.ts';
export { seededRandom } from '../src/core/clock.ts';
export { OUTCOME_KINDS } from '../src/core/types.ts';
export { AttemptRecord } from '../src/fixtures/record/attempt-record.ts';
export { collectResult, collectTests } from '../src/reporter/collect/collect.ts';
export { emptyRunState } from '../src/reporter/collect/run-state.ts';
export { renderDashboard } from '../src/reporter/page/render.ts';
export { dashboardView } from '../src/reporter/page/view.ts';
export { aggregate } from '../src/reporter/report/aggregate.ts';
export { reportText } from '../src/reporter/report/text.ts';
export { LiveView } from '../src/reporter/live/live.ts';
