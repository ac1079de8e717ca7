/** Accounts of our own: a password is exchanged for a token that every request carries. */

import { jsonRequest, send } from "../api.js";
import { forget, recall, remember } from "../memory.js";

// The token lives in sessionStorage: it ends with the tab, other tabs and sites never get
// it, and, unlike a cookie, a browser never sends it by itself, so there is no forged
// cross-site request to defend against, and the API may be on another host (stages 3, 4).
// A script injected into the page could read it; the content security policy and text
// that is only ever put in as text are there so that no such script runs.
const SESSION = "session";

export function createBearerAuth(config) {
  const post = (path, body) => send(jsonRequest(config.api_url + path, "POST", body));

  const isOver = (expiresAt) => Date.parse(expiresAt) <= Date.now();

  function ended() {
    const kept = recall(SESSION);
    return Boolean(kept?.clockAgrees) && isOver(kept.expiresAt);
  }

  function session() {
    const kept = recall(SESSION);
    if (!kept?.token || ended()) return null;
    return { guest: kept.guest, expiresAt: kept.expiresAt };
  }

  async function authorize(request) {
    const token = recall(SESSION)?.token;
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  }

  return {
    session,
    ended,
    authorize,
    forget: () => forget(SESSION),
    renew: async () => false, // a token is all there is
    providers: [],
    arrive: async () => false,

    signUp: ({ email, password }) => post("/signup", { email, password }),

    async signIn({ email, password }) {
      const { token, expiresAt } = await post("/login", { email, password });
      // On a device whose clock runs far ahead every new session would look expired;
      // there only the server says when it ends.
      const clockAgrees = !isOver(expiresAt);
      remember(SESSION, { guest: email.toLowerCase(), token, expiresAt, clockAgrees });
    },

    /** The token is dropped here even when the server cannot be told to revoke it. */
    async signOut() {
      const request = new Request(`${config.api_url}/logout`, { method: "POST" });
      try {
        await send(await authorize(request));
      } catch (failure) {
        if (failure.status !== 401) throw failure; // 401: it was worth nothing already
      } finally {
        forget(SESSION);
      }
    },
  };
}
