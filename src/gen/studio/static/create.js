// The room where music is made: ask, hear it while it is written, choose, rewrite, take away.

import { Refused, ask, ask_all, base64, begin, by_id, complain, element, on, options, plural, shown_text } from "./common.js";
import { ask_again, asked, form, offer_words } from "./asking.js";
import { Grid } from "./grid.js";
import { Player } from "./player.js";
import { by_worth, words_of } from "./ranking.js";
import { Roll } from "./roll.js";
import { bar_count, clock } from "./score.js";
import { keep, recall } from "./tabs.js";
import { take_away } from "./taking.js";

const STORE = "studio-history", OPENED = "studio-opened", RUNNING = "studio-running";
const TIMINGS = { played: "as its players play", straight: "straight" };
const SHARE = 0.3; // of the cells, which a variation writes anew
const roll = new Roll(by_id("roll"), { on_seek: (seconds) => player.seek(seconds) });
const player = new Player({ button: by_id("play"), output: by_id("clock"), on_place: (seconds) => roll.place(seconds), speed: by_id("speed"), tempo: by_id("tempo"), loop: by_id("loop") });
const grid = new Grid(by_id("cells"), { on_choose: chosen, on_hear: heard });
// Names of pieces, and a file that was opened as {file}, oldest first; where one stands in it; what
// was undone comes after.
let history = { names: [], at: -1 };
let standing = null; // what was kept or opened: {title, score}, of a piece {name, receipt} too
let job = null;
let model = "reading"; // else "ready" or "failed"
let said_of_model = ""; // where progress is told, which has other things to say, too
const READING = "The model is being read…", GROWING = "Being written…";
let cards = []; // variations, by their place in the request

function chosen(places) {
  const count = places.size;
  by_id("selected").textContent = count ? `${plural(count, "cell")} selected` : "No cells selected";
  by_id("rewrite").disabled = by_id("deselect").disabled = by_id("lock").disabled = !count;
  by_id("unlock").hidden = !grid.locked.size;
}

function heard(audible) {
  roll.hidden = new Set(audible === null ? [] : standing.score.tracks.map((_, slot) => slot).filter((slot) => !audible.includes(slot)));
  roll.draw();
  player.hear(audible);
}

// -- what is written -------------------------------------------------------------------------

// Of a given file everything but how to draw comes from the file.
function given() {
  const { n, seed, temperature, timing } = asked();
  return { piece: standing.name, n, seed, temperature, timing };
}

// Asks for music. `into` is a variation that is written anew, in its own place; else all are new.
async function write(verb, body, into = null) {
  if (job) throw new Error("one request at a time");
  const began = Date.now(), before = into || verb === "generate" ? 0 : bar_count(standing.score);
  const asked = { verb, body, bars: into ? into.asked.bars : before + (body.bars || 0) };
  const facts = await ask(`/${verb}`, body);
  if (into) wait_anew(into);
  else {
    cards = [];
    by_id("variations").replaceChildren();
  }
  await follow(facts.id, asked, began, into);
}

function busy(id) {
  job = id;
  by_id("stop").hidden = !id;
  by_id("write").disabled = Boolean(id);
  for (const one of cards) if (one) one.again.disabled = Boolean(id) || !one.name;
  for (const name of ["rewrite", "add", "continue", "vary"]) by_id(name).disabled = Boolean(id) || (name === "rewrite" && !grid.chosen.size);
}

