/** The error that JSON-RPC has for methods that aren't there. */
export function methodNotOffered(method: string): { code: number; message: string } {
  return { code: -32601, message: `Headway does not offer ${method}.` };
}
