/**
 * Loaded into a server before anything else: a bug in the middle of its start, whose message holds a secret. With a
 * token of its own the server asks for randomness when it composes its routes, without one before anything is there.
 */
crypto.getRandomValues = () => {
  throw new TypeError(`injected by the test, for ${process.env["HEADWAY_TOKEN"]}`);
};