// `asked` is {verb, body, bars}: with so many bars, the given ones included, as far as it is known.
function follow(id, asked, began, into) {
  busy(id);
  if (!into) sessionStorage.setItem(RUNNING, JSON.stringify({ id, asked, began }));
  const place_of = (piece) => (into ? into.index : piece);
  let is_waiting = true, arriving = Promise.resolve();
  say_place(id, () => is_waiting).catch(complain);
  const stream = new EventSource(`/api/v1/jobs/${id}/events`);
  return new Promise((resolve) => {
    const ended = async (text, is_over = true) => {
      stream.close();
      if (is_over) sessionStorage.removeItem(RUNNING);
      is_waiting = false;
      await arriving.catch(complain);
      player.is_growing = false;
      put_back();
      rank();
      busy(null);
      by_id("progress").textContent = text;
      resolve();
    };
    stream.addEventListener("begun", () => {
      is_waiting = false;
      by_id("progress").textContent = "Writing…";
    });
    stream.addEventListener("bar", (event) => growing(JSON.parse(event.data), place_of, asked.bars));
    stream.addEventListener("comparing", (event) => comparing(JSON.parse(event.data), place_of));
    stream.addEventListener("piece", (event) => (arriving = Promise.all([arriving, arrived(JSON.parse(event.data), place_of, asked)])));
    stream.addEventListener("done", async () => {
      await ended(`Done in ${((Date.now() - began) / 1000).toFixed(1)} s.`);
      if (!into && cards.filter(Boolean).length === 1 && cards[0] && cards[0].name) accept(cards[0]);
    });
    stream.addEventListener("cancelled", () => ended("Stopped. What was finished stays."));
    stream.addEventListener("failed", async (event) => {
      await ended("");
      complain(new Refused(JSON.parse(event.data).error, 0));
    });
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED && job === id) ended("The studio does not answer.", false);
    };
  });
}

