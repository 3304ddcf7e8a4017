"use strict";
// Tables: search, sort, pages, evidence. Everything from the data is set as text, never as markup.
(() => {
  const PAGE = 25, TOOLS_FROM = 12;
  const evidence = JSON.parse(document.getElementById("evidence").textContent);
  const tips = JSON.parse(document.getElementById("tips").textContent);

  const make = (name, props = {}, ...children) => {
    const node = Object.assign(document.createElement(name), props);
    node.append(...children);
    return node;
  };

  const escaped = (point) => point < 0x100 ? "\\x" + point.toString(16).padStart(2, "0")
    : point < 0x10000 ? "\\u" + point.toString(16).padStart(4, "0") : "\\U" + point.toString(16).padStart(8, "0");

  // Control, format and private-use characters as escapes, as in the tables of tokens.
  const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu, (c) =>
    ({"\n": "\\n", "\r": "\\r", "\t": "\\t"})[c] ?? escaped(c.codePointAt(0)));

  const evidenceRow = (key, width) => {
    const cell = make("td", {colSpan: width});
    for (const [title, lines] of evidence[key]) {
      if (title) cell.append(make("h4", {textContent: visible(title)}));
      const body = make("tbody");
      for (const [label, value] of lines)
        body.append(make("tr", {}, make("th", {textContent: visible(label)}), make("td", {textContent: visible(value)})));
      cell.append(make("table", {}, body));
    }
    return make("tr", {className: "evidence"}, cell);
  };

  const toggle = (row) => {
    const button = row.querySelector(".open"), next = row.nextElementSibling;
    const opened = next?.classList.contains("evidence");
    if (opened) next.remove(); else row.after(evidenceRow(row.dataset.evidence, row.cells.length));
    button.textContent = opened ? "▸" : "▾";
    button.setAttribute("aria-expanded", String(!opened));
  };

  const sortKey = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    return cell.textContent.trim().toLowerCase();
  };

  // Nulls stand last whichever way the column is sorted.
  const compare = (a, b, sign) => a === null ? (b === null ? 0 : 1) : b === null ? -1 : sign * (a < b ? -1 : a > b ? 1 : 0);

  const enhance = (holder) => {
    const table = holder.querySelector("table");
    if (!table) return;
    const body = table.tBodies[0], all = [...body.rows], heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => { if (all.some((row) => row.cells[column].classList.contains("n"))) head.classList.add("n"); });
    for (const row of all) {
      if (row.dataset.evidence === undefined) continue;
      const button = make("button", {className: "open", type: "button", textContent: "▸", title: "prompts and probabilities"});
      button.setAttribute("aria-expanded", "false");
      row.cells[1].prepend(button);
    }
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-evidence]");
      if (row && !String(getSelection())) toggle(row);
    });
    if (all.length < TOOLS_FROM && holder.dataset.sortable === undefined) return;

    let shown = all, page = 0;
    const texts = new Map();
    const textOf = (row) => texts.get(row) ?? texts.set(row, row.textContent.toLowerCase().replaceAll("␣", " ")).get(row);
    const search = make("input", {type: "search", placeholder: "Search …"});
    search.setAttribute("aria-label", "Search this table");
    const said = make("span"), where = make("span");
    const before = make("button", {type: "button", textContent: "‹"}), after = make("button", {type: "button", textContent: "›"});
    before.setAttribute("aria-label", "previous rows"); after.setAttribute("aria-label", "next rows");
    const everything = make("button", {type: "button", textContent: "all", title: "show all rows, e.g. before printing"});
    let size = PAGE;
    const draw = () => {
      const last = Math.max(0, Math.ceil(shown.length / size) - 1);
      page = Math.min(Math.max(page, 0), last);
      body.replaceChildren(...shown.slice(page * size, (page + 1) * size));
      for (const button of body.querySelectorAll(".open")) { button.textContent = "▸"; button.setAttribute("aria-expanded", "false"); }
      said.textContent = shown.length === all.length ? `${all.length.toLocaleString("en")} rows`
        : `${shown.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} rows`;
      where.textContent = `${page + 1} / ${last + 1}`;
      before.disabled = page === 0; after.disabled = page === last; everything.disabled = last === 0;
    };
    const filter = () => {
      const wanted = search.value.toLowerCase();
      shown = wanted ? all.filter((row) => textOf(row).includes(wanted)) : [...all];
      page = 0; draw();
    };
    search.addEventListener("input", filter);
    before.addEventListener("click", () => { page -= 1; draw(); });
    after.addEventListener("click", () => { page += 1; draw(); });
    everything.addEventListener("click", () => { size = all.length; page = 0; draw(); });
    heads.forEach((head, column) => {
      const button = make("button", {type: "button", textContent: head.textContent});
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const keyed = all.map((row, place) => [sortKey(row, column), place, row]);
        keyed.sort((a, b) => compare(a[0], b[0], sign) || a[1] - b[1]);
        all.splice(0, all.length, ...keyed.map((each) => each[2]));
        filter();
      });
    });
    holder.querySelector(".scroll").before(make("div", {className: "tools"}, search, said,
      make("span", {className: "pages"}, before, where, after, everything)));
    draw();
  };
  document.querySelectorAll(".table").forEach(enhance);

  // Plots: the tip of the point under the pointer.
  const tip = document.getElementById("tip");
  for (const [group, lines] of Object.entries(tips)) {
    const points = document.getElementById(group)?.querySelectorAll("use") ?? [];
    points.forEach((point, place) => {
      point.addEventListener("pointerenter", (event) => {
        tip.textContent = lines[place];
        tip.hidden = false;
        tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
        tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
      });
      point.addEventListener("pointerleave", () => { tip.hidden = true; });
    });
  }
})();
