// Signed in or not, in a house that is served: signing in, again where a session has ended, out.

import { kept_keys, lock, sign_in_answer } from "./keys.js";

export const served_house = () => document.body.dataset.house || "";
const LAST = "studio-last-person";

async function post(path, body) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`/api/v1${path}`, options), said = await answer.json();
  if (!answer.ok) throw new Error([said.error.what, said.error.mend].filter(Boolean).join(" — "));
  return said;
}

// With a key that is open.
export async function sign_in(key) {
  const { challenge } = await post("/sign-in/challenge", {});
  await post("/sign-in", await sign_in_answer(key, challenge));
  localStorage.setItem(LAST, key.owner);
}

export const last_person = () => localStorage.getItem(LAST) || "";

// After a session has ended, with the key of whoever was signed in last, if it is still open.
export async function sign_in_again() {
  const keys = await kept_keys(served_house());
  const key = keys.find((one) => one.open && one.owner === last_person());
  if (!key) return false;
  try {
    await sign_in(key);
    return true;
  } catch {
    return false;
  }
}

export async function sign_out() {
  await lock(served_house());
  localStorage.removeItem(LAST);
  sessionStorage.clear(); // whoever comes next begins with nothing of theirs
  try {
    await post("/sign-out", {});
  } finally {
    location.assign("/sign-in");
  }
}
