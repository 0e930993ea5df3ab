import type { ServerResponse } from 'node:http';

const MAX_STREAMS = 16;
/** A page with so much unread data is gone or asleep; it connects again when it comes back. */
const MAX_UNREAD = 4_000_000;

/** The open pages: server-sent events (WHATWG HTML, section 9.2). */
export class EventStreams {
  readonly #open = new Set<ServerResponse>();

  get count(): number {
    return this.#open.size;
  }

  /** False where too many pages are open. */
  add(response: ServerResponse, onClose: () => void): boolean {
    if (this.#open.size >= MAX_STREAMS) return false;
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      onClose();
    });
    // How long a page waits before it connects again, in milliseconds.
    response.write('retry: 1000\n\n');
    return true;
  }

  send(event: 'state' | 'report', data: string): void {
    for (const response of this.#open) {
      if (response.writableLength > MAX_UNREAD) response.destroy();
      else response.write(`event: ${event}\ndata: ${data}\n\n`);
    }
  }

  close(): void {
    for (const response of this.#open) response.end();
  }
}
