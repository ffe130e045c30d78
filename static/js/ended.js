// Says how long an own call was, and what today's calls now add up to, where something else than this
// page has ended it: another tab, a program, the phone system. A click on this page says it itself.
(() => {
  "use strict";

  const NOBODY = "00000000-0000-0000-0000-000000000000";
  const { endedHere } = window.callManager;

  // What the watch over stale calls closes has not ended as far as anybody knows.
  function isNews({ type, user_id: user, call_id: call, ended_by: by }) {
    const own = document.getElementById("timer").dataset.user;
    return type === "call_ended" && String(user) === own && by !== "watchdog" && !endedHere.has(call);
  }

  document.body.addEventListener("own-live", ({ detail }) => {
    const events = detail.type === "batch" ? detail.events : [detail];
    const { dataset } = document.getElementById("notice");
    // Of several that come together the last is said.
    const last = events.filter(isNews).pop();
    if (last === undefined) return;
    htmx.ajax("GET", dataset.ended.replace(NOBODY, last.call_id), { source: "#notice", swap: "none" });
  });
})();
