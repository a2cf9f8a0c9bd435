/** An MCP server on stdin and stdout with one tool, `say`, that tells what it heard and how often it was called. */
import { createInterface } from "node:readline";

interface Request {
  id?: number;
  method: string;
  params?: { protocolVersion?: string; arguments?: { text?: string } };
}

let calls = 0;

function answer({ method, params }: Request): Record<string, unknown> {
  switch (method) {
    case "initialize": {
      const serverInfo = { name: "echo", version: "1" };
      return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
    }
    case "tools/list": {
      const inputSchema = { type: "object", properties: { text: { type: "string" } } };
      return { tools: [{ name: "say", description: "Says it again.", inputSchema }] };
    }
    case "tools/call":
      calls += 1;
      return { content: [{ type: "text", text: `heard ${params?.arguments?.text}, call ${calls}` }] };
    default:
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  if (request.id === undefined) continue;
  console.log(JSON.stringify({ jsonrpc: "2.0", id: request.id, result: answer(request) }));
}
