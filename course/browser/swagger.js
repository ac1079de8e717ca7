/** Puts Swagger UI into the page of the contract, in the page's own colours. */

const here = document.getElementById("swagger-ui");

if (here) {
  const scheme = () =>
    document.body.dataset.mdColorScheme === "slate" ? "dark" : "light";
  const frame = document.createElement("iframe");
  frame.src = `${here.dataset.source}?scheme=${scheme()}`;
  frame.title = "The contract in Swagger UI";
  frame.style.cssText = "width: 100%; height: 80vh; border: 1px solid #8886";
  here.replaceChildren(frame);
  new MutationObserver(() => frame.contentWindow.postMessage(scheme(), "*")).observe(
    document.body,
    { attributeFilter: ["data-md-color-scheme"] },
  );
}
