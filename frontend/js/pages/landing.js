/** The landing page: making an account, confirming it where that is asked, signing in. */

import { byId, el, say } from "../dom.js";
import { explain } from "../failures.js";
import { goOn, start, takeNotice } from "../start.js";

const FORMS = ["sign-up", "sign-in", "confirm"];

start(
  async ({ auth, guest }) => {
    let unconfirmed = null; // the credentials of the account that waits for its code

    say(byId("notice"), takeNotice());
    byId("door").hidden = guest !== null;
    byId("welcome-back").hidden = guest === null;

    function showForm() {
      const signIn = location.hash === "#sign-in";
      byId("to-sign-in").setAttribute("aria-current", String(signIn));
      byId("to-sign-up").setAttribute("aria-current", String(!signIn));
      const chosen = unconfirmed ? "confirm" : signIn ? "sign-in" : "sign-up";
      for (const form of FORMS) byId(form).hidden = form !== chosen;
      byId("providers").hidden = chosen === "confirm";
    }

    function leaveConfirming() {
      unconfirmed = null;
      showForm();
    }

    function askForCode(credentials) {
      unconfirmed = credentials;
      byId("confirm-email").textContent = credentials.email;
      byId("confirm-code").value = "";
      say(byId("confirm-told"), "");
      say(byId("confirm-problem"), "");
      showForm();
      byId("confirm-code").focus();
    }

    /**
     * Handle one of the forms: its button waits, and a failure is told beside it.
     *
     * @param {string} id The form's id.
     * @param {(fields: HTMLFormControlsCollection) => Promise<void>} submit
     */
    function wire(id, submit) {
      const form = byId(id);
      const problem = byId(`${id}-problem`);
      const button = form.querySelector("button[type=submit]");
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        say(problem, "");
        button.disabled = true;
        try {
          await submit(form.elements);
        } catch (failure) {
          say(problem, wordsFor(failure));
          (form.elements.password ?? form.elements.code).focus();
        } finally {
          button.disabled = false;
        }
      });
      button.disabled = false;
    }

    async function enter(credentials) {
      try {
        await auth.signIn(credentials);
      } catch (failure) {
        if (!failure.unconfirmed) throw failure;
        askForCode(credentials);
        return;
      }
      goOn();
    }

    const credentialsIn = (fields) => ({
      email: fields.email.value.trim(),
      password: fields.password.value,
    });

    wire("sign-in", (fields) => enter(credentialsIn(fields)));
    wire("sign-up", async (fields) => {
      const credentials = credentialsIn(fields);
      await auth.signUp(credentials);
      await enter(credentials);
    });
    wire("confirm", async ({ code }) => {
      const account = unconfirmed;
      await auth.confirm({ email: account.email, code: code.value.replace(/\s/g, "") });
      try {
        await enter(account);
      } catch (failure) {
        location.hash = "sign-in"; // the code is spent, so the way on is there
        leaveConfirming();
        say(byId("sign-in-problem"), wordsFor(failure));
      }
    });
    byId("confirm-again").addEventListener("click", async () => {
      say(byId("confirm-told"), "");
      say(byId("confirm-problem"), "");
      try {
        await auth.sendCode(unconfirmed);
        say(byId("confirm-told"), "A new code is on its way.");
      } catch (failure) {
        say(byId("confirm-problem"), wordsFor(failure));
      }
      byId("confirm-code").focus();
    });
    byId("confirm-leave").addEventListener("click", leaveConfirming);
    byId("providers").append(
      ...auth.providers.map(({ name, enter }) =>
        el(
          "button",
          { type: "button", class: "button button-quiet", on: { click: enter } },
          `Continue with ${name}`,
        ),
      ),
    );
    addEventListener("hashchange", leaveConfirming);
    showForm();
    scrollTo(0, 0);
    try {
      if (await auth.arrive()) goOn();
    } catch (failure) {
      say(byId("notice"), wordsFor(failure));
    }
  },
  { open: true },
);

/** At this door a 401 is a wrong password, not a session that ended. */
function wordsFor(failure) {
  if (failure.status >= 400 && failure.status < 429) return failure.message;
  const { title, text } = explain(failure);
  return `${title}. ${text}`;
}
