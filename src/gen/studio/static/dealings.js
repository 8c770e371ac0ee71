// What the house sold and which papers it gave out: listed, looked up by a file, and a sale entered.

import { ask, by_id, day, on, people, row, say } from "./common.js";
import { sell } from "./hands.js";
import { digest } from "./records.js";

const form = by_id("sell"), told = by_id("sell-told");
people(["curator", "producer"], form.elements.person);
let papers = [];
let piece = null; // what the log knows of the chosen file, and its digest

const digest_of = async (file) => digest(new Uint8Array(await file.arrayBuffer()));

function show_sales({ sales, in_all }) {
  by_id("sales").hidden = !in_all;
  by_id("sales-count").textContent = in_all > sales.length ? `The latest ${sales.length} of ${in_all}.` : in_all ? "" : "No sale is entered yet.";
  by_id("sales").tBodies[0].replaceChildren(...sales.map((one) => row([one.piece, one.day, one.amount, `${one.by}, act ${one.act}`])));
}

function show_papers() {
  by_id("papers").hidden = !papers.length;
  by_id("no-papers").hidden = Boolean(papers.length);
  by_id("papers").tBodies[0].replaceChildren(...papers.map((one) => row([one.kind, day(one.time), `${one.by}, act ${one.act}`, `${one.sha256.slice(0, 16)}…`])));
}

on(form.elements.piece, "change", async () => {
  const [file] = form.elements.piece.files;
  piece = null;
  told.textContent = "";
  if (!file) return;
  const sha256 = await digest_of(file), known = await ask(`/outputs/${sha256}`);
  if (file !== form.elements.piece.files[0]) return; // another was chosen meanwhile
  piece = { sha256, ...known };
  const lacking = piece.not_for_sale.length ? ` Its works' terms do not grant a sale: ${piece.not_for_sale.slice(0, 5).join("; ")}${piece.not_for_sale.length > 5 ? ` and ${piece.not_for_sale.length - 5} more` : ""}.` : " The terms of its works grant a sale.";
  told.textContent = `${piece.path || file.name}, written by ${piece.model} (act ${piece.act}).${lacking}`;
});

on(form, "submit", async () => {
  if (!piece) throw new Error("Choose the file of a piece that the house's log knows.");
  const { person, amount, day: sold } = form.elements;
  show_sales(await sell(piece.receipt, { person: person.value, piece: piece.sha256, amount: amount.value.trim(), day: sold.value }));
  say(`${piece.path || "The piece"} is entered as sold.`);
  piece = null;
  told.textContent = "";
  form.reset();
});

on("paper-file", "change", async () => {
  const [file] = by_id("paper-file").files;
  if (!file) return;
  const sha256 = await digest_of(file), found = papers.findLast((one) => one.sha256 === sha256);
  if (file !== by_id("paper-file").files[0]) return;
  by_id("paper-told").textContent = found ? `${file.name} is the ${found.kind} that ${found.by} entered on ${day(found.time)}, act ${found.act}, to the byte.` : `${file.name} is no paper of this log: changed since it was entered, or never entered (SHA-256 ${sha256}).`;
});

// `may` says whether whoever looks may enter sales.
export async function show_dealings(may) {
  form.hidden = !may;
  form.elements.day.max = new Date().toISOString().slice(0, 10);
  show_sales(await ask("/sales"));
  papers = await ask("/papers");
  show_papers();
}
