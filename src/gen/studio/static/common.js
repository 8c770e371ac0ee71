// What every room uses: asking the interface, saying what went wrong, opening keys.

import { served_house, sign_in_again, sign_out } from "./session.js";
import { download, key_of, lock, spoken } from "./keys.js";

const PREFIX = "/api/v1";
const MOST_WAITS = 30;

export class Refused extends Error {
  constructor(error, status) {
    super(error.what || `the studio answered ${status}`);
    Object.assign(this, { where: error.where || "", mend: error.mend || "", status });
  }
}

export async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const answer = await accepted(path, body, method);
  return is_json(answer) ? answer.json() : answer.arrayBuffer();
}

// A file that the studio makes, under the name that it has there.
export async function ask_file(path, body) {
  const answer = await accepted(path, body, "POST");
  const [, name] = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"));
  return new File([await answer.arrayBuffer()], name);
}

const is_json = (answer) => (answer.headers.get("content-type") || "").startsWith("application/json");

// An answer that is no refusal.
async function accepted(path, body, method) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  const answer = await answered(path, options);
  if (!answer.ok) {
    const said = is_json(answer) ? await answer.json() : {};
    throw new Refused(said.error || {}, answer.status);
  }
  return answer;
}

// All of a list that comes a page at a time, from the `first` on.
export async function ask_all(path, most = 200, first = 0) {
  for (const found = []; ; ) {
    const some = await ask(`${path}?first=${first + found.length}&most=${most}`);
    found.push(...some);
    if (some.length < most) return found;
  }
}

// Waits where the studio says so; signs in again where a session has ended and the key is open.
async function answered(path, options) {
  let is_signed_in_again = false;
  for (let waits = 0; ; waits += 1) {
    let answer;
    try {
      answer = await fetch(PREFIX + path, options);
    } catch {
      throw new Refused({ what: "the studio does not answer", mend: "is it still running?" }, 0);
    }
    const seconds = Number(answer.headers.get("retry-after"));
    if (answer.status === 429 && seconds && waits < MOST_WAITS) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    } else if (answer.status === 401 && served_house() && !is_signed_in_again) {
      is_signed_in_again = await sign_in_again();
      if (!is_signed_in_again) location.assign(`/sign-in?to=${document.body.dataset.room}`);
    } else {
      return answer;
    }
  }
}

// A list in parts that one request takes: so many things, of so many bytes.
export function batches(list, size, most = 20, bytes = 4_000_000) {
  const found = [];
  let room = 0;
  for (const one of list) {
    const is_full = !found.length || found.at(-1).length === most || room < size(one);
    if (is_full) {
      found.push([]);
      room = bytes;
    }
    found.at(-1).push(one);
    room -= size(one);
  }
  return found;
}

export const by_id = (id) => document.getElementById(id);

// What stands in files and records of others is shown without what would turn the line around it
// or is no letter: bidirectional overrides, escapes.
export const shown_text = (text) => text.replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") made.setAttribute(key, shown_text(String(value)));
    else if (key === "textContent") made.textContent = shown_text(String(value ?? ""));
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null).map((child) => (typeof child === "string" ? shown_text(child) : child)));
  return made;
}

export function say(text, is_bad = false) {
  const close = element("button", { type: "button", textContent: "×", "aria-label": "Close" });
  const notice = element("div", { className: is_bad ? "notice bad" : "notice" }, close, String(text));
  close.onclick = () => notice.remove();
  by_id("notices").append(notice);
  if (!is_bad) setTimeout(() => notice.remove(), 6000);
  return notice;
}

export function complain(error) {
  if (!(error instanceof Refused)) console.error(error);
  const where = error.where ? `${error.where}: ` : "";
  return say(`${where}${error.message}${error.mend ? ` — ${error.mend}` : ""}`, true);
}

// Runs what somebody asked for by a button, which cannot be pressed twice meanwhile. What was said
// against it goes when it is asked for again.
export function on(id_or_node, event, action) {
  const node = typeof id_or_node === "string" ? by_id(id_or_node) : id_or_node;
  let said = null;
  node.addEventListener(event, async (happened) => {
    if (event === "submit") happened.preventDefault();
    const button = event === "submit" ? happened.submitter : node instanceof HTMLButtonElement ? node : null;
    if (button && button.hasAttribute("aria-busy")) return;
    if (button) button.setAttribute("aria-busy", "true");
    said?.remove();
    try {
      await action(happened);
    } catch (error) {
      said = complain(error);
    } finally {
      if (button) button.removeAttribute("aria-busy");
    }
  });
}

// -- how things are said ------------------------------------------------------------------------

