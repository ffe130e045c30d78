// The live line: one socket a page. Whatever the server says becomes the DOM event "live" on the
// body, at once for the first and gathered every 300 ms while more come, so that the last event of
// a burst is never lost: {type, ...} alone, or {type: "batch", events: [...]} for several.
// "connected" and "reconnected" are such events too: what happened before them may have been missed.
// While the line is open, <html data-live="on">; the events "line-up" and "line-down" tell the rest.
(() => {
  "use strict";

  const GATHER_MS = 300;
  const PING_MS = 20000;
  const PONG_MS = 8000;
  const LONGEST_WAIT_S = 15;

  const root = document.documentElement;
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/dashboard/`;

  let socket = null;
  let failures = 0;
  let wasOpen = false;
  let retry = 0;
  let silence = 0;
  let gathered = [];
  let gathering = false;

  const tell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));

  // A part that replaces itself takes the request that htmx had queued behind its own with it. So
  // a part that arrives older than the last event asks once more, by its trigger "stale".
  const asked = new Map();
  let last = 0;
  // On the way down to the body: before any listener there asks, or every part would ask twice.
  document.addEventListener("live", () => (last = performance.now()), { capture: true });
  document.body.addEventListener("htmx:beforeRequest", ({ detail }) =>
    asked.set(detail.elt.id, performance.now()),
  );
  document.body.addEventListener("htmx:load", ({ detail: { elt } }) => {
    const isOlder = asked.has(elt.id) && last > asked.get(elt.id);
    if (isOlder && elt.getAttribute("hx-trigger")?.startsWith("stale")) htmx.trigger(elt, "stale");
  });

  function release() {
    if (gathered.length === 0) {
      gathering = false;
      return;
    }
    const events = gathered;
    gathered = [];
    gathering = true;
    setTimeout(release, GATHER_MS);
    tell("live", events.length === 1 ? events[0] : { type: "batch", events });
  }

  function gather(message) {
    gathered.push(...(message.type === "batch" ? message.events : [message]));
    if (!gathering) release();
  }

  function show(open) {
    const state = open ? "on" : "off";
    if (root.dataset.live === state) return; // unset until the first line is open, or has failed
    root.dataset.live = state;
    tell(open ? "line-up" : "line-down");
  }

  // A dead connection raises no close event; only a missing answer betrays it.
  function ask(within) {
    if (socket === null || socket.readyState !== WebSocket.OPEN) return;
    socket.send("ping");
    clearTimeout(silence);
    silence = setTimeout(() => drop(socket), within);
  }

  function hear(message) {
    clearTimeout(silence);
    if (message.type !== "pong") gather(message);
  }

  function opened() {
    failures = 0;
    show(true);
    gather({ type: wasOpen ? "reconnected" : "connected" });
    wasOpen = true;
  }

  function connect() {
    clearTimeout(retry);
    if (socket !== null) return;
    const fresh = new WebSocket(address);
    socket = fresh;
    // A handshake that gets no answer at all counts as a failure, too.
    silence = setTimeout(() => drop(fresh), PONG_MS);
    fresh.addEventListener("open", () => {
      clearTimeout(silence);
      if (fresh === socket) opened();
    });
    fresh.addEventListener("message", (event) => {
      if (fresh === socket) hear(JSON.parse(event.data));
    });
    fresh.addEventListener("close", () => drop(fresh));
  }

  // 1, 2, 4 … 15 s, each up to a third longer, so that not every page comes back at one moment.
  function drop(lost) {
    if (lost !== socket) return;
    socket = null;
    clearTimeout(silence);
    lost.close();
    show(false);
    const seconds = Math.min(2 ** failures, LONGEST_WAIT_S) * (1 + Math.random() / 3);
    failures += 1;
    retry = setTimeout(connect, seconds * 1000);
  }

  function wake() {
    if (socket === null) {
      failures = 0;
      connect();
    } else {
      ask(PONG_MS / 2);
    }
  }

  setInterval(() => ask(PONG_MS), PING_MS);
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => event.persisted && wake());
  document.addEventListener("visibilitychange", () => !document.hidden && wake());
  connect();
})();
