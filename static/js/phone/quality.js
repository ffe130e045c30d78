// How good a line is, from what the browser counts: lost packets, jitter, the way there and back.
// Fair is what one notices, poor what disturbs: after ITU-T G.107 and G.114, rounded.
(() => {
  "use strict";

  const FAIR = { loss: 2, jitter: 30, trip: 300 };
  const POOR = { loss: 5, jitter: 60, trip: 500 };

  function counted(stats) {
    const found = { lost: 0, received: 0, jitter: 0, trip: 0 };
    for (const one of stats.values()) {
      if (one.type === "inbound-rtp" && one.kind === "audio") {
        found.lost += one.packetsLost || 0;
        found.received += one.packetsReceived || 0;
        found.jitter = Math.max(found.jitter, (one.jitter || 0) * 1000);
      }
      const isPath = one.type === "remote-inbound-rtp" || (one.type === "candidate-pair" && one.nominated);
      const seconds = one.roundTripTime ?? one.currentRoundTripTime;
      if (isPath && seconds) found.trip = Math.max(found.trip, seconds * 1000);
    }
    return found;
  }

  // {sign, loss, jitter, trip} since `before`, which is what this returned last; null without sound.
  async function measure(connection, before) {
    const now = counted(await connection.getStats());
    const lost = now.lost - (before?.lost || 0);
    const received = now.received - (before?.received || 0);
    if (lost + received <= 0) return { ...now, sign: "" };
    const found = { loss: Math.max(0, (100 * lost) / (lost + received)), jitter: now.jitter, trip: now.trip };
    const exceeds = (limits) => Object.keys(limits).some((name) => found[name] > limits[name]);
    return { ...now, ...found, sign: exceeds(POOR) ? "poor" : exceeds(FAIR) ? "fair" : "good" };
  }

  window.phone.quality = { measure };
})();
