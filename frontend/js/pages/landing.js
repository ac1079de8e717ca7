/** The landing page: making an account and signing in. */

import { byId, say } from "../dom.js";
import { explain } from "../failures.js";
import { goOn, start, takeNotice } from "../start.js";

start(
  ({ auth, guest }) => {
    say(byId("notice"), takeNotice());
    byId("door").hidden = guest !== null;
    byId("welcome-back").hidden = guest === null;

    function showForm() {
      const signIn = location.hash === "#sign-in";
      byId("sign-in").hidden = !signIn;
      byId("sign-up").hidden = signIn;
      byId("to-sign-in").setAttribute("aria-current", String(signIn));
      byId("to-sign-up").setAttribute("aria-current", String(!signIn));
    }

    /**
     * Handle one of the two forms.
     *
     * @param {string} id The form's id.
     * @param {(credentials: {email, password}) => Promise<void>} enter
     */
    function wire(id, enter) {
      const form = byId(id);
      const problem = byId(`${id}-problem`);
      const button = form.querySelector("button[type=submit]");
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        say(problem, "");
        button.disabled = true;
        try {
          await enter({
            email: form.elements.email.value.trim(),
            password: form.elements.password.value,
          });
          goOn();
        } catch (failure) {
          say(problem, wordsFor(failure));
          button.disabled = false;
          form.elements.password.focus();
        }
      });
      button.disabled = false;
    }

    wire("sign-in", (credentials) => auth.signIn(credentials));
    wire("sign-up", async (credentials) => {
      await auth.signUp(credentials);
      await auth.signIn(credentials);
    });
    addEventListener("hashchange", showForm);
    showForm();
    scrollTo(0, 0);
  },
  { open: true },
);

/** At this door a 401 is a wrong password, not a session that ended. */
function wordsFor(failure) {
  if (failure.status >= 400 && failure.status < 429) return failure.message;
  const { title, text } = explain(failure);
  return `${title}. ${text}`;
}
