// The live line: one socket a page. Whatever the server says becomes the DOM event "live" on the
// body, at once for the first and gathered every 300 ms while more come, so that the last event of
// a burst is never lost: {type, ...} alone, or {type: "batch", events: [...]} for several.
// "connected", "reconnected" and "missed" are such events too: what happened before them may have
// been missed. The server numbers the frames of a line; a number that is missing was lost.
// What is for this person alone is no news of a call: it becomes an event of its own type, at once.
// While the line is open, <html data-live="on">; the event "line-up" tells when it is again.
(() => {
  "use strict";

  const GATHER_MS = 300;
  const PING_MS = 20000;
  const PONG_MS = 8000;
  const LONGEST_WAIT_S = 15;
  const CROWDED = 4429; // the same session has opened too many lines since
  const CROWDED_WAIT_S = 60;
  const PERSONAL = ["notification", "notifications_read"];

  const root = document.documentElement;
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/dashboard/`;

  let socket = null;
  let failures = 0;
  let frames = 0;
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
    for (const event of message.type === "batch" ? message.events : [message]) {
      if (PERSONAL.includes(event.type)) tell(event.type, event);
      else gathered.push(event);
    }
    if (!gathering) release();
  }

  function show(open) {
    const state = open ? "on" : "off";
    if (root.dataset.live === state) return; // unset until the first line is open, or has failed
    root.dataset.live = state;
    if (open) tell("line-up");
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
    if (message.type === "pong") return;
    frames += 1;
    if (message.seq !== frames) gather({ type: "missed" });
    frames = message.seq;
    gather(message);
  }

  function opened() {
    failures = 0;
    frames = 0;
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
    fresh.addEventListener("close", ({ code }) => drop(fresh, code));
  }

  // 1, 2, 4 … 15 s. A page that had to make room for newer ones comes back when it is looked at.
  function wait(code) {
    if (code !== CROWDED) return Math.min(2 ** failures, LONGEST_WAIT_S);
    return document.hidden ? Infinity : CROWDED_WAIT_S;
  }

  function drop(lost, code) {
    if (lost !== socket) return;
    socket = null;
    clearTimeout(silence);
    lost.close();
    show(false);
    // Whoever is signed out is refused a line; the header's timer, asked for, leads to sign-in.
    tell("beat");
    // Up to a third longer, so that not every page comes back at one moment.
    const seconds = wait(code) * (1 + Math.random() / 3);
    failures += 1;
    if (seconds < Infinity) retry = setTimeout(connect, seconds * 1000);
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
  // Not before htmx has read, at the same event, what the parts listen to: none would hear "connected".
  document.addEventListener("DOMContentLoaded", connect);
})();
