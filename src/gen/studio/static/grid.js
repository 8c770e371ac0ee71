// Cells of a piece, one button for each bar of each track: arrows move, space chooses, shift
// chooses up to there. One stop in the tab order, as a grid is.

import { element } from "./common.js";
import { bar_count, bar_of, hue, swatch } from "./score.js";

export class Grid {
  constructor(node, { on_choose, on_hear }) {
    Object.assign(this, { node, on_choose, on_hear });
    this.chosen = new Set();
    this.locked = new Set(); // cells that nothing is to change
    this.anchor = null;
    this.muted = new Set();
    this.solo = new Set();
  }

  // Of the same bars and tracks, locks stay.
  show(score) {
    const bars = bar_count(score), tracks = score.tracks.length;
    if (!this.score || bar_count(this.score) > bars || this.score.tracks.length > tracks) this.locked.clear();
    this.score = score;
    this.chosen.clear();
    const table = element("table", { role: "grid", "aria-label": "Cells: bars by tracks", "aria-multiselectable": "true" });
    const head = element("tr", { role: "row" }, element("th", { role: "columnheader", textContent: "Track" }));
    for (let bar = 0; bar < bars; bar++) head.append(element("th", { role: "columnheader" }, element("span", { className: "unseen", textContent: "Bar " }), element("span", { className: bar % 4 ? "unseen" : "", textContent: bar + 1 })));
    table.append(element("thead", { role: "rowgroup" }, head));
    const body = element("tbody", { role: "rowgroup" });
    score.tracks.forEach((track, slot) => body.append(this.row(track, slot, bars)));
    table.append(body);
    table.addEventListener("keydown", (event) => this.key(event));
    this.node.replaceChildren(table);
    const first = table.querySelector("td button");
    if (first) first.tabIndex = 0;
    this.on_choose(this.chosen);
  }

  row(track, slot, bars) {
    const name = track.name || track.instrument || `Track ${slot + 1}`;
    const sounding = new Set(track.notes.map((note) => bar_of(this.score, note[0])));
    const row = element("tr", { role: "row" }, element("th", { role: "rowheader", scope: "row" }, swatch(slot), element("span", { className: "name", title: name, textContent: name }), " ", this.switch("Mute", this.muted, slot, name), " ", this.switch("Solo", this.solo, slot, name)));
    for (let bar = 0; bar < bars; bar++) {
      const button = element("button", { type: "button", tabIndex: -1, className: sounding.has(bar) ? "sounds" : "", role: "gridcell", "aria-selected": "false", "aria-label": `Bar ${bar + 1} of ${name}${sounding.has(bar) ? "" : ", silent"}` });
      button.dataset.place = `${bar},${slot}`;
      button.style.setProperty("--hue", `var(${hue(slot)})`);
      button.onclick = (event) => this.choose(bar, slot, event.shiftKey);
      this.mark(button);
      row.append(element("td", { role: "presentation" }, button));
    }
    return row;
  }

  // Says in words and in looks whether a cell is locked.
  mark(button) {
    const is_locked = this.locked.has(button.dataset.place);
    button.setAttribute("aria-disabled", String(is_locked));
    button.setAttribute("aria-label", `${button.getAttribute("aria-label").replace(/, locked$/, "")}${is_locked ? ", locked" : ""}`);
  }

  lock() {
    const places = [...this.chosen];
    this.none();
    for (const place of places) this.locked.add(place);
    for (const place of places) this.mark(this.node.querySelector(`[data-place="${place}"]`));
    this.on_choose(this.chosen);
  }

  unlock() {
    const places = [...this.locked];
    this.locked.clear();
    for (const place of places) this.mark(this.node.querySelector(`[data-place="${place}"]`));
    this.on_choose(this.chosen);
  }

  // Everything but what is locked.
  all() {
    for (const button of this.node.querySelectorAll("[data-place]")) this.set(...button.dataset.place.split(",").map(Number), true);
    this.on_choose(this.chosen);
  }

