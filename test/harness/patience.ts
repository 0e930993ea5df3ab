/** `GEMBA_TEST_PATIENCE=4`: everything that is waited for may take four times as long, on a machine that has other work. */
export const patience = Math.max(1, Number(process.env['GEMBA_TEST_PATIENCE'] ?? 1) || 1);
