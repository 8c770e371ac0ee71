// Sealing a key under a passphrase, as the command line's key files do: scrypt (RFC 7914), then
// ChaCha20-Poly1305 (RFC 8439). Browsers have neither; both are short, and tested against the
// vectors of their RFCs and against files that the command line wrote. Run as a worker it answers
// {seal or open, ...} so that a page does not stand still while scrypt works.

const encoder = new TextEncoder();

function rotate(value, by) {
  return (value << by) | (value >>> (32 - by));
}

// 64 bytes of `words` (16 numbers), in place.
function salsa8(words, kept) {
  const x = kept;
  x.set(words);
  for (let round = 0; round < 4; round += 1) {
    x[4] ^= rotate(x[0] + x[12], 7); x[8] ^= rotate(x[4] + x[0], 9);
    x[12] ^= rotate(x[8] + x[4], 13); x[0] ^= rotate(x[12] + x[8], 18);
    x[9] ^= rotate(x[5] + x[1], 7); x[13] ^= rotate(x[9] + x[5], 9);
    x[1] ^= rotate(x[13] + x[9], 13); x[5] ^= rotate(x[1] + x[13], 18);
    x[14] ^= rotate(x[10] + x[6], 7); x[2] ^= rotate(x[14] + x[10], 9);
    x[6] ^= rotate(x[2] + x[14], 13); x[10] ^= rotate(x[6] + x[2], 18);
    x[3] ^= rotate(x[15] + x[11], 7); x[7] ^= rotate(x[3] + x[15], 9);
    x[11] ^= rotate(x[7] + x[3], 13); x[15] ^= rotate(x[11] + x[7], 18);
    x[1] ^= rotate(x[0] + x[3], 7); x[2] ^= rotate(x[1] + x[0], 9);
    x[3] ^= rotate(x[2] + x[1], 13); x[0] ^= rotate(x[3] + x[2], 18);
    x[6] ^= rotate(x[5] + x[4], 7); x[7] ^= rotate(x[6] + x[5], 9);
    x[4] ^= rotate(x[7] + x[6], 13); x[5] ^= rotate(x[4] + x[7], 18);
    x[11] ^= rotate(x[10] + x[9], 7); x[8] ^= rotate(x[11] + x[10], 9);
    x[9] ^= rotate(x[8] + x[11], 13); x[10] ^= rotate(x[9] + x[8], 18);
    x[12] ^= rotate(x[15] + x[14], 7); x[13] ^= rotate(x[12] + x[15], 9);
    x[14] ^= rotate(x[13] + x[12], 13); x[15] ^= rotate(x[14] + x[13], 18);
  }
  for (let at = 0; at < 16; at += 1) words[at] += x[at];
}

// One block of 2r pieces of 64 bytes: scryptBlockMix, `block` in place.
function mix(block, r, mixed, one, kept) {
  one.set(block.subarray((2 * r - 1) * 16, 2 * r * 16));
  for (let piece = 0; piece < 2 * r; piece += 1) {
    for (let at = 0; at < 16; at += 1) one[at] ^= block[piece * 16 + at];
    salsa8(one, kept);
    mixed.set(one, ((piece >> 1) + (piece & 1) * r) * 16);
  }
  block.set(mixed);
}

// scryptROMix over 128 r bytes, in place; n is a power of two.
function mix_through_memory(block, n, r) {
  const length = 32 * r, memory = new Uint32Array(length * n);
  const mixed = new Uint32Array(length), one = new Uint32Array(16), kept = new Uint32Array(16);
  for (let at = 0; at < n; at += 1) {
    memory.set(block, at * length);
    mix(block, r, mixed, one, kept);
  }
  for (let step = 0; step < n; step += 1) {
    const from = (block[length - 16] & (n - 1)) * length;
    for (let at = 0; at < length; at += 1) block[at] ^= memory[from + at];
    mix(block, r, mixed, one, kept);
  }
}

async function once_stretched(password, salt, bytes) {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  return crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 1 }, key, bytes * 8);
}

