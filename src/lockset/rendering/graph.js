"use strict";
(() => {
  const svg = document.querySelector("svg.graph");
  const field = document.getElementById("find");
  const status = document.getElementById("find-status");
  const panel = document.getElementById("panel");
  const picture = document.getElementById("picture");
  const nodes = [...svg.querySelectorAll("[data-node]")];
  const edges = [...svg.querySelectorAll("[data-from]")];
  const items = [...document.querySelectorAll("details[data-name]")];
  document.querySelector(".tools").hidden = false;

  const highlight = (numbers, around) => {
    svg.classList.toggle("chosen", numbers.size > 0);
    for (const node of nodes) node.classList.toggle("on", numbers.has(node.dataset.node) || around.has(node.dataset.node));
    for (const edge of edges)
      edge.classList.toggle("on", numbers.has(edge.dataset.from) || numbers.has(edge.dataset.to));
  };
  const neighbours = (numbers) => {
    const around = new Set();
    for (const edge of edges) {
      if (numbers.has(edge.dataset.from)) around.add(edge.dataset.to);
      if (numbers.has(edge.dataset.to)) around.add(edge.dataset.from);
    }
    return around;
  };
  const show = (number) => {
    const item = document.getElementById(`p${number}`);
    if (!item) return;
    const heading = document.createElement("h3");
    heading.append(...item.querySelector("summary").cloneNode(true).childNodes);
    panel.replaceChildren(heading, ...[...item.children].slice(1).map((each) => each.cloneNode(true)));
    panel.hidden = false;
    const numbers = new Set([String(number)]);
    highlight(numbers, neighbours(numbers));
    nodes.find((node) => node.dataset.node === String(number))?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const clear = () => {
    panel.hidden = true;
    highlight(new Set(), new Set());
  };
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest("a[href^='#p']");
    if (!anchor || !(svg.contains(anchor) || panel.contains(anchor))) return;
    event.preventDefault();
    history.replaceState(null, "", anchor.getAttribute("href"));
    show(anchor.getAttribute("href").slice(2));
  });
  document.addEventListener("keydown", (event) => {
    const typing = document.activeElement === field;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      field.focus();
    } else if (event.key === "Escape") {
      field.value = "";
      search();
      clear();
    } else if (event.key === "Enter" && typing) {
      const first = items.find((item) => !item.hidden);
      if (first) show(first.dataset.number);
    }
  });
  const search = () => {
    const wanted = field.value.trim().toLowerCase();
    const numbers = new Set();
    for (const item of items) {
      const fits = item.dataset.name.includes(wanted);
      item.hidden = !fits;
      if (fits && wanted) numbers.add(item.dataset.number);
    }
    status.textContent = wanted ? `${numbers.size} ${numbers.size === 1 ? "package" : "packages"}` : "";
    if (!wanted) clear();
    else {
      panel.hidden = true;
      highlight(numbers, new Set());
      // Nothing matches: everything is dimmed.
      svg.classList.add("chosen");
      nodes.find((node) => numbers.has(node.dataset.node))?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  };
  field.addEventListener("input", search);

  const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value];
  let scale = 1;
  const zoom = (to) => {
    scale = Math.min(3, Math.max(0.1, to));
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
  };
  document.getElementById("larger").addEventListener("click", () => zoom(scale * 1.25));
  document.getElementById("smaller").addEventListener("click", () => zoom(scale / 1.25));
  document.getElementById("fit").addEventListener("click", () => {
    const inner = picture.clientWidth - parseFloat(getComputedStyle(picture).paddingLeft) * 2;
    zoom(Math.min(1, inner / width));
  });
  if (/^#p\d+$/.test(location.hash)) show(location.hash.slice(2));
})();
