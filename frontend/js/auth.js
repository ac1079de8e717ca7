/**
 * How a guest proves who they are. Which way is the stage's choice (`auth` in config.json).
 *
 * Every way is one module with the same small face:
 *   signUp({email, password})   make an account
 *   signIn({email, password})   start a session
 *   signOut()                   end it, on the server too
 *   authorize(request)          answers the request with the guest's credentials on it
 *   session()                   {guest, expiresAt}, or null when nobody is signed in
 *   ended()                     whether there was a session here whose time is over
 *   forget()                    drop a session that the server no longer accepts
 */

import { createBearerAuth } from "./auth/bearer.js";

const WAYS = { bearer: createBearerAuth };

export function chooseAuth(config) {
  const create = WAYS[config.auth];
  if (!create) throw new Error(`config.json asks for auth "${config.auth}", which is unknown.`);
  return create(config);
}
