// What this browser keeps: a store of records in a database of its own.

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Store {
  // `key` names the parts of a record by which it is found.
  constructor(database, name, key) {
    Object.assign(this, { database, name, key, opened: null });
  }

  async open(mode) {
    // Open from the first time on, so that a change is written at once: a page may be closed right after.
    this.opened ??= this.begin();
    try {
      return (await this.opened).transaction(this.name, mode).objectStore(this.name);
    } catch (error) {
      this.opened = null; // the browser may have closed it: whoever asks again opens it anew
      throw error;
    }
  }

  begin() {
    const opening = indexedDB.open(this.database, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(this.name, { keyPath: this.key });
    return done(opening);
  }

  async all() {
    return done((await this.open("readonly")).getAll());
  }

  async put(...records) {
    const kept = await this.open("readwrite");
    const written = Promise.all(records.map((one) => done(kept.put(one))));
    kept.transaction.commit();
    await written;
  }

  async forget(key) {
    await done((await this.open("readwrite")).delete(key));
  }
}
