/** Swagger UI of the contract; the stage serves its two files under /docs/assets/. */

/* global SwaggerUIBundle */
SwaggerUIBundle({
  url: new URL("../openapi.yaml", import.meta.url).href,
  dom_id: "#contract",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // the contract stays here; no badge service is asked about it
});
