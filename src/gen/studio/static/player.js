// Plays a score bar by bar: each bar's sound comes from the studio and is set beside the last.

import { bar_count, bar_seconds, clock, seconds_at } from "./score.js";

const AHEAD = 2.5; // seconds that are fetched before they sound
const TURN = 60; // milliseconds between two looks

export class Player {
  constructor({ button, output, on_place, speed = null, tempo = null, loop = null }) {
    Object.assign(this, { button, output, on_place, speed, tempo, loop });
    this.score = null;
    this.is_growing = false;
    this.whole = null; // bars that may be played while others are not written yet; null: all
    this.is_playing = false;
    this.audible = null; // indices of tracks, null: all
    this.sources = new Set();
    this.asked = new Map();
    if (speed) speed.addEventListener("input", () => this.say_tempo());
    button.addEventListener("click", () => (this.is_playing ? this.stop() : this.play()));
  }

  // Another score, or more bars of the same one. Playing goes on where it is.
  load(score, { is_growing = false, is_same = false, whole = null } = {}) {
    const was = this.is_playing && this.score ? this.now() : null;
    this.score = score;
    this.is_growing = is_growing;
    this.whole = whole;
    this.button.disabled = !bar_count(score);
    this.say_tempo();
    if (is_same) return;
    this.asked.clear();
    if (was !== null) this.play(this.bar_at(was + 0.15));
    else this.place(0);
  }

  playable() {
    return Math.min(bar_count(this.score), this.whole ?? Infinity);
  }

  hear(audible) {
    this.audible = audible;
    this.asked.clear();
    if (this.is_playing) this.play(this.bar_at(this.now() + 0.15));
  }

  rate() {
    return this.speed ? Number(this.speed.value) : 1;
  }

  // How fast it begins, as it is played.
  say_tempo() {
    if (!this.tempo || !this.score) return;
    const [, microseconds] = this.score.tempos[0] || [0, 500_000];
    this.tempo.textContent = `${Math.round((60e6 / microseconds) * this.rate())} bpm`;
    this.speed.setAttribute("aria-valuetext", this.tempo.textContent);
  }

  now() {
    return this.is_playing && this.begun !== null ? Math.max(0, (this.context.currentTime - this.begun) * this.rate()) : this.at || 0;
  }

  bar_at(seconds) {
    let bar = 0;
    while (bar + 1 < bar_count(this.score) && bar_seconds(this.score, bar + 1) <= seconds) bar += 1;
    return bar;
  }

  seek(seconds) {
    if (!this.score) return;
    const bar = this.bar_at(seconds);
    if (this.is_playing) this.play(bar);
    else this.place(bar_seconds(this.score, bar));
  }

  place(seconds) {
    this.at = seconds;
    this.output.textContent = `${clock(seconds)} / ${clock(this.end())}`;
    this.on_place(seconds);
  }

  end() {
    return this.score ? seconds_at(this.score, this.score.bars.at(-1) || 0) : 0;
  }

  async play(bar = null) {
    if (!this.score || !bar_count(this.score)) return;
    this.silence();
    this.context = this.context || new AudioContext();
    await this.context.resume();
    const first = bar ?? this.bar_at(this.at || 0);
    const from = first >= bar_count(this.score) ? 0 : first;
    this.is_playing = true;
    this.next = from;
    this.begun = null; // until its sound is there
    this.place(bar_seconds(this.score, from));
    this.button.textContent = "Stop";
    this.button.setAttribute("aria-pressed", "true");
    this.generation = (this.generation || 0) + 1;
    this.run(this.generation, from);
  }

  async run(generation, from) {
    while (this.is_playing && generation === this.generation) {
      const { score } = this, rate = this.rate(), start = bar_seconds(score, this.next) / rate;
      if (this.next < this.playable()) {
        const now = this.begun === null ? 0 : this.context.currentTime - this.begun;
        if (this.begun === null || start - now < AHEAD) {
          const bar = this.next;
          const sound = await this.sound(score, bar, rate);
          if (generation !== this.generation) return;
          if (this.begun === null) this.begun = this.context.currentTime + 0.08 - bar_seconds(score, from) / rate;
          // a bar that comes too late is waited for: nothing of it is left out
          if (this.context.currentTime > this.begun + start) this.begun = this.context.currentTime + 0.08 - start;
          this.set(sound, this.begun + start);
          this.next = bar + 1;
          continue;
        }
      } else if (!this.is_growing && this.begun !== null && this.context.currentTime - this.begun > this.end() / rate + 0.4) {
        if (this.loop && this.loop.checked) this.play(0);
        else this.stop(0);
        return;
      }
      if (this.begun !== null) this.place(Math.min(this.now(), this.end()));
      await new Promise((resolve) => setTimeout(resolve, TURN));
    }
  }

  async sound(score, bar, rate) {
    const key = `${bar}/${rate}`;
    if (!this.asked.has(key)) this.asked.set(key, this.fetch(score, bar, rate));
    return this.asked.get(key);
  }

  async fetch(score, bar, rate) {
    const { bars, tempos, ticks_per_quarter, meters } = score;
    const tracks = score.tracks.map((track) => ({
      name: "", program: track.program, drums: track.drums, role: track.role, pedals: track.pedals,
      notes: track.notes.filter((note) => note[0] >= bars[bar] && note[0] < bars[bar + 1]),
    }));
    const body = { score: { ticks_per_quarter, tempos, meters, tracks, bars }, first_bar: bar, bars: 1, speed: rate, tracks: this.audible };
    const answer = await fetch("/api/v1/audio", { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
    if (!answer.ok) return null;
    return this.context.decodeAudioData(await answer.arrayBuffer());
  }

  set(buffer, when) {
    if (!buffer) return;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    const late = Math.max(0, this.context.currentTime - when);
    source.start(when + late, late);
    source.onended = () => this.sources.delete(source);
    this.sources.add(source);
  }

  silence() {
    for (const source of this.sources) source.stop();
    this.sources.clear();
    this.generation = (this.generation || 0) + 1;
  }

  stop(at = null) {
    const where = at ?? this.now();
    this.is_playing = false;
    this.silence();
    this.button.textContent = "Play";
    this.button.setAttribute("aria-pressed", "false");
    this.place(where);
  }
}
