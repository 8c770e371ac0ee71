// What outlives a reload: each tab has its own, and a new one begins with what was kept last. In a
// house that is served it is each person's own.

import { last_person, served_house } from "./session.js";

const stores = [sessionStorage, localStorage];

const place = (name) => (served_house() ? `${name}-${served_house()}-${last_person()}` : name);

export const recall = (name) => JSON.parse(stores.map((store) => store.getItem(place(name))).find(Boolean) || "null");

export function keep(name, value) {
  for (const store of stores) {
    try {
      store.setItem(place(name), JSON.stringify(value));
    } catch {
      store.removeItem(place(name)); // too large to outlive a reload
    }
  }
}
