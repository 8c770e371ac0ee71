// A score: its times in ticks, bars and seconds, and the colours of its tracks.

import { element } from "./common.js";

export function seconds_at(score, tick) {
  let microseconds = 0, last = 0, tempo = 500000;
  for (const [at, value] of score.tempos) {
    if (at >= tick) break;
    microseconds += ((at - last) * tempo) / score.ticks_per_quarter;
    last = at;
    tempo = value;
  }
  return (microseconds + ((tick - last) * tempo) / score.ticks_per_quarter) / 1e6;
}

export function tick_at(score, seconds) {
  let left = seconds * 1e6, last = 0, tempo = 500000;
  for (const [at, value] of score.tempos) {
    const span = ((at - last) * tempo) / score.ticks_per_quarter;
    if (span > left) break;
    left -= span;
    last = at;
    tempo = value;
  }
  return last + (left * score.ticks_per_quarter) / tempo;
}

export const bar_count = (score) => Math.max(score.bars.length - 1, 0);
export const bar_seconds = (score, bar) => seconds_at(score, score.bars[Math.min(bar, score.bars.length - 1)]);

export function bar_of(score, tick) {
  let low = 0, high = bar_count(score);
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (score.bars[middle] <= tick) low = middle;
    else high = middle;
  }
  return low;
}

// Some bars of a score as a score of their own; bars are counted from 1.
export function excerpt(score, [first, last]) {
  const count = bar_count(score), from = Math.min(first, count) - 1, to = Math.min(Math.max(last, first), count);
  const begin = score.bars[from], end = score.bars[to];
  const inside = (list) => list.filter(([tick]) => tick >= begin && tick < end).map(([tick, ...more]) => [tick - begin, ...more]);
  const before = (list) => list.filter(([tick]) => tick < begin).slice(-1).map(([, ...more]) => [0, ...more]);
  return {
    ...score,
    tempos: [...before(score.tempos), ...inside(score.tempos)],
    meters: [...before(score.meters), ...inside(score.meters)],
    keys: [], markers: [], chords: inside(score.chords), sections: [],
    bars: score.bars.slice(from, to + 1).map((tick) => tick - begin),
    tracks: score.tracks.map((track) => ({ ...track, notes: inside(track.notes), pedals: inside(track.pedals) })),
  };
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The name of a track's colour in the style sheet, which has one for paper and one for the dark.
const HUES = 8;
export const hue = (track) => `--track-${track % HUES}`;

export function swatch(track) {
  const made = element("span", { className: "swatch" });
  made.style.setProperty("--hue", `var(${hue(track)})`);
  return made;
}
