"""The page of a listening test: one offline HTML file beside its sounds.

One pair is shown at a time. Both clips must have been started before the questions open. Answers
are kept in the browser while the page is open (and over a reload, where it allows that), and leave
it only as the file that the listener saves. No network, no cookies.

Keys: A and B start and stop the clips, arrow keys move within a question, Tab goes on.
"""

from __future__ import annotations

from html import escape

from gen.rendering.report_style import STYLE

_SCALE = ("bad", "poor", "fair", "good", "excellent")
_CHOICES = {
    "preferred": (
        "Which do you like better?",
        (("a", "A"), ("b", "B"), ("neither", "No difference")),
    ),
    "person": (
        "One is by a person, the other by a machine. Which is by the person?",
        (("a", "A"), ("b", "B"), ("unsure", "I cannot tell")),
    ),
}


def listening_page(title: str, test: str, pairs: int) -> str:
    """The document.

    Args:
        title: heading and window title.
        test: identity of the test, 64 hexadecimal digits.
        pairs: how many; their sounds are `sounds/01-a.wav`, `sounds/01-b.wav` and so on.
    """
    sections = "\n".join(_pair(number, pairs) for number in range(1, pairs + 1))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_STYLE}</style>\n</head>\n"
        f'<body data-test="{escape(test)}" data-pairs="{pairs}">\n'
        f"<header><h1>{escape(title)}</h1>{_intro(pairs)}</header>\n"
        f"<main>\n{sections}\n{_end(pairs)}\n</main>\n{_steps()}\n"
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _intro(pairs: int) -> str:
    return (
        '<div id="intro">'
        f"<p>You will hear {pairs} pairs of short pieces. Use headphones or good speakers, and "
        "set the volume once, before you begin. Play both pieces of a pair as often as you like, "
        "then answer.</p>"
        '<p class="keys"><kbd>A</kbd> and <kbd>B</kbd> start and stop the pieces, '
        "<kbd>Tab</kbd> moves on, arrow keys choose.</p>"
        '<p><label for="listener">Your name or initials</label>'
        '<input id="listener" autocomplete="off" maxlength="80" spellcheck="false"></p>'
        "</div><noscript><p><b>This page needs JavaScript to keep your answers. Please allow it "
        "for this page; nothing is sent anywhere.</b></p></noscript>"
    )


def _pair(number: int, pairs: int) -> str:
    questions = [
        _choice(number, "preferred"),
        _rating(number, "a"),
        _rating(number, "b"),
        _choice(number, "person"),
    ]
    return (
        f'<section id="pair-{number}" data-pair="{number}" aria-labelledby="head-{number}" hidden>'
        f'<h2 id="head-{number}" tabindex="-1">Pair {number} <span class="of">of {pairs}</span>'
        f'</h2><div class="clips">{_clip(number, "a")}{_clip(number, "b")}</div>'
        '<p class="first" role="status">Listen to both first.</p>'
        f'<fieldset class="answers" disabled><legend class="unseen">Your answers on pair {number}'
        f"</legend>{''.join(questions)}</fieldset></section>"
    )


def _clip(number: int, side: str) -> str:
    letter = side.upper()
    return (
        f'<div class="clip"><span class="letter" aria-hidden="true">{letter}</span>'
        f'<audio controls controlslist="nodownload noplaybackrate" preload="metadata" '
        f'data-side="{side}" src="sounds/{number:02d}-{side}.wav" '
        f'aria-label="Piece {letter} of pair {number}"></audio></div>'
    )


def _choice(number: int, name: str) -> str:
    question, choices = _CHOICES[name]
    return _question(number, name, question, choices, "choice")


def _rating(number: int, side: str) -> str:
    choices = tuple((str(i), f"<b>{i}</b> {word}") for i, word in enumerate(_SCALE, start=1))
    question = f"How good is {side.upper()}?"
    return _question(number, f"rating_{side}", question, choices, "scale")


def _question(
    number: int, name: str, question: str, choices: tuple[tuple[str, str], ...], kind: str
) -> str:
    options = "".join(
        f'<label><input type="radio" name="{name}-{number}" data-question="{name}" '
        f'value="{value}"><span>{label}</span></label>'
        for value, label in choices
    )
    return (
        f'<fieldset class="{kind}"><legend>{question}</legend>'
        f'<div class="options">{options}</div></fieldset>'
    )


