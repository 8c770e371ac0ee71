// The room for composers: drop files, hear and see them as the house reads them, state, sign.

import { show_alike } from "./alike.js";
import { Bars } from "./bars.js";
import { KEYS, Refused, ask, base64, batches, begin, by_id, complain, element, on, options, people, plain, say, shown_text } from "./common.js";
import { forget_draft, keep_drafts, kept_drafts } from "./drafts.js";
import { contribute } from "./hands.js";
import { bytes_of, digest } from "./records.js";
import { Roll } from "./roll.js";
import { bar_count, swatch } from "./score.js";
import { viewer } from "./viewing.js";

const form = by_id("stated");
const view = viewer();
const bars = new Bars(by_id("bars"), { chords: form.elements.chords, sections: form.elements.sections });
let files = []; // {at, key, name, midi, checked, stated, status, row}
let place = ""; // whose drafts they are
let shown = null;

const FIELDS = ["title", "genre", "mood", "key", "method", "composers", "chords", "sections", "consent", "contract"];

const key_of = async (midi) => (await digest(bytes_of(midi))).slice(0, 24);

async function take(list) {
  await begun; // a file of which a draft is kept has its answers
  const taken = [];
  for (const file of list) {
    const midi = await base64(file), key = await key_of(midi);
    if (files.some((one) => one.key === key)) continue;
    taken.push(lay_down({ at: Date.now() + taken.length, name: file.name, midi, key, stated: {} }));
  }
  await check_all(taken);
}

function lay_down(one) {
  files.push(one);
  by_id("table-part").hidden = false;
  one.row = element("tr");
  one.picture = element("canvas", { className: "small-roll", role: "img", "aria-label": `${one.name} as a piano roll` });
  one.picture.setAttribute("height", "30");
  one.roll = new Roll(one.picture, { is_small: true, width: 130 });
  if (one.checked && one.checked.score) one.roll.show(one.checked.score);
  by_id("table").tBodies[0].append(one.row);
  fill_row(one);
  return one;
}

// The first by itself, so that it is soon there to look at; the others together.
async function check_all(list) {
  const unread = list.filter((one) => !one.checked);
  for (const some of [unread.slice(0, 1), ...batches(unread.slice(1), (one) => one.midi.length)]) {
    await check(some.filter((one) => files.includes(one))); // others were put away meanwhile
    show_first();
  }
}

function show_first() {
  const first = files.find((one) => one.checked);
  if (!shown && first) show(first);
}

async function put_away(one) {
  files = files.filter((other) => other !== one);
  one.row.remove();
  await forget_draft(place, one.key);
  by_id("table-part").hidden = !files.length;
  count();
  if (shown !== one) return;
  shown = null;
  by_id("work").hidden = true;
  show_first();
}

function count() {
  const done = files.filter((one) => one.checked).length, ready = files.filter(is_ready).length;
  const signed = files.filter((one) => one.status === "contributed").length;
  by_id("fill").hidden = by_id("sign-all").hidden = files.length < 2;
  by_id("table-count").textContent = `${done} of ${files.length} read, ${ready} can be signed${signed ? `, ${signed} signed` : ""}`;
}

const is_ready = (one) => Boolean(one.checked && one.checked.score) && ["checked", NEEDS_REVIEW].includes(one.status);

async function check(list) {
  if (!list.length) return;
  for (const one of list) {
    one.status = "reading…";
    fill_row(one);
  }
  let answers;
  try {
    answers = await ask("/check/many", { files: list.map(body), composer: by_id("composer").value });
  } catch (error) {
    answers = list.map(() => ({ status: "refused", changes: [], advice: [], unsure: [], unheard: [], alike: [], shared: [], found: error.message, mend: error.mend, is_failure: true }));
  }
  list.forEach((one, at) => {
    one.checked = answers[at];
    one.failed = Boolean(answers[at].is_failure);
    one.status = answers[at].status;
    one.stated = { ...answers[at].stated, ...keep(one.stated) };
    if (answers[at].score) one.roll.show(answers[at].score);
    fill_row(one);
  });
  await keep_drafts(place, list.filter((one) => files.includes(one)));
}

const keep = (stated) => Object.fromEntries(Object.entries(stated).filter(([, value]) => value));
const body = (one) => ({ name: one.name, midi: one.midi, stated: keep(one.stated) });

