// What people do with their key: contribute, accept, reject, change consent, say terms, approve,
// withdraw, retire models, enter sales, papers, complaints and answers.
//
// At a studio of one computer the keys lie in its key folder, and the server signs when it is
// asked. In a house that is served everything is signed here: each record is made from what is
// shown, after the bytes it is about were checked, and only signatures are sent. The server makes
// the same record once more, and takes it if it is the same to the byte.

import { Refused, USES, ask, batches, need_key } from "./common.js";
import { served_house } from "./session.js";
import { TYPES, act_payload, bytes_of, canonical, check_about, digest, from_base64, from_hex, head_after, hex, now, read_tag, tagged, to_base64 } from "./records.js";
import { is_signed, sign } from "./keys.js";
import { confirmed } from "./confirm.js";

const TRIES = 20;

function same(what, shown, sent) {
  if (canonical(shown) !== canonical(sent)) throw new Error(`the studio sent another ${what} than is shown: nothing was signed`);
}

// What is signed counts in one house: the one that this browser met first under its name.
function check_house(identity) {
  const place = `studio-identity-${served_house()}`, known = localStorage.getItem(place);
  if (known === null || known === "") localStorage.setItem(place, identity);
  else if (known !== identity) throw new Error(`this is another house than the one that your key signed for (${identity || "without a name of its own"}): nothing was signed`);
}

const named = (key, signature) => ({ keyid: key.keyid, sig: to_base64(signature) });

// Signs an act on top of the log, and sends it; anew where somebody was quicker. What the act says
// may depend on its time.
async function enter(key, kind, said, send, before = []) {
  for (let left = TRIES; ; left -= 1) {
    const ground = await ask("/log"), time = now();
    if (ground.house !== key.house) throw new Error(`the log is of the house ${ground.house}`);
    check_house(ground.identity);
    const data = typeof said === "function" ? await said(time) : said;
    const act = act_payload(ground, kind, key.owner, time, data);
    const signature = await sign(key, TYPES.act, bytes_of(canonical(act)));
    const head = await head_after(ground, act, named(key, signature));
    const head_signature = await sign(key, TYPES.head, bytes_of(canonical(head)));
    try {
      return await send({ time, signatures: [...before, signature, head_signature].map(hex) });
    } catch (error) {
      if (error.status !== 409 || left === 0) throw error;
    }
  }
}

// -- contributing ----------------------------------------------------------------------------

// Files as the interface takes them, signed after one look at all statements.
// Calls back with each file's answer, in order.
export async function contribute(files, composer, answered) {
  if (!served_house()) {
    await need_key(composer);
    for (const some of batches(files, (file) => file.midi.length)) {
      for (const answer of await ask("/contribute/many", { files: some, composer })) answered(answer);
    }
    return;
  }
  const drafts = [];
  for (const some of batches(files, (file) => file.midi.length)) drafts.push(...(await drafted(some, composer)));
  const ready = drafts.filter((one) => one.draft);
  const key = ready.length ? await confirmed(ready.length > 1 ? `Sign ${ready.length} contributions` : "Sign this contribution", composer, ready.map((one) => one.statement)) : null;
  for (const some of batches(drafts, () => 0)) {
    const signed = await signed_drafts(key, some.filter((one) => one.draft));
    for (const one of some) answered(one.draft ? { ...one.checked, ...signed.shift() } : one.checked);
  }
}

async function drafted(files, composer) {
  const found = await ask("/contribute/draft", { files, composer });
  return Promise.all(files.map((file, at) => checked_draft(file, found[at])));
}

// A draft that is about the music which came with it, and says what was stated.
async function checked_draft(file, found) {
  if (!found.draft) return found;
  const { predicate } = found.statement, { stated } = file;
  await check_about(found.statement, from_base64(found.music));
  check_house(predicate.house || "");
  for (const name of ["method", "contract"]) if (stated[name]) same(name, stated[name], predicate[name]);
  for (const name of ["title", "genre", "mood", "chords", "sections"]) {
    if (stated[name]) same(name, tidied(stated[name]), tidied(predicate.description[name] || ""));
  }
  if (stated.consent) same("consent", scopes_in(stated.consent), scopes_of(predicate.consent));
  return found;
}

