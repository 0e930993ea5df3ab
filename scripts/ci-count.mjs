// Prints "N passed, N failed" from a JSON report of vitest; a file that could not run at all counts as one failure.
//   node scripts/ci-count.mjs REPORT.json
import { readFileSync } from 'node:fs';

const { passed, failed } = count(process.argv[2]);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;

function count(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1 };
  }
  const empty = report.testResults.filter(
    (one) => one.status === 'failed' && one.assertionResults.length === 0,
  );
  const failures = report.numFailedTests + empty.length;
  return { passed: report.numPassedTests, failed: failures === 0 && !report.success ? 1 : failures };
}
