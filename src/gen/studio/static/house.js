// The house: works to find, hear and follow, consent, withdrawing, the log as it stands.

import { ask, begin, by_id, element, facts, need_key, on, options, people, say, shares } from "./common.js";
import { viewer } from "./viewing.js";

const MOST = 200;
const view = viewer();
let works = [];
let shown = null;

function list() {
  const words = by_id("find").value.toLowerCase().split(/\s+/).filter(Boolean), by = by_id("by").value;
  const found = works.filter((one) => {
    const text = `${one.title} ${one.work} ${Object.keys(one.composers).join(" ")} ${one.consent} ${one.state}`.toLowerCase();
    return words.every((word) => text.includes(word)) && (!by || by in one.composers);
  });
  by_id("count").textContent = `${found.length} of ${works.length} works${found.length > MOST ? `, the first ${MOST} shown` : ""}`;
  by_id("works").replaceChildren(...found.slice(0, MOST).map((one) => {
    const button = element("button", { type: "button" }, one.title || one.work, element("small", { textContent: `${Object.keys(one.composers).join(", ")}${one.state === "withdrawn" ? ", withdrawn" : ""}` }));
    button.setAttribute("aria-current", String(shown !== null && shown.work === one.work));
    on(button, "click", () => show(one.work));
    return element("li", {}, button);
  }));
}

async function show(work) {
  shown = await ask(`/works/${work}`);
  list();
  by_id("work").hidden = false;
  by_id("work-title").textContent = shown.title || shown.work;
  const used = shown.used_by;
  facts(by_id("facts"), [
    ["work", shown.work], ["state", shown.state], ["by", shares(shown.composers)], ["entered", shown.entered], ["accepted by", shown.accepted_by],
    ["genre", shown.genre.replaceAll("_", " ")], ["mood", shown.mood], ["key", shown.key], ["made", shown.method],
    ["may be used for", shown.consent], ["contract", shown.contract], ["acts in the log", shown.acts.join(", ")],
    ["used by", `${used.runs.length} runs, ${used.checkpoints.length} models, ${used.pieces.length} pieces`],
    ["music (SHA-256)", shown.music_sha256],
  ]);
  by_id("allow").value = shown.consent;
  by_id("touch").textContent = "";
  by_id("own-actions").hidden = shown.state !== "in the house";
  view(await ask(`/works/${work}/score`));
}

on("find", "input", list);
on("by", "change", list);
on("audit", "click", async () => {
  by_id("audited").textContent = "judging every file…";
  const found = await ask("/audit", {});
  const bad = found.refused.map((one) => `${one.path} (${one.rule}): ${one.found}`).join("; ");
  by_id("audited").textContent = `${found.admitted} of ${found.seen} files admitted, ${found.not_consented} not consented, ${found.refused.length} refused${bad ? `: ${bad}` : ""}`;
});
on("set-consent", "click", async () => {
  const composer = by_id("person").value;
  await need_key(composer);
  await ask(`/works/${shown.work}/consent`, { composer, allow: by_id("allow").value });
  say("Consent is changed from now on.");
  await load(shown.work);
});
on("withdraw", "click", async () => {
  const button = by_id("withdraw"), used = shown.used_by, person = by_id("person").value;
  if (button.dataset.sure !== shown.work) {
    button.dataset.sure = shown.work;
    by_id("touch").textContent = `It was used by ${used.runs.length} runs, ${used.checkpoints.length} models (${used.checkpoints.join(", ") || "none"}) and ${used.pieces.length} pieces. A model does not forget: it has to be trained anew. Press again to withdraw it for ever.`;
    return;
  }
  await need_key(person);
  await ask(`/works/${shown.work}/withdraw`, { person, reason: by_id("why").value });
  button.dataset.sure = "";
  say(`${shown.title || shown.work} is withdrawn.`);
  await load(shown.work);
});

async function load(work = null) {
  works = await ask("/works");
  list();
  if (work) await show(work);
}

async function start() {
  const house = await begin();
  facts(by_id("house-facts"), [
    ["house", `${house.house} (${house.folder})`], ["works", `${house.works} in the house, ${house.withdrawn} withdrawn, ${house.waiting} waiting`],
    ["people", house.people.map((one) => `${one.name || one.id} (${one.roles.join(", ")})`).join("; ")],
    ["log", `${house.acts} acts, root ${house.root}`], ["pinned", `${house.pin_acts} acts`], ["sealed", house.is_sealed ? "yes: nothing can be entered any more" : ""],
  ]);
  people("composer", by_id("person"));
  options(by_id("by"), house.people.filter((one) => one.roles.includes("composer")).map((one) => [one.id, one.name || one.id]));
  await load();
}
start().catch((error) => say(error.message, true));