const tidied = (text) => text.normalize("NFC").replace(/\s+/g, " ").trim().toLowerCase();
const scopes_in = (text) => text.toLowerCase().split(/[\s,]+/).filter((word) => word && word !== "nothing").sort();
const scopes_of = (grants) => grants.map((one) => one.scope + (one.until ? `@${one.until}` : "")).sort();

async function signed_drafts(key, drafts) {
  if (!drafts.length) return [];
  return ask("/contribute/sign", await Promise.all(drafts.map(async ({ draft, statement }) => {
    const signature = await sign(key, TYPES.statement, bytes_of(canonical(statement)));
    return { draft, signature: hex(signature) };
  })));
}

// -- curating --------------------------------------------------------------------------------

export async function accept(work, shown, body) {
  if (!served_house()) {
    await need_key(body.curator);
    return ask(`/inbox/${work}/accept`, body);
  }
  const given = await ask(`/inbox/${work}/file`);
  const { music, envelope, payload, statement } = read_tag(from_base64(given.file));
  await check_about(statement, music);
  check_house(statement.predicate.house || "");
  same("work", [work, shown.title, shown.composers], [statement.predicate.work, statement.predicate.description.title || "", Object.fromEntries(statement.predicate.composers.map((one) => [one.id, one.share]))]);
  const [first] = envelope.signatures;
  if (!(await is_signed(given.public, from_base64(first.sig), TYPES.statement, payload))) throw new Error("its composer's signature does not hold: nothing was signed");
  same("composer's key", await digest(from_hex(given.public)), first.keyid);
  const key = await confirmed("Accept this work", body.curator, [statement], `Signed by ${given.composer}, with the key ${first.keyid.slice(0, 16)}.`);
  const signature = await sign(key, TYPES.statement, payload);
  const countersigned = { ...envelope, signatures: [first, named(key, signature)] };
  const entry = await entry_of(statement, music, countersigned, given.path);
  return enter(key, "add", entry, (signed) => ask(`/inbox/${work}/accept`, { ...body, signed }), [signature]);
}

async function entry_of({ predicate, ...statement }, music, envelope, path) {
  return {
    composers: predicate.composers, consent: predicate.consent, file_sha256: await digest(tagged(music, envelope)),
    keyids: envelope.signatures.map((one) => one.keyid), music_sha256: await digest(music), musical_hash: predicate.musical_hash, path,
    signed: { signatures: envelope.signatures, statement: { ...statement, predicate } }, title: predicate.description.title || "", work: predicate.work,
  };
}

export async function reject(work, body) {
  if (!served_house()) await need_key(body.curator);
  return ask(`/inbox/${work}/reject`, body);
}

// -- consent and withdrawing -----------------------------------------------------------------

function grants(text) {
  const found = scopes_in(text).map((word) => {
    const [scope, until] = word.split("@");
    if (!/^(general_model|evaluation|artist_model:[a-z][a-z0-9-]{0,39})$/.test(scope)) throw new Refused({ what: `${scope} is no purpose`, mend: "use general_model, evaluation or artist_model:<composer id>" }, 0);
    return { scope, until: until || null };
  });
  return found.sort((one, other) => (one.scope < other.scope ? -1 : 1));
}

export async function allow(work, body) {
  const path = `/works/${work}/consent`;
  if (!served_house()) {
    await need_key(body.composer);
    return ask(path, body);
  }
  const data = { consent: grants(body.allow), work };
  const key = await confirmed("Change what a work may be used for", body.composer, [data]);
  return enter(key, "consent", data, (signed) => ask(path, { ...body, signed }));
}

export async function withdraw(work, shown, body) {
  const path = `/works/${work}/withdraw`;
  if (!served_house()) {
    await need_key(body.person);
    return ask(path, body);
  }
  const { music_sha256, musical_hash } = shown;
  const data = { music_sha256, musical_hash, reason: body.reason, work };
  const key = await confirmed("Withdraw this work for ever", body.person, [data]);
  return enter(key, "withdraw", data, (signed) => ask(path, { ...body, signed }));
}

// -- terms and approvals -----------------------------------------------------------------------

