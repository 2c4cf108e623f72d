"use strict";
(() => {
  const field = document.getElementById("find");
  const status = document.getElementById("find-status");
  const items = [...document.querySelectorAll("[data-name]")];
  // What the reader opened stays open when the search ends.
  const opened = new Map();
  const search = () => {
    const wanted = field.value.trim().toLowerCase();
    const names = new Set();
    for (const item of items) {
      const fits = item.dataset.name.includes(wanted);
      item.hidden = !fits;
      if (fits) names.add(item.dataset.name);
    }
    for (const fold of document.querySelectorAll("details[data-search]")) {
      if (wanted && !opened.has(fold)) opened.set(fold, fold.open);
      if (wanted) fold.open = Boolean(fold.querySelector("[data-name]:not([hidden])"));
      else if (opened.has(fold)) fold.open = opened.get(fold);
    }
    if (!wanted) opened.clear();
    status.textContent = wanted ? `${names.size} ${names.size === 1 ? "package" : "packages"}` : "";
  };
  if (field) {
    field.closest("[hidden]")?.removeAttribute("hidden");
    field.addEventListener("input", search);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { field.value = ""; search(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        field.focus();
      }
    });
    search();
  }
  for (const head of document.querySelectorAll("table[data-sortable] thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const key = (row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent.trim();
      const order = new Intl.Collator("en", { numeric: true }).compare;
      const rows = [...body.rows].sort((one, other) => order(key(one), key(other)));
      body.append(...(down ? rows.reverse() : rows));
    });
  }
  if (matchMedia("(min-width: 700px)").matches)
    for (const fold of document.querySelectorAll("details[data-wide]")) fold.open = true;
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  if (location.hash) openTarget();
})();
