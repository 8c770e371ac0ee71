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
