// What outlives a reload: each tab has its own, and a new one begins with what was kept last.

const stores = [sessionStorage, localStorage];

export const recall = (name) => JSON.parse(stores.map((store) => store.getItem(name)).find(Boolean) || "null");

export function keep(name, value) {
  for (const store of stores) {
    try {
      store.setItem(name, JSON.stringify(value));
    } catch {
      store.removeItem(name); // too large to outlive a reload
    }
  }
}
