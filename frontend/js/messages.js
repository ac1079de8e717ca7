/** Messages as elements: bubbles, product cards, ready answers, summaries, orders. */

import { pictureUrl } from "./config.js";
import { el, unseen } from "./dom.js";
import { calendarDay, money, timeOfDay } from "./formats.js";
import { facts, orderCard } from "./order-card.js";

/** The words of a message, whichever its type. */
export function textOf(message) {
  return message?.unstructured?.text ?? message?.structured?.text ?? "";
}

/** The kind of a structured message that the page shows in its own way, or null. */
export function kindOf(entry) {
  if (entry.from === "shop") return "order";
  const structured = entry.message?.structured;
  if (entry.from !== "concierge" || !structured?.payload) return null;
  const { type, payload } = structured;
  if (type === "product" && payload.productId && payload.name) return "product";
  if (type === "quick-replies" && Array.isArray(payload.replies)) return "quick-replies";
  if (type === "checkout" && payload.productId) return "checkout";
  return null;
}

export function bubble(from, text, at) {
  const who = from === "guest" ? "You said:" : "The concierge said:";
  return el(
    "div",
    { class: `turn turn-${from}` },
    el("p", { class: "bubble" }, unseen(`${who} `), text),
    el("time", { class: "when", datetime: at }, timeOfDay(at)),
  );
}

export function cardRow() {
  return el("ul", { class: "cards", "aria-label": "Suggestions" });
}

/**
 * A product card.
 *
 * @param {object} card The message's payload; `price` is in dollars.
 * @param {{press, buy}} actions What its two buttons do.
 */
export function productCard(card, { press, buy }) {
  return el(
    "li",
    { class: "card" },
    picture(card.imageUrl),
    el("h3", {}, String(card.name)),
    el("p", { class: "price" }, money(Math.round(card.price * 100))),
    el(
      "div",
      { class: "card-actions" },
      el(
        "button",
        { type: "button", class: "button", on: { click: press } },
        String(card.buttonLabel || "Order"),
        unseen(` ${card.name}`),
      ),
      el(
        "button",
        { type: "button", class: "button button-quiet", on: { click: buy } },
        "Buy now",
        unseen(` ${card.name}`),
      ),
    ),
  );
}

/** A picture of a product; a missing one leaves the calm ground that is behind it. */
export function picture(imageUrl) {
  const frame = el("div", { class: "picture" });
  const url = pictureUrl(imageUrl);
  if (url) {
    const image = el("img", { src: url, alt: "", width: 240, height: 160 });
    image.addEventListener("error", () => image.remove());
    frame.append(image);
  }
  return frame;
}

export function quickReplies(replies, answer) {
  return el(
    "div",
    { class: "replies", role: "group", "aria-label": "Ready answers" },
    ...replies
      .filter((reply) => reply?.label)
      .map((reply) =>
        el(
          "button",
          {
            type: "button",
            class: "chip",
            on: { click: () => answer(String(reply.value ?? reply.label)) },
          },
          String(reply.label),
        ),
      ),
  );
}

/** An order with all its details, ready to be paid. */
export function summaryCard(details, { paid, pay }) {
  const quantity = details.quantity ?? 1;
  return el(
    "section",
    { class: "summary", "aria-label": `Your order: ${details.name}` },
    el("h3", {}, String(details.name)),
    facts([
      ["Quantity", quantity],
      ["Deliver to", details.deliveryAddress],
      ["On", calendarDay(details.deliveryDate)],
      ["Total", money(details.unitAmount * quantity, details.currency)],
    ]),
    el(
      "button",
      { type: "button", class: "button", disabled: paid, on: { click: pay } },
      paid ? "Ordered" : "Pay by card",
    ),
  );
}

export function orderTurn(order) {
  return el("div", { class: "turn turn-shop" }, orderCard(order));
}

export function typing() {
  return el(
    "div",
    { class: "turn turn-concierge typing", "aria-hidden": "true" },
    el("p", { class: "bubble" }, el("i"), el("i"), el("i")),
  );
}
