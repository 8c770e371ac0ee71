"use strict";
const body = document.body, test = body.dataset.test, pairs = Number(body.dataset.pairs);
const place = "listening:" + test, questions = ["preferred", "rating_a", "rating_b", "person"];
const find = id => document.getElementById(id);
const sections = [...document.querySelectorAll("section[data-pair]")];
const fresh = () => ({
  sheet: [...crypto.getRandomValues(new Uint8Array(16))]
    .map(b => b.toString(16).padStart(2, "0")).join(""),
  listener: "", answers: {}, heard: {}, shown: 1,
});
let state = fresh();
try { state = JSON.parse(localStorage.getItem(place)) || state; } catch { /* kept in memory */ }
function keep() {
  try { localStorage.setItem(place, JSON.stringify(state)); } catch { /* kept in memory */ }
}
const said = pair => state.answers[pair] || {};
const isDone = pair => questions.every(question => said(pair)[question] !== undefined);

function draw() {
  for (const section of sections) {
    const pair = Number(section.dataset.pair), heard = state.heard[pair] || [];
    const open = heard.includes("a") && heard.includes("b");
    section.querySelector(".answers").disabled = !open;
    section.querySelector(".first").textContent = open ? "" :
      heard.length ? "Now listen to " + (heard[0] === "a" ? "B" : "A") + "." :
      "Listen to both first.";
    for (const input of section.querySelectorAll("input[data-question]"))
      input.checked = String(said(pair)[input.dataset.question]) === input.value;
  }
  const done = sections.filter((_, i) => isDone(i + 1)).length;
  find("progress").max = pairs;
  find("progress").value = done;
  find("left").textContent = done === pairs ? "All " + pairs + " pairs are answered." :
    done + " of " + pairs + " pairs are answered. You may go back, or save what there is.";
  [...find("marks").children].forEach((item, i) => {
    const button = item.firstChild, is = isDone(i + 1);
    button.className = is ? "done" : "";
    button.setAttribute("aria-label", "Pair " + (i + 1) + (is ? ", answered" : ", not answered"));
  });
  find("listener").value = state.listener;
  find("save").disabled = !Object.keys(state.answers).length;
}

function show(number, focus = true) {
  state.shown = Math.min(Math.max(number, 1), pairs + 1);
  for (const player of document.querySelectorAll("audio")) player.pause();
  sections.forEach((section, i) => { section.hidden = i + 1 !== state.shown; });
  find("end").hidden = state.shown <= pairs;
  find("intro").hidden = state.shown > 1;
  find("back").disabled = state.shown === 1;
  find("next").hidden = state.shown > pairs;
  find("next").textContent = state.shown === pairs ? "Finish" : "Next";
  keep();
  draw();
  if (focus) {
    find(state.shown > pairs ? "head-end" : "head-" + state.shown).focus();
    window.scrollTo(0, 0);
  }
}

for (let pair = 1; pair <= pairs; pair++) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.textContent = pair;
  button.addEventListener("click", () => show(pair));
  item.append(button);
  find("marks").append(item);
}
document.addEventListener("change", event => {
  const question = event.target.dataset.question;
  if (!question) return;
  const pair = event.target.closest("section").dataset.pair, value = event.target.value;
  const isRating = question.startsWith("rating");
  state.answers[pair] = { ...said(pair), [question]: isRating ? Number(value) : value };
  keep();
  draw();
});
document.addEventListener("play", event => {
  for (const player of document.querySelectorAll("audio")) {
    if (player !== event.target) player.pause();
  }
  event.target.parentNode.classList.add("playing");
  const pair = event.target.closest("section").dataset.pair, side = event.target.dataset.side;
  const heard = state.heard[pair] || (state.heard[pair] = []);
  if (!heard.includes(side)) heard.push(side);
  keep();
  draw();
}, true);
document.addEventListener("pause", event => {
  event.target.parentNode.classList.remove("playing");
}, true);
document.addEventListener("error", event => {
  if (event.target.tagName !== "AUDIO") return;
  event.target.closest("section").querySelector(".first").textContent =
    "This sound cannot be played. Is the folder sounds beside this page?";
}, true);
document.addEventListener("keydown", event => {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.id === "listener") return;
  if (key !== "a" && key !== "b" || state.shown > pairs) return;
  const player = sections[state.shown - 1].querySelector('audio[data-side="' + key + '"]');
  if (player.paused) player.play().catch(() => {}); else player.pause();
  event.preventDefault();
});
find("listener").addEventListener("input", event => {
  state.listener = event.target.value;
  keep();
});
find("back").addEventListener("click", () => show(state.shown - 1));
find("next").addEventListener("click", () => show(state.shown + 1));
find("save").addEventListener("click", () => {
  const name = state.listener.trim() || "unnamed";
  const answers = sections.map((_, i) => i + 1).filter(pair => state.answers[pair]).map(pair => ({
    pair, ...Object.fromEntries(questions.map(q => [q, said(pair)[q] ?? null])),
  }));
  const content = {
    format: "gen-listening-ratings", version: 1, test, sheet: state.sheet, listener: name,
    saved: new Date().toISOString(), answers,
  };
  const file = new Blob([JSON.stringify(content, null, 1)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  const plain = name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  link.download = "ratings-" + (plain || "unnamed") + "-" + state.sheet.slice(0, 6) + ".json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  find("saved").textContent = "Saved as " + link.download + " in your downloads.";
});
find("again").addEventListener("click", () => {
  if (!confirm("Clear all answers on this page?")) return;
  state = fresh();
  find("saved").textContent = "";
  show(1);
});
show(state.shown, false);
