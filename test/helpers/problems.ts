import { z } from "zod";
import { type ProblemCode, problems } from "../../src/domain/error-codes.ts";

const problemSchema = z.strictObject({
  type: z.string().startsWith("/api/docs#problem-"),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1).max(2_000),
  code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
  requestId: z.string().min(1),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string().min(1) })).optional(),
  runId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Reads a refusal, and throws when it isn't one as the contract has them. */
export async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  if (response.headers.get("content-type") !== "application/problem+json")
    throw new Error(`${response.status} with ${response.headers.get("content-type")}: ${text.slice(0, 500)}`);
  const problem = problemSchema.parse(JSON.parse(text));
  const { status, title } = problems[problem.code];
  const isTrue =
    problem.status === response.status &&
    status === response.status &&
    title === problem.title &&
    problem.type.endsWith(`-${problem.code}`) &&
    problem.requestId === response.headers.get("x-request-id");
  if (!isTrue) throw new Error(`The problem contradicts its answer: ${text.slice(0, 500)}`);
  const needsRetryAfter = status === 429 || status === 503;
  if (needsRetryAfter && !/^[1-9]\d*$/.test(response.headers.get("retry-after") ?? ""))
    throw new Error(`${problem.code} without Retry-After`);
  return problem;
}

/** "422 invalid prompt", to compare many refusals at a glance. */
export async function problemLine(response: Response): Promise<string> {
  if (response.status < 400) return `${response.status}`;
  const { status, code, errors = [] } = await readProblem(response);
  return [status, code, ...errors.map(({ path }) => path)].join(" ");
}
