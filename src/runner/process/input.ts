import type { FileSink } from "bun";

export interface Input {
  /** One text after the other; resolves false when the pipe is closed. Never rejects. */
  write(text: string): Promise<boolean>;
  /** Closes the pipe after what was written before. */
  close(): void;
}

/** @param ended resolves when the reader's process has ended, so that no write waits for it any longer */
export function createInput(sink: FileSink, ended: Promise<unknown>): Input {
  let isOpen = true;
  let last: Promise<unknown> = Promise.resolve();
  void ended.then(() => (isOpen = false));

  async function writeNow(text: string): Promise<boolean> {
    if (!isOpen) return false;
    const written = await Promise.race([flushed(sink, text), ended.then(() => false)]);
    if (!written) isOpen = false;
    return written;
  }

  return {
    write(text) {
      const written = last.then(() => writeNow(text));
      last = written;
      return written;
    },
    close() {
      last = last.then(() => closeQuietly(sink)).then(() => (isOpen = false));
    },
  };
}

async function flushed(sink: FileSink, text: string): Promise<boolean> {
  try {
    await sink.write(text);
    await sink.flush();
    return true;
  } catch (error) {
    if (isClosedPipe(error)) return false;
    throw error;
  }
}

async function closeQuietly(sink: FileSink): Promise<void> {
  try {
    await sink.end();
  } catch (error) {
    if (!isClosedPipe(error)) throw error;
  }
}

function isClosedPipe(error: unknown): boolean {
  return ["EPIPE", "ECONNRESET", "EBADF"].includes((error as NodeJS.ErrnoException).code ?? "");
}
