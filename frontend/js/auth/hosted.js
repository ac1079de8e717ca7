/**
 * Signing in with an account elsewhere, such as Facebook's, by way of Cognito's own pages:
 * OAuth 2.0's authorization code (RFC 6749) with a proof that the one who left is the one
 * who comes back (PKCE, RFC 7636).
 */

import { Failure, send } from "../api.js";
import { siteRoot } from "../config.js";
import { forget, recall, remember } from "../memory.js";

const TRIP = "trip"; // what the guest must bring back

const home = () => new URL("index.html", siteRoot).href;

/**
 * Go to a provider's sign-in.
 *
 * @param {string} base The address of Cognito's pages, without a slash at its end.
 * @param {string} provider By its name in the user pool.
 * @param {string} clientId The page, as the user pool knows it.
 */
export async function leave(base, provider, clientId) {
  const trip = { state: random(), verifier: random() };
  remember(TRIP, trip);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(trip.verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: home(),
    identity_provider: provider,
    scope: "openid email",
    state: trip.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  location.assign(`${base}/oauth2/authorize?${query}`);
}

/**
 * Come back from there.
 *
 * @returns {Promise<object | null>} The user pool's tokens; null when nobody was away.
 * @throws {Failure} The provider said no, or somebody else's way back was followed.
 */
export async function comeBack(base, clientId) {
  const brought = new URLSearchParams(location.search);
  if (!brought.has("state")) return null;
  const trip = recall(TRIP);
  forget(TRIP);
  history.replaceState(null, "", location.pathname); // the code is good once
  if (!trip || brought.get("state") !== trip.state || !brought.has("code")) {
    throw new Failure({ status: 400, message: "That sign-in did not work. Please try again." });
  }
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: clientId,
    redirect_uri: home(),
    code: brought.get("code"),
    code_verifier: trip.verifier,
  });
  return send(new Request(`${base}/oauth2/token`, { method: "POST", body }));
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
