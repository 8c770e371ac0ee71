// The house: works to find, hear and follow, consent, withdrawing, the log as it stands.

import { ask, begin, by_id, complain, element, facts, on, options, people, plain, plural, purposes, say, shares, shown_text, when } from "./common.js";
import { allow, say_terms, withdraw } from "./hands.js";
import { show_dealings } from "./dealings.js";
import { show_models } from "./models.js";
import { show_papers } from "./papers.js";
import { spoken } from "./keys.js";
import { Turning } from "./turning.js";
import { viewer } from "./viewing.js";

const view = viewer();
let chosen = ""; // the work that was asked for last; it is shown once it is known
let shown = null;
let is_sealed = false;

const FILTERS = ["text", "composer", "genre", "key", "consent"];

// Works that are asked for, a page at a time.
function asked_for(first, most) {
  const form = by_id("filters"), said = FILTERS.map((name) => [name, form.elements[name].value.trim()]);
  return ask(`/works?${new URLSearchParams({ ...Object.fromEntries(said.filter(([, value]) => value)), first, most })}`).then((page) => ({ ...page, in_all: page.found }));
}

const list = new Turning("works", asked_for, ({ works, found, all }) => {
  by_id("count").textContent = found === all ? plural(all, "work") : `${found || "none"} of ${plural(all, "work")}`;
  by_id("works").replaceChildren(...works.map((one) => {
    const said_of_it = [Object.keys(one.composers).join(", "), plain(one.genre), one.key, one.state === "withdrawn" ? "withdrawn" : ""];
    const button = element("button", { type: "button" }, one.title || one.work, element("small", { textContent: said_of_it.filter(Boolean).join(", ") }));
    button.dataset.work = one.work;
    button.setAttribute("aria-current", String(shown !== null && shown.work === one.work));
    on(button, "click", () => show(one.work));
    return element("li", {}, button);
  }));
}, 50);

// What an act did, in the words of its kind.
const DID = {
  add: "Accepted into the house", adopt: "Taken over from another house", consent: "Consent changed", withdraw: "Withdrawn",
  terms: "Terms said", approve: "A use approved", begin: "A run began with it", end: "A run ended", model: "A model that learned from it was entered",
  retire: "A model that learned from it was retired", complain: "A complaint about it was entered", answer: "A complaint about it was answered",
};

const used_in_words = ({ runs, checkpoints, pieces }) => `${plural(runs.length, "run")}, ${plural(checkpoints.length, "model")} and ${plural(pieces.length, "piece")}`;

async function show_history(work) {
  const acts = await ask(`/works/${work}/acts`);
  if (chosen !== work) return;
  by_id("acts").replaceChildren(...acts.map((one) => element("li", {},
    `${DID[one.act] || one.act} by ${one.by}, ${when(one.time)}${one.said ? `: ${one.said}` : ""} `,
    element("a", { href: `/api/v1/proofs/${one.index}`, textContent: `proof of act ${one.index}`, download: `act-${one.index}.proof.json` }))));
}

async function show(work) {
  const is_another = chosen !== work;
  chosen = work;
  const found = await ask(`/works/${work}`);
  if (chosen !== work) return; // another was chosen meanwhile
  shown = found;
  for (const button of by_id("works").querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.work === work));
  by_id("work").hidden = false;
  by_id("work-title").textContent = shown_text(shown.title || shown.work);
  const used = shown.used_by;
  facts(by_id("facts"), [
    ["work", shown.work], ["state", shown.state], ["by", shares(shown.composers)], ["entered", when(shown.entered)], ["accepted by", shown.accepted_by],
    ["genre", plain(shown.genre)], ["mood", shown.mood], ["key", shown.key], ["made", shown.method],
    ["may be used for", purposes(shown.consent)], ["contract", shown.contract],
    ...shown.terms.map((one) => [`terms of ${one.composer}`, one.words]),
    ["used by", used_in_words(used)],
    ["music (SHA-256)", shown.music_sha256],
  ]);
  by_id("allow").value = shown.consent;
  by_id("reach").textContent = `Used by ${used_in_words(used)} so far. A change counts from now on: what models have learned, they keep.`;
  by_id("touch").textContent = "";
  show_terms();
  const may_change = !is_sealed && shown.state === "in the house", actions = by_id("own-actions");
  actions.hidden ||= is_another || !may_change;
  await Promise.all([
    ask(`/works/${work}/score`).then((score) => { if (chosen === work) view(score); }),
    // Below the history: before it is there, what somebody presses would move away from under them.
    show_history(work).then(() => { if (chosen === work) actions.hidden = !may_change; }),
  ]);
}

let typing = 0;
by_id("filters").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => list.to(0).catch(complain), 200);
});
on("filters", "submit", () => list.to(0));
// When every file was judged last at this studio: its computer's word, which nobody signed.
function show_latest_audit(last) {
  if (!last) return;
  const since = last.acts_since ? `${plural(last.acts_since, "act")} since` : "none since";
  by_id("audited").textContent = `last ${when(last.time)}${last.by ? ` by ${last.by}` : ""} at ${plural(last.acts, "act")} of the log, ${since}: ${last.admitted} of ${last.seen} files admitted, ${last.not_consented} not consented, ${last.refused} refused`;
}

