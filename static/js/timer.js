// Every running clock of the page. A clock carries what had elapsed when the server answered
// (data-elapsed-ms); from the moment it appears it is counted with the browser's monotonic clock,
// so the local time of day does not matter. All clocks tick together, on the header's full seconds.
// After a sleep or a jump of the local clock, on focus and on return everything is asked for again.
(() => {
  "use strict";

  const JUMP_MS = 1500;
  const anchors = new WeakMap();
  const title = document.title;
  const loaded = performance.getEntriesByType("navigation")[0]?.responseStart || 0;
  let drift = Date.now() - performance.now();
  let resyncing = 0;

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

  function elapsed(clock) {
    const { elapsed: begun, at } = anchors.get(clock);
    return clock.dataset.running === "1" ? begun + performance.now() - at : begun;
  }

  function colour(element, prefix, name) {
    for (const other of ["green", "amber", "red"]) {
      element.classList.toggle(`${prefix}-${other}`, other === name);
    }
  }

  function draw(clock) {
    const seconds = Math.floor(elapsed(clock) / 1000);
    const text = written(seconds);
    if (clock.textContent !== text) clock.textContent = text;
    const running = clock.dataset.running === "1";
    const name = running ? level(seconds, clock) : "";
    colour(clock, "clock", name);
    const holder = clock.closest(".timer");
    if (holder !== null) colour(holder, "timer", name);
  }

  function drawAll(appeared = performance.now()) {
    for (const clock of document.querySelectorAll("[data-clock]")) {
      if (!anchors.has(clock)) {
        anchors.set(clock, { elapsed: Number(clock.dataset.elapsedMs), at: appeared });
      }
      draw(clock);
    }
    const shown = timer()?.querySelector("[data-clock]");
    document.title = shown ? `${shown.textContent} · ${title}` : title;
    return shown;
  }

  // Asks for everything again, once for the events that come together (focus and visibility do).
  function resync() {
    clearTimeout(resyncing);
    resyncing = setTimeout(() => tell("live", { type: "resync" }), 100);
  }

  function watchSleep() {
    const present = Date.now() - performance.now();
    if (Math.abs(present - drift) > JUMP_MS) resync();
    drift = present;
  }

  function tick() {
    watchSleep();
    const shown = drawAll();
    const phase = shown && shown.dataset.running === "1" ? elapsed(shown) % 1000 : 0;
    setTimeout(tick, 1005 - phase);
  }

  // Others' calls come over the same line; the parts that show one's own need not follow them.
  document.body.addEventListener("live", ({ detail }) => {
    const own = timer()?.dataset.user;
    const events = detail.type === "batch" ? detail.events : [detail];
    if (events.some((event) => event.user_id === undefined || String(event.user_id) === own)) {
      tell("own-live", detail);
    }
  });
  document.body.addEventListener("htmx:load", () => drawAll());
  document.body.addEventListener("clocks", () => drawAll());
  addEventListener("focus", resync);
  addEventListener("online", resync);
  document.addEventListener("visibilitychange", () => document.hidden || resync());
  addEventListener("pageshow", (event) => (event.persisted ? resync() : tell("beat")));
  drawAll(loaded);
  tick();
})();
