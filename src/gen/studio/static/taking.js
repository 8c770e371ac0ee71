// A piece that is taken away: its files, its score as pages, what was asked and what came out.

import { ask, by_id, complain, element, plain } from "./common.js";

let shown = ""; // the piece's name

export function take_away({ name, receipt, originality, has_credentials }) {
  shown = name;
  by_id("take").hidden = false;
  by_id("beside").hidden = !has_credentials;
  const credentials = has_credentials ? [["Content credentials", "credentials", "c2pa"]] : [];
  const place = `/api/v1/pieces/${encodeURIComponent(name)}`;
  by_id("downloads").replaceChildren(...[["MIDI", "midi", "mid"], ["Audio (WAV)", "wav", "wav"], ["Stems (ZIP)", "stems", "zip"], ["Score (MusicXML)", "musicxml", "musicxml"], ["Receipt", "receipt", "json"], ...credentials].map(([text, path, suffix]) => {
    const link = element("a", { href: `${place}/${path}`, textContent: text, download: `${name}.${suffix}`, draggable: true });
    link.addEventListener("dragstart", (event) => event.dataTransfer.setData("DownloadURL", `application/octet-stream:${name}.${suffix}:${link.href}`));
    return link;
  }));
  by_id("pages").replaceChildren();
  if (by_id("paper").open) show_pages().catch(complain);
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...["What", "Asked", "Got"].map((text) => element("th", { scope: "col", textContent: text })))));
  const body = element("tbody");
  const said = (value) => plain(Array.isArray(value) ? value.join(", ") : String(value));
  for (const row of receipt.asked_and_got) {
    const mark = row.met === false ? "missed" : row.met ? "met" : "";
    body.append(element("tr", {}, element("td", { textContent: said(row.control) }), element("td", { textContent: said(row.asked) }), element("td", { className: mark, textContent: `${said(row.got)}${mark ? ` (${mark})` : ""}` })));
  }
  table.append(body);
  by_id("asked").replaceChildren(receipt.asked_and_got.length ? table : "");
  by_id("originality").textContent = originality;
}

// The score as pages; SVG in an image runs nothing.
async function show_pages() {
  const place = `/pieces/${encodeURIComponent(shown)}/pages`, node = by_id("pages");
  if (node.childElementCount) return;
  const { pages } = await ask(place);
  node.replaceChildren(...Array.from({ length: pages }, (_, at) => element("img", { src: `/api/v1${place}/${at + 1}`, alt: `Page ${at + 1} of ${pages} of the score`, loading: "lazy" })));
}
by_id("paper").addEventListener("toggle", () => by_id("paper").open && show_pages().catch(complain));
