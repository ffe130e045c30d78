// Microphone and speaker: which, remembered, and what is wrong with them, as a word of ours.
(() => {
  "use strict";

  const KEPT = "callmanager.phone.devices";
  const FAULTS = {
    NotAllowedError: "denied",
    SecurityError: "denied",
    NotFoundError: "no_microphone",
    OverconstrainedError: "no_microphone",
    NotReadableError: "busy_microphone",
    AbortError: "busy_microphone",
  };
  const chosen = () => JSON.parse(localStorage.getItem(KEPT)) || {};
  const choose = (what, id) => localStorage.setItem(KEPT, JSON.stringify({ ...chosen(), [what]: id }));

  // Why this page cannot make calls at all; "" if it can.
  function obstacle() {
    if (!window.isSecureContext) return "insecure";
    return navigator.mediaDevices?.getUserMedia && window.RTCPeerConnection ? "" : "unsupported";
  }

  // The chosen microphone, or any if that is not there. Rejects with a word of ours.
  async function microphone() {
    const id = chosen().audioinput;
    const ask = (deviceId) => navigator.mediaDevices.getUserMedia({ audio: deviceId ? { deviceId } : true });
    try {
      return await ask(id && { exact: id }).catch((error) => {
        if (id && FAULTS[error.name] === "no_microphone") return ask();
        throw error;
      });
    } catch (error) {
      throw FAULTS[error.name] || "no_microphone";
    }
  }

  async function devices(kind) {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default");
  }

  function play(audio, stream) {
    audio.srcObject = stream;
    speakThrough(audio);
    audio.play().catch(() => {}); // sounds after the next click, as the page says
  }

  const speakThrough = (audio) => audio.setSinkId?.(chosen().audiooutput || "").catch(() => {});

  window.phone.media = { chosen, choose, devices, microphone, obstacle, play, speakThrough };
})();
