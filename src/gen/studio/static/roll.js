// A piano roll on a canvas: tracks by colour, chords and sections above, a playhead.

import { shown_text } from "./common.js";
import { bar_count, hue, seconds_at, tick_at } from "./score.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const BLACK = new Set([1, 3, 6, 8, 10]);

export class Roll {
  // `width` is for canvases of one width, which are drawn without asking how the page is laid out.
  constructor(canvas, { on_seek = null, is_small = false, width = 0 } = {}) {
    this.canvas = canvas;
    this.is_small = is_small;
    this.width = width;
    this.head = is_small ? 0 : 46;
    this.score = null;
    this.hidden = new Set();
    this.position = null;
    if (on_seek) {
      canvas.addEventListener("click", (event) => {
        if (!this.score) return;
        const box = canvas.getBoundingClientRect();
        const tick = ((event.clientX - box.left) / box.width) * this.end;
        on_seek(seconds_at(this.score, tick));
      });
    }
    if (!width) new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(score, bars = 0) {
    this.score = score;
    this.bars = bars;
    const notes = score.tracks.filter((track) => !track.drums).flatMap((track) => track.notes);
    const pitches = notes.map((note) => note[2]);
    this.low = Math.min(...pitches, 55) - 2;
    this.high = Math.max(...pitches, 72) + 2;
    const bar = score.bars.length > 1 ? score.bars[1] - score.bars[0] : score.ticks_per_quarter * 4;
    this.end = Math.max(score.bars.at(-1) || bar, bars * bar);
    const drums = new Set(score.tracks.filter((track) => track.drums).flatMap((track) => track.notes.map((note) => note[2])));
    this.lanes = [...drums].sort((one, other) => one - other);
    const names = score.tracks.map((track) => track.name || track.instrument);
    if (!this.is_small) this.canvas.setAttribute("aria-label", shown_text(`Piano roll: ${bar_count(score)} bars of ${names.join(", ") || "nothing"}`));
    this.draw();
  }

  place(seconds) {
    this.position = seconds;
    this.draw();
  }

  draw() {
    const { canvas, score } = this;
    const box = this.width ? { width: this.width } : canvas.getBoundingClientRect();
    if (!box.width) return;
    const scale = devicePixelRatio || 1, height = Number(canvas.getAttribute("height")) || box.height;
    if (!this.height) this.height = height;
    canvas.style.height = `${this.height}px`;
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(this.height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = css("--lane");
    pen.fillRect(0, 0, box.width, this.height);
    if (!score) return;
    this.paint(pen, box.width, this.height);
  }

  paint(pen, width, height) {
    const { score, head } = this;
    const drum_height = this.lanes.length ? Math.min(this.lanes.length * 7 + 6, height * 0.25) : 0;
    const top = head, bottom = height - drum_height;
    const x = (tick) => (tick / this.end) * width;
    const step = (bottom - top) / (this.high - this.low);
    const y = (pitch) => bottom - (pitch - this.low + 1) * step;
    pen.fillStyle = css("--lane-dark");
    for (let pitch = this.low; pitch < this.high; pitch++) if (BLACK.has(((pitch % 12) + 12) % 12)) pen.fillRect(0, y(pitch), width, step);
    this.grid(pen, x, top, height, width);
    const lane = drum_height ? (drum_height - 6) / this.lanes.length : 0;
    score.tracks.forEach((track, index) => {
      pen.fillStyle = css(hue(index));
      for (const [onset, duration, pitch, velocity] of track.notes) {
        pen.globalAlpha = (this.hidden.has(index) ? 0.15 : 0.55 + (0.45 * velocity) / 127);
        if (track.drums) {
          pen.fillRect(x(onset), height - 3 - (this.lanes.indexOf(pitch) + 1) * lane, Math.max(2, Math.min(5, width / 300)), Math.max(1.5, lane - 1));
        } else {
          pen.fillRect(x(onset), y(pitch), Math.max(1.5, x(duration) - 1), Math.max(2, step - 0.5));
        }
      }
    });
    pen.globalAlpha = 1;
    if (this.position !== null) {
      pen.fillStyle = css("--bad");
      pen.fillRect(x(tick_at(score, this.position)) - 1, 0, 2, height);
    }
  }

  grid(pen, x, top, height, width) {
    const { score } = this;
    const count = bar_count(score), every = Math.max(1, Math.ceil(count / (width / 34)));
    pen.font = "11px system-ui, sans-serif";
    score.bars.forEach((tick, bar) => {
      pen.fillStyle = css("--grid");
      pen.fillRect(x(tick), top, 1, height - top);
      if (!this.is_small && bar < count && bar % every === 0) {
        pen.fillStyle = css("--soft");
        const number = String(bar + 1);
        if (x(tick) + 3 + pen.measureText(number).width <= width) pen.fillText(number, x(tick) + 3, 11);
      }
    });
    if (this.is_small) return;
    pen.fillStyle = css("--ink");
    let free = 0;
    for (const [tick, said] of score.chords) {
      const text = shown_text(said);
      if (x(tick) < free || x(tick) + 3 + pen.measureText(text).width > width) continue;
      pen.fillText(text, x(tick) + 3, 40);
      free = x(tick) + pen.measureText(text).width + 9;
    }
    pen.font = "600 11px system-ui, sans-serif";
    score.sections.forEach(([tick, said], at) => {
      const text = shown_text(said);
      const next = score.sections[at + 1];
      const room = (next ? x(next[0]) : width) - x(tick) - 5;
      const needed = pen.measureText(text).width;
      if (needed <= room || !next) pen.fillText(text, Math.min(x(tick) + 3, width - needed - 2), 25);
      else if (pen.measureText(text[0]).width <= room) pen.fillText(text[0], x(tick) + 3, 25);
    });
  }
}
