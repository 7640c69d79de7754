// Keeps the page up to date, tells ages, and the reader's own time as a hint. Everything works without it.
"use strict";
(() => {
  const POLL = 5_000; // between two questions where streams do not work
  const POLL_HIDDEN = 30_000; // while nobody looks
  const RETRY = 60_000; // until a stream is tried again

  const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

  function told(time) {
    // The team's time, with its zone, as the server wrote it.
    if (time.dataset.as !== "age") return time.textContent;
    const seconds = (Date.now() - new Date(time.dateTime)) / 1000;
    if (seconds < 60) return "just now";
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} d ago`;
  }

  function tellTimes() {
    for (const time of document.querySelectorAll("time[data-as]")) {
      const text = told(time);
      if (time.textContent !== text) time.textContent = text;
      time.title ||= full.format(new Date(time.dateTime));
    }
  }
  tellTimes();
  setInterval(tellTimes, 15_000);

  // What a schedule would do, while it is typed.
  const form = document.getElementById("schedule-form");
  if (form) {
    const SETTLE = 700; // after the last key
    let timer = null;
    let asked = 0;
    const look = async () => {
      const mine = ++asked;
      const body = new URLSearchParams(new FormData(form));
      body.set("do", "preview");
      try {
        const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", cache: "no-store" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const preview = page.getElementById("preview");
        if (mine !== asked || !preview) return;
        document.getElementById("preview").replaceChildren(...preview.childNodes);
        // What is wrong is told where somebody is done typing: by a button.
        document.getElementById("preview-news").textContent = answer.ok ? "Preview updated" : "No preview: something is missing";
      } catch {
        // The button does the same.
      }
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, SETTLE);
    });
    form.addEventListener("submit", () => { clearTimeout(timer); asked++; });
  }

  const live = document.getElementById("live");
  if (!live) return;
  const news = document.getElementById("news");
  const state = document.getElementById("updates-state");
  const pause = document.getElementById("updates-pause");
  const address = (what) => {
    const query = new URLSearchParams(live.dataset.query);
    query.set("seen", live.dataset.seen);
    return `${live.dataset.at}/board/${what}?${query}`;
  };

  // Nothing moves under a finger, and nothing that is being typed is lost.
  let pressed = false;
  let composing = false;
  let waiting = null;
  const release = () => {
    pressed = false;
    // After the click that belongs to it.
    setTimeout(() => { if (waiting && !pressed && !composing) show(...waiting); }, 0);
  };
  addEventListener("pointerdown", () => { pressed = true; });
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
  live.addEventListener("compositionstart", () => { composing = true; });
  live.addEventListener("compositionend", () => { composing = false; release(); });

  // Marks every incident of the page, or none if all are marked.
  const marks = () => [...live.querySelectorAll(".mark")];
  function offerAll() {
    const all = document.getElementById("mark-all");
    if (all) all.hidden = false;
  }
  offerAll();
  live.addEventListener("click", (event) => {
    if (event.target.id !== "mark-all") return;
    const on = marks().some((mark) => !mark.checked);
    for (const mark of marks()) mark.checked = on;
  });

  let said = live.querySelector("[data-news]")?.dataset.news;
  function show(html, seen) {
    if (pressed || composing) { waiting = [html, seen]; return; }
    waiting = null;
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const caret = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
    const typed = new Map();
    for (const field of live.querySelectorAll("input[id], textarea[id], select[id]")) typed.set(field.id, [field.value, field.checked]);
    const opened = new Set([...live.querySelectorAll("details[id][open]")].map((details) => details.id));

    live.innerHTML = html;
    live.dataset.seen = seen;

    for (const [id, [value, checked]] of typed) {
      const field = document.getElementById(id);
      if (!field) continue;
      field.value = value;
      if (checked !== undefined) field.checked = checked;
    }
    offerAll();
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    if (focused) {
      const again = document.getElementById(focused.id) ?? live;
      again.focus({ preventScroll: true });
      if (caret && caret[0] !== null) again.setSelectionRange(...caret);
    }
    tellTimes();
    const part = live.querySelector("[data-news]");
    if (part && part.dataset.news !== said) {
      said = part.dataset.news;
      news.textContent = said;
    }
    if (part) document.title = part.dataset.title;
  }

  let source = null;
  let timer = null;
  let paused = false;

  function stop() {
    source?.close();
    source = null;
    clearTimeout(timer);
  }

  function listen() {
    stop();
    source = new EventSource(address("events"));
    source.addEventListener("open", () => { state.textContent = "Live"; });
    source.addEventListener("fragment", (event) => show(event.data, event.lastEventId));
    source.addEventListener("error", () => {
      state.textContent = "Reconnecting …";
      // Otherwise the browser connects again by itself.
      if (source.readyState === EventSource.CLOSED) ask(Date.now() + RETRY);
    });
  }

  async function ask(until) {
    stop();
    try {
      const answer = await fetch(address("fragment"), { redirect: "manual", cache: "no-store" });
      // Nobody is signed in now.
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      if (answer.status === 200) show(await answer.text(), answer.headers.get("etag").replaceAll('"', ""));
      state.textContent = answer.ok ? "Updated every few seconds" : "Out of date: the server does not answer";
    } catch {
      state.textContent = "Out of date: no connection";
    }
    if (paused || source) return;
    const pace = document.hidden ? POLL_HIDDEN : POLL;
    timer = setTimeout(() => (Date.now() < until ? ask(until) : begin()), pace);
  }

  // A browser keeps few connections to one host, so a page that nobody looks at asks now and then instead.
  function begin() {
    if (paused) return;
    if (document.hidden || !window.EventSource) ask(Infinity);
    else listen();
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume updates" : "Pause updates";
    if (paused) { stop(); state.textContent = "Updates paused"; } else begin();
  });
  document.addEventListener("visibilitychange", begin);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) begin(); });
  document.getElementById("updates").hidden = false;
  begin();
})();
