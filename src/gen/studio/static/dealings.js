// What the house sold: listed, and a sale entered.

import { ask, by_id, on, people, row, say } from "./common.js";
import { sell } from "./hands.js";
import { digest_of } from "./records.js";
import { Turning } from "./turning.js";

const form = by_id("sell"), told = by_id("sell-told");
people(["curator", "producer"], form.elements.person);
let piece = null; // what the log knows of the chosen file, and its digest

const list = new Turning("sales", (first, most) => ask(`/sales?first=${first}&most=${most}`), ({ sales, in_all }) => {
  by_id("no-sales").hidden = Boolean(in_all);
  by_id("sales").hidden = !in_all;
  by_id("sales").tBodies[0].replaceChildren(...sales.map((one) => row([one.piece, one.day, one.amount, `${one.by}, act ${one.act}`])));
});

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
  await sell(piece.receipt, { person: person.value, piece: piece.sha256, amount: amount.value.trim(), day: sold.value });
  await list.to(0);
  say(`${piece.path || "The piece"} is entered as sold.`);
  piece = null;
  told.textContent = "";
  form.reset();
});

// `may` says whether whoever looks may enter sales.
export async function show_dealings(may) {
  form.hidden = !may;
  form.elements.day.max = new Date().toISOString().slice(0, 10);
  await list.to(0);
}
