"use strict";
// The page is whole without this: it opens what a link leads to, sorts, filters, and shows what belongs to a layer.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Of a long report, the sections that are closed are text until they are opened.
  const make = (details) => {
    const text = details.querySelector(":scope > noscript");
    if (!text) return;
    const content = document.createElement("div");
    content.innerHTML = text.textContent;
    text.replaceWith(content);
    prepare(content);
  };

  const openTarget = () => {
    const id = location.hash.slice(1);
    const run = /^r(?:un)?(\d+)/.exec(id);
    const section = run && document.getElementById("run" + run[1]);
    if (section) {
      const details = section.parentElement.querySelector("details");
      make(details);
      details.open = true;
    }
    const target = id && document.getElementById(id);
    for (let at = target && target.parentElement; at; at = at.parentElement) {
      if (at.localName === "details") at.open = true;
    }
    if (target) target.scrollIntoView();
  };

  // "1,234 instructions" and "43.1 %" are sorted as numbers, a dash comes last.
  const key = (cell) => {
    const text = cell ? cell.textContent.trim() : "";
    const number = parseFloat(text.replace(/,/g, ""));
    return [Number.isNaN(number) ? (text === "-" ? Infinity : null) : number, text];
  };

  const sort = (table, place, head) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].filter((row) => !row.classList.contains("sum"));
    const sums = [...body.rows].filter((row) => row.classList.contains("sum"));
    const keyed = rows.map((row) => [key(row.cells[place]), row]);
    keyed.sort(([[a, s]], [[b, t]]) => (a !== null && b !== null ? a - b || 0 : s.localeCompare(t)) * (down ? -1 : 1));
    body.append(...keyed.map((pair) => pair[1]), ...sums);
    all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  };

  const prepare = (root) => {
    for (const table of all("table:not(.heat)", root)) {
      if (table.tBodies[0].rows.length < 3) continue;
      all("thead th", table).forEach((head, place) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        button.addEventListener("click", () => sort(table, place, head));
        head.append(button);
      });
    }
  };

  // What belongs to a layer is marked in pictures, bars and table together.
  let lit = [];
  const light = (event) => {
    const part = event.target.closest("[data-l]");
    lit.forEach((other) => other.classList.remove("lit"));
    const section = part && part.closest("section");
    lit = section ? all(`[data-l="${part.dataset.l}"]`, section) : [];
    lit.forEach((other) => other.classList.add("lit"));
  };
  document.addEventListener("pointerover", light);
  document.addEventListener("focusin", light);
  document.addEventListener("click", (event) => {
    const part = event.target.closest("svg [data-l]");
    const section = part && part.closest("section");
    const row = section && section.querySelector(`tr[data-l="${part.dataset.l}"]`);
    if (row) location.hash = row.id;
  });

  const form = document.getElementById("filter");
  if (form) {
    const [text, verdict, told] = form.elements;
    const filter = () => {
      const cards = all("[data-verdict]");
      for (const passed of all(".passed")) passed.open = Boolean(text.value || verdict.value);
      const shown = new Set();
      for (const card of cards) {
        const named = card.dataset.named ||
          card.querySelector("h3").textContent + " " + card.querySelector(".board").textContent;
        const fits = named.toLowerCase().includes(text.value.toLowerCase()) &&
          (!verdict.value || card.dataset.verdict === verdict.value);
        card.hidden = !fits;
        if (fits) shown.add(card.dataset.run);
      }
      for (const part of all("section.run, tr[data-run]")) part.hidden = !shown.has(part.dataset.run);
      told.textContent = `${shown.size} of ${new Set(cards.map((card) => card.dataset.run)).size}`;
    };
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    filter();
  }

  // Browsers that cannot print what is closed get it opened.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("body.few details:not([open]):not(.listing)");
    closed.forEach((details) => { details.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));

  prepare(document);
  document.addEventListener("toggle", (event) => { if (event.target.open) make(event.target); }, true);
  window.addEventListener("hashchange", openTarget);
  if (location.hash) openTarget();
})();
