// Files that wait to be signed, with what is said of them: kept in this browser until they are, so
// that neither a reload nor a closed browser loses an answer. Each is one person's at one studio.

import { Store } from "./store.js";

const drafts_here = new Store("studio-drafts", "drafts", ["place", "key"]);

// In the order in which they came.
export async function kept_drafts(place) {
  return (await drafts_here.all()).filter((one) => one.place === place).sort((one, other) => one.at - other.at);
}

// A file that could not be asked about is asked about again after a reload.
export function keep_drafts(place, drafts) {
  const said = ({ checked, status, failed }) => (failed ? { checked: null, status: "" } : { checked, status });
  return drafts_here.put(...drafts.map((one) => {
    const { at, key, name, midi, stated } = one;
    return { place, at, key, name, midi, stated, ...said(one) };
  }));
}

export const forget_draft = (place, key) => drafts_here.forget([place, key]);
