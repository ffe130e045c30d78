// The browser's notifications, for those who switched them on: what appears in the bell, and an own call
// that the phone system has ended. A tag makes one of those that several tabs show.
//
// What has become long the worker tells, and only it: without a worker no reminder comes, and the
// header's clock, which changes its colour by itself, is what is left.
(() => {
  "use strict";

  const { dataset: words } = document.getElementById("notify");
  const isAllowed = () => window.Notification?.permission === "granted";

  function say(text, about) {
    const shown = new Notification("CallManager", { body: text, tag: about });
    shown.addEventListener("click", () => (window.focus(), shown.close()));
  }

  document.body.addEventListener("notification", async ({ detail: { alert_id: alert } }) => {
    if (!isAllowed()) return;
    const answer = await fetch(words.told.replace("0", alert)).catch(() => null);
    if (answer?.ok) say((await answer.json()).text, `alert-${alert}`);
  });

  document.body.addEventListener("own-live", ({ detail }) => {
    if (!isAllowed()) return;
    for (const event of detail.type === "batch" ? detail.events : [detail]) {
      if (event.type === "call_ended" && event.ended_by?.startsWith("provider:")) {
        say(words.ended, `ended-${event.call_id}`);
      }
    }
  });
})();