const NOTES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
export const KEYS = NOTES.flatMap((note) => ["major", "minor"].map((mode) => `${note} ${mode}`));
export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
export const plain = (word) => word.replaceAll("_", " ");
export const purposes = (consent) => consent.split(" ").map(plain).join(", ");
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const shares = (composers) => Object.entries(composers).map(([who, share]) => `${who} ${share} %`).join(", ");
// Times of records, wherever they stand in a text.
export const when = (text) => text.replace(/(\d)T(\d\d:\d\d:\d\d)Z/g, "$1 $2 UTC");
export const day = (time) => time.slice(0, 10);
export const money = (cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
// What terms grant, as `house.py terms` calls it and in words.
export const USES = { sale: "selling pieces", sampling: "writing pieces", style: "pieces in your style" };

export const row = (texts, properties = {}) => element("tr", properties, ...texts.map((text) => element("td", { textContent: text })));

export function facts(list, pairs) {
  list.replaceChildren();
  for (const [name, value] of pairs) {
    if (value === "" || value === null || value === undefined) continue;
    list.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
  }
}

export function options(select, values, chosen = null) {
  const first = [...select.options].filter((option) => option.value === "");
  select.replaceChildren(...first);
  for (const value of values) {
    const [text, label] = Array.isArray(value) ? value : [value, value];
    select.append(element("option", { value: text, textContent: plain(label) }));
  }
  if (chosen !== null) select.value = chosen;
}

export async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

// -- keys ------------------------------------------------------------------------------------

let members = [];
const listeners = [];

// The people in a role, or in one of several, those first whose key lies here; told again whenever keys change.
export function people(role, select) {
  listeners.push(() => {
    const before = select.value;
    const found = members.filter((one) => [role].flat().some((each) => one.roles.includes(each)) && (!served_house() || one.is_open));
    found.sort((one, other) => Number(other.is_open) - Number(one.is_open) || Number(other.has_key_here) - Number(one.has_key_here));
    options(select, found.map((one) => [one.id, `${one.name || one.id}${one.is_open ? "" : one.has_key_here ? " (locked)" : " (no key here)"}`]));
    if (found.some((one) => one.id === before)) select.value = before;
  });
  listeners.at(-1)();
}

const is_open = (person) => members.some((one) => one.id === person && one.is_open);

function show_members(found) {
  members = found;
  if (served_house()) {
    for (const listener of listeners) listener();
    return;
  }
  const list = by_id("key-list");
  list.replaceChildren();
  const here = members.filter((one) => one.has_key_here);
  if (!here.length) list.append(element("li", { textContent: "No key lies in your key folder." }));
  for (const one of here) {
    const field = element("input", { type: "password", autocomplete: "off", placeholder: "passphrase", "aria-label": `Passphrase of ${one.id}` });
    const button = element("button", { type: "submit", textContent: "Open" });
    const form = element("form", { className: "key" }, `${one.name || one.id} (${one.roles.join(", ")})`, one.is_open ? "open" : field, one.is_open ? "" : button);
    on(form, "submit", async () => {
      show_members(await ask("/keys/unlock", { person: one.id, passphrase: field.value }));
      say(`The key of ${one.id} is open.`);
    });
    list.append(element("li", {}, form));
  }
  by_id("keys-button").textContent = `Keys (${members.filter((one) => one.is_open).length} open)`;
  for (const listener of listeners) listener();
}

export async function need_key(person) {
  if (is_open(person)) return;
  by_id("keys").showModal();
  throw new Refused({ what: `the key of ${person || "somebody"} is locked`, mend: "open it, and press the button again" }, 0);
}

// The one key of whoever is signed in to a house that is served.
async function show_own_key(house) {
  const me = house.people.find((one) => one.id === house.signed_in), key = await key_of(house.house, me.id);
  by_id("keys-button").textContent = me.name || me.id;
  facts(by_id("own-key"), [["signed in as", `${me.name || me.id} (${me.roles.join(", ")})`], ["key", key ? spoken(key.keyid) : "not in this browser"], ["in this browser", key ? (key.open ? "open" : "locked: its passphrase is asked for when you sign") : ""]]);
  by_id("back-up").hidden = by_id("lock-key").hidden = !key;
  by_id("back-up").onclick = () => download(key);
  by_id("lock-key").onclick = async () => {
    await lock(house.house);
    await show_own_key(house);
  };
}

export async function begin() {
  on("keys-button", "click", () => by_id("keys").showModal());
  on("close-keys", "click", () => by_id("keys").close());
  const house = await ask("/house");
  by_id("house-name").textContent = house.house;
  if (served_house()) {
    on("sign-out", "click", sign_out);
    await show_own_key(house);
  } else {
    on("lock-keys", "click", async () => show_members(await ask("/keys/lock", {})));
  }
  show_members(house.people);
  if (house.is_sealed) by_id("sealed")?.removeAttribute("hidden");
  return house;
}
