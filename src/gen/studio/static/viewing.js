// A roll with a player under it, as three rooms show works.

import { by_id } from "./common.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";

export function viewer() {
  const roll = new Roll(by_id("roll"), { on_seek: (seconds) => player.seek(seconds) });
  const player = new Player({ button: by_id("play"), output: by_id("clock"), on_place: (seconds) => roll.place(seconds) });
  return (score) => {
    if (player.is_playing) player.stop(0);
    if (!score) return;
    roll.show(score);
    player.load(score);
  };
}
