/** Every call to the concierge's API. The contract is docs/reference/openapi.yaml. */

const PATIENCE = { read: 15_000, say: 20_000, buy: 45_000 }; // milliseconds

/**
 * A call that did not succeed; `status` is 0 when no answer came at all, and `reason` is
 * the name that AWS's own interfaces give to what went wrong.
 */
export class Failure extends Error {
  constructor({ status, message, retryAfter = null, reason = null }) {
    super(message);
    this.name = "Failure";
    this.status = status;
    this.retryAfter = retryAfter; // seconds
    this.reason = reason;
  }

  /** Whether the server said no, so that it certainly did nothing. */
  get refused() {
    return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
  }
}

/**
 * Send a request and read its JSON.
 *
 * @param {Request} request
 * @param {number} patience How long to wait, in milliseconds.
 * @throws {Failure} When the answer is not a success, or there is none.
 */
export async function send(request, patience = PATIENCE.read) {
  let answer;
  let body;
  try {
    answer = await fetch(request, {
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(patience),
    });
    body = await answer.text();
  } catch {
    throw new Failure({ status: 0, message: "There was no answer." });
  }
  if (!answer.ok) throw failureOf(answer, body);
  if (!body) return null;
  try {
    return JSON.parse(body);
  } catch {
    throw new Failure({ status: 502, message: "The answer could not be read." });
  }
}

function failureOf(answer, body) {
  let message = "Something went wrong. Please try again.";
  let reason = null;
  try {
    const said = JSON.parse(body);
    message = String(said.message || message);
    reason = said.__type?.split("#").pop() ?? null;
  } catch {
    // A gateway's own error page is not JSON; its status says enough.
  }
  const seconds = Number.parseInt(answer.headers.get("Retry-After"), 10);
  return new Failure({
    status: answer.status,
    message,
    reason,
    retryAfter: Number.isFinite(seconds) ? seconds : null,
  });
}

/** Make a request with a JSON body. */
export function jsonRequest(url, method, body, headers = {}) {
  return new Request(url, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/**
 * Make the API's client.
 *
 * @param {object} config From `readConfig`.
 * @param {object} auth From `chooseAuth`; it signs every request.
 * @param {() => void} onSessionEnded Called when the API no longer knows the guest.
 */
export function createApi(config, auth, onSessionEnded) {
  const url = (path) => config.api_url + path;

  async function call(request, patience) {
    const attempt = async () => send(await auth.authorize(request.clone()), patience);
    try {
      try {
        return await attempt();
      } catch (failure) {
        // Refused before anything was done, so it may be said again.
        if (failure.status !== 403 || !(await auth.renew())) throw failure;
        return await attempt();
      }
    } catch (failure) {
      if (failure.status === 401) {
        auth.forget();
        onSessionEnded();
      }
      throw failure;
    }
  }

  function read(path, query = {}) {
    const search = new URLSearchParams(query).toString();
    const headers = { Accept: "application/json" };
    return call(new Request(url(search ? `${path}?${search}` : path), { headers }));
  }

  return {
    /** Say something to the concierge; answers its messages. */
    async converse(messages) {
      const answer = await call(jsonRequest(url("/nlu"), "POST", { messages }), PATIENCE.say);
      return answer.messages;
    },

    product: (productId) => read(`/products/${encodeURIComponent(productId)}`),

    /** Buy; the same key with the same request is the same purchase. */
    checkout: (request, key) =>
      call(
        jsonRequest(url("/checkout"), "POST", request, { "Idempotency-Key": key }),
        PATIENCE.buy,
      ),

    order: (orderId) => read(`/orders/${encodeURIComponent(orderId)}`),

    orders: (cursor) => read("/orders", { limit: 10, ...(cursor && { cursor }) }),
  };
}
