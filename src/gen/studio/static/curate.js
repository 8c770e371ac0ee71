// The room for curators: what waits, its sound, what it is like, accept or reject.

import { show_alike } from "./alike.js";
import { complaints_desk } from "./complaints.js";
import { ask, ask_all, begin, by_id, element, facts, on, people, plain, purposes, say, shares, shown_text } from "./common.js";
import { accept, reject } from "./hands.js";
import { viewer } from "./viewing.js";

const view = viewer();
let waiting = [];
let shown = null;

const SOON = 8; // so many are compared and shown before the others are looked at

async function load() {
  waiting = await ask(`/inbox?most=${SOON}`);
  list_waiting();
  if (waiting.length < SOON) return;
  const shown_first = new Set(waiting.map((one) => one.work));
  by_id("comparing").hidden = false;
  try {
    const others = await ask_all("/inbox", 200, SOON);
    waiting.push(...others.filter((one) => !shown_first.has(one.work)));
  } finally {
    by_id("comparing").hidden = true;
  }
  list_waiting();
}

// What was decided leaves the list; the others need not be compared with the house anew.
function decided(work) {
  waiting = waiting.filter((one) => one.work !== work);
  list_waiting();
}

function list_waiting() {
  const list = by_id("queue");
  list.replaceChildren(...waiting.map((one) => {
    const note = one.rule ? `cannot be taken: ${one.found}` : one.verdict === "clear" || !one.verdict ? shares(one.composers) : `${shares(one.composers)}, please compare`;
    const button = element("button", { type: "button" }, one.title || one.work, element("small", { textContent: note }));
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
  by_id("alike-title").hidden = !one.alike.length;
  by_id("alike").replaceChildren(...(one.alike.length ? [] : [element("p", { className: "hint", textContent: "Nothing alike is known." })]));
  by_id("accept").textContent = one.verdict === "review" ? "Accept: I compared them" : "Accept";
  by_id("accept").disabled = Boolean(one.rule);
  if (one.rule !== "" && !one.composers) return;
  const score = await ask(`/inbox/${one.work}/score`);
  if (shown !== one) return;
  view(score);
  if (one.alike.length) await show_alike(by_id("alike"), one, score);
}

on("accept", "click", async () => {
  const curator = by_id("curator").value, one = shown;
  const done = await accept(one.work, one, { curator, although_similar: one.verdict !== "" && one.verdict !== "clear" });
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
