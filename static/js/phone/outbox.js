// What happened to the calls of this phone, kept until the site has it. Every event has a key of its
// own in localStorage, made of its call and its number there, so that sending it twice is nothing and
// a window that dies loses nothing: the next one sends what it left, and how long its calls lived.
(() => {
  "use strict";

  window.phone = {}; // where each part of the phone puts what the others may use

  const { user, events: address } = document.body.dataset;
  const EVENT = `callmanager.phone.${user}.event.`;
  const ALIVE = `callmanager.phone.${user}.alive.`;
  const RETRY_MS = 3000;
  const BEAT_MS = 15000;
  const NOTE_MS = 1000; // a dead window's calls ended at most this long after its last note
  const MOST = 50; // events of one report
  const living = new Map(); // session -> how many events it has had
  const listeners = { fault() {}, refused() {} };
  let offset = null; // between the site's clock and ours: measured once, so that lengths are our own
  let sending = false;

  const read = (key) => JSON.parse(localStorage.getItem(key));
  const write = (key, value) => localStorage.setItem(key, JSON.stringify(value));
  const keys = (prefix) => Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || "";

  function add(session, said) {
    const n = living.get(session) ?? read(ALIVE + session)?.n ?? 0;
    living.set(session, n + 1);
    write(ALIVE + session, { n: n + 1, at: Date.now() });
    write(`${EVENT}${session}.${String(n).padStart(6, "0")}`, { session, n, at: Date.now(), ...said });
    flush();
  }

  // Its last event is added: nothing more will be said of it.
  function over(session) {
    living.delete(session);
    localStorage.removeItem(ALIVE + session);
  }

  function noteAlive() {
    for (const [session, n] of living) write(ALIVE + session, { n, at: Date.now() });
  }

  // Only one window is the phone, so whatever lives there and not here has died.
  function buryTheDead() {
    for (const key of keys(ALIVE)) {
      const session = key.slice(ALIVE.length);
      if (living.has(session)) continue;
      add(session, { event: "lost", at: read(key).at });
      over(session);
    }
  }

  function post(report, keepalive) {
    const body = JSON.stringify({ ...report, offset, sent_at: Date.now() });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token() };
    const signal = keepalive ? undefined : AbortSignal.timeout(10000);
    return fetch(address, { method: "POST", body, headers, redirect: "manual", keepalive, signal });
  }

  async function settle(answer, kept) {
    if (answer.status === 200) {
      for (const key of kept) localStorage.removeItem(key);
      for (const { why } of (await answer.json()).refused) listeners.refused(why);
      return "";
    }
    return answer.type === "opaqueredirect" || answer.status === 403 ? "signed_out" : "offline";
  }

  // What waits, the oldest first; and that the running calls go on.
  async function send(keepalive = false) {
    const kept = keys(EVENT).sort((one, other) => read(one).at - read(other).at).slice(0, MOST);
    if (kept.length === 0 && living.size === 0) return;
    const report = { events: kept.map(read), alive: [...living.keys()] };
    try {
      listeners.fault(await settle(await post(report, keepalive), kept));
    } catch {
      listeners.fault("offline");
      return;
    }
    if (kept.length === MOST) await send(keepalive);
  }

  async function flush() {
    if (sending || keys(EVENT).length === 0) return;
    sending = true;
    try {
      await send();
    } finally {
      sending = false;
    }
  }

  // A window that closes has no time to wait for an answer.
  const sendLast = () => send(true);

  setInterval(flush, RETRY_MS);
  setInterval(noteAlive, NOTE_MS);
  setInterval(() => !sending && living.size > 0 && send(), BEAT_MS);
  addEventListener("online", flush);

  window.phone.outbox = {
    add,
    over,
    buryTheDead,
    flush,
    sendLast,
    listeners,
    setOffset: (found) => (offset = found),
    waits: () => keys(EVENT).length,
  };
})();
