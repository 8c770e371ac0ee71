// A list that is shown a page at a time, with two buttons that turn it.

import { by_id, on } from "./common.js";

export class Turning {
  // `load` gives a page (first, most) with how many there are `in_all`, and `show` shows it. The
  // buttons are those in the element `<name>-turning`.
  constructor(name, load, show, most = 25) {
    Object.assign(this, { load, show, most, first: 0, asked: 0 });
    this.node = by_id(`${name}-turning`);
    const [newer, older] = this.node.querySelectorAll("button");
    Object.assign(this, { newer, older, said: this.node.querySelector("output") });
    on(newer, "click", () => this.to(this.first - most));
    on(older, "click", () => this.to(this.first + most));
  }

  // An answer that comes after a later one is dropped.
  async to(first) {
    const number = ++this.asked, from = Math.max(0, first), page = await this.load(from, this.most);
    if (number !== this.asked) return;
    this.first = from;
    this.show(page);
    this.node.hidden = page.in_all <= this.most;
    this.newer.disabled = from === 0;
    this.older.disabled = from + this.most >= page.in_all;
    this.said.textContent = `${from + 1} to ${Math.min(from + this.most, page.in_all)} of ${page.in_all}`;
  }
}
