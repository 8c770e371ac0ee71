// The papers that the house gave out: listed, taken away, told by a file, written and entered.

import { Refused, ask, ask_file, base64, by_id, day, element, on, options, people, row, say } from "./common.js";
import { enter_paper } from "./hands.js";
import { digest_of } from "./records.js";
import { Turning } from "./turning.js";

const writing = by_id("write-paper"), entering = by_id("enter-paper"), told = by_id("paper-told");
let may_take = false, may_enter = false;
let chosen = null; // a file, its digest, what the log and the studio have: {file, sha256, is_known, is_kept}

function taken(one) {
  if (!one.is_kept || !may_take) return "";
  return element("a", { href: `/api/v1/papers/${one.sha256}`, textContent: "Take away", download: "" });
}

const list = new Turning("papers", (first, most) => ask(`/papers?first=${first}&most=${most}`), ({ papers, in_all }) => {
  by_id("papers").hidden = !in_all;
  by_id("no-papers").hidden = Boolean(in_all);
  by_id("papers").tBodies[0].replaceChildren(...papers.map((one) => {
    const line = row([one.kind, day(one.time), `${one.by}, act ${one.act}`, `${one.sha256.slice(0, 16)}…`]);
    line.append(element("td", {}, taken(one)));
    return line;
  }));
});

const offer_entering = () => (entering.hidden = !may_enter || !chosen || chosen.is_kept);

// Whether the log has a file; one that it has not can be entered, and one that it has, kept.
async function look_up(file) {
  chosen = null;
  entering.hidden = true;
  const sha256 = await digest_of(file), { papers } = await ask(`/papers?sha256=${sha256}`), found = papers.at(-1);
  chosen = { file, sha256, is_known: Boolean(found), is_kept: Boolean(found && found.is_kept) };
  told.textContent = found ? `${file.name} is the ${found.kind} that ${found.by} entered on ${day(found.time)}, act ${found.act}, to the byte.` : `${file.name} is no paper of this log: changed since it was entered, or never entered (SHA-256 ${sha256}).`;
  offer_entering();
  by_id("enter-button").textContent = found ? "Keep it here, to be taken away" : "Enter it, and keep it here";
  for (const name of ["kind", "model", "curator"]) entering.elements[name].closest("label").hidden = Boolean(found);
}

on("paper-file", "change", async () => {
  const [file] = by_id("paper-file").files;
  if (file) await look_up(file);
});

function save(file) {
  const link = element("a", { href: URL.createObjectURL(file), download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const asks_more = () => {
  const is_summary = writing.elements.kind.value === "summary";
  by_id("says-part").hidden = !is_summary;
  writing.elements.says.required = is_summary;
};
on(writing.elements.kind, "change", asks_more);

on(writing, "submit", async () => {
  const { kind, model, says } = writing.elements, [run, sha256] = model.value.split("/");
  if (!sha256) throw new Refused({ what: "no model is known that a paper could be about" }, 0);
  told.textContent = "Being written: the works are read…";
  try {
    const more = kind.value === "summary" ? { says: await base64(says.files[0]) } : {};
    const file = await ask_file(`/models/${run}/paper`, { kind: kind.value, model: sha256, ...more });
    save(file);
    await look_up(file);
    entering.elements.kind.value = kind.value;
    entering.elements.model.value = sha256;
    told.textContent = `${file.name} is written and taken away. It is in the log once a curator enters it (SHA-256 ${chosen.sha256}).`;
  } catch (error) {
    told.textContent = "";
    throw error;
  }
});

on(entering, "submit", async () => {
  const { kind, model, curator } = entering.elements, { file, sha256, is_known } = chosen;
  const body = { curator: curator.value, file: await base64(file), kind: kind.value.trim() || "paper", model: model.value };
  await enter_paper(sha256, is_known, body);
  say(is_known ? `${file.name} is kept, to be taken away.` : `${file.name} is entered, and kept to be taken away.`);
  await look_up(file);
  await list.to(0);
});

// `takes` and `enters` say what whoever looks may do; `runs` are those that left models.
export async function show_papers(runs, takes, enters) {
  [may_take, may_enter] = [takes, enters];
  offer_entering();
  const left = runs.flatMap((run) => run.models.map((model) => [run, model]));
  writing.hidden = !takes || !left.length;
  options(writing.elements.model, left.map(([run, model]) => [`${run.run}/${model.sha256}`, `${run.name}: ${model.name}`]));
  options(entering.elements.model, left.map(([run, model]) => [model.sha256, `${run.name}: ${model.name}`]));
  people("curator", entering.elements.curator);
  asks_more();
  await list.to(0);
}
