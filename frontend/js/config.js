/** Where this site and its API are. The stage serves `config.json` beside the pages. */

/** The folder that index.html is in; a stage may serve the site from any path. */
export const siteRoot = new URL("../", import.meta.url);

let reading;

/**
 * Read the stage's configuration, once a page.
 *
 * @returns {Promise<{stage: number, api_url: string, auth: string}>} `api_url` is
 *   absolute and has no slash at its end.
 */
export function readConfig() {
  reading ??= fetch(new URL("config.json", siteRoot), { cache: "no-store" })
    .then((answer) => {
      if (!answer.ok) throw new Error(`config.json answered ${answer.status}`);
      return answer.json();
    })
    .then((config) => ({
      ...config,
      api_url: new URL(config.api_url, siteRoot).href.replace(/\/+$/, ""),
    }));
  return reading;
}

/**
 * Find a picture of a product, wherever the site is mounted.
 *
 * @param {string} path Relative to the site, such as `/images/roses.svg`.
 * @returns {string | null} Its address, or null when it is not inside this site.
 */
export function pictureUrl(path) {
  if (typeof path !== "string" || !path) return null;
  try {
    const url = new URL(path.replace(/^\/+/, ""), siteRoot);
    return url.href.startsWith(siteRoot.href) ? url.href : null;
  } catch {
    return null;
  }
}
