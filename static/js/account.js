// Switching notifications on asks the browser for its leave first: it asks the person only then.
(() => {
  "use strict";

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-asks-notifications]");
    if (form === null || !form.elements.notifications.checked) return;
    if (window.Notification?.permission === "granted") return;
    event.preventDefault();
    const answer = window.Notification ? await Notification.requestPermission() : "denied";
    if (answer === "granted") form.submit();
    else window.callManager.notice(form.dataset.refused);
  });
})();
