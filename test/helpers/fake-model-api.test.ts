import { expect, test } from "bun:test";
import { startFakeModelApi } from "./fake-model-api.ts";

/* That real CLIs understand it is shown by test/real-clis; here, that its three shapes answer alike. */

interface Shape {
  path: string;
  key: Record<string, string>;
  body(prompt: string, tools: readonly string[]): unknown;
}

const shapes: Record<string, Shape> = {
  anthropic: {
    path: "/v1/messages",
    key: { "x-api-key": "a-key" },
    body: (content, tools) => ({
      model: "m",
      stream: true,
      system: "Be brief.",
      messages: [{ role: "user", content }],
      tools: tools.map((name) => ({ name })),
    }),
  },
  gemini: {
    path: "/v1beta/models/m:streamGenerateContent?alt=sse",
    key: { "x-goog-api-key": "a-key" },
    body: (text, tools) => ({
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [
        { role: "user", parts: [{ text: "<session_context>\nhere\n</session_context>" }] },
        { role: "user", parts: [{ text }] },
      ],
      tools: [{ functionDeclarations: tools.map((name) => ({ name })) }],
    }),
  },
  openai: {
    path: "/v1/chat/completions",
    key: { authorization: "Bearer a-key" },
    body: (content, tools) => ({
      model: "m",
      stream: true,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content },
      ],
      tools: tools.map((name) => ({ type: "function", function: { name } })),
    }),
  },
};
const names = Object.keys(shapes);

async function ask(url: string, { path, key, body }: Shape, prompt: string, tools: readonly string[] = []) {
  const headers = { "content-type": "application/json", ...key };
  const init = { method: "POST", headers, body: JSON.stringify(body(prompt, tools)) };
  const response = await fetch(url + path, init);
  return { status: response.status, text: await response.text() };
}

test.each(names)("%s: what it was asked is logged, and the answer is an echo in pieces", async (name) => {
  await using api = startFakeModelApi();

  const { status, text } = await ask(api.url, shapes[name]!, "hello there");

  expect(status).toBe(200);
  for (const piece of ["You", " said:", " hello", " there"]) expect(text).toContain(JSON.stringify(piece));
  expect(api.requests).toMatchObject([
    {
      model: "m",
      systemPrompt: "Be brief.",
      history: [{ role: "user", text: "hello there" }],
      apiKey: "a-key",
      status: 200,
    },
  ]);
});

test.each([
  ["anthropic", "Bash", "command"],
  ["anthropic", "Execute", "riskLevel"],
  ["anthropic", "Create", "file_path"],
  ["gemini", "run_shell_command", "command"],
  ["gemini", "write_file", "file_path"],
  ["openai", "bash", "command"],
  ["openai", "write", "filePath"],
])("%s: the tool that is called is the one that is offered: %s", async (name, tool, argument) => {
  await using api = startFakeModelApi();
  const wish = /write|create/i.test(tool) ? "write file `a.txt`" : "use tool `ls`";

  const offered = await ask(api.url, shapes[name]!, wish, [tool]);
  const withheld = await ask(api.url, shapes[name]!, wish, ["another"]);

  expect(offered.text).toContain(`"${tool}"`);
  expect(offered.text).toContain(argument);
  expect(withheld.text).not.toContain(`"${tool}"`);
});

test.each([
  ["anthropic", "error 429", 429, "rate_limit_error"],
  ["anthropic", "error 529", 529, "overloaded_error"],
  ["gemini", "error 429", 429, "RetryInfo"],
  ["gemini", "quota", 429, "PerDay"],
  ["gemini", "error 529", 503, "UNAVAILABLE"],
  ["openai", "error 401", 401, "invalid_api_key"],
])("%s: %s is answered with %p", async (name, prompt, status, words) => {
  await using api = startFakeModelApi();

  const refused = await ask(api.url, shapes[name]!, prompt);

  expect(refused.status).toBe(status);
  expect(refused.text).toContain(words);
});

test.each([
  ["anthropic", 401, "authentication_error", { "x-api-key": "refused-key" }],
  ["gemini", 400, "API_KEY_INVALID", { "x-goog-api-key": "refused-key" }],
  ["openai", 401, "invalid_api_key", { authorization: "Bearer refused-key" }],
])("%s: a refused key is answered with %p", async (name, status, words, key) => {
  await using api = startFakeModelApi();

  const refused = await ask(api.url, { ...shapes[name]!, key }, "hello");

  expect(refused.status).toBe(status);
  expect(refused.text).toContain(words);
});

test("Gemini's questions beside the talk are answered by their schema", async () => {
  await using api = startFakeModelApi();
  const schema = {
    properties: {
      model: { type: "string", enum: ["pro", "flash"] },
      score: { type: "number" },
      is: { type: "boolean" },
    },
  };
  const body = JSON.stringify({
    contents: [{ role: "user", parts: [{ text: "which?" }] }],
    generationConfig: { responseJsonSchema: schema },
  });

  const response = await fetch(`${api.url}/v1beta/models/m:generateContent`, { method: "POST", body });

  const answer = (await response.json()) as { candidates: { content: { parts: { text: string }[] } }[] };
  expect(JSON.parse(answer.candidates[0]?.content.parts[0]?.text ?? "")).toEqual({
    model: "pro",
    score: 1,
    is: false,
  });
});

test("tools are called one after another, and the last one's output ends it", async () => {
  await using api = startFakeModelApi();
  const functionResponse = (output: string) => ({
    role: "user",
    parts: [{ functionResponse: { name: "run_shell_command", response: { output } } }],
  });
  const askAfter = async (outputs: readonly string[]) => {
    const contents = [
      { role: "user", parts: [{ text: "use tool `one` use tool `two`" }] },
      ...outputs.map(functionResponse),
    ];
    const tools = [{ functionDeclarations: [{ name: "run_shell_command" }] }];
    const path = "/v1beta/models/m:generateContent";
    const response = await fetch(api.url + path, {
      method: "POST",
      body: JSON.stringify({ contents, tools }),
    });
    return response.text();
  };

  expect(await askAfter([])).toContain('"command":"one"');
  expect(await askAfter(["1"])).toContain('"command":"two"');
  expect(await askAfter(["1", "2"])).toContain("Tool said: 2");
});
