/** Money, dates and times as a guest reads them. */

const clock = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit" });
const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat("en", { dateStyle: "full", timeZone: "UTC" });

/**
 * Write an amount.
 *
 * @param {number} amount In cents.
 * @param {string} currency ISO 4217.
 */
export function money(amount, currency = "usd") {
  const format = { style: "currency", currency: currency.toUpperCase() };
  return new Intl.NumberFormat("en", format).format(amount / 100);
}

/** Write the time of a message; an unreadable one becomes nothing. */
export function timeOfDay(iso) {
  return written(clock, iso);
}

export function dateAndTime(iso) {
  return written(moment, iso);
}

/** Write a delivery date, which is a day and not a moment. */
export function calendarDay(isoDate) {
  return written(day, `${isoDate}T00:00:00Z`) || isoDate;
}

function written(format, iso) {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? "" : format.format(time);
}

/** The date so many days from now, as the server counts them (UTC), ISO 8601. */
export function daysFromNow(count) {
  return new Date(Date.now() + count * 86_400_000).toISOString().slice(0, 10);
}
