// A roll with a player under it and its tracks named, as three rooms show works.

import { by_id, element, plain } from "./common.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";
import { swatch } from "./score.js";

function said_of({ name, instrument, role }) {
  const called = name || instrument, part = plain(role || "");
  return part && !called.toLowerCase().includes(part) ? `${called}, ${part}` : called;
}

export function viewer() {
  const legend = element("p", { className: "legend" });
  by_id("roll").parentNode.after(legend);
  const roll = new Roll(by_id("roll"), { on_seek: (seconds) => player.seek(seconds) });
  const player = new Player({ button: by_id("play"), output: by_id("clock"), on_place: (seconds) => roll.place(seconds) });
  const parts = [by_id("play").parentNode, by_id("roll").parentNode, legend];
  return (score) => { // null where there is none to see or hear
    if (player.is_playing) player.stop(0);
    for (const part of parts) part.hidden = !score;
    if (!score) return;
    roll.show(score);
    player.load(score);
    legend.replaceChildren(...score.tracks.map((track, slot) => ({ track, slot })).filter(({ track }) => track.notes.length).map(({ track, slot }) =>
      element("span", {}, swatch(slot), said_of(track))));
  };
}