def _end(pairs: int) -> str:
    return (
        '<section id="end" aria-labelledby="head-end" hidden>'
        '<h2 id="head-end" tabindex="-1">Thank you</h2>'
        f'<p id="left" role="status"></p><ol id="marks" aria-label="The {pairs} pairs"></ol>'
        '<p><button type="button" id="save" class="main">Save my answers</button></p>'
        '<p id="saved" role="status"></p>'
        "<p>Hand the saved file to whoever gave you this page.</p>"
        '<p><button type="button" id="again">Clear all, for another listener</button></p></section>'
    )


def _steps() -> str:
    return (
        '<nav class="steps" aria-label="Pairs">'
        '<button type="button" id="back">Back</button>'
        '<progress id="progress" value="0" max="1" aria-label="Pairs answered"></progress>'
        '<button type="button" id="next" class="main">Next</button></nav>'
    )


_STYLE = """
body { max-width: 52rem; padding-bottom: 7rem; }
header { border-bottom: 0; padding-bottom: 0; }
#intro p { max-width: 62ch; margin: 0 0 1rem; }
.keys, .of, .first { color: var(--soft); }
kbd { font: .86em ui-monospace, "SF Mono", Menlo, Consolas, monospace; padding: .1rem .4rem;
  border: 1px solid var(--line); border-radius: 5px; background: var(--card); }
label[for=listener] { display: block; font-weight: 600; margin-bottom: .35rem; }
#listener { font: inherit; color: inherit; width: min(24rem, 100%); padding: .55rem .8rem;
  border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
section { margin-top: 1.5rem; }
h2:focus { outline: none; }
.of { font-weight: 400; }
.clips { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr));
  gap: 1rem; margin: 1.25rem 0 .75rem; }
.clip { display: flex; align-items: center; gap: .9rem; padding: .8rem 1rem; min-width: 0;
  border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.clip.playing { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.clip audio { flex: 1 1 auto; }
.letter { font: 600 1.7rem/1 "Iowan Old Style", Palatino, Georgia, serif; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
.answers { transition: opacity .2s; }
.answers:disabled { opacity: .4; }
.answers > fieldset { margin-top: 1.4rem; }
.answers > fieldset legend { font-weight: 600; padding: 0; margin-bottom: .5rem; }
.options { display: flex; flex-wrap: wrap; gap: .5rem; }
.options label { position: relative; }
.options input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.options span { display: block; padding: .5rem 1.1rem; min-width: 4.2rem; text-align: center;
  border: 1px solid var(--line); border-radius: 999px; background: var(--card); }
.scale .options { display: grid; grid-template-columns: repeat(5, 1fr); }
.scale .options span { padding: .45rem .2rem; min-width: 0; border-radius: 12px;
  font-size: .8rem; line-height: 1.3; }
.scale b { display: block; font-size: 1rem; }
.options input:hover:enabled + span { border-color: var(--accent); }
.options input:checked + span { background: var(--ink); border-color: var(--ink);
  color: var(--paper); }
.options input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 3px; }
button { font: inherit; color: var(--ink); padding: .55rem 1.4rem; cursor: pointer;
  border: 1px solid var(--line); border-radius: 999px; background: var(--card); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--paper);
  font-weight: 600; }
button:disabled { opacity: .4; cursor: default; }
.steps { position: fixed; inset: auto 0 0; display: flex; align-items: center; gap: 1.25rem;
  justify-content: center; padding: .9rem 1rem; background: var(--paper);
  border-top: 1px solid var(--line); }
progress { flex: 0 1 20rem; height: .45rem; accent-color: var(--accent); }
#marks { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none; }
#marks button { min-width: 3rem; padding: .4rem .6rem; }
#marks .done { background: var(--ink); color: var(--paper); border-color: var(--ink); }
@media print { .steps { display: none; } }
"""

_SCRIPT = """
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
  const plain = name.replace(/[^\\p{L}\\p{N}]+/gu, "-").replace(/^-|-$/g, "");
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
"""
