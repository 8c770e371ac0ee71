// What a file is like: both passages side by side, each to see and to hear.

import { ask, element } from "./common.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";
import { bar_count, excerpt } from "./score.js";

const KINDS = { work: "the house's work", withdrawn: "the withdrawn work", output: "the generated piece", fingerprint: "the listed work" };
let sounding = null;

// The score of what is known, or null where the house has no file of it.
async function known_score({ kind, name }) {
  if (kind !== "work" && kind !== "withdrawn") return null;
  for (const place of ["works", "inbox"]) {
    try {
      return await ask(`/${place}/${encodeURIComponent(name)}/score`);
    } catch { /* it waits, or is another's */ }
  }
  return null;
}

function column(title, side, score) {
  const node = element("div", { className: "side", role: "group", "aria-label": title }, element("h4", { textContent: title }));
  if (side) node.append(element("p", { className: "hint", textContent: side.words }));
  if (!score) {
    node.append(element("p", { className: "hint", textContent: "The house has no file of it." }));
    return node;
  }
  const part = side && side.bars ? excerpt(score, side.bars) : score;
  const canvas = element("canvas", { role: "img", "aria-label": `${title}: ${bar_count(part)} bars as a piano roll` });
  canvas.setAttribute("height", "110");
  const button = element("button", { type: "button", textContent: "Play" });
  const output = element("output", {});
  node.append(canvas, element("p", { className: "actions" }, button, output));
  const roll = new Roll(canvas, { is_small: true });
  const player = new Player({ button, output, on_place: (seconds) => roll.place(seconds) });
  button.addEventListener("click", () => {
    if (sounding && sounding !== player && sounding.is_playing) sounding.stop(0);
    sounding = player;
  });
  roll.show(part);
  player.load(part);
  return node;
}

async function match(one, score) {
  const name = `${KINDS[one.kind]} ${one.name}`;
  const theirs = await known_score(one);
  const node = element("section", { className: "match", "aria-label": `Like ${name}` },
    element("p", { textContent: `${one.verdict}: ${Math.round(one.similarity * 100)} % like ${name}` }),
    element("div", { className: "sides" }, column("Here", one.ours, score), column("There", one.theirs, theirs)));
  return node;
}

// Fills a node with all matches; `lines` is the same in words, for what cannot be shown.
export async function show_alike(node, { shared, alike }, score) {
  if (sounding && sounding.is_playing) sounding.stop(0);
  const words = element("details", {}, element("summary", { textContent: "In words" }), element("pre", { className: "alike", tabIndex: 0, textContent: alike.join("\n") }));
  node.replaceChildren(...(await Promise.all(shared.map((one) => match(one, score)))), ...(alike.length ? [words] : []));
}
