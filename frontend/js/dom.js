/** Building elements without markup: a text is only ever put in as text. */

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} traits `class`, `on` ({event: listener}), or any attribute; false and
 *   null leave it out.
 * @param {...(Node | string | null)} children
 */
export function el(tag, traits = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(traits)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Find an element that the page surely has. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element "${id}".`);
  return element;
}

/** Say something to everyone, in a region that screen readers listen to. */
export function say(region, text) {
  region.textContent = text;
}

/** A text that only screen readers get. */
export function unseen(text) {
  return el("span", { class: "unseen" }, text);
}
