// The browser's notifications, for those who switched them on: an own call that gets long, and one
// that the phone system has ended. Each says it once, in however many tabs.
(() => {
  "use strict";

  const LOOK_MS = 1000;
  const TOLD = "callmanager.long";
  const { dataset: words } = document.getElementById("notify");

  function say(text, about) {
    if (window.Notification?.permission !== "granted") return;
    const shown = new Notification("CallManager", { body: text, tag: about });
    shown.addEventListener("click", () => (window.focus(), shown.close()));
  }

  function seconds(clock) {
    return clock.textContent.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  }

  function watch() {
    const clock = document.querySelector("#timer [data-clock]");
    if (clock === null || seconds(clock) < Number(words.seconds)) return;
    const { call } = clock.dataset;
    if (localStorage.getItem(TOLD) === call) return;
    localStorage.setItem(TOLD, call);
    say(words.long, `long-${call}`);
  }

  document.body.addEventListener("own-live", ({ detail }) => {
    for (const event of detail.type === "batch" ? detail.events : [detail]) {
      if (event.type === "call_ended" && event.ended_by?.startsWith("provider:")) {
        say(words.ended, `ended-${event.call_id}`);
      }
    }
  });
  setInterval(watch, LOOK_MS);
})();
