// The models that the house's runs left, and taking them out of use.

import { ask_all, by_id, day, on, options, people, plain, plural, row, say } from "./common.js";
import { retire } from "./hands.js";

let runs = [];
const form = by_id("retire");
const in_use = (run) => run.models.filter((model) => !model.retired);

function stands({ models }) {
  const acts = new Map(models.filter((one) => one.retired).map(({ retired }) => [retired.act, retired]));
  const words = [...acts.values()].map((one) => `retired by ${one.by}, act ${one.act}${one.reason ? `: ${one.reason}` : ""}`);
  const left = models.filter((one) => !one.retired).length;
  return [...(left ? [`${plural(left, "model")} in use`] : []), ...words].join("; ");
}

function show() {
  by_id("models").hidden = !runs.length;
  by_id("no-models").hidden = Boolean(runs.length);
  by_id("models").tBodies[0].replaceChildren(...runs.map((run) => row([`${run.name} (act ${run.run})`, plain(run.purpose), day(run.time), plural(run.works, "work"), plural(run.pieces, "piece"), stands(run)])));
  options(form.elements.run, runs.filter((run) => in_use(run).length).map((run) => [String(run.run), `${run.name} (act ${run.run})`]));
}

// `may` says whether whoever looks may retire models; gives the runs that left some.
export async function show_models(may) {
  runs = await ask_all("/models");
  show();
  if (!may) return runs;
  people("curator", form.elements.curator);
  form.hidden = !runs.some((run) => in_use(run).length);
  on(form, "submit", async () => {
    const run = runs.find((one) => String(one.run) === form.elements.run.value), touch = by_id("retire-touch");
    if (touch.dataset.sure !== String(run.run)) {
      touch.dataset.sure = run.run;
      touch.textContent = `${plural(in_use(run).length, "model")} of ${run.name}, which learned from ${plural(run.works, "work")} and wrote ${plural(run.pieces, "piece")}, will write nothing any more. Press again to retire for ever.`;
      return;
    }
    const models = in_use(run).map((model) => model.sha256);
    await retire(run.run, { curator: form.elements.curator.value, reason: form.elements.reason.value.trim(), models });
    touch.textContent = touch.dataset.sure = "";
    say(`The models of ${run.name} are retired.`);
    runs = await ask_all("/models");
    show();
    form.hidden = !runs.some((one) => in_use(one).length);
  });
  return runs;
}
