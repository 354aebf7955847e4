(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const panel = byId("panel");
  const main = byId("report");
  const page = main.parentElement;
  const boxes = [...document.querySelectorAll("#filter input")];
  const marks = [...document.querySelectorAll("#source mark")];
  const items = new Map([...document.querySelectorAll("#claim-list > ol > li")]
    .map((item) => [item.id, item]));
  let opener = null;

  // The panel takes the list's place: it is folded, and its ids no longer catch the links.
  byId("claim-list").open = false;
  items.forEach((item) => item.removeAttribute("id"));

  const first = (id) => marks.find((mark) => `c${mark.dataset.c}` === id);
  const unmark = () => marks.forEach((mark) => mark.classList.remove("open"));
  const here = () => location.hash.slice(1);
  const makeRoom = () => {
    page.style.transform = "";
    if (innerWidth < 1088) {
      const covered = opener ?
        opener.getBoundingClientRect().bottom + 24 - panel.getBoundingClientRect().top : 0;
      if (covered > 0 && panel.offsetWidth === innerWidth) scrollBy(0, covered);
      return;
    }
    const over = main.getBoundingClientRect().right - (innerWidth - panel.offsetWidth - 24);
    const room = main.getBoundingClientRect().left - 24;
    const shift = Math.max(0, Math.min(over, room));
    page.style.transform = shift ? `translateX(${-shift}px)` : "";
    page.classList.toggle("moved", shift > 0);
  };
  const show = (id) => {
    const item = items.get(id);
    if (!item) return false;
    // A copy of what the list holds: nothing of the report is read as markup again.
    byId("panel-body").className = `claims ${item.className}`;
    byId("panel-body").replaceChildren(...item.cloneNode(true).childNodes);
    panel.hidden = false;
    panel.scrollTop = 0;
    unmark();
    marks.filter((mark) => `c${mark.dataset.c}` === id)
      .forEach((mark) => mark.classList.add("open"));
    makeRoom();
    panel.focus({ preventScroll: true });
    return true;
  };
  const hide = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    page.style.transform = "";
    page.classList.remove("moved");
    unmark();
    opener?.focus({ preventScroll: true });
    opener = null;
  };
  const close = () => {
    if (items.has(here())) history.replaceState(null, "", "#report");
    hide();
  };
  const open = (id) => {
    if (id !== here()) history.pushState(null, "", `#${id}`);
    show(id);
  };
  const arrive = (id) => {
    const mark = first(id);
    opener = mark?.firstElementChild ?? null;
    if (show(id)) requestAnimationFrame(() => mark?.scrollIntoView(
      // On a phone the lower part is under the panel.
      { block: panel.offsetWidth < innerWidth ? "center" : "start" }));
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('#source mark a[href^="#"]');
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (link.parentElement.classList.contains("off")) return;
    opener = link;
    open(link.hash.slice(1));
  });
  byId("panel-close").addEventListener("click", close);

  const filter = () => {
    const shown = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const node of [...marks, ...items.values()]) {
      const off = ![...node.classList].some((name) => shown.has(name));
      node.classList.toggle("off", off);
      const link = node.localName === "mark" && node.firstElementChild;
      if (link) link.tabIndex = off ? -1 : 0;
    }
  };
  byId("filter").addEventListener("change", filter);
  filter();

  const walk = (step) => {
    const ids = [...new Set(marks.filter((mark) => !mark.classList.contains("off"))
      .map((mark) => `c${mark.dataset.c}`))];
    if (!ids.length) return;
    const at = ids.indexOf(here());
    const id = at < 0 ? ids.at(step > 0 ? 0 : -1) : ids[(at + step + ids.length) % ids.length];
    history.replaceState(null, "", `#${id}`);
    arrive(id);
  };
  byId("next").addEventListener("click", () => walk(1));
  byId("previous").addEventListener("click", () => walk(-1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "n") walk(1);
    if (event.key === "p") walk(-1);
  });
  const follow = () => { if (!show(here())) hide(); };
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
  if (items.has(here())) arrive(here());

  addEventListener("beforeprint", () => { byId("claim-list").open = true; });
  addEventListener("afterprint", () => { byId("claim-list").open = false; });
})();
