/**
 * Purchases that are not settled yet, and settling them.
 *
 * A purchase has one Idempotency-Key from the first press on "Pay" until its order is
 * final. It is kept in sessionStorage, so whatever happens in between (a reload, a lost
 * answer, a session that ends) the same purchase goes on, and nothing is bought twice.
 */

import { newId } from "./ids.js";
import { recall, remember } from "./memory.js";

const LOOK_AGAIN = [400, 600, 1000, 1500, 2000]; // milliseconds; then the last for ever
const PATIENCE = 120_000; // milliseconds
const LOST_LOOKS = 3; // failed looks in a row until the guest is told
const NOT_FOUND = 404;

export const isFinal = (order) => order.status !== "pending";

/** Open the unsettled purchases of a guest. */
export function openPurchases(guest) {
  const kept = recall("purchases");
  const open = kept?.guest === guest && Array.isArray(kept.open) ? kept.open : [];
  const save = () => remember("purchases", { guest, open });

  return {
    open,
    save,
    isOpen: (purchase) => open.includes(purchase),
    ofProduct: (productId) =>
      open.find((purchase) => purchase.request.productId === productId),
    begin(item, request) {
      const purchase = { key: newId(), item, request, orderId: null };
      open.push(purchase);
      save();
      return purchase;
    },
    settle(purchase) {
      const index = open.indexOf(purchase);
      if (index >= 0) open.splice(index, 1);
      save();
    },
  };
}

/**
 * Carry a purchase on until its order is final, or patience ends.
 *
 * @returns {Promise<object>} The order as the server tells it; still pending when it takes
 *   long, and the purchase is then kept.
 * @throws {import("./api.js").Failure} Where the purchase is not open any more, nothing
 *   was made; else its end is not known yet, and it is kept.
 */
export async function carryOn(purchase, purchases, api) {
  try {
    if (!purchase.orderId) {
      const answer = await api.checkout(purchase.request, purchase.key);
      purchase.orderId = answer.order.orderId;
      purchases.save();
    }
    const order = await untilFinal(purchase.orderId, api);
    if (isFinal(order)) purchases.settle(purchase);
    return order;
  } catch (failure) {
    if (failure.refused && !purchase.orderId) purchases.settle(purchase);
    if (failure.status === NOT_FOUND) {
      // Asked for again under its key it goes on, or is made if it was lost.
      purchase.orderId = null;
      purchases.save();
    }
    throw failure;
  }
}

async function untilFinal(orderId, api) {
  const end = Date.now() + PATIENCE;
  let lost = 0;
  for (let look = 0; ; look += 1) {
    try {
      const order = await api.order(orderId);
      lost = 0;
      if (isFinal(order) || Date.now() > end) return order;
    } catch (failure) {
      lost += 1;
      if (failure.refused || failure.status === 401 || lost >= LOST_LOOKS) throw failure;
    }
    await pause(LOOK_AGAIN[Math.min(look, LOOK_AGAIN.length - 1)]);
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
