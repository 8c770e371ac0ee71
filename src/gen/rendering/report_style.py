"""How the page looks, and the few lines of script that make it pleasant.

Without the script the page still works: pictures open as files, players play.
"""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fcfbf9; --card: #ffffff; --ink: #22201d; --soft: #6b665e; --line: #e4dfd7;
  --accent: #b23f00; --kept: #11705b; --missed: #a3243b; --roll: 1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171614; --card: #201f1c; --ink: #ece8e1; --soft: #a39d93; --line: #37342f;
    --accent: #ff9d66; --kept: #5fcbb0; --missed: #ff8fa0; --roll: .9;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 3rem) 4rem;
  max-width: 78rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1, h2 {
  font-family: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
  font-weight: 600; line-height: 1.15; text-wrap: balance; overflow-wrap: anywhere;
}
h1 { font-size: clamp(2rem, 5.5vw, 3.1rem); letter-spacing: -.015em; margin: 0 0 1.4rem; }
h2 { font-size: clamp(1.35rem, 3.2vw, 1.75rem); margin: 0; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: .06em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
  gap: .9rem 2rem; margin: 0; }
dl div { min-width: 0; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
header { padding-bottom: 1.75rem; border-bottom: 1px solid var(--line); }
nav ol { display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; list-style-position: inside;
  margin: 1.6rem 0 0; padding: 0; }
nav li { color: var(--soft); font-variant-numeric: tabular-nums; }
article { margin-top: clamp(2.25rem, 5vw, 3.5rem); scroll-margin-top: 1.5rem; }
.number { color: var(--soft); font-weight: 400; margin-right: .6em;
  font-variant-numeric: tabular-nums; }
.summary { margin: .3rem 0 0; color: var(--soft); }
.roll { display: block; margin: 1rem 0 0; overflow: auto hidden;
  border: 1px solid var(--line); border-radius: 10px; background: #fcfbf9; cursor: zoom-in; }
.roll img { display: block; width: 100%; min-width: 44rem; height: auto; opacity: var(--roll); }
.tall { position: relative; max-height: 46rem; overflow: hidden; }
.tall::after { content: "Show all"; position: absolute; inset: auto 0 0; padding: 5rem 0 .8rem;
  text-align: center; font-size: .93rem; color: #6b665e; pointer-events: none;
  background: linear-gradient(#fcfbf900, #fcfbf9 75%); }
.listen { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem 1.5rem;
  margin-top: 1rem; }
audio { flex: 1 1 20rem; min-width: 0; max-width: 100%; height: 2.75rem; }
.downloads { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0; }
.downloads a { padding: .5rem 1rem; border: 1px solid var(--line); border-radius: 999px;
  background: var(--card); color: var(--ink); text-decoration: none; font-size: .93rem; }
.downloads a:hover { border-color: var(--accent); color: var(--accent); }
details { margin-top: 1rem; border: 1px solid var(--line); border-radius: 10px;
  background: var(--card); padding: 0 1.1rem; }
summary { cursor: pointer; padding: .7rem 0; font-weight: 600; font-size: .95rem; }
details[open] { padding-bottom: 1.1rem; }
table { width: 100%; border-collapse: collapse; font-size: .93rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .42rem 1rem .42rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 400; font-size: .8rem; padding-top: 0; }
tbody th { font-weight: 400; color: var(--soft); }
th:first-child { width: 20%; white-space: nowrap; }
td:last-child { padding-right: 0; width: 1.5rem; text-align: right; }
.kept { color: var(--kept); }
.missed { color: var(--missed); font-weight: 700; }
.originality { margin: 1rem 0; }
.originality b { font-weight: 400; color: var(--soft); font-size: .8rem; display: block; }
table + dl { margin-top: 1rem; }
footer { margin-top: 4rem; padding-top: 1.25rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .93rem; max-width: 60ch; }
dialog { width: 96vw; max-width: none; height: 94vh; max-height: none; padding: 0; border: 0;
  border-radius: 10px; background: #fcfbf9; overflow: auto; }
dialog::backdrop { background: rgb(0 0 0 / .6); }
dialog img { display: block; width: max(100%, 60rem); height: auto; }
dialog form { position: sticky; top: .75rem; left: 0; height: 0; text-align: right;
  padding-right: .75rem; }
dialog button { font: inherit; padding: .4rem .9rem; border: 0; border-radius: 999px;
  background: #22201d; color: #fff; cursor: pointer; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print { audio, .downloads, nav { display: none; }
  .tall { max-height: none; } .tall::after { content: none; } }
"""

SCRIPT = """
const large = document.getElementById("large"), picture = large.querySelector("img");
for (const link of document.querySelectorAll("a.roll")) {
  link.addEventListener("click", event => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || !large.showModal) return;
    event.preventDefault();
    picture.src = link.href;
    picture.alt = link.querySelector("img").alt;
    large.showModal();
  });
}
large.addEventListener("click", event => { if (event.target === large) large.close(); });
document.addEventListener("play", event => {
  for (const player of document.querySelectorAll("audio"))
    if (player !== event.target) player.pause();
}, true);
"""
