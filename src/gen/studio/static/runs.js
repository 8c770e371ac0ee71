// Training runs: their curves, starting one, stopping it.

import { ask, begin, by_id, element, on, options, plural, say } from "./common.js";
import { served_house } from "./session.js";

const TURN = 4000;
const form = by_id("start");
let shown = null;
let heard = ""; // which pieces are shown, so that one that sounds is not taken away

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function plot(name, points) {
  const canvas = element("canvas", { width: 560, height: 260, role: "img" });
  const pen = canvas.getContext("2d");
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]).filter(Number.isFinite);
  const [left, right] = [Math.min(...xs), Math.max(...xs, Math.min(...xs) + 1)];
  const [low, high] = [Math.min(...ys), Math.max(...ys, Math.min(...ys) + 1e-9)];
  const x = (step) => 70 + ((step - left) / (right - left)) * 470, y = (value) => 225 - ((value - low) / (high - low)) * 205;
  pen.font = "20px system-ui, sans-serif";
  pen.fillStyle = css("--soft");
  pen.fillText(high.toPrecision(3), 2, 25);
  pen.fillText(low.toPrecision(3), 2, 228);
  pen.fillText(String(right), 480, 255);
  pen.strokeStyle = css("--accent");
  pen.lineWidth = 3;
  pen.beginPath();
  points.forEach(([step, value], at) => (at ? pen.lineTo(x(step), y(value)) : pen.moveTo(x(step), y(value))));
  pen.stroke();
  canvas.setAttribute("aria-label", `${name}: ${ys.at(-1)} at step ${right}`);
  return element("figure", {}, canvas, element("figcaption", { textContent: `${name}: ${ys.at(-1)?.toPrecision(4)}` }));
}

// What the run wrote after so many steps, to see and to hear; the newest unless another is chosen.
function show_pieces(pieces, [name, when]) {
  const steps = [...new Set(pieces.map((one) => one.step))], select = by_id("piece-step");
  const chosen = select.dataset.chosen && steps.includes(Number(select.value)) ? Number(select.value) : steps[0];
  by_id("pieces-part").hidden = !steps.length;
  if (select.dataset.steps !== String(steps)) options(select, steps.map((step) => [String(step), `step ${step}`])); // else it may be open
  select.dataset.steps = String(steps);
  select.value = String(chosen);
  const place = `/api/v1/runs/${encodeURIComponent(name)}/${encodeURIComponent(when)}/pieces`;
  if (heard === `${place}/${chosen}`) return;
  heard = `${place}/${chosen}`;
  by_id("pieces").replaceChildren(...pieces.filter((one) => one.step === chosen).map(({ number, step }) => element("figure", {},
    element("img", { src: `${place}/${number}/${step}/roll`, alt: `Piece ${number} after ${step} steps as a piano roll`, loading: "lazy" }),
    element("figcaption", { textContent: `Piece ${number}` }),
    element("audio", { controls: true, preload: "none", src: `${place}/${number}/${step}/sound`, "aria-label": `Piece ${number} after ${step} steps` }))));
}

async function show(name, when) {
  const asked = String([name, when]);
  if (String(shown) !== asked) delete by_id("piece-step").dataset.chosen;
  shown = [name, when];
  const found = await ask(`/runs/${encodeURIComponent(name)}/${encodeURIComponent(when)}`);
  if (String(shown) !== asked) return; // another was chosen meanwhile
  by_id("run").hidden = false;
  by_id("run-title").textContent = `${name}, ${when.replaceAll("_", " ")}`;
  by_id("stop-run").hidden = !found.is_running || Boolean(served_house());
  const names = Object.keys(found.curves).sort();
  by_id("curves").replaceChildren(...(names.length ? names.map((one) => plot(one, found.curves[one])) : [element("p", { className: "hint", textContent: "Nothing was measured yet." })]));
  show_pieces(found.pieces, shown);
  by_id("log").textContent = found.log.join("\n");
}

let listed = ""; // a list that stays as it is keeps the focus of who stands in it
let awaited = ""; // name of a run that was started here and has no folder yet

const is_shown = (one) => shown !== null && one.name === shown[0] && one.when === shown[1];

function mark_shown(found) {
  for (const button of by_id("runs").querySelectorAll("button")) button.setAttribute("aria-current", String(is_shown(found[button.dataset.at])));
}

async function load() {
  const found = await ask("/runs"), said = JSON.stringify(found);
  if (said !== listed) list(found);
  listed = said;
  const begun = found.find((one) => awaited && one.name === awaited && one.is_running && one.when);
  if (begun) {
    awaited = "";
    await show(begun.name, begun.when);
  }
  mark_shown(found);
  return found;
}

function list(found) {
  by_id("runs").replaceChildren(...found.map((one, at) => {
    const button = element("button", { type: "button" }, `${one.name}`, element("small", { textContent: `${one.when.replaceAll("_", " ")}${one.is_running ? ", running" : ""}, ${plural(one.checkpoints.length, "checkpoint")}` }));
    if (one.said) return element("li", {}, `${one.name} did not begin`, element("pre", { className: "alike", textContent: one.said }));
    button.dataset.at = at;
    on(button, "click", async () => {
      await show(one.name, one.when);
      mark_shown(found);
    });
    return element("li", {}, button);
  }));
  if (!found.length) by_id("runs").append(element("li", { className: "hint", textContent: "No run yet." }));
}

on(form, "submit", async () => {
  const said = Object.fromEntries(new FormData(form));
  await ask("/runs", { experiment: said.experiment, name: said.name, max_steps: said.max_steps ? Number(said.max_steps) : null });
  awaited = said.name;
  say("The run is starting; it is shown once it has begun.");
});
on("piece-step", "change", async () => {
  by_id("piece-step").dataset.chosen = "yes";
  await show(...shown);
});
on("stop-run", "click", async () => {
  await ask(`/runs/${encodeURIComponent(shown[0])}/stop`, {});
  say("It stops after its step, and can be resumed.");
});

async function start() {
  await begin();
  options(form.elements.experiment, await ask("/experiments"), "demo");
  const newest = (await load()).find((one) => one.when);
  if (newest) await show(newest.name, newest.when);
  setInterval(async () => {
    try {
      await load();
      if (shown) await show(...shown);
    } catch { /* said when somebody presses something */ }
  }, TURN);
}
start().catch((error) => say(error.message, true));