  // A share of the cells that sound and are not locked, by chance, as `words` says them.
  some(share) {
    const free = [...this.node.querySelectorAll("[data-place].sounds")].map((button) => button.dataset.place).filter((place) => !this.locked.has(place));
    for (let at = free.length - 1; at > 0; at--) {
      const other = Math.floor(Math.random() * (at + 1));
      [free[at], free[other]] = [free[other], free[at]];
    }
    return this.words(free.slice(0, Math.max(1, Math.round(free.length * share))));
  }

  switch(word, set, slot, name) {
    const button = element("button", { type: "button", textContent: word[0], title: word, "aria-label": `${word} ${name}`, "aria-pressed": String(set.has(slot)) });
    button.onclick = () => {
      if (!set.delete(slot)) set.add(slot);
      button.setAttribute("aria-pressed", String(set.has(slot)));
      this.on_hear(this.audible());
    };
    return button;
  }

  audible() {
    if (!this.muted.size && !this.solo.size) return null;
    const all = this.score.tracks.map((_, slot) => slot);
    return all.filter((slot) => (this.solo.size ? this.solo.has(slot) : !this.muted.has(slot)));
  }

  button(bar, slot) {
    return this.node.querySelector(`[data-place="${bar},${slot}"]`);
  }

  choose(bar, slot, up_to) {
    const places = [];
    if (up_to && this.anchor) {
      const [from_bar, from_slot] = this.anchor;
      for (let b = Math.min(bar, from_bar); b <= Math.max(bar, from_bar); b++)
        for (let s = Math.min(slot, from_slot); s <= Math.max(slot, from_slot); s++) places.push([b, s]);
      for (const [b, s] of places) this.set(b, s, true);
    } else {
      this.set(bar, slot, !this.chosen.has(`${bar},${slot}`));
      this.anchor = [bar, slot];
    }
    this.focus(bar, slot);
    this.on_choose(this.chosen);
  }

  set(bar, slot, is_chosen) {
    const place = `${bar},${slot}`;
    if (is_chosen && this.locked.has(place)) return;
    if (is_chosen) this.chosen.add(place);
    else this.chosen.delete(place);
    this.button(bar, slot).setAttribute("aria-selected", String(is_chosen));
  }

  none() {
    for (const place of [...this.chosen]) this.set(...place.split(",").map(Number), false);
    this.on_choose(this.chosen);
  }

  focus(bar, slot) {
    const before = this.node.querySelector('td button[tabindex="0"]');
    if (before) before.tabIndex = -1;
    const button = this.button(bar, slot);
    button.tabIndex = 0;
    button.focus();
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key], place = event.target.dataset.place;
    if (!move || !place) return;
    event.preventDefault();
    const [bar, slot] = place.split(",").map(Number), to = [bar + move[0], slot + move[1]];
    if (!this.button(...to)) return;
    if (event.shiftKey) {
      this.anchor = this.anchor || [bar, slot];
      this.choose(...to, true);
    } else this.focus(...to);
  }

  // As `sample.py cells=` says it: "bars 3-4 of 2, bar 7 of 1".
  words(places = this.chosen) {
    const bars_by_slot = new Map();
    for (const place of places) {
      const [bar, slot] = place.split(",").map(Number);
      if (!bars_by_slot.has(slot)) bars_by_slot.set(slot, []);
      bars_by_slot.get(slot).push(bar + 1);
    }
    const parts = [];
    for (const [slot, bars] of bars_by_slot) {
      bars.sort((one, other) => one - other);
      for (let at = 0; at < bars.length; ) {
        let end = at;
        while (end + 1 < bars.length && bars[end + 1] === bars[end] + 1) end += 1;
        parts.push(at === end ? `bar ${bars[at]} of ${slot + 1}` : `bars ${bars[at]}-${bars[end]} of ${slot + 1}`);
        at = end + 1;
      }
    }
    return parts.join(", ");
  }
}
