// What the pages of the lab do beyond HTML, where there is JavaScript. htmx swaps the desk; this says what came, keeps the
// line that is meant in sight, and gives the log viewer CMTrace's keys. Everything can be done without it.
"use strict";
(() => {
  const news = document.getElementById("news");

  const tell = (text, style = "away") => {
    news.className = style;
    news.textContent = "";
    if (text) setTimeout(() => { news.textContent = text; }, 60);
  };

  // The log's own box scrolls; the page stays where it is, unless somebody went to another hit or opened a log.
  const show = (desk, far) => {
    const row = document.getElementById(desk.dataset.show || "");
    const box = row && row.closest("div.log");
    if (box) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
    const log = far && document.getElementById("log");
    if (log) log.scrollIntoView({ block: "nearest" }); // as smoothly as the style sheet says
  };

  let far = false;
  document.addEventListener("click", (event) => { // Enter in a field clicks the form's first button
    far = event.target.closest("[data-key=next], [data-key=previous], .openlogs button") !== null;
  });

  // The button of a log that was opened is gone, and the list is closed: go on from there.
  const refocus = () => {
    const list = document.querySelector("details:has(.openlogs) > summary");
    if (list && document.activeElement === document.body) list.focus({ preventScroll: true });
  };

  document.addEventListener("htmx:before:swap", (event) => {
    const { text, response, request } = event.detail.ctx;
    const again = response.raw.headers.has("refresh"); // a page that looks again by itself: only the browser heeds that
    if (/<div class="desk" id="desk"/.test(text) && !again) return;
    event.preventDefault(); // not a page of this session: let the browser show it
    location.assign(again || request.method === "GET" ? response.raw.url : location.href);
  });

  document.addEventListener("htmx:after:swap", () => {
    const desk = document.getElementById("desk");
    if (!desk) return;
    desk.removeAttribute("aria-busy");
    tell(desk.dataset.news);
    refocus();
    show(desk, far);
    far = false;
  });

  document.addEventListener("htmx:before:request", () => {
    const desk = document.getElementById("desk");
    if (desk) desk.setAttribute("aria-busy", "true");
  });

  document.addEventListener("htmx:error", (event) => {
    const desk = document.getElementById("desk");
    if (desk) desk.removeAttribute("aria-busy");
    if (event.detail.ctx) tell(news.dataset.lost, "message bad lost");
  });

  // F3 and Shift+F3 are CMTrace's; letters act only while the log's box itself has the focus.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inside = document.activeElement && document.activeElement.matches("div.log");
    const name =
      event.key === "F3" ? (event.shiftKey ? "previous" : "next")
      : !inside ? ""
      : { n: "next", N: "previous", "/": "find", f: "filter" }[event.key];
    const meant = name && document.querySelector(`[data-key="${name}"]`);
    if (!meant) return;
    event.preventDefault();
    if (meant.matches("input")) meant.focus(); else meant.click();
  });

  // Language and colours are applied as they are chosen; afterwards the menu is open again, and the focus where it was.
  const menu = document.querySelector(".menu");
  const settings = menu.querySelector("form");
  settings.querySelector("button").remove();
  const chosen = sessionStorage.getItem("chosen");
  sessionStorage.removeItem("chosen");
  if (chosen) {
    menu.open = true;
    settings.querySelector(`[name="${CSS.escape(chosen)}"]:checked`)?.focus();
  }
  settings.addEventListener("change", (event) => {
    const back = settings.elements.back;
    if (back.value !== "/") back.value = location.pathname + location.search; // with the viewer's filters
    sessionStorage.setItem("chosen", event.target.name);
    settings.requestSubmit();
  });

  const desk = document.getElementById("desk");
  if (desk && !location.hash) show(desk);
})();
