// The header's bell and the reminders ask for themselves again, by the event "bell", when the person
// was told something or has read something, in whichever tab, and when either may have been missed.
(() => {
  "use strict";

  const bell = () => document.body.dispatchEvent(new CustomEvent("bell"));
  const eventsOf = ({ detail }) => (detail.type === "batch" ? detail.events : [detail]);
  const reminders = document.getElementById("reminders"); // not in the administration

  for (const name of ["notification", "notifications_read"]) document.body.addEventListener(name, bell);

  // Only calls have an id; the rest says that something may have been missed. A reminder is of an own
  // call, and goes when what it reminds of is over.
  document.body.addEventListener("live", (event) => {
    if (eventsOf(event).some(({ call_id: call }) => call === undefined)) bell();
  });
  document.body.addEventListener("own-live", (event) => {
    if (reminders?.children.length && eventsOf(event).some(({ call_id: call }) => call !== undefined)) bell();
  });

  // What stays the same is not said again to who listens to the page.
  const words = (part) => part.textContent.replace(/\s+/g, " ").trim();
  document.body.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (detail.target === reminders && words(detail.fragment) === words(reminders)) detail.shouldSwap = false;
  });

  // Whoever opens what a notification is about has read it.
  function read(link) {
    const headers = { "X-CSRFToken": window.callManager.token(), "HX-Request": "true" };
    fetch(link.dataset.reads, { method: "POST", headers, keepalive: true });
  }
  for (const name of ["click", "auxclick"]) {
    document.addEventListener(name, ({ target }) => {
      const link = target.closest("a[data-reads]");
      if (link !== null) read(link);
    });
  }
})();
