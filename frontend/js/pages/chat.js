/** The chat page: the conversation, and the checkout that grows out of it. */

import { createCheckout } from "../checkout.js";
import { openConversation, pressMessage, textMessage } from "../conversation.js";
import { byId, el, say } from "../dom.js";
import { explain } from "../failures.js";
import * as show from "../messages.js";
import { openPurchases } from "../purchases.js";
import { start } from "../start.js";

const IDEAS = {
  flowers: "I'd like to send flowers",
  gifts: "I'm looking for a gift",
  sweets: "Something sweet, please",
  food: "I'd like to have food delivered",
  tables: "I'd like to book a table",
  tickets: "I'd like tickets for a show",
  rides: "I need a ride",
  rooms: "I need a hotel room",
};
const FIRST_IDEAS = ["I'd like to send flowers to my mother", IDEAS.tables, IDEAS.sweets];

start(({ api, guest }) => {
  const conversation = openConversation(guest);
  const purchases = openPurchases(guest);
  const log = byId("log");
  const box = byId("composer-text");
  const composer = byId("composer");
  const status = byId("chat-status");
  const touch = matchMedia("(pointer: coarse)").matches;
  let turn = Promise.resolve(); // messages go out one after the other

  const checkout = createCheckout({
    api,
    purchases,
    onClose(ended) {
      showUnfinished();
      if (!ended) return;
      log.scrollTop = log.scrollHeight; // to the order that was just added
      (touch ? log : box).focus({ preventScroll: true });
    },
    onSettled(order, purchase) {
      const summary = conversation.entries.find((entry) => entry.id === purchase.item.entryId);
      if (order.status === "confirmed" && summary) {
        summary.paid = true;
        log.querySelector(`[data-entry="${summary.id}"]`)?.replaceWith(elementOf(summary));
      }
      append(conversation.add({ from: "shop", at: order.updatedAt, order }));
      showUnfinished();
    },
  });

  // ------------------------------------------------------------- what is shown

  function append(entry) {
    log.querySelector(".welcome")?.remove();
    if (entry.from === "guest") retire(".replies");
    if (show.kindOf(entry) === "product") {
      rowForCards().append(elementOf(entry));
    } else {
      log.append(elementOf(entry));
    }
    log.scrollTop = log.scrollHeight;
  }

  function elementOf(entry) {
    const element = build(entry);
    element.dataset.entry = entry.id;
    return element;
  }

  function build(entry) {
    if (entry.from === "guest") {
      return show.bubble("guest", entry.label ?? show.textOf(entry.message), entry.at);
    }
    const payload = entry.message?.structured?.payload;
    switch (show.kindOf(entry)) {
      case "order":
        return show.orderTurn(entry.order);
      case "product":
        return show.productCard(payload, {
          press: () => ask(pressMessage(payload), `${payload.buttonLabel}: ${payload.name}`),
          buy: () => checkout.open(itemOfCard(payload)),
        });
      case "quick-replies":
        return repliesTurn(entry, payload.replies);
      case "checkout":
        return summaryTurn(entry, payload);
      default:
        return show.bubble("concierge", show.textOf(entry.message), entry.at);
    }
  }

  function repliesTurn(entry, replies) {
    const text = show.textOf(entry.message);
    const buttons = show.quickReplies(replies, (value) => ask(textMessage(value)));
    return el("div", {}, text ? show.bubble("concierge", text, entry.at) : null, buttons);
  }

  function summaryTurn(entry, payload) {
    const text = show.textOf(entry.message);
    const card = show.summaryCard(payload, {
      paid: Boolean(entry.paid),
      pay: () => checkout.open({ ...itemOfSummary(payload), entryId: entry.id }, payload),
    });
    return el("div", {}, text ? show.bubble("concierge", text, entry.at) : null, card);
  }

  function rowForCards() {
    const last = log.lastElementChild;
    if (last?.matches(".cards")) return last;
    const row = show.cardRow();
    log.append(row);
    return row;
  }

  /** Take away what was an offer of the moment; keep a keyboard's focus somewhere. */
  function retire(selector) {
    for (const old of log.querySelectorAll(selector)) {
      const focused = old.contains(document.activeElement);
      old.remove();
      if (focused) (touch ? log : box).focus();
    }
  }

  const imageOf = (productId) =>
    conversation.entries
      .map((entry) => entry.message?.structured?.payload)
      .findLast((payload) => payload?.productId === productId && payload.imageUrl)?.imageUrl ??
    `/images/${productId}.svg`;

  const itemOfCard = (card) => ({
    productId: card.productId,
    name: card.name,
    unitAmount: Math.round(card.price * 100),
    currency: "usd",
    imageUrl: card.imageUrl,
  });

  const itemOfSummary = ({ productId, name, unitAmount, currency }) => ({
    productId,
    name,
    unitAmount,
    currency,
    imageUrl: imageOf(productId),
  });

  function showUnfinished() {
    const list = byId("unfinished");
    list.hidden = purchases.open.length === 0;
    list.replaceChildren(
      ...purchases.open.map((purchase) =>
        el(
          "p",
          {},
          el("span", {}, `Your purchase of ${purchase.item.name} is not finished yet. `),
          el(
            "button",
            {
              type: "button",
              class: "button button-quiet",
              on: { click: () => checkout.resume(purchase) },
            },
            "Continue",
          ),
        ),
      ),
    );
  }

  // ------------------------------------------------------------- what is said

  function ask(message, label = null) {
    const entry = conversation.add({ from: "guest", message, ...(label && { label }) });
    append(entry);
    deliver(entry);
  }

  function deliver(entry) {
    turn = turn.then(async () => {
      retire(".unsent");
      const dots = show.typing();
      log.append(dots);
      log.scrollTop = log.scrollHeight;
      say(status, "The concierge is typing …");
      try {
        const answers = await api.converse([entry.message]);
        dots.remove();
        say(status, "");
        entry.answered = true;
        for (const message of answers) {
          append(conversation.add({ from: "concierge", message }));
        }
      } catch (failure) {
        dots.remove();
        showUnsent(entry, explain(failure));
      }
    });
  }

  function showUnsent(entry, { title, text }) {
    say(status, `${title}. ${text}`);
    log.append(
      el(
        "div",
        { class: "unsent" },
        el("p", {}, el("strong", {}, `${title}.`), ` ${text}`),
        el(
          "button",
          { type: "button", class: "button button-quiet", on: { click: () => deliver(entry) } },
          "Send again",
        ),
      ),
    );
    log.scrollTop = log.scrollHeight;
  }

  function showWelcome() {
    log.append(
      el(
        "div",
        { class: "welcome" },
        el("img", { src: "favicon.svg", alt: "", width: 56, height: 56 }),
        el("h2", {}, "What may we arrange for you?"),
        el(
          "p",
          {},
          "Flowers, gifts and food to send; tables, tickets, rides and rooms. " +
            "Just say it in your own words.",
        ),
        show.quickReplies(
          FIRST_IDEAS.map((idea) => ({ label: idea, value: idea })),
          (value) => ask(textMessage(value)),
        ),
      ),
    );
  }

  function restore() {
    for (const entry of conversation.entries) append(entry);
    const last = conversation.entries.at(-1);
    if (!last) showWelcome();
    if (last?.from === "guest" && !last.answered) {
      showUnsent(last, { title: "This was not answered yet", text: "The page was reloaded." });
    }
  }

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    ask(textMessage(text));
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });

  restore();
  showUnfinished();
  box.disabled = false; // until here a pressed Enter would have gone nowhere
  byId("composer-send").disabled = false;
  const idea = IDEAS[location.hash.slice(1)];
  if (idea) box.value = idea;
  if (!touch) box.focus();
  const unsettled = purchases.open.at(-1);
  if (unsettled) checkout.resume(unsettled);
});
