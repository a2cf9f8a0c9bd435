import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openReader } from "../../src/store/database.ts";
import {
  adjustableClock,
  appOrigin,
  startApp,
  type TestApp,
  type TestAppOptions,
} from "../helpers/test-app.ts";

const form = (fields: Record<string, string>): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
});
const cookieOf = (response: Response) => (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
const secretOf = (response: Response) => cookieOf(response).replace("headway_login=", "");

async function logIn(app: TestApp): Promise<string> {
  return cookieOf(await app.send("/login", form({ token: app.token })));
}

async function isLoggedIn(app: TestApp, cookie: string): Promise<boolean> {
  return (await app.send("/api/agents", { headers: { cookie } })).status === 200;
}

const open = (options?: TestAppOptions) => startApp(options);

describe("the form", () => {
  test("is a page that needs no script and keeps where to go next", async () => {
    await using app = await open();

    const response = await app.send("/login?next=/agents/anna%3Fbefore=7");
    const html = await response.text();

    expect(response.status).toBe(200);
    expect(html).toContain('method="post" action="/login"');
    expect(html).toContain('name="next" value="/agents/anna?before=7"');
    expect(html).not.toContain("<script");
  });

  test("with the token gives a cookie that only we get and no script can read", async () => {
    await using app = await open();

    const response = await app.send("/login", form({ token: app.token, next: "/agents/anna" }));
    const attributes = (response.headers.get("set-cookie") ?? "").split("; ").slice(1);

    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/agents/anna");
    expect(secretOf(response).length).toBeGreaterThanOrEqual(32);
    expect(attributes).toContain("HttpOnly");
    expect(attributes).toContain("SameSite=Strict");
    expect(attributes).toContain("Path=/");
    expect(attributes.some((attribute) => /^(Domain|Secure)/i.test(attribute))).toBe(false);
    expect(await isLoggedIn(app, cookieOf(response))).toBe(true);
  });

  test("gives a cookie for https only where the proxy speaks https", async () => {
    await using app = await open({ env: { HEADWAY_PUBLIC_URL: "https://headway.example" } });

    const response = await app.send("/login", {
      ...form({ token: app.token }),
      headers: { host: "headway.example" },
    });

    expect(response.headers.get("set-cookie")).toContain("; Secure");
  });

  test("with a wrong token is shown again, without a cookie and without what was typed", async () => {
    await using app = await open();

    const response = await app.send("/login", form({ token: "wrong-wrong-wrong-wrong" }));

    expect(response.status).toBe(401);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(await response.text()).not.toContain("wrong-wrong");
  });

  test("tolerates white space around the token that was pasted", async () => {
    await using app = await open();

    const response = await app.send("/login", form({ token: ` ${app.token}\n` }));

    expect(response.status).toBe(303);
  });

  test("bodies that are no form are refused and are no bug", async () => {
    await using app = await open();
    const bodies: [type: string, body: string][] = [
      ["application/json", JSON.stringify({ token: app.token })],
      ["text/plain", `token=${app.token}`],
      ["multipart/form-data; boundary=x", "--y\r\nnonsense"],
      ["multipart/form-data", "x"],
      ["application/x-www-form-urlencoded", "token=%zz&token[]=%ff"],
    ];

    const statuses = await Promise.all(
      bodies.map(async ([type, body]) => {
        return (await app.send("/login", { method: "POST", headers: { "content-type": type }, body })).status;
      }),
    );

    expect(statuses.every((status) => [400, 401, 415].includes(status))).toBe(true);
  });
});

describe("the printed link", () => {
  const pathOf = (link: string) => link.replace(appOrigin, "");

  test("logs in once and leads to the front page", async () => {
    await using app = await open();

    const first = await app.send(pathOf(app.loginUrl));
    const second = await app.send(pathOf(app.loginUrl));

    expect(first.status).toBe(303);
    expect(first.headers.get("location")).toBe("/");
    expect(await isLoggedIn(app, cookieOf(first))).toBe(true);
    expect(second.status).toBe(401);
    expect(second.headers.get("set-cookie")).toBeNull();
  });

  test("isn't used up by a program that only looks with HEAD", async () => {
    await using app = await open();

    const looked = await app.send(pathOf(app.loginUrl), { method: "HEAD" });
    const followed = await app.send(pathOf(app.loginUrl));

    expect(looked.headers.get("set-cookie")).toBeNull();
    expect(followed.status).toBe(303);
  });

  test("works for ten minutes", async () => {
    const clock = adjustableClock();
    await using app = await open({ clock });
    clock.advance(601_000);

    const response = await app.send(pathOf(app.loginUrl));

    expect(response.status).toBe(401);
  });

  test("leads to a path of ours only", async () => {
    await using app = await open();

    const response = await app.send(`${pathOf(app.loginUrl)}&next=${encodeURIComponent("//evil.example")}`);

    expect(response.headers.get("location")).toBe("/");
  });

  test("is another one after each start", async () => {
    await using app = await open();
    const before = app.loginUrl;

    await app.restart();

    expect(app.loginUrl).not.toBe(before);
    expect((await app.send(pathOf(before))).status).toBe(401);
  });
});

describe("a login", () => {
  test("ends by logging out, and its cookie goes", async () => {
    await using app = await open();
    const cookie = await logIn(app);

    const response = await app.send("/logout", { method: "POST", headers: { cookie, origin: appOrigin } });

    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/login");
    expect(response.headers.get("set-cookie")).toMatch(/^headway_login=;.*Max-Age=0/);
    expect(await isLoggedIn(app, cookie)).toBe(false);
  });

  test("takes its streams with it, and nobody else's", async () => {
    await using app = await open();
    const [mine, other] = [await logIn(app), await logIn(app)];
    const listen = async (cookie: string) => {
      const response = await app.send("/live", { headers: { cookie } });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      return reader;
    };
    const [myStream, otherStream] = [await listen(mine), await listen(other)];

    await app.send("/logout", { method: "POST", headers: { cookie: mine, origin: appOrigin } });

    expect((await myStream.read()).done).toBe(true);
    const metrics = await (await app.fetch("/metrics")).text();
    expect(metrics).toContain('headway_streams_closed_total{reason="logged_out"} 1');
    expect(metrics).toContain("headway_streams_open 1");
    await otherStream.cancel();
  });

  test("can't be ended by another site", async () => {
    await using app = await open();
    const cookie = await logIn(app);

    const response = await app.send("/logout", { method: "POST", headers: { cookie } });

    expect(response.status).toBe(403);
    expect(await isLoggedIn(app, cookie)).toBe(true);
  });

  test("ends after twelve idle hours, and use keeps it alive", async () => {
    const clock = adjustableClock();
    await using app = await open({ clock });
    const cookie = await logIn(app);

    clock.advance(11 * 3_600_000);
    const usedInTime = await isLoggedIn(app, cookie);
    // Writes are committed in order, so the use is noted when another login has been.
    await logIn(app);
    clock.advance(11 * 3_600_000);
    const usedAgain = await isLoggedIn(app, cookie);
    await logIn(app);
    clock.advance(12 * 3_600_000 + 60_000);
    const idleTooLong = await isLoggedIn(app, cookie);

    expect([usedInTime, usedAgain, idleTooLong]).toEqual([true, true, false]);
  });

  test("survives a restart", async () => {
    await using app = await open();
    const cookie = await logIn(app);

    await app.restart();

    expect(await isLoggedIn(app, cookie)).toBe(true);
  });

  test("dies with the token it was made with", async () => {
    await using app = await open({ env: { HEADWAY_TOKEN: "the-first-token-of-this-server" } });
    const cookie = await logIn(app);

    await app.restart({ HEADWAY_TOKEN: "the-second-token-of-this-server" });

    expect(await isLoggedIn(app, cookie)).toBe(false);
  });

  test("has a secret of the server's making, whatever cookie was there before", async () => {
    await using app = await open();
    const planted = "A".repeat(43);

    const response = await app.send("/login", {
      ...form({ token: app.token }),
      headers: { cookie: `headway_login=${planted}` },
    });

    expect(response.status).toBe(303);
    expect(secretOf(response)).not.toBe(planted);
    expect(await isLoggedIn(app, `headway_login=${planted}`)).toBe(false);
  });

  test("has a new secret each time", async () => {
    await using app = await open();

    const cookies = [await logIn(app), await logIn(app), await logIn(app)];

    expect(new Set(cookies).size).toBe(3);
  });

  test("is kept hashed: neither its secret nor the token is in the database", async () => {
    await using app = await open();
    const cookie = await logIn(app);
    const secret = cookie.replace("headway_login=", "");

    const reader = openReader(join(app.dataDir, "headway.db"));
    const rows = JSON.stringify(reader.query("select * from logins").all());
    reader.close();

    expect(rows).toContain(createHash("sha256").update(secret).digest("hex"));
    expect(rows).not.toContain(secret);
    expect(rows).not.toContain(app.token);
  });

  test("leaves neither secret nor token in the log", async () => {
    await using app = await open();

    const cookie = await logIn(app);
    await app.send(app.loginUrl.replace(appOrigin, ""));

    const log = app.lines.join("\n");
    expect(log).not.toContain(cookie.replace("headway_login=", ""));
    expect(log).not.toContain(app.token);
    expect(log).not.toContain(new URL(app.loginUrl).searchParams.get("nonce") ?? "?");
  });
});

describe("wrong tries", () => {
  const wrong = form({ token: "not-the-token-not-the-token" });

  async function tryTenTimes(app: TestApp, peer: string): Promise<number[]> {
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++) statuses.push((await app.send("/login", wrong, { peer })).status);
    return statuses;
  }

  test("are refused with 429 after the tenth within a minute, and so is the right token", async () => {
    await using app = await open();

    const tries = await tryTenTimes(app, "192.0.2.1:1000");
    const eleventh = await app.send("/login", wrong, { peer: "192.0.2.1:1001" });
    const right = await app.send("/login", form({ token: app.token }), { peer: "192.0.2.1:1002" });

    expect(tries).toEqual(tries.map(() => 401));
    expect(await eleventh.json()).toMatchObject({ status: 429, code: "too_many_attempts" });
    expect(Number(eleventh.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(right.status).toBe(429);
  });

  test("are forgotten after a minute", async () => {
    const clock = adjustableClock();
    await using app = await open({ clock });
    await tryTenTimes(app, "192.0.2.1:1000");

    clock.advance(61_000);
    const right = await app.send("/login", form({ token: app.token }), { peer: "192.0.2.1:1000" });

    expect(right.status).toBe(303);
  });

  test("of one address don't lock out another, nor the token in a header", async () => {
    await using app = await open();
    await tryTenTimes(app, "192.0.2.1:1000");

    const other = await app.send("/login", form({ token: app.token }), { peer: "192.0.2.2:1000" });
    const script = await app.send(
      "/api/agents",
      { headers: { authorization: `Bearer ${app.token}` } },
      { peer: "192.0.2.1:1000" },
    );

    expect(other.status).toBe(303);
    expect(script.status).toBe(200);
  });

  test("with invented links count as well", async () => {
    await using app = await open();
    const peer = "192.0.2.1:1000";

    for (let i = 0; i < 10; i++) await app.send(`/login?nonce=invented${i}`, {}, { peer });
    const eleventh = await app.send("/login?nonce=invented", {}, { peer });

    expect(eleventh.status).toBe(429);
  });
});
