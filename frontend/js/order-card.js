/** An order as a guest sees it, in the chat and in the list of orders. */

import { el } from "./dom.js";
import { calendarDay, dateAndTime, money } from "./formats.js";

const WORDS = {
  pending: "In progress",
  confirmed: "Confirmed",
  declined: "Card declined",
  failed: "Not ordered",
};

export function statusBadge(status) {
  const known = Object.hasOwn(WORDS, status);
  return el(
    "span",
    { class: `badge badge-${known ? status : "pending"}` },
    known ? WORDS[status] : String(status),
  );
}

/** The facts of an order, as a list of terms. */
export function orderFacts(order) {
  return facts([
    ["Quantity", order.quantity],
    [order.status === "confirmed" ? "Paid" : "Amount", money(order.amount, order.currency)],
    ["Deliver to", order.deliveryAddress],
    ["On", calendarDay(order.deliveryDate)],
    ["Order", el("span", { class: "code" }, order.orderId)],
  ]);
}

export function facts(pairs) {
  const list = el("dl", { class: "facts" });
  for (const [term, value] of pairs) {
    list.append(el("dt", {}, term), el("dd", {}, value instanceof Node ? value : String(value)));
  }
  return list;
}

/** An order with everything about it. */
export function orderCard(order, heading = "h3") {
  return el(
    "article",
    { class: "order", "aria-label": `${order.name}, order ${order.orderId}` },
    el("div", { class: "order-head" }, el(heading, {}, order.name), statusBadge(order.status)),
    el("p", { class: "order-message" }, order.message),
    orderFacts(order),
    el(
      "p",
      { class: "order-when" },
      "Ordered ",
      el("time", { datetime: order.createdAt }, dateAndTime(order.createdAt)),
    ),
  );
}
