/** Waits. The timer keeps no process from its end unless `isNeeded`. */
export function sleep(ms: number, { isNeeded = true }: { readonly isNeeded?: boolean } = {}): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    if (!isNeeded) timer.unref();
  });
}
