// What is said of a variation, and which of them comes first.

import { plural } from "./common.js";
import { clock } from "./score.js";

const missed_of = (receipt) => receipt.asked_and_got.filter((row) => row.met === false).length;
export const words_of = (receipt) => {
  const count = receipt.asked_and_got.length, missed = missed_of(receipt), near = receipt.originality;
  const obeys = count ? (missed ? `, ${missed} of ${plural(count, "thing")} not as asked` : ", as asked") : "";
  const own = !near ? "" : near.is_above_line ? ", close to a work" : `, ${Math.round(100 * near.share_of_melody)} % of its melody's figures in one work`;
  return `${receipt.notes} notes, ${clock(receipt.seconds)}${obeys}${own}`;
};

const worth = ({ receipt: { originality, ...receipt } }) => [Number(Boolean(originality && originality.is_above_line)), missed_of(receipt), originality ? originality.share_of_melody : 0];

// Those first that are nobody else's, then that do what was asked, then that share least.
export const by_worth = (one, other) => worth(one).map((value, at) => value - worth(other)[at]).find(Boolean) || one.index - other.index;