on("audit", "click", async () => {
  by_id("audited").textContent = "judging every file…";
  const found = await ask("/audit", {});
  const bad = found.refused.map((one) => `${one.path} (${one.rule}): ${one.found}`).join("; ");
  by_id("audited").textContent = `${found.admitted} of ${found.seen} files admitted, ${found.not_consented} not consented, ${found.refused.length} refused${bad ? `: ${bad}` : ""}`;
});
const terms = by_id("terms").elements;

// The terms that stand, of whoever is chosen; else what the consent says, and every use.
function show_terms() {
  const said = shown.terms.find((one) => one.composer === by_id("person").value);
  const consent = (said ? said.consent : shown.consent).split(" ");
  for (const box of terms.scope) box.checked = consent.some((word) => word.split(/[@:]/)[0] === box.value);
  for (const name of ["sampling", "sale", "style"]) {
    const use = said && said.uses.find((one) => one.use === name && one.is_live);
    terms[name].value = use && use.approval ? "ask" : use || !said ? "yes" : "";
  }
  const days = new Set([...consent.map((word) => word.split("@")[1] || ""), ...(said ? said.uses.map((one) => one.until || "") : [])]);
  terms.until.value = days.size === 1 ? [...days][0] : "";
  terms.share.value = said ? said.share : 100;
  terms.fee.value = said ? said.fee : "0";
  terms.this_version.checked = Boolean(said && said.this_version);
}

on("person", "change", () => shown && show_terms());
on("terms", "submit", async () => {
  const composer = by_id("person").value, day = terms.until.value ? `@${terms.until.value}` : "";
  const scopes = [...terms.scope].filter((box) => box.checked).map((box) => (box.value === "artist_model" ? `artist_model:${composer}` : box.value));
  const uses = ["sampling", "sale", "style"].filter((name) => terms[name].value);
  await say_terms(shown.work, {
    composer, allow: [...scopes, ...uses].map((word) => word + day).join(" ") || "nothing",
    ask_first: uses.filter((name) => terms[name].value === "ask"), this_version: terms.this_version.checked,
    share: Number(terms.share.value), fee: terms.fee.value.trim(),
  });
  say("These terms count from now on.");
  await load(shown.work);
});
on("set-consent", "click", async () => {
  const composer = by_id("person").value;
  await allow(shown.work, { composer, allow: by_id("allow").value });
  say("Consent is changed from now on.");
  await load(shown.work);
});
on("withdraw", "click", async () => {
  const button = by_id("withdraw"), used = shown.used_by, person = by_id("person").value;
  if (button.dataset.sure !== shown.work) {
    button.dataset.sure = shown.work;
    by_id("touch").textContent = `It was used by ${used_in_words(used)}${used.checkpoints.length ? ` (${used.checkpoints.join(", ")})` : ""}. ${used.checkpoints.length ? "A model does not forget: it has to be trained anew. " : ""}Press again to withdraw it for ever.`;
    return;
  }
  await withdraw(shown.work, shown, { person, reason: by_id("why").value });
  button.dataset.sure = "";
  say(`${shown.title || shown.work} is withdrawn.`);
  await load(shown.work);
});

async function load(work = null) {
  await list.to(list.first);
  if (work) await show(work);
}

// Who asks to be enrolled, for curators: what they tell the holder of a root key.
function show_asking(waiting) {
  by_id("enrolments").hidden = !waiting.length;
  by_id("asking").replaceChildren(...waiting.map((one) => {
    const drop = element("button", { type: "button", className: "quiet", textContent: "Turn away" });
    on(drop, "click", async () => show_asking(await ask(`/enrolments/${one.keyid}`, undefined, "DELETE")));
    const command = `python scripts/house.py enroll ${one.id} --name ${JSON.stringify(one.name || one.id)} --role composer --public ${one.request}`;
    return element("li", {}, element("p", {}, `${one.name || one.id} asks to be taken in as ${one.id}, with the key `, element("strong", { textContent: spoken(one.keyid) }), " ", drop),
      element("details", {}, element("summary", { textContent: "The command" }), element("p", { className: "request", textContent: command })));
  }));
}

async function start() {
  const house = await begin();
  is_sealed = house.is_sealed;
  const me = house.people.find((one) => one.id === house.signed_in);
  if (me && me.roles.includes("curator")) show_asking(await ask("/enrolments"));
  facts(by_id("house-facts"), [
    ["house", house.folder ? `${house.house} (${house.folder})` : house.house], ["works", `${house.works} in the house, ${house.withdrawn} withdrawn, ${house.waiting} waiting`],
    ["people", house.people.map((one) => `${one.name || one.id} (${one.roles.join(", ")})`).join("; ")],
    ["log", `${house.acts} acts, root ${house.root}`], ["pinned", `${house.pin_acts} acts`], ["sealed", house.is_sealed ? "yes: nothing can be entered any more" : ""],
  ]);
  people("composer", by_id("person"));
  show_latest_audit(await ask("/audit"));
  options(by_id("filters").elements.composer, house.people.filter((one) => one.roles.includes("composer")).map((one) => [one.id, one.name || one.id]));
  options(by_id("filters").elements.genre, (await ask("/words")).genres);
  await load();
  const may = (...roles) => !house.is_sealed && (!me || me.roles.some((role) => roles.includes(role)));
  const runs = await show_models(may("curator"));
  await show_dealings(may("curator", "producer"));
  await show_papers(runs, !me || me.roles.some((role) => ["curator", "producer"].includes(role)), may("curator"));
  const seen = await ask("/witnesses");
  by_id("witnessed").textContent = seen.lines.join("; ");
}
start().catch((error) => say(error.message, true));
