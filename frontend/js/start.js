/** What every page does first: configuration, identity, the bar at the top. */

import { createApi } from "./api.js";
import { chooseAuth } from "./auth.js";
import { readConfig, siteRoot } from "./config.js";
import { byId } from "./dom.js";
import { forget, recall, remember } from "./memory.js";

const NOTICE = "notice";
const RETURN = "return";
const GUEST_PAGES = ["chat.html", "orders.html"];

/**
 * Start a page.
 *
 * @param {(parts: {api, auth, guest}) => void} main
 * @param {{open?: boolean}} options An open page is for everyone; the others send a guest
 *   who is not signed in to the sign-in form, and back afterwards.
 */
export async function start(main, { open = false } = {}) {
  try {
    const config = await readConfig();
    const auth = chooseAuth(config);
    const api = createApi(config, auth, () => goToSignIn(true));
    const session = auth.session();
    if (!session && !open) {
      goToSignIn(auth.ended());
      return;
    }
    if (session) showGuest(auth, session.guest);
    await main({ api, auth, guest: session?.guest ?? null });
  } catch (problem) {
    console.error(problem);
    const banner = byId("page-problem");
    banner.textContent =
      "This page could not start, because the concierge cannot be reached. " +
      "Please reload it in a moment.";
    banner.hidden = false;
  }
}

function goToSignIn(ended) {
  const here = location.pathname.split("/").pop();
  if (GUEST_PAGES.includes(here)) remember(RETURN, here + location.hash);
  remember(
    NOTICE,
    ended
      ? "Your session has ended. Sign in again and you are back where you were."
      : "Please sign in first.",
  );
  showDoor();
}

function showDoor() {
  const door = new URL("index.html#sign-in", siteRoot);
  const here = door.pathname === location.pathname;
  location.replace(door);
  if (here) location.reload(); // only the hash changed, which loads nothing
}

/** Go where the guest wanted to be before signing in. */
export function goOn() {
  const wanted = String(recall(RETURN, "chat.html"));
  forget(RETURN, NOTICE);
  const known = GUEST_PAGES.includes(wanted.split("#")[0]);
  location.assign(new URL(known ? wanted : "chat.html", siteRoot));
}

/** Read what the last page wanted to tell, once. */
export function takeNotice() {
  const notice = recall(NOTICE, "");
  forget(NOTICE);
  return notice;
}

function showGuest(auth, guest) {
  for (const name of document.querySelectorAll("[data-guest]")) name.textContent = guest;
  for (const part of document.querySelectorAll("[data-signed-in]")) part.hidden = false;
  const button = byId("sign-out");
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    let notice = "You are signed out.";
    try {
      await auth.signOut();
    } catch {
      notice =
        "You are signed out in this tab, but the server could not be told. " +
        "The session there ends by itself.";
    }
    forget("conversation", "purchases", RETURN);
    remember(NOTICE, notice);
    showDoor();
  });
}
