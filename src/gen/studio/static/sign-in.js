// The door of a house that is served: sign in with a key, bring one, or make one and ask.

import { by_id, on, options, say } from "./common.js";
import { can_hold_keys, download, enrolment_request, forget, kept_keys, make_key, open_key, passphrase_problem, spoken, take_file } from "./keys.js";
import { last_person, served_house, sign_in } from "./session.js";

const house = served_house();
let keys = [];

const chosen = () => keys.find((one) => one.keyid === by_id("who").value);

async function show_keys(keyid = "") {
  keys = await kept_keys(house);
  by_id("with-key").hidden = !keys.length;
  by_id("new").open = by_id("new").open || !keys.length;
  const wanted = keys.find((one) => one.keyid === keyid) || keys.find((one) => one.owner === last_person()) || keys.at(-1);
  options(by_id("who"), keys.map((one) => [one.keyid, `${one.owner}${keys.length > 1 ? ` (key ${spoken(one.keyid)})` : ""}`]), wanted ? wanted.keyid : null);
  show_lock();
}

function show_lock() {
  const one = chosen();
  by_id("passphrase-part").hidden = Boolean(one && one.open);
}

// Does what a form asks for; what goes wrong stands in it.
function careful(form, problem, action) {
  by_id(problem).textContent = "";
  on(form, form.endsWith("form") ? "submit" : "change", async () => {
    by_id(problem).textContent = "";
    try {
      await action();
    } catch (error) {
      by_id(problem).textContent = error.message;
    }
  });
}

careful("open-form", "open-problem", async () => {
  const one = chosen();
  await sign_in(one.open ? one : await open_key(one, by_id("passphrase").value));
  const to = new URLSearchParams(location.search).get("to");
  location.assign(`/${document.body.dataset.rooms.split(" ").includes(to) ? to : ""}`);
});

careful("key-file", "bring-problem", async () => {
  const [file] = by_id("key-file").files;
  if (!file) return;
  if (file.size > 10_000) throw new Error("This is no key file.");
  const one = await take_file(await file.text(), house);
  by_id("bring").open = by_id("new").open = false;
  await show_keys(one.keyid);
  by_id("passphrase").focus();
  say(`The key of ${one.owner} is in this browser now, sealed as it was.`);
});

careful("new-form", "new-problem", async () => {
  const passphrase = by_id("new-passphrase").value, problem = passphrase_problem(passphrase);
  if (problem) throw new Error(problem);
  if (passphrase !== by_id("again").value) throw new Error("The two passphrases differ.");
  const one = await make_key(house, by_id("id").value, passphrase);
  by_id("new-passphrase").value = by_id("again").value = "";
  const request = await enrolment_request(one);
  await send_request(one, request);
  by_id("spoken").textContent = spoken(one.keyid);
  by_id("request").textContent = request;
  by_id("back-up-new").onclick = () => download(one);
  by_id("new").open = false;
  by_id("new").hidden = by_id("bring").hidden = true;
  by_id("asked").hidden = false;
  by_id("asked-title").tabIndex = -1;
  by_id("asked-title").focus();
  await show_keys(one.keyid);
});

async function send_request(one, request) {
  const body = JSON.stringify({ id: one.owner, name: by_id("name").value.trim(), request });
  const answer = await fetch("/api/v1/enrolments", { method: "POST", headers: { "content-type": "application/json" }, body });
  if (answer.ok) return;
  const { error } = await answer.json();
  await forget(one.keyid);
  throw new Error([error.what, error.mend].filter(Boolean).join(" — "));
}

by_id("who").addEventListener("change", show_lock);
on("back-up", "click", () => download(chosen()));
on("forget", "click", async () => {
  const button = by_id("forget"), one = chosen();
  if (button.dataset.sure !== one.keyid) {
    button.dataset.sure = one.keyid;
    button.textContent = "Forget it: I have a backup";
    return;
  }
  await forget(one.keyid);
  button.textContent = "Forget this key";
  await show_keys();
});

async function start() {
  if (!can_hold_keys()) {
    by_id("cannot").hidden = false;
    for (const part of ["bring", "new"]) by_id(part).hidden = true;
    return;
  }
  await show_keys();
}
start().catch((error) => say(error.message, true));
