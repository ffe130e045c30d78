// Every running clock of the page. A clock carries what had elapsed (data-elapsed-ms) at the instant of
// the server's clock at which it, or the part around it, was made (data-at-ms). What time it is there now, the page counts with the browser's
// monotonic clock from what the answers say, so the local time of day does not matter. All clocks show
// one instant, that of the last tick, on the full seconds of the header's; of several that show one
// call, what was told last holds for all. After a sleep or a jump of the local clock, on focus and on
// return everything is asked for again.
(() => {
  "use strict";

  const JUMP_MS = 1500;
  const REMEMBER_MS = 120000;
  const heard = new WeakSet(); // the elements that have said what time it is
  const title = document.title;
  const loaded = performance.getEntriesByType("navigation")[0]?.responseStart || 0;
  let drift = Date.now() - performance.now();
  let resyncing = 0;
  let ticking = 0;
  let jumped = -Infinity; // when one of the local clocks was last seen to jump
  let offsets = []; // what the last minutes' answers said of the server's clock, less ours
  let instant = 0; // what the clocks show, by the server's clock

  const timer = () => document.getElementById("timer");
  const tell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));
  const two = (number) => String(number).padStart(2, "0");

  function written(seconds) {
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const rest = `${two(minutes)}:${two(seconds % 60)}`;
    return hours > 0 ? `${two(hours)}:${rest}` : rest;
  }

  function level(seconds, clock) {
    if (seconds >= Number(clock.dataset.red)) return "red";
    return seconds >= Number(clock.dataset.amber) ? "amber" : "green";
  }

  // An answer was under way for a while, so the one that says the latest was the quickest.
  const serverNow = () => performance.now() + Math.max(...offsets.map(({ offset }) => offset));

  function listen(appeared) {
    for (const element of document.querySelectorAll("[data-at-ms]")) {
      if (heard.has(element)) continue;
      heard.add(element);
      offsets = offsets.filter(({ at }) => at > jumped && appeared - at < REMEMBER_MS);
      offsets.push({ offset: Number(element.dataset.atMs) - appeared, at: appeared });
    }
  }

  const madeAt = (clock) => Number(clock.closest("[data-at-ms]").dataset.atMs);

  function elapsed(clock) {
    const since = clock.dataset.running === "1" ? instant - madeAt(clock) : 0;
    return Math.max(0, Number(clock.dataset.elapsedMs) + since);
  }

  // For each clock the one that knows best: of the same call, the one that was told last.
  function newest(clocks) {
    const best = new Map();
    for (const clock of clocks) {
      const known = best.get(clock.dataset.call);
      if (known === undefined || madeAt(known) <= madeAt(clock)) best.set(clock.dataset.call, clock);
    }
    return (clock) => (clock.dataset.call === undefined ? clock : best.get(clock.dataset.call));
  }

  function colour(element, prefix, name) {
    for (const other of ["green", "amber", "red"]) {
      element.classList.toggle(`${prefix}-${other}`, other === name);
    }
  }

  function draw(clock, best) {
    const seconds = Math.floor(elapsed(best) / 1000);
    const text = written(seconds);
    if (clock.textContent !== text) clock.textContent = text;
    const name = best.dataset.running === "1" ? level(seconds, clock) : "";
    colour(clock, "clock", name);
    const holder = clock.closest(".timer");
    if (holder !== null) colour(holder, "timer", name);
  }

  function drawAll(appeared = performance.now()) {
    listen(appeared);
    const clocks = [...document.querySelectorAll("[data-clock]")];
    // One that began here, in this page: a call whose start waits to be sent.
    for (const clock of clocks) if (clock.closest("[data-at-ms]") === null) clock.dataset.atMs = serverNow();
    const best = newest(clocks);
    for (const clock of clocks) draw(clock, best(clock));
    const shown = inHeader();
    document.title = shown ? `${shown.textContent} · ${title}` : title;
  }

  const inHeader = () => timer()?.querySelector("[data-clock]");
  const leader = () => inHeader() || document.querySelector("[data-clock][data-at-ms], [data-at-ms] [data-clock]");

  // Asks for everything again, once for the events that come together (focus and visibility do).
  function resync() {
    clearTimeout(resyncing);
    resyncing = setTimeout(() => tell("live", { type: "resync" }), 100);
  }

  function watchSleep() {
    const present = Date.now() - performance.now();
    if (Math.abs(present - drift) > JUMP_MS) {
      jumped = performance.now(); // what was heard before is believed until there is something newer
      resync();
    }
    drift = present;
  }

  function tick(appeared = performance.now()) {
    watchSleep();
    listen(appeared);
    instant = serverNow();
    const lead = leader();
    const phase = lead?.dataset.running === "1" ? elapsed(lead) % 1000 : 0;
    instant -= phase; // a tick that comes late must not let one clock step and another not
    drawAll();
    clearTimeout(ticking);
    ticking = setTimeout(tick, 1005 - phase);
  }

  // Others' calls come over the same line; the parts that show one's own need not follow them.
  document.body.addEventListener("live", ({ detail }) => {
    const own = timer()?.dataset.user;
    const events = detail.type === "batch" ? detail.events : [detail];
    if (events.some((event) => event.user_id === undefined || String(event.user_id) === own)) {
      tell("own-live", detail);
    }
  });
  // Before anything of it is painted.
  new MutationObserver(() => drawAll()).observe(document.body, { childList: true, subtree: true });
  addEventListener("focus", resync);
  addEventListener("online", resync);
  document.addEventListener("visibilitychange", () => document.hidden || (tick(), resync()));
  addEventListener("pageshow", (event) => (event.persisted ? resync() : tell("beat")));
  tick(loaded);
})();
