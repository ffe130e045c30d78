// Shared manners of every page: says when the network is gone, shows what the server refuses,
// keeps the focus where the person was.
(() => {
  "use strict";

  const PROBE_MS = 3000;
  const GATEWAY_ERRORS = [502, 503, 504];
  const banner = document.getElementById("network");
  const tell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));
  let probing = 0;

  function notice(text, level = "bad") {
    const line = document.createElement("p");
    line.className = `notice notice-${level}`;
    line.textContent = text;
    document.getElementById("notice").replaceChildren(line);
  }

  function lost() {
    banner.hidden = false;
    document.documentElement.dataset.network = "gone";
    if (!probing) probing = setInterval(() => tell("beat"), PROBE_MS);
  }

  function found() {
    if (!probing) return;
    clearInterval(probing);
    probing = 0;
    banner.hidden = true;
    delete document.documentElement.dataset.network;
    tell("network-back");
    tell("live", { type: "resync" });
  }

  // The sentence of an error answer: `error` of JSON, or the words of the error page.
  function sentence(xhr) {
    try {
      return JSON.parse(xhr.responseText).error;
    } catch {
      const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
      const words = [...page.querySelectorAll("#content h1, #content h1 + p")];
      return words.map((word) => word.textContent.trim()).join(" ");
    }
  }

  document.body.addEventListener("htmx:sendError", lost);
  document.body.addEventListener("htmx:timeout", lost);
  document.body.addEventListener("line-down", () => tell("beat"));
  addEventListener("offline", lost);
  addEventListener("online", () => tell("beat"));

  document.body.addEventListener("htmx:configRequest", ({ detail }) => {
    // The cookie, not the page, has the newest token: another tab may have signed in again.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    if (token) detail.headers["X-CSRFToken"] = token[1];
  });

  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { xhr } = detail;
    if (GATEWAY_ERRORS.includes(xhr.status)) {
      detail.isError = false;
      lost();
      return;
    }
    found();
    if (xhr.status < 400) return;
    detail.isError = false;
    // Our own parts name their place; anything else is an error page, of which we show the words.
    detail.shouldSwap = xhr.getResponseHeader("HX-Retarget") !== null;
    if (!detail.shouldSwap) notice(sentence(xhr) || `${xhr.status} ${xhr.statusText}`);
  });

  // A focused button may vanish with a swap; htmx finds it again by its id, else we stay close by.
  let focused = null;
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const active = document.activeElement;
    focused = detail.target.contains(active) ? active.closest("[id^=call_]")?.id || detail.target.id : null;
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    if (focused === null || document.activeElement !== document.body) return;
    const place = document.getElementById(focused) || document.getElementById("current_calls");
    const next = place?.querySelector("button, a[href], input, textarea") || place;
    next?.focus({ preventScroll: true });
    focused = null;
  });

  window.callManager = { notice, lost, tell };
})();
