/**
 * How a guest proves who they are. Which way is the stage's choice (`auth` in config.json).
 *
 * Every way is one module with the same small face:
 *   signUp({email, password})   make an account
 *   signIn({email, password})   start a session; its failure has `unconfirmed` when the
 *                               account is to be confirmed first
 *   confirm({email, code})      confirm an account with the code that was sent to it
 *   sendCode({email})           send that code again
 *   providers                   [{name, enter()}], where else guests may have an account
 *   arrive()                    end a way back from there; whether somebody is signed in now
 *   signOut()                   end the session, on the server too
 *   authorize(request)          answers the request with the guest's credentials on it
 *   renew()                     get new credentials after a refusal; whether there are any
 *   session()                   {guest, expiresAt}, or null when nobody is signed in;
 *                               `expiresAt` is null when only the server knows
 *   ended()                     whether there was a session here whose time is over
 *   forget()                    drop a session that the server no longer accepts
 */

import { createBearerAuth } from "./auth/bearer.js";
import { createCognitoAuth } from "./auth/cognito.js";

const WAYS = { bearer: createBearerAuth, cognito: createCognitoAuth };

export function chooseAuth(config) {
  const create = WAYS[config.auth];
  if (!create) throw new Error(`config.json asks for auth "${config.auth}", which is unknown.`);
  return create(config);
}
