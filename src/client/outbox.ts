import type { Socket } from 'node:net';

/** Messages that no caller waits for are flushed within this time. */
const CAN_WAIT_MS = 20;

/**
 * What a link tells its broker: the messages of one turn of the event loop go out together, and with them those that
 * could wait. What a lost broker was not told, the next one is: with the hello, or by asking again.
 */
export class Outbox {
  #socket: Socket | null = null;
  #text = '';
  #isDue = false;
  #isHeld = false;
  #later: NodeJS.Timeout | undefined;

  /** One that is not urgent goes with the next that is, or within 20 ms. */
  write(line: string, isUrgent = true): void {
    if (isUrgent && !this.#isDue) process.nextTick(() => this.flush());
    if (isUrgent) this.#isDue = true;
    else this.#later ??= setTimeout(() => this.flush(), CAN_WAIT_MS).unref();
    this.#text += line;
  }

  /**
   * Starts anew and keeps all: a broker that hears what is held, and has not answered yet, must hear later what was given
   * back meanwhile.
   */
  hold(): void {
    this.#text = '';
    this.#isHeld = true;
  }

  /** All that was kept goes to this broker, and what comes. */
  open(socket: Socket): void {
    this.#socket = socket;
    this.#isHeld = false;
    process.nextTick(() => this.flush());
  }

  /** The broker that was greeted is gone. */
  abandon(): void {
    this.#isHeld = false;
  }

  flush(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#isDue = false;
    if (this.#isHeld) return;
    if (this.#socket?.writable && this.#text !== '') this.#socket.write(this.#text, 'latin1');
    this.#text = '';
  }
}