const sorted_by = (name, list) => list.sort((one, other) => (one[name] < other[name] ? -1 : 1));

function cents(text) {
  const found = /^([0-9]{1,10})(?:[.]([0-9]{1,2}))?$/.exec(text.trim() || "0");
  if (!found) throw new Refused({ what: `${text} is no amount of money`, mend: "write it as 25 or 25.50" }, 0);
  return Number(found[1]) * 100 + Number((found[2] || "").padEnd(2, "0"));
}

// What terms say, from what is asked for them in words.
function terms_data(work, { allow: text, ask_first, this_version, share, fee }) {
  const words = scopes_in(text), is_use = (word) => Object.hasOwn(USES, word.split("@")[0]);
  const uses = words.filter(is_use).map((word) => {
    const [use, until] = word.split("@");
    return { approval: ask_first.includes(use), until: until || null, use };
  });
  return { consent: grants(words.filter((word) => !is_use(word)).join(" ")), fee: cents(fee), share, this_version, uses: sorted_by("use", uses), work };
}

export async function say_terms(work, body) {
  const path = `/works/${work}/terms`;
  if (!served_house()) {
    await need_key(body.composer);
    return ask(path, body);
  }
  const data = terms_data(work, body), key = await confirmed("Your terms for a work", body.composer, [data]);
  return enter(key, "terms", data, (signed) => ask(path, { ...body, signed }));
}

export async function approve(body) {
  if (!served_house()) {
    await need_key(body.composer);
    return ask("/approvals", body);
  }
  const data = { receipt: "", run: body.run, use: body.use, works: [...body.works].sort() };
  const key = await confirmed("Approve a use", body.composer, [data]);
  return enter(key, "approve", data, (signed) => ask("/approvals", { ...body, signed }));
}

// -- sales and papers ------------------------------------------------------------------------------------

export async function sell(receipt, body) {
  if (!served_house()) {
    await need_key(body.person);
    return ask("/sales", body);
  }
  const data = { cents: cents(body.amount), day: body.day, receipt_sha256: receipt };
  const key = await confirmed("Enter a sale", body.person, [data]);
  return enter(key, "sell", data, (signed) => ask("/sales", { ...body, signed }));
}

// Of a paper that the log has already, its file alone is kept.
export async function enter_paper(sha256, is_known, body) {
  if (is_known) return ask("/papers", body);
  if (!served_house()) {
    await need_key(body.curator);
    return ask("/papers", body);
  }
  const data = { kind: body.kind, model: body.model, sha256 };
  const key = await confirmed("Enter a paper", body.curator, [data]);
  return enter(key, "paper", data, (signed) => ask("/papers", { ...body, signed }));
}

// -- models and complaints -----------------------------------------------------------------------

export async function retire(run, body) {
  const path = `/models/${run}/retire`;
  if (!served_house()) {
    await need_key(body.curator);
    return ask(path, body);
  }
  const data = { models: [...body.models].sort(), reason: body.reason, run };
  const key = await confirmed("Take models out of use", body.curator, [data]);
  return enter(key, "retire", data, (signed) => ask(path, { ...body, signed }));
}

const KEPT_APART = "It is kept in the house's folder; the log has its SHA-256 alone.";

// A record beside the log: the act names it by its digest, which a salt keeps from being guessed.
async function enter_record(path, kind, title, person, said, body, more = {}) {
  if (!served_house()) {
    await need_key(person);
    return ask(path, body);
  }
  const salt = hex(crypto.getRandomValues(new Uint8Array(32)));
  const key = await confirmed(title, person, [said], KEPT_APART);
  const data = async (time) => ({ ...more, record_sha256: await digest(bytes_of(canonical({ ...said, salt, time }))) });
  return enter(key, kind, data, (signed) => ask(path, { ...body, salt, signed }));
}

export const complain_of = (body) =>
  enter_record("/complaints", "complain", "Enter a complaint", body.person, { about: body.about, from: body.who, text: body.text }, body);

export const answer = (complaint, body) =>
  enter_record(`/complaints/${complaint}/answer`, "answer", "Answer a complaint", body.curator, { complaint, text: body.text }, body, { complaint });
