import { StoreUnavailable } from "../domain/ports.ts";

/**
 * For writes that aren't worth a run: what they would have said is found out anew at the next start, or
 * matters to nobody any more. Any other error is a bug and is thrown.
 */
export async function unlessStoreFails(
  write: Promise<unknown>,
  onFailure: (message: string) => void = () => {},
): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    onFailure(error.message);
  }
}
