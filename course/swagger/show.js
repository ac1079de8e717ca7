/** Swagger UI of the contract, to be read: nothing is sent from here. */

/* global SwaggerUIBundle */
const asked = new URLSearchParams(location.search).get("scheme");
const likesDark = matchMedia("(prefers-color-scheme: dark)").matches;
const darken = (scheme) =>
  document.documentElement.classList.toggle("dark-mode", scheme === "dark");

darken(asked ?? (likesDark ? "dark" : "light"));
// The page around it tells when its own colours change.
addEventListener("message", (event) => darken(event.data));

SwaggerUIBundle({
  spec: globalThis.contract, // a page that is opened from a folder may fetch nothing
  dom_id: "#contract",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: [],
  validatorUrl: null,
});
