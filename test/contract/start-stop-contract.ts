import { expect, test } from "bun:test";

export interface Startable {
  start(): unknown;
  stop(): Promise<void>;
}

/** What everything that is started and stopped promises; `make` gives a fresh one and how to clean up after it. */
export function startStopContract(
  name: string,
  make: () => Promise<{ service: Startable; cleanUp: () => Promise<void> }>,
): void {
  const each = async (use: (service: Startable) => Promise<void>) => {
    const { service, cleanUp } = await make();
    try {
      await use(service);
    } finally {
      await cleanUp();
    }
  };

  test(`${name} can be stopped though it was never started`, () =>
    each(async (service) => {
      expect(await service.stop()).toBeUndefined();
    }));

  test(`${name} can be stopped twice, also at once`, () =>
    each(async (service) => {
      await service.start();

      expect(await Promise.all([service.stop(), service.stop()])).toEqual([undefined, undefined]);
      expect(await service.stop()).toBeUndefined();
    }));
}
