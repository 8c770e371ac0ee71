// What is asked of new music: the form, the sliders in words, the chord line as it is understood.

import { KEYS, ask, by_id, element, options } from "./common.js";

export const form = by_id("ask");

// What the form says, as the interface takes it.
export function asked() {
  const said = Object.fromEntries(new FormData(form));
  const body = {};
  for (const name of ["genre", "mood", "key", "time_signature", "chords", "sections", "density", "timing"]) if (said[name]) body[name] = said[name];
  for (const name of ["bars", "tempo", "seed", "n"]) if (said[name]) body[name] = Number(said[name]);
  if (said.instruments.trim()) body.instruments = said.instruments.split(",").map((word) => word.trim()).filter(Boolean);
  body.temperature = Number(said.temperature);
  for (const name of Object.keys(FEEL)) if (Number(said[name])) body[name] = Number(said[name]);
  return body;
}

// What the sliders of how a piece is played stand for, from one end to the other.
const FEEL = {
  swing: ["straight", "light", "lilting", "swung", "as triplets"],
  humanise: ["exact", "tight", "natural", "loose", "free"],
};

function say_feel(name) {
  const slider = form.elements[name], words = FEEL[name];
  const word = words[Math.ceil(Number(slider.value) * (words.length - 1))];
  by_id(`${name}-words`).textContent = `(${word})`;
  slider.setAttribute("aria-valuetext", word);
}

for (const name of Object.keys(FEEL)) {
  form.elements[name].addEventListener("input", () => say_feel(name));
  say_feel(name);
}

let typing = 0;
for (const name of ["chords", "key", "genre", "time_signature"]) {
  form.elements[name].addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(read_chords, 250);
  });
}

async function read_chords() {
  const text = form.elements.chords.value, read = by_id("chords-read");
  read.classList.remove("missed");
  if (!text.trim()) return void (read.textContent = "");
  try {
    const found = await ask(`/chords?${new URLSearchParams({ text, key: form.elements.key.value, genre: form.elements.genre.value })}`);
    const meter = form.elements.time_signature.value || found.meter;
    read.textContent = `Understood (in ${meter}): ${found.bars.map((bar) => bar.join(" ") || "%").join(" | ")}`;
  } catch (error) {
    read.classList.add("missed");
    read.textContent = `${error.message}${error.mend ? ` — ${error.mend}` : ""}`;
  }
}

// Fills the lists with the words that the house knows.
export async function offer_words() {
  const words = await ask("/words");
  options(form.elements.genre, words.genres);
  options(form.elements.mood, words.moods);
  by_id("instruments-known").append(...words.instruments.map((name) => element("option", { value: name })));
  by_id("keys-known").append(...KEYS.map((key) => element("option", { value: key })));
}

// What was asked for last in this tab is still there after a reload.
const ASKED = "studio-asked";
form.addEventListener("input", () => sessionStorage.setItem(ASKED, JSON.stringify(Object.fromEntries(new FormData(form)))));

export function ask_again() {
  for (const [name, value] of Object.entries(JSON.parse(sessionStorage.getItem(ASKED) || "{}"))) if (form.elements[name]) form.elements[name].value = value;
  Object.keys(FEEL).forEach(say_feel);
  return read_chords();
}