const THERE = "already there", NEEDS_REVIEW = "needs review";
const STATUS = { checked: "ready", [NEEDS_REVIEW]: "ready, to be compared", contributed: "signed, waiting" };

function fill_row(one) {
  const looks = one.checked ? one.checked.advice.length : 0;
  const name = element("button", { type: "button", textContent: one.name, className: "quiet", disabled: !one.checked });
  on(name, "click", () => show(one));
  const cells = [name, one.picture, STATUS[one.status] || one.status || "", one.stated.title || "", plain(one.stated.genre || ""), plain(one.stated.mood || ""), looks ? `${looks} to look at` : ""];
  const away = element("button", { type: "button", textContent: "×", className: "quiet", "aria-label": `Put ${one.name} away` });
  on(away, "click", () => put_away(one));
  one.row.replaceChildren(...[...cells, away].map((cell) => element("td", {}, cell)));
  count();
}

function said(title, lines, className = "said") {
  if (!lines.length) return [];
  return [element("h3", { textContent: title }), element("ul", { className }, ...lines.map((line) => element("li", { textContent: line })))];
}

function show(one) {
  if (shown) gather();
  shown = one;
  by_id("work").hidden = false;
  by_id("work-title").textContent = shown_text(one.name);
  by_id("music").hidden = !one.checked.score;
  const { checked } = one;
  const there = one.status === THERE ? [`This very music is ${checked.work}${checked.found ? `: ${checked.found}` : ""}.`] : [];
  const refused = checked.found && !there.length ? [`${checked.found}${checked.mend ? ` — ${checked.mend}` : ""}`] : [];
  by_id("found").replaceChildren(
    ...said("Already in the house", there),
    ...said("Refused", refused, "said look"),
    ...said("Please look", checked.advice, "said look"),
    ...said("Changed", checked.changes),
    ...said("Not learned from", checked.unheard),
  );
  show_likeness(checked);
  form.hidden = !checked.score || ["contributed", THERE].includes(one.status);
  view(checked.score);
  if (!checked.score) return;
  also(form.elements.key, KEYS, one.stated.key || "");
  for (const name of FIELDS) form.elements[name].value = one.stated[name] || "";
  bars.show(bar_count(checked.score));
  ask_of_method();
  show_tracks(one);
  const consent = one.stated.consent || "";
  for (const box of form.querySelectorAll("[data-scope]")) box.checked = consent.includes(box.dataset.scope);
}

// A list to choose from, and what stands there although the list does not have it.
function also(select, values, chosen) {
  options(select, values.includes(chosen) || !chosen ? values : [chosen, ...values], chosen);
}

// Beside what it is like, both to see and to hear.
function show_likeness(checked) {
  by_id("alike-part").hidden = !checked.alike.length;
  by_id("alike").replaceChildren();
  if (checked.alike.length) show_alike(by_id("alike"), checked, checked.score).catch(complain);
}

function show_tracks(one) {
  const played = (one.stated.instruments || "").split(",").map((word) => word.trim());
  const roles = (one.stated.roles || "").split(/\s+/);
  by_id("tracks").replaceChildren(...one.checked.score.tracks.map((track, place) => ({ track, place })).filter(({ track }) => track.notes.length).map(({ track, place }, at) => {
    const name = track.name || `Track ${at + 1}`;
    const instrument = element("select", { "aria-label": `Instrument of ${name}` });
    also(instrument, words.instruments, played[at] || "");
    const role = element("select", { "aria-label": `Role of ${name}` });
    options(role, words.roles, roles[at]);
    instrument.dataset.part = "instruments";
    role.dataset.part = "roles";
    return element("div", { className: "track" }, element("span", {}, swatch(place), `${name} (${track.notes.length} notes${one.checked.unsure.includes(place) ? "; which instrument?" : ""})`), instrument, role);
  }));
}

// What stands in the form, kept with the file and as a draft until it is signed.
function gather() {
  if (!shown || form.hidden) return;
  for (const name of FIELDS) shown.stated[name] = form.elements[name].value.trim();
  const parts = (name) => [...form.querySelectorAll(`[data-part=${name}]`)].map((node) => node.value.trim());
  shown.stated.instruments = parts("instruments").join(", ");
  shown.stated.roles = parts("roles").join(" ");
  if (shown.status !== "contributed") keep_drafts(place, [shown]).catch(complain);
  fill_row(shown);
}

