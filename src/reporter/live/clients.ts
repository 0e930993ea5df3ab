import type { ServerResponse } from 'node:http';

const MAX_CLIENTS = 16;
/** A page that has so much unread is gone or asleep; it asks anew when it comes back. */
const MAX_UNREAD = 4_000_000;

/** The pages that listen: server-sent events (WHATWG HTML, section 9.2). */
export class Clients {
  private readonly open = new Set<ServerResponse>();

  get count(): number {
    return this.open.size;
  }

  /** False where there are too many already. */
  add(response: ServerResponse, gone: () => void): boolean {
    if (this.open.size >= MAX_CLIENTS) return false;
    this.open.add(response);
    response.once('close', () => {
      this.open.delete(response);
      gone();
    });
    // A page that lost its connection asks again after so many milliseconds.
    response.write('retry: 1000\n\n');
    return true;
  }

  send(event: 'state' | 'report', data: string): void {
    for (const response of this.open) {
      if (response.writableLength > MAX_UNREAD) response.destroy();
      else response.write(`event: ${event}\ndata: ${data}\n\n`);
    }
  }

  close(): void {
    for (const response of this.open) response.end();
  }
}
