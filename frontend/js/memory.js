/**
 * What a page remembers between reloads, as JSON in this tab's sessionStorage.
 *
 * A tab that may not store anything still works; it only forgets on reload.
 */

const PREFIX = "concierge.";

export function recall(name, otherwise = null) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: the page goes on without its memory.
  }
}

export function forget(...names) {
  try {
    for (const name of names) sessionStorage.removeItem(PREFIX + name);
  } catch {
    // As above.
  }
}