// Signs files, and gives how many wait for a curator then.
async function sign(list) {
  let at = 0, count = 0;
  await contribute(list.map(body), by_id("composer").value, (answer) => {
    const one = list[at++];
    one.status = answer.status === NEEDS_REVIEW ? "contributed" : answer.status; // signed, and its curator compares it
    if (answer.status === "refused") one.checked = { ...one.checked, found: answer.found, mend: answer.mend };
    else {
      count += 1;
      forget_draft(place, one.key).catch(complain);
    }
    fill_row(one);
  });
  return count;
}

form.addEventListener("change", (event) => {
  if (event.target.dataset.scope !== undefined || event.target.id === "until") {
    const day = by_id("until").value;
    const scopes = [...form.querySelectorAll("[data-scope]:checked")].map((box) => box.dataset.scope + (day ? `@${day}` : ""));
    form.elements.consent.value = scopes.join(" ") || "nothing";
  }
  if (event.target.name === "method") ask_of_method();
  gather();
});

// A machine's work says so by its method: that no model wrote it is then not stated.
function ask_of_method() {
  const is_machine = form.elements.method.value === "machine";
  by_id("human").closest("label").hidden = is_machine;
  by_id("human").required = !is_machine;
}

on(form, "submit", async (event) => {
  if (event.submitter && event.submitter.id !== "sign") return;
  gather();
  const one = shown;
  if (await sign([one])) say(`${one.name} is signed, and waits for a curator.`);
  show(one);
});
on("sign-all", "click", async () => {
  if (form.hidden) throw new Refused({ what: "choose a file that can be signed", mend: "what you state is asked for beside it" }, 0);
  gather();
  if (!form.reportValidity()) return;
  const ready = files.filter(is_ready);
  const signed = ready.length ? await sign(ready) : 0;
  say(`${signed} of ${files.length} files are signed, and wait for a curator.`);
  show(shown);
});
on("recheck", "click", async () => {
  gather();
  const one = shown;
  await check([one]);
  shown = null;
  show(one);
});
on("fill", "click", async () => {
  gather();
  for (const one of files) for (const name of ["genre", "mood", "method", "consent", "contract"]) if (shown.stated[name]) one.stated[name] = shown.stated[name];
  for (const one of files) fill_row(one);
  await keep_drafts(place, files.filter((one) => one.status !== "contributed"));
  say("Filled down: look at each before you sign.");
});
for (const [button, input] of [["choose", "files"], ["choose-folder", "folder"]]) {
  on(button, "click", () => by_id(input).click());
  on(input, "change", () => {
    const chosen = named_midi(by_id(input).files, input === "folder");
    by_id(input).value = ""; // so that what was put away can be chosen again
    return take(chosen);
  });
}
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    by_id("drop").classList.toggle("over", kind === "dragover");
  });
}
on(document, "drop", async (event) => {
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = entries.length ? [] : [...event.dataTransfer.files];
  const found = await Promise.all(entries.map(files_in));
  await take([...named_midi(loose, false), ...found.flat()]);
});

// What a folder holds besides MIDI is left out; a file that somebody chose is read, whatever its name.
const MIDI = /\.(midi?|smf|rmi|kar)$/i;
const named_midi = (list, is_folder) => [...list].filter((file) => !file.name.startsWith("._") && (!is_folder || MIDI.test(file.name)));

// A dropped file, or all MIDI files in a dropped folder, in the order of their names.
async function files_in(entry) {
  const called = (act) => new Promise((resolve, reject) => act(resolve, reject));
  if (entry.isFile) return named_midi([await called((...done) => entry.file(...done))], false);
  const reader = entry.createReader(), inside = [];
  for (let some = null; some === null || some.length; inside.push(...some)) some = await called((...done) => reader.readEntries(...done));
  inside.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const found = await Promise.all(inside.filter((one) => one.isDirectory || MIDI.test(one.name)).map(files_in));
  return found.flat();
}

let words = null;
async function start() {
  const house = await begin();
  place = `${house.house}/${house.signed_in}`;
  words = await ask("/words");
  options(form.elements.genre, words.genres);
  options(form.elements.mood, words.moods);
  options(form.elements.method, words.methods);
  people("composer", by_id("composer"));
  return (await kept_drafts(place)).map(lay_down);
}
const begun = start();
begun.then(check_all).catch((error) => say(error.message, true));
