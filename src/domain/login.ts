/** Who has shown the token. */
export interface Logins {
  /** `secretHash` is SHA-256 of the cookie's value; `tokenHash` that of the token it was made with. */
  createLogin(login: {
    secretHash: string;
    tokenHash: string;
    atMs: number;
    idleMsMax: number;
  }): Promise<void>;
  /** True when it exists, was used within its idle time and was made with this token; counts as use (written at most once a minute). */
  useLogin(login: { secretHash: string; tokenHash: string; atMs: number }): boolean;
  removeLogin(secretHash: string): Promise<void>;
}
