// The room for curators: what waits, its sound, what it is like, accept or reject.

import { show_alike } from "./alike.js";
import { complaints_desk } from "./complaints.js";
import { ask, ask_all, begin, by_id, complain, element, facts, on, people, plain, purposes, say, shares, shown_text } from "./common.js";
import { accept, reject } from "./hands.js";
import { viewer } from "./viewing.js";

const view = viewer();
let waiting = [];
let shown = null;

const PORTION = 4; // so many are compared at a time, before what is looked at meanwhile

async function load() {
  waiting = await ask_all("/inbox");
  list_waiting();
  compare_others(waiting).catch(complain);
}

// What works share with the house, told where they stand in the list.
async function compare(works) {
  const found = await ask(`/inbox/compared?${new URLSearchParams(works.map(({ work }) => ["work", work]))}`);
  for (const one of found) {
    const known = waiting.find(({ work }) => work === one.work);
    if (known) Object.assign(known, one);
    const note = by_id("queue").querySelector(`[data-work="${CSS.escape(one.work)}"] small`);
    if (note) note.textContent = note_on(one);
  }
}

async function compare_others(listed) {
  const next = () => (listed === waiting ? waiting.filter((one) => !one.is_compared).slice(0, PORTION) : []);
  by_id("comparing").hidden = !next().length;
  try {
    while (next().length) await compare(next());
  } finally {
    by_id("comparing").hidden = true;
  }
}

// What was decided leaves the list; the others need not be compared with the house anew.
function decided(work) {
  const at = waiting.findIndex((one) => one.work === work);
  if (at >= 0) waiting.splice(at, 1);
  list_waiting();
}

const is_alike = ({ verdict }) => verdict !== "" && verdict !== "clear";
const note_on = (one) => (one.rule ? `cannot be taken: ${one.found}` : `${shares(one.composers)}${is_alike(one) ? ", please compare" : ""}`);

function list_waiting() {
  const list = by_id("queue");
  list.replaceChildren(...waiting.map((one) => {
    const button = element("button", { type: "button" }, one.title || one.work, element("small", { textContent: note_on(one) }));
    button.dataset.work = one.work;
    on(button, "click", () => show(one, button));
    button.setAttribute("aria-current", String(one === shown));
    return element("li", {}, button);
  }));
  if (!waiting.length) list.append(element("li", { className: "hint", textContent: "Nothing waits." }));
  by_id("work").hidden = !waiting.length;
  const first = list.querySelector("button");
  if (first && !waiting.includes(shown)) first.click();
}

async function show(one, button) {
  for (const other of by_id("queue").querySelectorAll("button")) other.setAttribute("aria-current", String(other === button));
  shown = one;
  by_id("work").hidden = false;
  by_id("work-title").textContent = shown_text(one.title || one.work);
  facts(by_id("facts"), [
    ["work", one.work], ["by", shares(one.composers)], ["made", one.is_machine_written ? "by a machine" : one.method],
    ["genre", plain(one.genre)], ["mood", one.mood], ["key", one.key], ["may be used for", purposes(one.consent)],
    ["contract", one.contract], ["cannot be taken", one.rule ? `${one.found}${one.mend ? ` — ${one.mend}` : ""}` : ""],
  ]);
  show_verdict(one);
  if (one.rule && !one.method) return view(null); // its file cannot be read
  const [score] = await Promise.all([
    ask(`/inbox/${one.work}/score`).then((found) => { if (shown === one) view(found); return found; }),
    one.is_compared ? null : compare([one]),
  ]);
  if (shown !== one) return;
  show_verdict(one);
  if (one.alike.length) await show_alike(by_id("alike"), one, score);
}

// Until a work is compared it is not accepted: nobody says that they compared what they did not see.
function show_verdict(one) {
  by_id("alike-title").hidden = !one.alike.length;
  const said = one.is_compared ? "Nothing alike is known." : "It is being compared with the house…";
  by_id("alike").replaceChildren(...(one.alike.length ? [] : [element("p", { className: "hint", textContent: said })]));
  by_id("accept").textContent = one.verdict === "review" ? "Accept: I compared them" : "Accept";
  by_id("accept").disabled = Boolean(one.rule) || !one.is_compared;
}

on("accept", "click", async () => {
  const curator = by_id("curator").value, one = shown;
  const done = await accept(one.work, one, { curator, although_similar: is_alike(one) });
  if (done.state === "accepted") {
    say(`${one.title || one.work} is in the house.`);
    return decided(one.work);
  }
  say(`${one.work} stays: ${done.found}${done.mend ? ` — ${done.mend}` : ""}`, true);
  await load();
});
on("reject", "click", async () => {
  const curator = by_id("curator").value, reason = by_id("reason").value.trim();
  if (!reason) {
    by_id("reason").focus();
    return say("Say why: its composer wants to know.", true);
  }
  const one = shown;
  await reject(one.work, { curator, reason });
  say(`${one.title || one.work} was turned down.`);
  if (shown === one) by_id("reason").value = "";
  decided(one.work);
});

const show_complaints = complaints_desk("curator", true);
async function start() {
  await begin();
  people("curator", by_id("curator"));
  await load();
  await show_complaints();
}
start().catch((error) => say(error.message, true));
