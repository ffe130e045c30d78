// The line: asks the site for it, registers at the SIP server, and says how it stands.
(() => {
  "use strict";

  const { calls, outbox } = window.phone;
  const { config: address } = document.body.dataset;
  const REFUSALS = [401, 403, 407];
  const listeners = { state() {}, fault() {} };
  let ua = null;

  // The site's clock, as near as the quickest of some answers tells it.
  async function ask() {
    const sent = Date.now();
    const answer = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(10000) });
    const took = Date.now() - sent;
    if (answer.type === "opaqueredirect") throw "signed_out";
    const found = await answer.json();
    if (!answer.ok) throw found.error;
    outbox.setOffset(Math.round(found.now - sent - took / 2));
    return found;
  }

  function made(found) {
    const sockets = [new JsSIP.WebSocketInterface(found.websocket)];
    return new JsSIP.UA({
      sockets,
      uri: found.uri,
      authorization_user: found.user,
      password: found.password,
      display_name: found.name,
      register_expires: 120,
      session_timers: false,
      connection_recovery_min_interval: 2,
      connection_recovery_max_interval: 15,
    });
  }

  function listen() {
    ua.on("connecting", () => listeners.state("registering"));
    ua.on("registered", () => {
      listeners.fault("");
      listeners.state("ready");
    });
    ua.on("unregistered", () => listeners.state("away"));
    ua.on("registrationFailed", ({ response, cause }) => {
      listeners.state(response ? "refused" : "away");
      if (!response) listeners.fault("unreachable");
      else if (REFUSALS.includes(response.status_code)) listeners.fault("password");
      else listeners.fault("refused_because", `${response.status_code} ${response.reason_phrase || cause}`);
    });
    ua.on("disconnected", ({ error }) => {
      listeners.state("away");
      if (error) listeners.fault("unreachable");
    });
  }

  // Rejects with a word of ours, or a sentence of the site.
  async function start() {
    const found = await ask();
    ua = made(found);
    listen();
    calls.start(ua, found);
    ua.start();
  }

  function stop() {
    calls.quit();
    ua?.stop(); // which unregisters
  }

  window.phone.line = { listeners, start, stop };
})();
