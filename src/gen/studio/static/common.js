// What every room uses: asking the interface, saying what went wrong, opening keys.

const PREFIX = "/api/v1";

export class Refused extends Error {
  constructor(error, status) {
    super(error.what || `the studio answered ${status}`);
    Object.assign(this, { where: error.where || "", mend: error.mend || "", status });
  }
}

export async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(PREFIX + path, options);
  } catch {
    throw new Refused({ what: "the studio does not answer", mend: "is it still running?" }, 0);
  }
  const is_json = (answer.headers.get("content-type") || "").startsWith("application/json");
  if (!answer.ok) {
    const said = is_json ? await answer.json() : {};
    throw new Refused(said.error || {}, answer.status);
  }
  return is_json ? answer.json() : answer.arrayBuffer();
}

export const by_id = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function say(text, is_bad = false) {
  const close = element("button", { type: "button", textContent: "×", "aria-label": "Close" });
  const notice = element("div", { className: is_bad ? "notice bad" : "notice" }, close, text);
  close.onclick = () => notice.remove();
  by_id("notices").append(notice);
  if (!is_bad) setTimeout(() => notice.remove(), 6000);
}

export function complain(error) {
  if (!(error instanceof Refused)) console.error(error);
  const where = error.where ? `${error.where}: ` : "";
  say(`${where}${error.message}${error.mend ? ` — ${error.mend}` : ""}`, true);
}

// Runs what somebody asked for by a button, which cannot be pressed twice meanwhile.
export function on(id_or_node, event, action) {
  const node = typeof id_or_node === "string" ? by_id(id_or_node) : id_or_node;
  node.addEventListener(event, async (happened) => {
    if (event === "submit") happened.preventDefault();
    const button = event === "submit" ? happened.submitter : node instanceof HTMLButtonElement ? node : null;
    if (button) button.setAttribute("aria-busy", "true");
    try {
      await action(happened);
    } catch (error) {
      complain(error);
    } finally {
      if (button) button.removeAttribute("aria-busy");
    }
  });
}

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
    select.append(element("option", { value: text, textContent: label.replaceAll("_", " ") }));
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

export const shares = (composers) =>
  Object.entries(composers).map(([who, share]) => `${who} ${share} %`).join(", ");

// -- keys ------------------------------------------------------------------------------------

let members = [];
const listeners = [];

// The people in a role, those first whose key lies here; told again whenever keys change.
export function people(role, select) {
  listeners.push(() => {
    const before = select.value;
    const found = members.filter((one) => one.roles.includes(role));
    found.sort((one, other) => Number(other.is_open) - Number(one.is_open) || Number(other.has_key_here) - Number(one.has_key_here));
    options(select, found.map((one) => [one.id, `${one.name || one.id}${one.is_open ? "" : one.has_key_here ? " (locked)" : " (no key here)"}`]));
    if (found.some((one) => one.id === before)) select.value = before;
  });
  listeners.at(-1)();
}

export const is_open = (person) => members.some((one) => one.id === person && one.is_open);

function show_members(found) {
  members = found;
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

export async function begin() {
  on("keys-button", "click", () => by_id("keys").showModal());
  on("close-keys", "click", () => by_id("keys").close());
  on("lock-keys", "click", async () => show_members(await ask("/keys/lock", {})));
  const house = await ask("/house");
  by_id("house-name").textContent = house.house;
  show_members(house.people);
  return house;
}
