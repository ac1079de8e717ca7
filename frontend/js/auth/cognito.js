/**
 * Accounts in Amazon Cognito: a password is exchanged for tokens of the user pool, the
 * tokens for AWS credentials of the identity pool, and those sign every request.
 *
 * The password itself goes to Cognito (USER_PASSWORD_AUTH), over TLS. Its other flow, SRP,
 * proves it without sending it. That would guard against a listener inside TLS, not against
 * a script in this page, at the price of a big-number protocol to write and to maintain here.
 */

import { Failure, send } from "../api.js";
import { forget, recall, remember } from "../memory.js";
import { explainCognito, isFinal } from "./cognito-failures.js";
import { comeBack, leave } from "./hosted.js";
import { sign } from "./sigv4.js";

// In sessionStorage for the reasons that bearer.js gives.
const SESSION = "session";
const EARLY = 5 * 60_000; // milliseconds before their end that credentials are renewed

export function createCognitoAuth(config) {
  const {
    region,
    user_pool_id: userPool,
    user_pool_client_id: ClientId,
    identity_pool_id: IdentityPoolId,
  } = config;
  const elsewhere = config.facebook_sign_in_url; // Cognito's pages, where there are any
  let renewing = null; // one renewal at a time, whoever asks

  const userPools = (action, body) =>
    ask(config.cognito_idp_url, `AWSCognitoIdentityProviderService.${action}`, body);
  const identities = (action, body) =>
    ask(config.cognito_identity_url, `AWSCognitoIdentityService.${action}`, body);

  function session() {
    const kept = recall(SESSION);
    // Only Cognito knows when the refresh token ends.
    return kept?.refreshToken ? { guest: kept.guest, expiresAt: null } : null;
  }

  /** Exchange the user pool's identity token for AWS credentials, and keep both. */
  async function open(guest, refreshToken, idToken) {
    const Logins = { [`cognito-idp.${region}.amazonaws.com/${userPool}`]: idToken };
    const { IdentityId } = await identities("GetId", { IdentityPoolId, Logins });
    const { Credentials } = await identities("GetCredentialsForIdentity", { IdentityId, Logins });
    remember(SESSION, {
      guest,
      refreshToken,
      // A signature is good for five minutes, and a device's clock may be wrong by more.
      clockAhead: Date.now() - claimsOf(idToken).iat * 1000, // milliseconds
      credentials: {
        accessKeyId: Credentials.AccessKeyId,
        secretKey: Credentials.SecretKey,
        sessionToken: Credentials.SessionToken,
      },
      credentialsEnd: Credentials.Expiration * 1000, // by the server's clock
    });
  }

  const serverTime = ({ clockAhead }) => Date.now() - clockAhead;

  async function exchangeRefreshToken() {
    const { guest, refreshToken } = recall(SESSION) ?? {};
    if (!refreshToken) throw over();
    try {
      const { AuthenticationResult } = await userPools("InitiateAuth", {
        AuthFlow: "REFRESH_TOKEN_AUTH",
        ClientId,
        AuthParameters: { REFRESH_TOKEN: refreshToken },
      });
      // Pools that rotate refresh tokens answer a new one.
      const next = AuthenticationResult.RefreshToken ?? refreshToken;
      await open(guest, next, AuthenticationResult.IdToken);
    } catch (failure) {
      throw isFinal(failure) ? over() : failure;
    }
  }

  function renewCredentials() {
    renewing ??= exchangeRefreshToken().finally(() => (renewing = null));
    return renewing;
  }

  async function authorize(request) {
    const kept = recall(SESSION);
    if (!kept || serverTime(kept) > kept.credentialsEnd - EARLY) await renewCredentials();
    const { credentials, ...times } = recall(SESSION);
    const now = new Date(serverTime(times));
    return sign(request, credentials, { region, service: "execute-api", now });
  }

  /**
   * Say something to Cognito about an account, with a guest's words for what it refuses.
   *
   * @throws {Failure} `unconfirmed` when the account's e-mail has to be confirmed first.
   */
  async function aboutAccount(action, body) {
    if (!isSecureContext) {
      // There is no WebCrypto to sign with, and anybody on the way could read the password.
      const message = "This page came unencrypted. Open its https address to sign in.";
      throw new Failure({ status: 400, message });
    }
    try {
      return await userPools(action, { ClientId, ...body });
    } catch (failure) {
      throw explainCognito(failure);
    }
  }

  return {
    session,
    authorize,
    ended: () => false,
    forget: () => forget(SESSION),

    async signUp({ email, password }) {
      const UserAttributes = [{ Name: "email", Value: email }];
      await aboutAccount("SignUp", { Username: email, Password: password, UserAttributes });
    },

    confirm: ({ email, code }) =>
      aboutAccount("ConfirmSignUp", { Username: email, ConfirmationCode: code }),

    sendCode: ({ email }) => aboutAccount("ResendConfirmationCode", { Username: email }),

    async signIn({ email, password }) {
      const { AuthenticationResult: tokens } = await aboutAccount("InitiateAuth", {
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: email, PASSWORD: password },
      });
      if (!tokens) {
        const message = "This account asks for one more proof, which this page cannot give.";
        throw new Failure({ status: 403, message });
      }
      await open(email.toLowerCase(), tokens.RefreshToken, tokens.IdToken);
    },

    providers: elsewhere
      ? [{ name: "Facebook", enter: () => leave(elsewhere, "Facebook", ClientId) }]
      : [],

    async arrive() {
      const tokens = elsewhere ? await comeBack(elsewhere, ClientId) : null;
      if (!tokens) return false;
      const guest = claimsOf(tokens.id_token).email ?? "a guest from Facebook";
      await open(guest.toLowerCase(), tokens.refresh_token, tokens.id_token);
      return true;
    },

    /** Credentials that AWS refused may be renewed once: a clock was set, a lid was open. */
    async renew() {
      await renewCredentials();
      return true;
    },

    /**
     * Revoke the refresh token. The credentials in use stay good until they end, within
     * the hour, since nobody asks Cognito about a signature; they are forgotten here.
     */
    async signOut() {
      const Token = recall(SESSION)?.refreshToken;
      try {
        if (Token) await userPools("RevokeToken", { ClientId, Token });
      } catch (failure) {
        if (failure.status === 0 || failure.status >= 500) throw failure;
      } finally {
        forget(SESSION);
      }
    },
  };
}

const over = () => new Failure({ status: 401, message: "The session is over." });

/** Call one of Cognito's JSON interfaces; these actions need no signature. */
function ask(url, target, body) {
  const headers = { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target };
  return send(new Request(url, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** Read a JSON Web Token's claims. Whether it is genuine is for servers to say. */
function claimsOf(token) {
  const text = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(text);
}
