// A composer's account: what is new in their name, what became of their works, what waits for their word.

import { complaints_desk } from "./complaints.js";
import { USES, ask, begin, by_id, capital, complain, day, element, on, people, plain, plural, purposes, row, say, when } from "./common.js";
import { approve } from "./hands.js";

let shown = null;

// Up to which act somebody has seen what is in their name, kept by this browser.
const place = (person) => `studio-seen-${by_id("house-name").textContent}-${person}`;
const seen_until = (person) => Number(localStorage.getItem(place(person)) || 0);

const items = (id, texts) => by_id(id).replaceChildren(...texts.map((text) => element("li", { textContent: text })));

const and_more = (listed, in_all) => (in_all > listed.length ? [`and ${in_all - listed.length} more`] : []);

function show_news({ news, news_in_all }) {
  items("news", [...news.map((one) => `${one.words} (act ${one.act}, ${when(one.time)})`), ...and_more(news, news_in_all)]);
  by_id("no-news").textContent = news.length ? "" : "Nothing since you looked last.";
  by_id("seen").hidden = !news.length;
}

function show_asked({ asked_for, composer }) {
  by_id("asked-part").hidden = !asked_for.length;
  by_id("asked").replaceChildren(...asked_for.map(({ run, name, use, works }) => {
    const button = element("button", { type: "button", textContent: "Approve" });
    on(button, "click", async () => {
      await approve({ composer, use, run, works });
      say(`${capital(USES[use])} with the models of ${name} is approved.`);
      await load();
    });
    return element("li", { className: "key" }, `${capital(USES[use])} with the models of ${name} (act ${run}), for ${works.length > 3 ? plural(works.length, "work") : works.join(", ")}`, "", button);
  }));
}

function show_works({ works, works_in_all }) {
  by_id("works").hidden = !works.length;
  by_id("no-works").hidden = Boolean(works.length);
  by_id("more-works").textContent = and_more(works, works_in_all).join("");
  by_id("works").tBodies[0].replaceChildren(...works.map((one) => row([one.title || one.work, one.state, purposes(one.allowed), when(one.note)], { className: one.state === "rejected" ? "look" : "" })));
}

function show_use({ used_by, fees, sales, sales_in_all, pieces, pieces_in_all }) {
  const owed = (run) => fees.filter((fee) => fee.run === run).map((fee) => `${fee.amount} for ${fee.work}`);
  items("used", used_by.length ? used_by.map((one) => {
    const models = one.models ? `${plural(one.models, "model")}${one.retired ? `, ${one.retired} retired` : ""}` : "no model yet";
    const fee = owed(one.run).length ? `; fee by your terms: ${owed(one.run).join(", ")}` : "";
    return `${one.name}, ${day(one.time)}, for ${plain(one.purpose)}: ${plural(one.works, "work")} of yours, ${models}${fee}`;
  }) : ["No run has read any of them."]);
  items("sold", [...sales.map((one) => `${one.piece} was sold on ${one.day} for ${one.amount}`), ...and_more(sales, sales_in_all)]);
  by_id("pieces-count").textContent = pieces_in_all ? `${plural(pieces_in_all, "piece")}${pieces_in_all > pieces.length ? `, the newest ${pieces.length}` : ""}` : "None yet.";
  items("pieces", pieces.map((piece) => `${piece.path || piece.receipt.slice(0, 16)} (run ${piece.run})`));
  by_id("find-near").hidden = !pieces_in_all;
  by_id("near").replaceChildren();
}

async function load() {
  const person = by_id("whose").value;
  if (!person) return void (by_id("no-news").textContent = "Nobody here composes.");
  shown = await ask(`/composers/${encodeURIComponent(person)}/account?since=${seen_until(person)}`);
  for (const part of [show_news, show_asked, show_works, show_use]) part(shown);
}

on("whose", "change", load);
on("seen", "click", async () => {
  localStorage.setItem(place(shown.composer), String(shown.acts));
  await load();
});
on("find-near", "click", async () => {
  const { pieces, unread } = await ask(`/composers/${encodeURIComponent(shown.composer)}/nearest`);
  const lines = pieces.map((one) => `${one.path}: ${one.work} holds ${one.figures} of its figures; ${Math.round(100 * one.part)} % of what works hold of it is yours`);
  items("near", [...(lines.length ? lines : ["None holds a figure of them."]), ...unread.map((one) => `not compared with ${one}`)]);
});

const show_complaints = complaints_desk("composer", false);
async function start() {
  await begin();
  people("composer", by_id("whose"));
  await load();
  await show_complaints();
}
start().catch(complain);