export async function scrypt(password, salt, { n, r, p, bytes }) {
  const blocks = new Uint32Array(await once_stretched(password, salt, p * 128 * r));
  for (let at = 0; at < p; at += 1) mix_through_memory(blocks.subarray(at * 32 * r, (at + 1) * 32 * r), n, r);
  return new Uint8Array(await once_stretched(password, new Uint8Array(blocks.buffer), bytes));
}

function quarter(s, a, b, c, d) {
  s[a] += s[b]; s[d] = rotate(s[d] ^ s[a], 16);
  s[c] += s[d]; s[b] = rotate(s[b] ^ s[c], 12);
  s[a] += s[b]; s[d] = rotate(s[d] ^ s[a], 8);
  s[c] += s[d]; s[b] = rotate(s[b] ^ s[c], 7);
}

function chacha_block(key, counter, nonce) {
  const start = new Uint32Array(16);
  start.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
  start.set(new Uint32Array(key.slice().buffer), 4);
  start[12] = counter;
  start.set(new Uint32Array(nonce.slice().buffer), 13);
  const state = start.slice();
  for (let round = 0; round < 10; round += 1) {
    quarter(state, 0, 4, 8, 12); quarter(state, 1, 5, 9, 13);
    quarter(state, 2, 6, 10, 14); quarter(state, 3, 7, 11, 15);
    quarter(state, 0, 5, 10, 15); quarter(state, 1, 6, 11, 12);
    quarter(state, 2, 7, 8, 13); quarter(state, 3, 4, 9, 14);
  }
  for (let at = 0; at < 16; at += 1) state[at] += start[at];
  return new Uint8Array(state.buffer);
}

function chacha(key, nonce, data) {
  const out = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 64) {
    const stream = chacha_block(key, 1 + at / 64, nonce);
    for (let byte = at; byte < Math.min(at + 64, data.length); byte += 1) out[byte] = data[byte] ^ stream[byte - at];
  }
  return out;
}

const number = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function poly1305(key, message) {
  const prime = (1n << 130n) - 5n;
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const piece = message.subarray(at, at + 16);
    sum = ((sum + number(piece) + (1n << BigInt(8 * piece.length))) * r) % prime;
  }
  const tag = sum + number(key.subarray(16, 32));
  return Uint8Array.from({ length: 16 }, (_, at) => Number((tag >> BigInt(8 * at)) & 255n));
}

function tag_of(key, nonce, sealed, head) {
  const padded = (length) => Math.ceil(length / 16) * 16;
  const message = new Uint8Array(padded(head.length) + padded(sealed.length) + 16);
  message.set(head);
  message.set(sealed, padded(head.length));
  const lengths = new DataView(message.buffer, message.length - 16);
  lengths.setUint32(0, head.length, true);
  lengths.setUint32(8, sealed.length, true);
  return poly1305(chacha_block(key, 0, nonce).subarray(0, 32), message);
}

// RFC 8439, section 2.8: what is sealed, and the tag after it; `head` is vouched for beside it.
export function seal(key, nonce, data, head) {
  const sealed = chacha(key, nonce, data), found = new Uint8Array(sealed.length + 16);
  found.set(sealed);
  found.set(tag_of(key, nonce, sealed, head), sealed.length);
  return found;
}

// What `seal` sealed; null under another key, or where a bit was changed.
export function open(key, nonce, data, head) {
  const sealed = data.subarray(0, -16), tag = tag_of(key, nonce, sealed, head);
  const differs = tag.reduce((bits, byte, at) => bits | (byte ^ data[sealed.length + at]), 0);
  return differs ? null : chacha(key, nonce, sealed);
}

async function under_passphrase({ verb, passphrase, salt, cost, nonce, data, head }) {
  const key = await scrypt(encoder.encode(passphrase), salt, { n: 2 ** cost, r: 8, p: 1, bytes: 32 });
  const found = verb === "seal" ? seal(key, nonce, data, head) : open(key, nonce, data, head);
  key.fill(0);
  return found;
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  self.onmessage = async ({ data }) => {
    try {
      self.postMessage({ found: await under_passphrase(data) });
    } catch (error) {
      self.postMessage({ failure: String(error) });
    }
  };
}
