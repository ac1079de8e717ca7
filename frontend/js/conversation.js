/** The conversation that this tab shows, kept so that a reload brings it back. */

import { newId } from "./ids.js";
import { recall, remember } from "./memory.js";

const KEPT = 200; // entries; sessionStorage is small and a page of more is unreadable

/**
 * Open the conversation of a guest.
 *
 * An entry is `{id, from: "guest" | "concierge" | "shop", at, message, ...}`; `at` is
 * ISO 8601. The shop's entries are orders, which have `order` in place of a message.
 */
export function openConversation(guest) {
  const kept = recall("conversation");
  const entries =
    kept?.guest === guest && Array.isArray(kept.entries) ? kept.entries : [];

  function save() {
    entries.splice(0, entries.length - KEPT);
    remember("conversation", { guest, entries });
  }

  return {
    entries,
    add(entry) {
      const added = { id: newId(), at: new Date().toISOString(), ...entry };
      entries.push(added);
      save();
      return added;
    },
  };
}

/** A message as typed. */
export function textMessage(text) {
  return {
    type: "unstructured",
    unstructured: { id: newId(), text, timestamp: new Date().toISOString() },
  };
}

/** A press on a product card's button. */
export function pressMessage(card) {
  return {
    type: "structured",
    structured: {
      id: newId(),
      text: card.buttonLabel,
      type: "product",
      payload: { productId: card.productId, clickAction: card.clickAction },
      timestamp: new Date().toISOString(),
    },
  };
}
