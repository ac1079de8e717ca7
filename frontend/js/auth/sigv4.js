/**
 * AWS Signature Version 4: what a request says is bound to who says it, and when.
 *
 * The steps and their names are AWS's ("Create a signed AWS API request" in the IAM user
 * guide). Every service but S3 signs the path as it stands in the URL, encoded once more.
 */

const ALGORITHM = "AWS4-HMAC-SHA256";
// Proxies may change these on the way, so nobody signs them; botocore leaves out the same.
const UNSIGNED = new Set([
  "authorization",
  "expect",
  "transfer-encoding",
  "user-agent",
  "x-amzn-trace-id",
]);

/**
 * Sign a request.
 *
 * @param {Request} request It is not used up; its body may be sent after this.
 * @param {{accessKeyId: string, secretKey: string, sessionToken?: string}} credentials
 * @param {{region: string, service: string, now?: Date}} scope `now` is the server's time.
 * @returns {Promise<Request>} The same request with its signature. The query in its URL is
 *   the canonical one: of a "+" nobody can say whether the server takes it for a space.
 */
export async function sign(request, credentials, { region, service, now = new Date() }) {
  const url = new URL(request.url);
  url.search = canonicalQuery(url.search);
  const time = now.toISOString().replace(/[-:]|\.\d+/g, ""); // 20260401T093000Z
  const headers = new Headers(request.headers);
  headers.delete("Authorization");
  headers.set("X-Amz-Date", time);
  if (credentials.sessionToken) headers.set("X-Amz-Security-Token", credentials.sessionToken);

  const body = await request.clone().arrayBuffer();
  const signed = headersToSign(headers, url);
  const names = signed.map(([name]) => name).join(";");
  const canonicalRequest = [
    request.method,
    canonicalPath(url.pathname),
    url.search.slice(1),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    await sha256(body),
  ].join("\n");

  const day = time.slice(0, 8);
  const scope = [day, region, service, "aws4_request"].join("/");
  const stringToSign = [ALGORITHM, time, scope, await sha256(bytes(canonicalRequest))].join("\n");
  let key = bytes(`AWS4${credentials.secretKey}`);
  for (const part of [day, region, service, "aws4_request"]) key = await hmac(key, part);
  const signature = hex(await hmac(key, stringToSign));
  headers.set(
    "Authorization",
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, ` +
      `SignedHeaders=${names}, Signature=${signature}`,
  );
  const hasBody = !["GET", "HEAD"].includes(request.method);
  return new Request(url, { method: request.method, headers, ...(hasBody && { body }) });
}

function canonicalPath(path) {
  const segments = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment && segment !== ".") segments.push(encode(segment));
  }
  const end = segments.length && path.endsWith("/") ? "/" : "";
  return `/${segments.join("/")}${end}`;
}

/** Sorted by name, then by value, as they are encoded. */
function canonicalQuery(search) {
  return [...new URLSearchParams(search)]
    .map((pair) => pair.map(encode))
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function headersToSign(headers, url) {
  return [...headers, ["host", url.host]]
    .filter(([name]) => !UNSIGNED.has(name))
    .map(([name, value]) => [name, value.trim().replace(/\s+/g, " ")])
    .sort(([a], [b]) => compare(a, b));
}

const compare = (a, b) => Number(a > b) - Number(a < b);

/** Percent-encode all but the unreserved characters of RFC 3986. */
const encode = (text) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const bytes = (text) => new TextEncoder().encode(text);

const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

const sha256 = async (data) => hex(await crypto.subtle.digest("SHA-256", data));

async function hmac(key, text) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, bytes(text));
}
