/** What the server knows of a request beyond the request itself; empty where the platform doesn't tell. */
export interface Bindings {
  /** The other end of the connection, as "address:port". */
  peer?: string;
  /** Lets a response be quiet for this long; 0 for ever. */
  quietSeconds?: (seconds: number) => void;
}

export interface Variables {
  requestId: string;
  /** How the request was let in. */
  access: "token" | "login" | "open";
}

export interface RouteEnvironment {
  Bindings: Bindings;
  Variables: Variables;
}
