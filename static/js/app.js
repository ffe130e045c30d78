// Shared manners of every page: says when the network is gone, shows what the server refuses,
// keeps the focus where the person was.
(() => {
  "use strict";

  const PROBE_MS = 3000;
  const GOOD_NEWS_MS = 8000;
  const GATEWAY_ERRORS = [502, 503, 504];
  const banner = document.getElementById("network");
  const tell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));
  let probing = 0;

  function notice(text, level = "bad") {
    const line = document.getElementById("notice_line").content.cloneNode(true).firstElementChild;
    line.className = `notice notice-${level}`;
    line.querySelector(".notice-text").textContent = text;
    document.getElementById("notice").replaceChildren(line);
    fade();
  }

  // Good news goes by itself; the rest stays until it is closed or the next click has its own.
  function fade() {
    const line = document.querySelector("#notice .notice-good");
    if (line !== null) setTimeout(() => line.remove(), GOOD_NEWS_MS);
  }

  document.body.addEventListener("htmx:oobAfterSwap", fade);
  document.addEventListener("click", ({ target }) => target.closest(".notice-close")?.parentElement.remove());

  // Where names stand in a row that is moved sideways, that of this page is in sight.
  for (const here of document.querySelectorAll(".site-nav [aria-current], .record-tabs [aria-current]")) {
    here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 16;
  }

  // Whoever signs out leaves: a part that is fetched meanwhile must not lead elsewhere.
  let leaving = false;
  addEventListener("submit", ({ target }) => (leaving ||= target.matches("[data-leaves]")));
  addEventListener("pageshow", () => (leaving = false));
  document.body.addEventListener("htmx:beforeRequest", (event) => leaving && event.preventDefault());

  // The cookie, not the page, has the newest token: another tab may have signed in again.
  const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || "";

  // --- The network -------------------------------------------------------------------------------
  function lost() {
    banner.hidden = false;
    if (!probing) probing = setInterval(() => tell("beat"), PROBE_MS);
  }

  function found() {
    if (!probing) return;
    clearInterval(probing);
    probing = 0;
    banner.hidden = true;
    tell("network-back");
    tell("live", { type: "resync" });
  }

  document.body.addEventListener("htmx:sendError", lost);
  document.body.addEventListener("htmx:timeout", lost);
  addEventListener("offline", lost);
  addEventListener("online", () => tell("beat"));

  // --- Refusals ----------------------------------------------------------------------------------
  // The sentence of an answer: `error` of JSON, the notice in it, or the words of the error page.
  function sentence(text) {
    try {
      return JSON.parse(text).error;
    } catch {
      const page = new DOMParser().parseFromString(text, "text/html");
      const words = [...page.querySelectorAll(".notice-text, #content h1, #content h1 + p")];
      return words.map((word) => word.textContent.trim()).join(" ");
    }
  }

  document.body.addEventListener("htmx:configRequest", ({ detail }) => {
    if (token()) detail.headers["X-CSRFToken"] = token();
  });

  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { xhr } = detail;
    if (GATEWAY_ERRORS.includes(xhr.status)) {
      detail.isError = false;
      lost();
      return;
    }
    found();
    if (xhr.status < 400 || detail.shouldSwap) return;
    detail.isError = false;
    notice(sentence(xhr.responseText) || `${xhr.status} ${xhr.statusText}`);
  });

  // --- A press -----------------------------------------------------------------------------------
  // What is replaced while it is held down, by key or pointer, is never clicked. So a part waits
  // until it is let go, and then asks for what is newest.
  let pressed = null;
  const waiting = new Set(); // functions to call when it is let go
  const isPressed = (part) => pressed !== null && part.contains(pressed);
  // Resolves at once, or after the click that follows.
  const letGo = (part) => (isPressed(part) ? new Promise((go) => waiting.add(go)) : Promise.resolve());

  function release() {
    pressed = null;
    const due = [...waiting];
    waiting.clear();
    setTimeout(() => due.forEach((go) => go()));
  }

  for (const name of ["pointerdown", "keydown"]) {
    addEventListener(name, ({ target }) => (pressed = target.closest?.("a, button, label, summary")), true);
  }
  for (const name of ["pointerup", "pointercancel", "keyup"]) addEventListener(name, release, true);
  addEventListener("blur", release);
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { elt, target } = detail;
    if (!isPressed(target) || !elt.getAttribute("hx-trigger")?.startsWith("stale")) return;
    detail.shouldSwap = false;
    letGo(target).then(() => htmx.trigger(elt, "stale"));
  });

  // --- Folds -------------------------------------------------------------------------------------
  // On a small screen a line stands for what is seldom changed; a click opens what it names.
  document.addEventListener("click", ({ target }) => {
    const fold = target.closest(".fold");
    fold?.setAttribute("aria-expanded", fold.getAttribute("aria-expanded") !== "true");
  });

  // --- The focus ---------------------------------------------------------------------------------
  // A focused button may vanish with a swap; htmx finds it again by its id, else we stay close by:
  // in the same call, in the same part, or where the next call begins.
  let near = [];

  function beforeSwap(part) {
    const active = document.activeElement;
    if (part.contains(active)) near = [active.closest("article[id]")?.id, part.id];
  }

  function afterSwap() {
    const [was, active] = [near, document.activeElement];
    near = [];
    if (was.length === 0 || active !== document.body) return;
    const place = was.map((id) => id && document.getElementById(id)).find(Boolean);
    const next = place?.querySelector("button, input:not([type=hidden]), textarea") || place?.querySelector("a[href]");
    (next || document.getElementById("q"))?.focus({ preventScroll: true });
  }

  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.shouldSwap) beforeSwap(detail.target);
  });
  document.body.addEventListener("htmx:afterSettle", afterSwap);

  window.callManager = { afterSwap, beforeSwap, found, letGo, lost, notice, sentence, tell, token };
})();
