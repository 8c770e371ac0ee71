// The bars of a work as buttons, each with its chord and the section that begins there. One that
// is chosen offers what else could stand there; what is taken goes into the fields of the form.

import { ask, element } from "./common.js";

const NO_CHORD = "NC", MOST_OFFERED = 16;

function chords_in(text) {
  const found = [];
  for (const cell of text.trim().replace(/^\||\|$/g, "").split("|")) found.push(cell.trim() === "%" && found.length ? found.at(-1) : cell.trim());
  return found;
}

// First bar of each section → its name.
const sections_in = (text) => new Map(text.trim().split(/\s+/).filter(Boolean).map((word) => [Number(word.split(":")[1]), word.split(":")[0]]));

export class Bars {
  // `chords` and `sections` are the fields of the form, as contribute.py takes them.
  constructor(node, { chords, sections }) {
    Object.assign(this, { node, chords, sections, count: 0, at: null, edited: null });
    this.strip = element("div", { className: "bars", role: "toolbar", "aria-label": "Bars: chords and sections" });
    this.editor = element("div", { className: "bar-editor" });
    this.said = element("p", { className: "read", role: "status" });
    node.replaceChildren(this.strip, this.editor, this.said);
    this.strip.addEventListener("keydown", (event) => this.key(event));
    for (const field of [chords, sections]) field.addEventListener("input", () => this.draw());
  }

  show(count) {
    Object.assign(this, { count, at: null, edited: null });
    this.said.textContent = "";
    this.draw();
  }

  draw() {
    const chords = chords_in(this.chords.value), begins = sections_in(this.sections.value);
    this.strip.replaceChildren(...Array.from({ length: this.count }, (_, bar) => {
      const chord = chords[bar] || "", section = begins.get(bar + 1) || "";
      const said = [`Bar ${bar + 1}`, section && `section ${section} begins`, chord || "no chord given"].filter(Boolean).join(", ");
      const button = element("button", { type: "button", "aria-label": said, "aria-pressed": String(bar === this.at), tabIndex: bar === (this.at ?? 0) ? 0 : -1 },
        element("small", { textContent: bar + 1 }), element("b", { textContent: section }), element("span", { textContent: chord }));
      button.onclick = () => this.choose(bar);
      return button;
    }));
    this.edit(chords, begins);
  }

  choose(bar) {
    this.at = this.at === bar ? null : bar;
    this.draw();
    this.strip.children[bar].focus();
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], from = [...this.strip.children].indexOf(event.target);
    const to = this.strip.children[from + by];
    if (!by || from < 0 || !to) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }

  // What is offered for the chosen bar: the chords that the work has, any other, a section. What is
  // being typed there stays when the bars are drawn anew.
  edit(chords, begins) {
    this.editor.hidden = this.at === null;
    if (this.at === null) return;
    if (this.edited !== this.at) this.open(this.at);
    const bar = this.at, known = [...new Set(chords.flatMap((one) => one.split(" ")).filter((one) => one && one !== NO_CHORD))].slice(0, MOST_OFFERED);
    this.offered.replaceChildren(element("span", { textContent: `Bar ${bar + 1}` }), ...[...known, NO_CHORD].map((chord) => {
      const button = element("button", { type: "button", textContent: chord === NO_CHORD ? "no chord" : chord, "aria-pressed": String(chords[bar] === chord) });
      button.onclick = () => this.write(bar, chord);
      return button;
    }));
    const values = [[this.other, chords[bar]], [this.section, begins.get(bar + 1)]];
    for (const [input, value] of values) if (input !== document.activeElement) input.value = value || "";
  }

  open(bar) {
    this.edited = bar;
    this.offered = element("p", { className: "actions", role: "group", "aria-label": `Chord of bar ${bar + 1}` });
    this.other = element("input", { autocomplete: "off" });
    this.other.onchange = () => this.write(bar, this.other.value.trim());
    this.section = element("input", { placeholder: "none", autocomplete: "off" });
    this.section.setAttribute("list", "sections-known");
    this.section.onchange = () => this.begin(bar, this.section.value.trim());
    this.editor.replaceChildren(this.offered, element("p", { className: "actions" },
      element("label", { className: "inline" }, "Another chord ", this.other), element("label", { className: "inline" }, "A section begins here ", this.section)));
  }

  // A chord into a bar, if it can be read.
  async write(bar, chord) {
    const from = document.activeElement;
    try {
      await ask(`/chords?${new URLSearchParams({ text: chord || NO_CHORD })}`);
      this.said.textContent = "";
    } catch (error) {
      return void (this.said.textContent = error.message);
    }
    const chords = chords_in(this.chords.value);
    while (chords.length < this.count) chords.push(chords.at(-1) || NO_CHORD);
    chords[bar] = chord || NO_CHORD;
    this.put(this.chords, chords.slice(0, this.count).map((one) => one || NO_CHORD).join(" | "), from);
  }

  begin(bar, name) {
    const begins = sections_in(this.sections.value);
    if (name) begins.set(bar + 1, name.replace(/[\s:]+/g, "-"));
    else begins.delete(bar + 1);
    this.put(this.sections, [...begins].sort(([one], [other]) => one - other).map(([first, called]) => `${called}:${first}`).join(" "), document.activeElement);
  }

  // Back to the bars, unless somebody went elsewhere than where it was said (`from`) by then.
  put(field, text, from) {
    const stays = document.activeElement === from;
    field.value = text;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    this.draw();
    if (stays) this.strip.children[this.at]?.focus();
  }
}