// What a request waits for: the model, or others' requests.
async function say_place(id, is_waiting) {
  while (is_waiting()) {
    const { place } = await ask(`/jobs/${id}`);
    if (is_waiting()) by_id("progress").textContent = model === "reading" ? READING : place ? `${plural(place, "request")} before yours…` : "Beginning…";
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

// What was being written and is not finished goes; what stands is shown again.
function put_back() {
  for (const one of cards.filter((each) => each && !each.name)) {
    if (one.before) show_card(one, one.before);
    else put_away(one);
  }
  if (by_id("title").textContent !== GROWING) return;
  if (player.is_playing) player.stop(0);
  if (!standing) return void (by_id("title").textContent = "Stopped before it was whole");
  player.load(standing.score);
  show_score(standing.score, standing.title);
}

// The first variation sounds while it is written, in a given file from the first new bar on.
function growing({ piece, attempt, bar, first, score }, place_of, bars) {
  const one = card(place_of(piece));
  one.note.textContent = `${attempt ? "was too close to a work, written anew: " : ""}bar ${bar} …`;
  if (!score) return;
  one.score = score;
  one.roll.show(score, bars);
  if (piece !== 0) return;
  const is_first = one.attempt !== attempt;
  one.attempt = attempt;
  by_id("title").textContent = GROWING;
  roll.show(score, bars);
  player.load(score, { is_growing: true, is_same: !is_first, whole: bar });
  if (is_first) player.play(first);
}

// The first time on a computer a piece may be whole before the works are read that it is held against.
function comparing({ piece, share }, place_of) {
  card(place_of(piece)).note.textContent = "whole, and waits to be compared";
  by_id("progress").textContent = `Written. The house's works are being read to compare with, this once: ${Math.round(100 * share)} %`;
}

async function arrived({ piece, name }, place_of, asked) {
  const one = card(place_of(piece));
  const found = await ask(`/pieces/${encodeURIComponent(name)}`);
  show_card(one, { name, score: found.score, receipt: found.receipt, asked });
  if (piece === 0 && player.is_growing) {
    player.load(found.score, { is_same: true });
    present(found.score, `${name}, not kept yet`);
    mark(one, true);
  }
}

function rank() {
  const done = cards.filter((one) => one && one.name);
  done.sort(by_worth).forEach((one, at) => {
    one.title.textContent = done.length > 1 ? `${at + 1}. ${one.name}` : one.name;
    by_id("variations").append(one.node);
  });
}

// One variation's place while another is written there; it comes back where that is stopped.
function wait_anew(one) {
  const { name, score, receipt, asked } = one;
  Object.assign(one, { before: { name, score, receipt, asked }, name: null, attempt: undefined });
  one.title.textContent = "Another";
  mark(one, false);
  for (const button of one.buttons) button.disabled = true;
}

// A variation that is whole: {name, score, receipt, asked}.
function show_card(one, piece) {
  Object.assign(one, piece, { before: null });
  one.roll.show(one.score);
  one.title.textContent = one.name;
  one.note.textContent = words_of(one.receipt);
  for (const button of one.buttons) button.disabled = button === one.again && Boolean(job);
}

function put_away(one) {
  one.node.remove();
  cards[one.index] = null;
}

function card(index) {
  if (cards[index]) return cards[index];
  const canvas = element("canvas", { height: 90, role: "img", "aria-label": `Variation ${index + 1} as a piano roll` });
  canvas.setAttribute("height", "90");
  const title = element("h3", { textContent: `Variation ${index + 1}` });
  const note = element("p", { className: "hint" });
  const hear = element("button", { type: "button", textContent: "Hear", disabled: true });
  const take = element("button", { type: "button", className: "primary", textContent: "Keep", disabled: true });
  const drop = element("button", { type: "button", className: "quiet", textContent: "Reject", disabled: true });
  const again = element("button", { type: "button", className: "quiet", textContent: "Another", title: "Write this one anew, by another seed", disabled: true });
  const node = element("article", { className: "variation" }, title, canvas, note, element("p", { className: "actions" }, hear, take, again, drop));
  const made = { index, node, title, note, roll: new Roll(canvas, { is_small: true }), again, buttons: [hear, take, again, drop] };
  on(hear, "click", () => audition(made));
  on(take, "click", () => accept(made));
  on(again, "click", () => write(made.asked.verb, { ...made.asked.body, n: 1, seed: undefined }, made));
  on(drop, "click", () => {
    put_away(made);
    if (!made.node.classList.contains("sounding") || !standing) return;
    player.load(standing.score);
    present(standing.score, standing.title);
  });
  cards[index] = made;
  by_id("variations").append(node);
  return made;
}

// Hear a variation where the music is now; the same button goes back to what stands.
function audition(one) {
  const was = one.node.classList.contains("sounding");
  for (const other of cards) if (other) mark(other, false);
  const seconds = player.now(), was_playing = player.is_playing;
  player.load(was && standing ? standing.score : one.score);
  if (was && standing) present(standing.score, standing.title);
  else present(one.score, `${one.name}, not kept yet`);
  if (!was) mark(one, true);
  if (!was_playing) {
    player.place(seconds);
    player.play(player.bar_at(seconds));
  }
}

function mark(one, is_sounding) {
  one.node.classList.toggle("sounding", is_sounding);
  one.buttons[0].textContent = is_sounding && standing ? "Hear what stands" : "Hear";
}

async function accept(one) {
  for (const other of cards) if (other) mark(other, false);
  remember(one.name);
  await stand(one.name);
  if (cards.filter(Boolean).length <= 1) by_id("variations").replaceChildren();
}

function remember(entry) {
  history.names = [...history.names.slice(0, history.at + 1), entry];
  history.at = history.names.length - 1;
}

// -- what stands ------------------------------------------------------------------------------

// What is to be seen and heard now; the cells are of what stands.
function present(score, title) {
  by_id("title").textContent = shown_text(title);
  by_id("facts").textContent = shown_text(`${plural(bar_count(score), "bar")}, ${clock(score.seconds)}, ${score.tracks.map((track) => track.name || track.instrument).join(", ")}`);
  roll.show(score);
}

function show_score(score, title) {
  present(score, title);
  grid.show(score);
  by_id("cell-actions").hidden = !score.tracks.length;
}

async function stand(name) {
  const found = await ask(`/pieces/${encodeURIComponent(name)}`);
  const is_same = standing && JSON.stringify(standing.score.tracks) === JSON.stringify(found.score.tracks);
  standing = { ...found, title: name };
  show_score(found.score, name);
  if (!(is_same && player.is_playing)) player.load(found.score);
  take_away(found);
  keep_history();
}

function keep_history() {
  keep(STORE, history);
  by_id("undo").disabled = history.at <= 0;
  by_id("redo").disabled = history.at >= history.names.length - 1;
  by_id("no-history").hidden = Boolean(history.names.length);
  by_id("history").replaceChildren(...history.names.map((entry, at) => {
    const button = element("button", { type: "button", textContent: entry.file ? `${entry.file} (opened)` : entry });
    on(button, "click", () => go(at));
    const line = element("li", {}, button);
    if (at === history.at) line.setAttribute("aria-current", "true");
    return line;
  }));
}

async function go(at) {
  const entry = history.names[at];
  if (entry.file) await show_opened(entry.file);
  else await stand(entry);
  history.at = at;
  keep_history();
}

// -- files -------------------------------------------------------------------------------------

let opened = recall(OPENED); // a file that is no piece of ours: {name, midi}

async function open_file(file) {
  opened = { name: file.name, midi: await base64(file) };
  await show_opened(file.name);
  keep(OPENED, opened);
  remember({ file: file.name });
  keep_history();
}

async function show_opened(name) {
  if (!opened || opened.name !== name) throw new Refused({ what: `${name} is not here any more`, mend: "open it again" }, 0);
  const score = await ask("/score", { midi: opened.midi });
  standing = { score, title: name };
  show_score(score, name);
  by_id("take").hidden = true;
  player.load(score);
}

const source = () => (standing.name ? given() : { ...given(), piece: undefined, midi: opened.midi, file_name: opened.name });

const kept = () => ({ keep: by_id("keep").value || null });

// -- what is pressed -----------------------------------------------------------------------------

on(form, "submit", () => write("generate", asked()));
on("stop", "click", () => ask(`/jobs/${job}`, undefined, "DELETE"));
on("rewrite", "click", () => write("infill", { ...source(), ...kept(), cells: grid.words() }));
on("deselect", "click", () => grid.none());
on("select-all", "click", () => grid.all());
on("lock", "click", () => grid.lock());
on("unlock", "click", () => grid.unlock());
on("add", "click", () => write("accompany", { ...source(), add: [by_id("add-instrument").value || "fingered bass"] }));
on("continue", "click", () => write("continue", { ...source(), bars: Number(by_id("more-bars").value) }));
on("vary", "click", () => (grid.locked.size ? write("infill", { ...source(), ...kept(), cells: grid.some(SHARE) }) : write("vary", { ...source(), ...kept(), amount: SHARE })));
on("undo", "click", () => go(history.at - 1));
on("redo", "click", () => go(history.at + 1));
on("open-file", "click", () => by_id("file").click());
on("file", "change", () => by_id("file").files[0] && open_file(by_id("file").files[0]));
by_id("speed").addEventListener("change", () => player.is_playing && player.play(player.bar_at(player.now())));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) open_file(event.dataTransfer.files[0]).catch(complain);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, button, dialog, a")) return;
  if (event.key === " " && !by_id("play").disabled) {
    event.preventDefault();
    by_id("play").click();
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "z") by_id(event.shiftKey ? "redo" : "undo").click();
});

