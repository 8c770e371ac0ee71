// The complaints desk: those that concern who looks, their answers, and entering both.

import { ask_all, by_id, element, on, people, say, when } from "./common.js";
import { answer, complain_of } from "./hands.js";

const GONE = "Its record was removed: only that it was entered is known.";

function one_answer({ act, by, time, text }) {
  return element("p", {}, element("strong", { textContent: `Answered by ${by}` }), ` (act ${act}, ${when(time)}): ${text ?? GONE}`);
}

// Where curators answer; `after` is called with all complaints as they are then.
function answering(one, after) {
  const curator = element("select", { required: true, "aria-label": "You are" });
  const text = element("input", { required: true, placeholder: "what it is answered", maxLength: 20000, "aria-label": `Answer to the complaint of act ${one.act}` });
  const form = element("form", { className: "actions" }, curator, text, element("button", { type: "submit", textContent: "Answer" }));
  people("curator", curator);
  on(form, "submit", async () => {
    after(await answer(one.act, { curator: curator.value, text: text.value.trim() }));
    say("The answer is entered.");
  });
  return form;
}

function show(found, may_answer) {
  by_id("no-complaints").textContent = found.length ? "" : "None that concern you.";
  by_id("complaints").replaceChildren(...found.map((one) => {
    const about = one.about.length ? `About ${one.about.join(", ")}. ` : "", who = one.who ? `From ${one.who}. ` : "";
    return element("li", { className: "case" },
      element("p", {}, element("strong", { textContent: one.text ?? GONE })),
      element("p", { className: "hint", textContent: `${who}${about}Entered by ${one.by}, act ${one.act}, ${when(one.time)}` }),
      ...one.answers.map(one_answer), ...(may_answer ? [answering(one, (all) => show(all, may_answer))] : []));
  }));
}

// Makes the form ready, and gives what shows the complaints. `role` is that of who enters them here;
// `may_answer` says whether they answer them, too.
export function complaints_desk(role, may_answer) {
  const form = by_id("complain"), { elements } = form;
  people(role, elements.person);
  on(form, "submit", async () => {
    const about = elements.about.value.split(",").map((word) => word.trim()).filter(Boolean);
    show(await complain_of({ person: elements.person.value, who: elements.who.value.trim(), text: elements.text.value.trim(), about }), may_answer);
    say("The complaint is entered.");
    form.reset();
  });
  return async () => show(await ask_all("/complaints"), may_answer);
}
