import { expect, test } from "bun:test";
import { cliEnvironment } from "../../../src/runner/process/environment.ts";

const nothing = {
  serverEnvironment: {},
  signInVariables: [],
  passEnv: [],
  adapterEnv: {},
  processId: "proc_1",
};

test("a CLI gets the variables that every program needs, proxies and certificates", () => {
  const serverEnvironment = {
    PATH: "/bin",
    HOME: "/home/me",
    USER: "me",
    LOGNAME: "me",
    SHELL: "/bin/sh",
    LANG: "C.UTF-8",
    LC_ALL: "C",
    TERM: "xterm",
    TZ: "UTC",
    TMPDIR: "/tmp",
    http_proxy: "http://a",
    HTTPS_PROXY: "http://b",
    no_proxy: "c",
    ALL_PROXY: "d",
    NODE_EXTRA_CA_CERTS: "/ca",
    SSL_CERT_FILE: "/f",
    SSL_CERT_DIR: "/d",
    REQUESTS_CA_BUNDLE: "/r",
    CURL_CA_BUNDLE: "/c",
  };

  const environment = cliEnvironment({ ...nothing, serverEnvironment });

  expect(environment).toEqual({ ...serverEnvironment, HEADWAY_PROCESS_ID: "proc_1" });
});

test("a CLI gets nothing else of the server's environment", () => {
  const serverEnvironment = {
    AWS_SECRET_ACCESS_KEY: "s",
    CLAUDECODE: "1",
    LD_PRELOAD: "/evil.so",
    NODE_OPTIONS: "--inspect",
    path: "/lower",
    PWD: "/here",
    EMPTY: undefined,
  };

  const environment = cliEnvironment({ ...nothing, serverEnvironment });

  expect(environment).toEqual({ HEADWAY_PROCESS_ID: "proc_1" });
});

test("a CLI gets its own sign-in and what the owner passes on", () => {
  const serverEnvironment = { ANTHROPIC_API_KEY: "k", GEMINI_API_KEY: "g", MY_PROXY_USER: "u" };

  const environment = cliEnvironment({
    ...nothing,
    serverEnvironment,
    signInVariables: ["ANTHROPIC_API_KEY"],
    passEnv: ["MY_PROXY_USER", "NOT_SET"],
  });

  expect(environment).toEqual({
    ANTHROPIC_API_KEY: "k",
    MY_PROXY_USER: "u",
    HEADWAY_PROCESS_ID: "proc_1",
  });
});

test("the server's own settings never reach a CLI, even when they are passed on by name", () => {
  const serverEnvironment = { HEADWAY_TOKEN: "secret", HEADWAY_PROCESS_ID: "proc_of_another_headway" };

  const environment = cliEnvironment({
    ...nothing,
    serverEnvironment,
    passEnv: ["HEADWAY_TOKEN", "HEADWAY_PROCESS_ID"],
    signInVariables: ["HEADWAY_TOKEN"],
  });

  expect(environment).toEqual({ HEADWAY_PROCESS_ID: "proc_1" });
});

test("what the adapter sets wins over the server's value, but not over the marker", () => {
  const serverEnvironment = { TERM: "xterm" };

  const environment = cliEnvironment({
    ...nothing,
    serverEnvironment,
    adapterEnv: { TERM: "dumb", CI: "1", HEADWAY_PROCESS_ID: "proc_wrong" },
  });

  expect(environment).toEqual({ TERM: "dumb", CI: "1", HEADWAY_PROCESS_ID: "proc_1" });
});
