/** What to tell a guest when a call failed. */

/**
 * Put a failure into words.
 *
 * @param {import("./api.js").Failure} failure
 * @returns {{title: string, text: string}}
 */
export function explain(failure) {
  const { status, message, retryAfter } = failure;
  if (status === 0) {
    return {
      title: "The concierge cannot be reached",
      text: "No answer came. Check your connection, then try again.",
    };
  }
  if (status === 401) {
    return { title: "Your session has ended", text: "Please sign in again." };
  }
  if (status === 429) {
    return {
      title: "One moment, please",
      text: `That was too much at once. Wait ${seconds(retryAfter)}, then try again.`,
    };
  }
  if (status >= 500) {
    return { title: "Something we need is away", text: message };
  }
  if (status >= 400) {
    return { title: "That did not work", text: message };
  }
  return { title: "Something went wrong", text: "Reload the page and try again." };
}

function seconds(count) {
  if (!count) return "a few seconds";
  return count === 1 ? "a second" : `${count} seconds`;
}
