// The calls of this phone: JsSIP's sessions, two at most, one of them talked in. What happens to each
// is said to the outbox with the instant at which it happened.
(() => {
  "use strict";

  const MOST = 2;
  const { media, outbox } = window.phone;
  const calls = [];
  const listeners = { changed() {}, ended() {}, came() {}, fault() {} };
  let ua = null;
  let line = null; // what the site says of it
  let expected = null; // what the next outgoing session is for
  let takesNext = false; // the next incoming session replaces one: it is answered at once

  const options = (stream) => ({ mediaStream: stream, pcConfig: { iceServers: line.ice } });
  const running = () => calls.find((call) => call.state === "talking" && !call.held);
  const find = (id) => calls.find((call) => call.id === id);

  // --- What JsSIP says ---------------------------------------------------------------------------
  function say(call, event, more = {}) {
    const { direction, number, clickId } = call;
    outbox.add(call.id, { event, direction, number, ...(clickId ? { call_id: clickId } : {}), ...more });
    listeners.changed();
  }

  function begun({ session, request, originator }) {
    if (calls.length >= MOST && !takesNext) {
      session.terminate({ status_code: 486 });
      return;
    }
    const isOurs = originator === "local";
    const asked = isOurs ? expected : null;
    expected = null;
    const uri = isOurs ? request.to.uri : session.remote_identity.uri;
    const call = {
      id: request.call_id,
      session,
      direction: isOurs ? "outbound" : "inbound",
      number: asked?.number || decodeURIComponent(uri.user || ""),
      name: asked?.name || "",
      clickId: asked?.call_id || "",
      stream: asked?.stream || null,
      state: isOurs ? "calling" : "ringing",
      audio: new Audio(),
      held: false,
      heldThere: false,
      muted: false,
      since: 0,
    };
    calls.push(call);
    listen(call);
    say(call, "connecting");
    listeners.came(call);
    if (takesNext) answer(call);
    takesNext = false;
  }

  function listen(call) {
    const { session } = call;
    const sounds = (connection) => connection.addEventListener("track", ({ streams }) => media.play(call.audio, streams[0]));
    if (session.connection) sounds(session.connection);
    session.on("peerconnection", ({ peerconnection }) => sounds(peerconnection));
    session.on("progress", () => {
      if (call.state === "calling") call.state = "ringing_there";
      if (!call.rang) say(call, "progress"); // a phone that rings says so again and again
      call.rang = true;
    });
    session.on("accepted", () => {
      call.state = "talking";
      call.since = Date.now();
      say(call, "accepted");
    });
    session.on("hold", ({ originator }) => held(call, originator, true));
    session.on("unhold", ({ originator }) => held(call, originator, false));
    session.on("ended", (said) => end(call, "ended", said));
    session.on("failed", (said) => end(call, "failed", said));
    session.on("refer", ({ accept }) => passedOn(call, accept));
    session.on("replaces", ({ accept }) => {
      takesNext = true;
      accept();
    });
  }

  function held(call, originator, on) {
    call[originator === "local" ? "held" : "heldThere"] = on;
    say(call, on ? "hold" : "unhold", { originator });
  }

  function end(call, event, { cause, originator }) {
    if (!calls.includes(call)) return;
    calls.splice(calls.indexOf(call), 1);
    say(call, event, { cause: cause || "", originator });
    outbox.over(call.id);
    for (const track of call.stream?.getTracks() || []) track.stop();
    call.audio.srcObject = null;
    listeners.ended(call, event, cause, originator);
    listeners.changed();
  }

  // The other side has us call somebody else: that is how a transfer looks from here.
  async function passedOn(call, accept) {
    const stream = await microphone();
    if (!stream) return;
    expected = { stream };
    accept(null, options(stream));
  }

  // --- What the person does ----------------------------------------------------------------------
  async function microphone() {
    try {
      return await media.microphone();
    } catch (word) {
      listeners.fault(word);
      return null;
    }
  }

  const holdOthers = (call) => {
    for (const other of calls) if (other !== call && other.state === "talking" && !other.held) other.session.hold();
  };

  async function dial(wanted) {
    if (calls.length >= MOST) return listeners.fault("full");
    const stream = await microphone();
    if (!stream) return undefined;
    holdOthers(null);
    expected = { ...wanted, stream };
    try {
      ua.call(`sip:${encodeURIComponent(wanted.number).replace(/%2B/g, "+")}@${line.domain}`, options(stream));
    } catch {
      expected = null;
      listeners.fault("not_made");
    }
    return undefined;
  }

  async function answer(call) {
    const stream = await microphone();
    if (!stream || !calls.includes(call)) return;
    call.stream = stream;
    holdOthers(call);
    call.session.answer(options(stream));
  }

  function hangUp(call) {
    const isOffered = call.direction === "inbound" && call.state === "ringing";
    if (calls.includes(call)) call.session.terminate(isOffered ? { status_code: 603 } : {});
  }

  function hold(call) {
    if (call.held) holdOthers(call);
    if (call.held) call.session.unhold();
    else call.session.hold();
  }

  function mute(call) {
    call.muted = !call.muted;
    if (call.muted) call.session.mute({ audio: true });
    else call.session.unmute({ audio: true });
    listeners.changed();
  }

  const press = (call, tone) => call.session.sendDTMF(tone, { transportType: "RFC2833" });

  // To a number at once; or to `other`, whom we have asked.
  function transfer(call, number, other) {
    const target = other ? other.session.remote_identity.uri.toString() : `sip:${number}@${line.domain}`;
    call.transfers = true;
    const refused = () => {
      call.transfers = false;
      listeners.fault("no_transfer");
      listeners.changed();
    };
    const taken = () => {
      for (const one of [call, other]) if (one && calls.includes(one)) one.session.terminate();
    };
    const eventHandlers = { requestFailed: refused, failed: refused, accepted: taken };
    say(call, "refer", { cause: other ? "attended" : "blind" });
    call.session.refer(target, { eventHandlers, ...(other ? { replaces: other.session } : {}) });
    listeners.changed();
  }

  function start(agent, found) {
    ua = agent;
    line = found;
    ua.on("newRTCSession", begun);
  }

  const quit = () => [...calls].forEach(hangUp);

  window.phone.calls = { all: calls, find, running, listeners, start, dial, answer, hangUp, hold, mute, press, transfer, quit };
})();