// Says so while the model is not there yet; what is asked for meanwhile waits for it. Where none
// could be read it is looked for anew: a run may have left one since.
async function await_model() {
  let found = await ask("/readiness");
  if (found.state === "failed") found = await ask("/readiness", {});
  for (; ; found = await ask("/readiness")) {
    const { error, timings } = found;
    model = found.state;
    options(form.elements.timing, timings.map((one) => [one, TIMINGS[one]]));
    by_id("timing-part").hidden = !timings.length;
    const line = by_id("progress"), was = said_of_model;
    said_of_model = error ? `No model could write: ${[error.where, error.what].filter(Boolean).join(": ")}${error.mend ? ` — ${error.mend}` : ""}. It is looked for again whenever this page is opened.` : model === "reading" ? READING : "";
    if (!job && ["", was].includes(line.textContent)) line.textContent = said_of_model;
    if (model !== "reading") return;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

document.addEventListener("visibilitychange", () => !document.hidden && model === "failed" && await_model().catch(complain));

async function start() {
  await begin();
  await_model().catch(complain);
  await offer_words();
  ask_again().catch(complain);
  const kept = recall(STORE);
  if (!kept) return;
  const there = new Set((await ask_all("/pieces")).map((piece) => piece.name));
  history.names = kept.names.filter((entry) => (entry.file ? opened && opened.name === entry.file : there.has(entry)));
  history.at = Math.min(kept.at, history.names.length - 1);
  keep_history();
  if (history.at >= 0) await go(history.at);
}

// What was being written when this tab was loaded anew is heard from its beginning.
async function go_on() {
  const running = JSON.parse(sessionStorage.getItem(RUNNING) || "null");
  if (!running) return;
  try {
    await ask(`/jobs/${running.id}`);
  } catch {
    return sessionStorage.removeItem(RUNNING); // the studio was ended meanwhile
  }
  await follow(running.id, running.asked, running.began, null);
}

start().then(go_on).catch(complain);
