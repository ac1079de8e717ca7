/** The guest's own orders, kept up to date while any is pending. */

import { byId, say } from "../dom.js";
import { explain } from "../failures.js";
import { orderCard } from "../order-card.js";
import { isFinal } from "../purchases.js";
import { start } from "../start.js";

const LOOK_AGAIN = 2000; // milliseconds

start(async ({ api }) => {
  const list = byId("orders");
  const status = byId("orders-status");
  const more = byId("more");
  const reload = byId("reload");
  const shown = new Map(); // order id → {order, element}
  let cursor = null;
  let troubled = false;

  function put(order) {
    const element = document.createElement("li");
    element.append(orderCard(order, "h2"));
    const old = shown.get(order.orderId);
    if (old) old.element.replaceWith(element);
    else list.append(element);
    shown.set(order.orderId, { order, element });
  }

  async function load() {
    more.disabled = true;
    reload.hidden = true;
    try {
      const page = await api.orders(cursor);
      const first = page.orders.find((order) => !shown.has(order.orderId));
      page.orders.forEach(put);
      if (cursor && first) shown.get(first.orderId).element.querySelector("h2").focus();
      cursor = page.nextCursor ?? null;
      say(status, "");
    } catch (failure) {
      showProblem(failure);
      reload.hidden = false;
    }
    list.setAttribute("aria-busy", "false");
    more.hidden = !cursor || !reload.hidden;
    more.disabled = false;
    byId("none").hidden = shown.size > 0 || !reload.hidden;
  }

  function showProblem(failure) {
    const { title, text } = explain(failure);
    say(status, `${title}. ${text}`);
  }

  /** Look at the pending orders again and again, but not behind the guest's back. */
  async function follow() {
    const pending = [...shown.values()].filter(({ order }) => !isFinal(order));
    if (!document.hidden) {
      for (const { order } of pending) {
        try {
          const now = await api.order(order.orderId);
          if (troubled) say(status, "");
          troubled = false;
          if (now.status === order.status && now.message === order.message) continue;
          put(now);
          say(status, `${now.name}: ${now.message}`);
        } catch (failure) {
          if (failure.status === 401) return;
          showProblem(failure);
          troubled = true;
          break;
        }
      }
    }
    setTimeout(follow, LOOK_AGAIN);
  }

  more.addEventListener("click", load);
  reload.addEventListener("click", load);
  await load();
  follow();
});
