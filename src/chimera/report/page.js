(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const { files, subjects, sources, facts } = JSON.parse(byId("fact-data").textContent);
  const panel = byId("panel");
  const body = byId("panel-body");
  const list = byId("fact-list");
  const main = byId("report");
  const page = main.parentElement;
  let opener = null;

  // The panel takes the list's place: it is folded, and its ids no longer catch the links.
  if (list) {
    list.open = false;
    for (const item of list.querySelectorAll("li[id]")) {
      item.dataset.fact = item.id;
      item.removeAttribute("id");
    }
  }

  // Text only ever becomes a text node: nothing from the data is read as markup.
  const make = (tag, content, name) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    node.append(...(Array.isArray(content) ? content : [content ?? ""]));
    return node;
  };
  const pairs = (rows) => make("dl", rows.flatMap(([label, value, field]) =>
    [make("dt", label), make("dd", value, field && field === opened() ? "hit" : "")]));
  const opened = () => opener?.dataset.field?.replace(/^ci_.*/, "ci");
  const withUnit = (value, fact) => (fact.unit && value ? `${value} ${fact.unit}` : value);

  const interval = (fact) => {
    if (fact.ci) return `${fact.ci[0]} to ${withUnit(fact.ci[1], fact)}`;
    return fact.ci_why ? `none: ${fact.ci_why}` : "none";
  };
  const basis = (fact) => pairs([
    ["Value", fact.why_none ? `none: ${fact.why_none}` : withUnit(fact.value ?? "", fact)],
    ["95% interval", interval(fact), "ci"],
    ["n", fact.n === undefined ? "not counted" : String(fact.n), "n"],
    ["Failed", fact.n_failed ? String(fact.n_failed) : "none", "n_failed"],
    ["Left out", fact.n_excluded ?
      String(fact.n_excluded) + (fact.excluded_why ? `: ${fact.excluded_why}` : "") : "none", "n_excluded"],
    ["Scope", fact.scope ?? "all"],
  ]);
  const operand = (id) => {
    const fact = facts[id];
    const link = make("a", fact ? fact.shown : id);
    if (fact) link.href = `#${id}`;
    const about = fact ? `${fact.metric}, ${fact.statistic}` : "not part of this report";
    const subject = fact && subjects[fact.subject].map(([, value]) => value).join(" · ");
    return make("li", [link, make("span", subject ? `${about} · ${subject}` : about)]);
  };
  const source = ([file, rows, column, pointer]) => {
    const [name, sha256] = files[file];
    const parts = [];
    if (column) parts.push(`column ${column}`);
    if (pointer) parts.push(`at ${pointer}`);
    if (rows) parts.push(`${pointer ? "elements" : "rows"} ${rows}`);
    if (sha256) parts.push(`sha256 ${sha256.slice(0, 12)}`);
    const item = make("li", [make("code", name), make("span", parts.join(" · "))]);
    item.title = sha256 ? `sha256 ${sha256}` : "";
    return item;
  };

  const render = (id, fact) => {
    const title = make("h2", fact.shown ?? "");
    title.id = "panel-title";
    const parts = [title, make("p", `${fact.metric}, ${fact.statistic}`, "what")];
    for (const flag of fact.flags ?? []) parts.push(make("p", flag, "flag"));
    const about = subjects[fact.subject];
    if (about.length) parts.push(make("h3", "About"), pairs(about));
    parts.push(make("h3", "Basis"), basis(fact));
    if (fact.expression) parts.push(make("h3", "Calculation"),
      make("pre", make("code", fact.expression)));
    if (fact.operands) parts.push(make("h3", "Computed from"),
      make("ul", fact.operands.map(operand)));
    const places = sources[fact.source];
    if (places.length) parts.push(make("h3", "Sources"), make("ul", places.map(source)));
    parts.push(make("h3", "Check it"), make("pre", make("code",
      `chimera facts FOLDER --explain ${id}`)));
    body.replaceChildren(...parts);
  };

  // On a wide screen the page moves aside, over its table of contents: nothing is laid out anew,
  // so the number that was clicked stays on its line.
  let shift = 0;
  const moveAside = (pixels) => {
    shift = pixels;
    page.style.transform = shift ? `translateX(${-shift}px)` : "";
    page.classList.toggle("moved", shift > 0);
  };
  const makeRoom = () => {
    if (innerWidth < 1088) return;
    const edge = innerWidth - panel.offsetWidth - 24;
    const { left, right } = main.getBoundingClientRect();
    const end = opener ? opener.getBoundingClientRect().right : 0;
    moveAside(Math.max(0, Math.min(right + shift - edge, left + shift - 24), end + shift - edge));
  };
  // On a phone the sheet comes from below: the number that was tapped moves above it.
  const keepInSight = (link) => {
    const covered = link.getBoundingClientRect().bottom + 24 - panel.getBoundingClientRect().top;
    if (covered > 0 && panel.offsetWidth === innerWidth) scrollBy(0, covered);
  };
  const links = (id) => document.querySelectorAll(`main a[href="#${CSS.escape(id)}"]`);
  const unmark = () => document.querySelectorAll("a.n.open")
    .forEach((a) => a.classList.remove("open"));
  const show = (id) => {
    if (!Object.hasOwn(facts, id)) return false;
    render(id, facts[id]);
    panel.hidden = false;
    makeRoom();
    panel.scrollTop = 0;
    unmark();
    (opener ? [opener] : links(id)).forEach((a) => a.classList.add("open"));
    if (opener) keepInSight(opener);
    panel.focus({ preventScroll: true });
    return true;
  };
  const hide = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    moveAside(0);
    unmark();
    opener?.focus({ preventScroll: true });
    opener = null;
  };
  const here = () => decodeURIComponent(location.hash.slice(1));
  const close = () => {
    if (Object.hasOwn(facts, here())) history.replaceState(null, "", "#report");
    hide();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    const id = link?.getAttribute("href").slice(1);
    if (!link || !Object.hasOwn(facts, id) || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (!panel.contains(link)) opener = link;
    if (id !== here()) history.pushState(null, "", `#${id}`);
    show(id);
  });
  byId("panel-close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  const follow = () => { if (!show(here())) hide(); };
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
  if (show(here())) {
    const first = links(here())[0];
    first?.closest("details:not([open])")?.setAttribute("open", "");
    requestAnimationFrame(() => first?.scrollIntoView({ block: "center" }));
  }

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((d) => { d.open = false; }));

  const entries = new Map([...document.querySelectorAll(".toc a")]
    .map((a) => [byId(a.getAttribute("href").slice(1)), a]));
  const watcher = new IntersectionObserver((seen) => {
    for (const entry of seen) {
      if (!entry.isIntersecting) continue;
      entries.forEach((a) => a.classList.remove("here"));
      entries.get(entry.target)?.classList.add("here");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  entries.forEach((_, target) => target && watcher.observe(target));
})();
