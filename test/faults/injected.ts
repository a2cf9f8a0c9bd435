/**
 * Loaded into a server before anything else (BUN_OPTIONS=--preload=…): signals that no server obeys by itself do
 * to it what a bug or a greedy dependency would.
 */
const blockedMs = 2_500;

const fail = () => void Promise.reject(new Error("injected by the test"));
process.on("SIGUSR2", fail);
process.on("SIGALRM", () => setInterval(fail, 1));
process.on("SIGWINCH", () => Bun.sleepSync(blockedMs));
