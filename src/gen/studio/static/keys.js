// Keys of people, which never leave their browser unsealed.
//
// What is kept is the key file that the command line writes (`house.py key`), sealed under a
// passphrase, in this browser's own database. A key that is opened becomes a CryptoKey that signs
// and cannot be read, kept there until it is locked or its time is over.

import { TYPES, authenticated, bytes_of, canonical, digest, from_base64, from_hex, hex, to_base64 } from "./records.js";
import { Store } from "./store.js";

const keys_here = new Store("music-house", "keys", "keyid");
const OPEN_MILLISECONDS = 12 * 3600 * 1000;
const COST = 17; // log2 of scrypt's n, as the command line takes it
const ED25519_SEED = from_hex("302e020100300506032b657004220420"); // PKCS #8 before the 32 bytes
const FIELDS = ["format", "house", "kdf_cost", "nonce", "owner", "public", "salt", "sealed"];

export const can_hold_keys = () => Boolean(globalThis.crypto?.subtle && globalThis.indexedDB);

// -- in this browser -------------------------------------------------------------------------

// Every key of a house that this browser holds: {keyid, house, owner, text, open, until}.
export async function kept_keys(house) {
  const found = await keys_here.all();
  return found.filter((one) => one.house === house).map((one) => (one.open && one.until < Date.now() ? { ...one, open: null } : one));
}

async function keep(one) {
  await keys_here.put(one);
  return one;
}

export const forget = (keyid) => keys_here.forget(keyid);

export async function lock(house) {
  for (const one of await kept_keys(house)) await keep({ ...one, open: null, until: 0 });
}

// The key of somebody in this browser, the newest where there are several; null where none is.
export async function key_of(house, owner) {
  const found = (await kept_keys(house)).filter((one) => one.owner === owner);
  return found.find((one) => one.open) || found.at(-1) || null;
}

// -- key files -------------------------------------------------------------------------------

function in_worker(asked) {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/static/sealing.js", { type: "module" });
    const end = (act) => (happened) => {
      worker.terminate();
      act(happened);
    };
    worker.onmessage = end(({ data }) => ("found" in data ? resolve(data.found) : reject(new Error(data.failure))));
    worker.onerror = end(() => reject(new Error("the browser could not work out the passphrase's key")));
    worker.postMessage(asked);
  });
}

const head_of = ({ format, house, kdf_cost, owner }) => bytes_of(canonical({ format, house, kdf_cost, owner }));

export function passphrase_problem(text) {
  const letters = [...text].length, different = new Set(text.toLowerCase()).size;
  if (letters >= 12 && different >= 6) return "";
  return `The passphrase has ${letters} characters, ${different} of them different: use at least 12, for instance four words that nobody would put together.`;
}

// A CryptoKey that signs and cannot be read, and its public half in hex.
async function from_seed(seed) {
  const private_bytes = new Uint8Array([...ED25519_SEED, ...seed]);
  const readable = await crypto.subtle.importKey("pkcs8", private_bytes, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", readable);
  const open = await crypto.subtle.importKey("pkcs8", private_bytes, "Ed25519", false, ["sign"]);
  private_bytes.fill(0);
  return { open, public_hex: hex(from_base64(x.replaceAll("-", "+").replaceAll("_", "/") + "=")) };
}

// A new key, sealed and kept, and open.
export async function make_key(house, owner, passphrase) {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const { open, public_hex } = await from_seed(seed);
  const head = { format: 1, house, kdf_cost: COST, owner };
  const salt = crypto.getRandomValues(new Uint8Array(16)), nonce = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await in_worker({ verb: "seal", passphrase, salt, cost: COST, nonce, data: seed, head: head_of(head) });
  seed.fill(0);
  const text = canonical({ ...head, nonce: to_base64(nonce), public: public_hex, salt: to_base64(salt), sealed: to_base64(sealed) });
  return keep({ keyid: await digest(from_hex(public_hex)), house, owner, text, open, until: Date.now() + OPEN_MILLISECONDS });
}

// A key file as it is, still sealed; throws where it is none, or another house's.
export async function take_file(text, house) {
  let record;
  try {
    record = JSON.parse(text);
  } catch {
    throw new Error("This is no key file.");
  }
  if (record.format === 2) throw new Error("This is a machine's key, which no passphrase seals: it stays on its machine.");
  const names = Object.keys(record).sort().join();
  if (names !== FIELDS.join() || record.format !== 1 || !/^[0-9a-f]{64}$/.test(record.public) || !(record.kdf_cost >= 1 && record.kdf_cost <= 20)) throw new Error("This is no key file of a house.");
  if (record.house !== house) throw new Error(`This key is for the house ${record.house}, not for ${house}.`);
  const keyid = await digest(from_hex(record.public)), sealed = canonical(record);
  const kept = (await kept_keys(house)).find((one) => one.keyid === keyid);
  if (kept && kept.text === sealed) return kept;
  if (kept) throw new Error("This browser has this key already, sealed otherwise: forget that one first, if you are sure.");
  return keep({ keyid, house, owner: record.owner, text: sealed, open: null, until: 0 });
}

// Opens a kept key; throws where the passphrase is not its own.
export async function open_key(one, passphrase) {
  const record = JSON.parse(one.text);
  const [salt, nonce, data] = [record.salt, record.nonce, record.sealed].map(from_base64);
  const seed = await in_worker({ verb: "open", passphrase, salt, cost: record.kdf_cost, nonce, data, head: head_of(record) });
  if (seed === null) throw new Error(`The passphrase does not open the key of ${one.owner}.`);
  const { open, public_hex } = await from_seed(seed);
  seed.fill(0);
  if (public_hex !== record.public) throw new Error("The file's two halves do not belong together.");
  return keep({ ...one, open, until: Date.now() + OPEN_MILLISECONDS });
}

export const public_of = (one) => JSON.parse(one.text).public;

// What people read to each other, to be sure that it is the same key.
export const spoken = (keyid) => keyid.slice(0, 16).replace(/(....)(?=.)/g, "$1 ");

export function download(one) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${one.text}\n`], { type: "application/json" }));
  link.download = `${one.house}.${one.owner}.${one.keyid.slice(0, 16)}.key`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// -- signing ---------------------------------------------------------------------------------

// 64 bytes over a payload, as a record of this type.
export async function sign(one, type, payload) {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", one.open, authenticated(type, payload)));
}

export async function is_signed(public_hex, signature, type, payload) {
  const key = await crypto.subtle.importKey("raw", from_hex(public_hex), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, authenticated(type, payload));
}

// What the holder of a root key is given: the public half, and proof of holding the other.
export async function enrolment_request(one) {
  const public_hex = public_of(one);
  const payload = bytes_of(canonical({ format: 1, house: one.house, owner: one.owner, public: public_hex }));
  return public_hex + hex(await sign(one, TYPES.enrolment, payload));
}

// The answer to a challenge: for this house, for the address that this page has, once.
export async function sign_in_answer(one, challenge) {
  if (!/^[0-9a-f]{64}$/.test(challenge)) throw new Error("The studio sent no challenge.");
  const { origin } = location;
  const payload = bytes_of(canonical({ challenge, format: 1, house: one.house, origin, person: one.owner }));
  return { person: one.owner, challenge, origin, keyid: one.keyid, signature: hex(await sign(one, TYPES.sign_in, payload)) };
}
