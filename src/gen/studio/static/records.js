// The house's records, made in the browser from what it shows: canonical JSON, signed envelopes
// (DSSE), the tag of a work, an act of the log and the head after it. docs/format.md describes them.

export const TYPES = {
  statement: "application/vnd.in-toto+json",
  act: "application/vnd.music-house.act+json",
  head: "application/vnd.music-house.head+json",
  sign_in: "application/vnd.music-house.sign-in+json",
  enrolment: "application/vnd.music-house.enrolment+json",
};
const encoder = new TextEncoder();

export const bytes_of = (text) => encoder.encode(text);
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const from_hex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
export const from_base64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export function to_base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export function joined(...parts) {
  const found = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
}

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
export const digest = async (bytes) => hex(await sha256(bytes));
export const digest_of = async (file) => digest(await file.arrayBuffer());

// The time as records spell it.
export const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

// The one spelling of a value: keys sorted, no spaces, whole numbers alone.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Error(`${value} is no whole number`);
  if (value === undefined) throw new Error("nothing is no value");
  return JSON.stringify(value);
}

// DSSE's pre-authentication encoding: the bytes that are signed.
export function authenticated(type, payload) {
  return joined(bytes_of(`DSSEv1 ${bytes_of(type).length} ${type} ${payload.length} `), payload);
}

// The music and the envelope of a tagged file, strictly; throws where it is anything else.
export function read_tag(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const kind = (at) => String.fromCharCode(...file.subarray(at, at + 4));
  let at = 0;
  while (at + 8 <= file.length && ["MThd", "MTrk"].includes(kind(at))) at += 8 + view.getUint32(at + 4);
  if (at + 8 > file.length || kind(at) !== "HPRV" || at + 8 + view.getUint32(at + 4) !== file.length) throw new Error("the file has no tag of a house at its end");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(at + 8));
  const envelope = JSON.parse(text), payload = from_base64(envelope.payload);
  const statement = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  if (canonical(envelope) !== text || canonical(statement) !== new TextDecoder().decode(payload) || envelope.payloadType !== TYPES.statement) throw new Error("the tag is not in its one spelling");
  return { music: file.subarray(0, at), envelope, payload, statement };
}

export function tagged(music, envelope) {
  const text = bytes_of(canonical(envelope)), head = new Uint8Array(8);
  head.set(bytes_of("HPRV"));
  new DataView(head.buffer).setUint32(4, text.length);
  return joined(music, head, text);
}

// Throws unless a statement is about just these bytes.
export async function check_about(statement, music) {
  const [subject, ...more] = statement.subject;
  const found = await digest(music);
  if (more.length || subject.digest.sha256 !== found) throw new Error(`the statement is about other music than was sent (${found.slice(0, 12)}…)`);
  if (subject.name !== `${statement.predicate.work}.mid`) throw new Error("the statement names another work");
}

const node = (left, right) => sha256(joined(Uint8Array.of(1), left, right));

// The root of the log's tree with one more line: RFC 6962, from the hashes at its edge.
async function grown_root(frontier, line) {
  let top = await sha256(joined(Uint8Array.of(0), line));
  for (const left of [...frontier].reverse()) top = await node(left, top);
  return top;
}

// The payload of an act on top of a log that ends as `ground` says.
export function act_payload(ground, kind, by, time, data) {
  const act = { act: kind, by, data, format: 1, index: ground.size, time };
  return ground.identity ? { ...act, house: ground.identity } : act;
}

// The head after an act was signed.
export async function head_after(ground, act, signature) {
  const line = bytes_of(canonical({ ...act, signatures: [signature] }));
  const root = hex(await grown_root(ground.frontier.map(from_hex), line));
  const time = act.time > ground.time ? act.time : ground.time;
  return { bytes: ground.bytes + line.length + 1, format: 1, house: ground.house, log: "register", root, size: ground.size + 1, time };
}
