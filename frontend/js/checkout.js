/** The checkout form: a dialog that carries one purchase to its end and says how it went. */

import { byId, el, say } from "./dom.js";
import { explain } from "./failures.js";
import { daysFromNow, money } from "./formats.js";
import { picture } from "./messages.js";
import { orderFacts } from "./order-card.js";
import { carryOn, isFinal } from "./purchases.js";

const A_YEAR = 365; // days; the contract takes deliveries within one
const NOT_TWICE =
  "Your order is kept and nothing is charged twice: trying again goes on with the same purchase.";

/**
 * Wire up the dialog `#checkout`.
 *
 * @param {{api, purchases, onSettled, onClose}} parts `onSettled(order, purchase)` hears of
 *   every purchase that ends, also when the dialog has been closed meanwhile;
 *   `onClose(ended)` tells whether the dialog was showing such an end.
 * @returns {{open: (item, details?) => void, resume: (purchase) => void}}
 */
export function createCheckout({ api, purchases, onSettled, onClose }) {
  const dialog = byId("checkout");
  const form = byId("checkout-form");
  const title = byId("checkout-title");
  const status = byId("checkout-status");
  const again = byId("checkout-again");
  const pay = byId("checkout-pay");
  const outcome = byId("checkout-outcome");
  const field = form.elements;
  const running = new Set();
  let item = null;
  let shown = null; // the purchase in the dialog, once "Pay" was pressed

  function open(wanted, details = {}) {
    const unsettled = purchases.ofProduct(wanted.productId);
    if (unsettled) {
      resume(unsettled);
      return;
    }
    shown = null;
    form.reset();
    showItem(wanted);
    field.quantity.value = details.quantity ?? 1;
    field.deliveryAddress.value = details.deliveryAddress ?? "";
    field.deliveryDate.value = details.deliveryDate ?? daysFromNow(1);
    showForm();
    showDialog();
  }

  function resume(purchase) {
    showItem(purchase.item);
    for (const [name, value] of Object.entries(purchase.request)) field[name].value = value;
    showForm();
    showDialog();
    run(purchase);
  }

  function showDialog() {
    if (!dialog.open) dialog.showModal();
  }

  function showItem(wanted) {
    item = wanted;
    byId("checkout-picture").replaceChildren(picture(item.imageUrl));
    say(byId("checkout-item"), item.name);
    say(byId("checkout-each"), `${money(item.unitAmount, item.currency)} each`);
  }

  function showForm() {
    say(title, "Checkout");
    form.hidden = false;
    outcome.hidden = true;
    field.deliveryDate.min = daysFromNow(0);
    field.deliveryDate.max = daysFromNow(A_YEAR);
    lock(false);
    tell();
    showTotal();
  }

  function lock(locked) {
    byId("checkout-fields").disabled = locked;
    pay.disabled = locked;
    pay.hidden = false;
    again.hidden = true;
  }

  function tell(heading = "", text = "", tone = "") {
    status.dataset.tone = tone;
    status.replaceChildren();
    if (heading) status.append(el("strong", {}, heading), " ");
    status.append(text);
  }

  function showTotal() {
    const quantity = Number(field.quantity.value);
    const total = quantity >= 1 ? money(item.unitAmount * quantity, item.currency) : "";
    say(byId("checkout-total"), total);
    say(pay, total ? `Pay ${total}` : "Pay");
  }

  function submit() {
    const address = field.deliveryAddress;
    address.value = address.value.replace(/\s+/g, " ").trim();
    if (!form.reportValidity()) return;
    run(
      purchases.begin(item, {
        productId: item.productId,
        quantity: Number(field.quantity.value),
        deliveryAddress: address.value,
        deliveryDate: field.deliveryDate.value,
        paymentMethod: field.paymentMethod.value,
      }),
    );
  }

  async function run(purchase) {
    shown = purchase;
    lock(true);
    tell("Paying …", "This takes a moment. You may close this; the purchase goes on.", "busy");
    title.focus();
    if (running.has(purchase.key)) return;
    running.add(purchase.key);
    try {
      const order = await carryOn(purchase, purchases, api);
      if (isFinal(order)) onSettled(order, purchase);
      if (shown === purchase) await (isFinal(order) ? showOutcome(order) : showSlow());
    } catch (failure) {
      if (shown === purchase) showFailure(purchase, failure);
    } finally {
      running.delete(purchase.key);
    }
  }

  function showFailure(purchase, failure) {
    const { title: heading, text } = explain(failure);
    if (!purchases.isOpen(purchase)) {
      shown = null;
      lock(false);
      tell(heading, `${text} Nothing was charged.`, "bad");
      (field.namedItem(text.split(":")[0]) ?? pay).focus(); // "deliveryDate: it has …"
      return;
    }
    offerAgain("Try again");
    tell(`${heading}.`, `${text} ${NOT_TWICE}`, "bad");
  }

  function showSlow() {
    offerAgain("Look again");
    tell(
      "This takes longer than usual.",
      "Your order is placed and goes on by itself; “My orders” always tells how it stands.",
      "busy",
    );
  }

  function offerAgain(label) {
    pay.hidden = true;
    again.hidden = false;
    say(again, label);
    again.focus();
  }

  async function showOutcome(order) {
    const heading = await headingOf(order);
    say(title, heading);
    form.hidden = true;
    outcome.hidden = false;
    outcome.replaceChildren(
      orderFacts(order),
      el("div", { class: "actions" }, ...nextSteps(order)),
    );
    tell("", order.message, order.status === "confirmed" ? "good" : "bad");
    title.focus();
  }

  /** A failed order does not say why in a code, but the stock does. */
  async function headingOf(order) {
    if (order.status === "confirmed") return "Order confirmed";
    if (order.status === "declined") return "Card declined";
    try {
      const { stock } = await api.product(order.productId);
      if (stock < order.quantity) return stock ? `Only ${stock} left` : "Sold out";
    } catch {
      // The order's own message still tells what happened.
    }
    return "Not ordered";
  }

  function nextSteps(order) {
    const close = (label, look) =>
      el("button", { type: "button", class: look, on: { click: () => dialog.close() } }, label);
    if (order.status === "confirmed") {
      return [
        close("Done", "button"),
        el("a", { class: "button button-quiet", href: "orders.html" }, "My orders"),
      ];
    }
    const [change, first] =
      order.status === "declined"
        ? ["Use another card", field.paymentMethod]
        : ["Change the order", field.quantity];
    const anew = () => {
      shown = null; // what is paid next is a new purchase, with a key of its own
      showForm();
      first.focus();
    };
    return [
      el("button", { type: "button", class: "button", on: { click: anew } }, change),
      close("Close", "button button-quiet"),
    ];
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("input", showTotal);
  again.addEventListener("click", () => run(shown));
  byId("checkout-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => onClose(!outcome.hidden));

  return { open, resume };
}
