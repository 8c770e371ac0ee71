// Files that wait to be signed, with what is said of them: kept in this browser until they are, so
// that neither a reload nor a closed browser loses an answer. Each is one person's at one studio.

const DATABASE = "studio-drafts", STORE = "drafts";

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Open from the first draft on, so that a change is written at once: a page may be closed right after.
let database = null;
function opened() {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: ["place", "key"] });
  return done(opening);
}

async function store(mode) {
  database ??= opened();
  try {
    return (await database).transaction(STORE, mode).objectStore(STORE);
  } catch (error) {
    database = null; // the browser may have closed it: whoever asks again opens it anew
    throw error;
  }
}

// In the order in which they came.
export async function kept_drafts(place) {
  const found = await done((await store("readonly")).getAll());
  return found.filter((one) => one.place === place).sort((one, other) => one.at - other.at);
}

// A file that could not be asked about is asked about again after a reload.
export async function keep_drafts(place, drafts) {
  const kept = await store("readwrite");
  const said = ({ checked, status, failed }) => (failed ? { checked: null, status: "" } : { checked, status });
  const written = Promise.all(drafts.map((one) => {
    const { at, key, name, midi, stated } = one;
    return done(kept.put({ place, at, key, name, midi, stated, ...said(one) }));
  }));
  kept.transaction.commit();
  await written;
}

export async function forget_draft(place, key) {
  await done((await store("readwrite")).delete([place, key]));
}
