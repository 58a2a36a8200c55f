"use strict";
(() => {
  const MOST = 60;
  const input = document.getElementById("words");
  const list = document.getElementById("hits");
  const status = document.getElementById("found");
  const plain = (text) => text.toLowerCase().normalize("NFKC");

  // Rank 0: the name of a head; 1: its label; then the place of its first text with all words.
  const rank = (index, [, , name, label, texts], words) => {
    const names = [plain(name), plain(name).replace(".", "")];
    if (words.length === 1 && names.some((text) => text.startsWith(words[0]))) return [0, ""];
    if (words.every((word) => plain(label).includes(word))) return [1, ""];
    const place = texts.findIndex((text) => words.every((word) => index.lower[text].includes(word)));
    return place < 0 ? null : [2 + place, index.texts[texts[place]]];
  };

  const line = (index, head, text) => {
    const [title, folder] = index.models[head[0]];
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `${folder}/heads/${head[1]}.html`;
    link.textContent = `${head[2]} · ${head[3]}`;
    const words = document.createElement("bdi");
    words.textContent = text ? `${title}: ${text}` : title;
    item.append(link, " ", words);
    return item;
  };

  const find = () => {
    const index = window.HEADLIGHT_SEARCH;
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    list.replaceChildren();
    status.textContent = "";
    if (!index || !words.length) return;
    index.lower ??= index.texts.map(plain);
    const hits = index.heads
      .map((head) => [rank(index, head, words), head])
      .filter(([place]) => place)
      .sort(([a], [b]) => a[0] - b[0]);
    list.append(...hits.slice(0, MOST).map(([[, text], head]) => line(index, head, text)));
    const shown = hits.length > MOST ? `, the first ${MOST} of them below` : "";
    status.textContent = hits.length ? `${hits.length} heads${shown}` : "No head has these words.";
  };

  const fromLink = () => {
    const words = new URLSearchParams(location.hash.slice(1)).get("find");
    if (words !== null) input.value = words;
    find();
  };

  input.addEventListener("input", () => {
    const words = input.value.trim();
    history.replaceState(null, "", words ? `#find=${encodeURIComponent(words)}` : "#");
    find();
  });
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", fromLink);
  addEventListener("DOMContentLoaded", fromLink);
})();
