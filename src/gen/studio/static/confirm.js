// The one place where people say that they sign: what is signed in words, to the letter, and as whom.

import { Refused, USES, by_id, element, facts, money, plain } from "./common.js";
import { key_of, open_key, spoken } from "./keys.js";
import { served_house } from "./session.js";

const MADE = { played: "played", programmed: "programmed", score: "written as a score", machine: "by a machine, in whole or in part" };
const SCOPES = { general_model: "the house's model", evaluation: "measuring models" };

function consent_in_words(grants) {
  const words = grants.map(({ scope, until }) => `${SCOPES[scope] || scope.replace("artist_model:", "the model of ")}${until ? ` until ${until}` : ""}`);
  return words.join(", ") || "nothing";
}

const uses_in_words = (uses) => uses.map(({ use, until, approval }) => `${USES[use]}${until ? ` until ${until}` : ""}${approval ? ", once you have approved it" : ""}`).join("; ") || "nothing";

// What an act is to say, as pairs for people; what it does not hold is left out.
function act_in_words(said) {
  const is_terms = said.uses !== undefined;
  return [
    ["work", said.work], ["works", (said.works || []).join(", ")],
    ["may be used for from now on", said.consent ? consent_in_words(said.consent) : ""],
    ["models that learned from it may be used for", is_terms ? uses_in_words(said.uses) : ""],
    ["versions", said.this_version ? "one model may learn from it, and none after that" : ""],
    ["your share of your part", is_terms ? `${said.share} %` : ""], ["fee for each run", is_terms ? money(said.fee) : ""],
    ["approved use", USES[said.use]], ["of the models of run", said.run], ["of the piece with the receipt", said.receipt],
    ["sold on", said.day], ["for", said.cents === undefined ? "" : money(said.cents)], ["the piece with the receipt", said.receipt_sha256],
    ["paper", said.kind], ["its file (SHA-256)", said.sha256], ["about the model (SHA-256)", said.model],
    ["models (SHA-256)", (said.models || []).join(", ")], ["reason", said.reason],
    ["to the complaint of act", said.complaint], ["from", said.from], ["about", (said.about || []).join(", ")], ["text", said.text],
    ["music (SHA-256)", said.music_sha256],
  ];
}

// A record that is to be signed, as pairs for people; everything in it is said.
function in_words(record) {
  if (!record.predicate) return act_in_words(record);
  const said = record.predicate, described = said.description;
  return [
    ["title", described.title || ""], ["work", said.work], ["for the house", (said.house || "").replace(/([0-9a-f]{16})[0-9a-f]{48}$/, "$1…")], ["composers", said.composers.map((one) => `${one.id} ${one.share} %`).join(", ")],
    ["made", MADE[said.method] || said.method], ["genre", plain(described.genre || "")], ["mood", described.mood || ""],
    ["key", described.key || ""], ["chords", described.chords || ""], ["sections", described.sections || ""],
    ["roles", plain((described.roles || []).join(", "))], ["may be used for", consent_in_words(said.consent)], ["contract", said.contract],
    ["stated", [said.statements.no_third_party_material ? "nothing in it is a third party's" : "", said.statements.no_generative_model ? "no generative model wrote any of it" : "a machine wrote some or all of it"].filter(Boolean).join("; ")],
    ["music (SHA-256)", record.subject[0].digest.sha256],
  ];
}

function shown(record) {
  const list = element("dl", { className: "facts" }), exact = element("pre", { className: "exact", tabIndex: 0, textContent: JSON.stringify(record, null, 1) });
  facts(list, in_words(record));
  return element("article", { className: "to-sign" }, list, element("details", {}, element("summary", { textContent: "To the letter" }), exact));
}

// Waits until somebody signs or thinks better of it; gives the open key.
export async function confirmed(title, person, records, note = "") {
  const key = await key_of(served_house(), person);
  if (!key) throw new Refused({ what: `the key of ${person} is not in this browser`, mend: "sign in again with its key file" }, 0);
  const dialog = by_id("sign-dialog"), form = by_id("sign-form"), field = by_id("sign-passphrase");
  by_id("sign-title").textContent = title;
  by_id("sign-records").replaceChildren(...records.map(shown));
  by_id("sign-note").textContent = `${note} You sign as ${person}, with the key ${spoken(key.keyid)}.`.trim();
  by_id("sign-problem").textContent = "";
  by_id("sign-locked").hidden = Boolean(key.open);
  field.required = !key.open;
  field.value = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        by_id("sign-now").setAttribute("aria-busy", "true");
        const open = key.open ? key : await open_key(key, field.value);
        dialog.onclose = null;
        dialog.close();
        resolve(open);
      } catch (error) {
        by_id("sign-problem").textContent = error.message;
      } finally {
        by_id("sign-now").removeAttribute("aria-busy");
      }
    };
    by_id("sign-not").onclick = () => dialog.close();
    dialog.onclose = () => reject(new Refused({ what: "nothing was signed" }, 0));
  });
}
