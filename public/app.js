// What htmx can't do by attributes; the pages work without it.
const page = document.documentElement;
const { view, live } = document.body.dataset;
const find = (selector) => document.querySelector(selector);
const findAll = (selector) => [...document.querySelectorAll(selector)];
const composer = find("#composer");
const field = find("#composer-text");
const button = find("[data-to-end]");

// Changes come by the stream, one by one.
let port;
let swaps = Promise.resolve();
function follow() {
  if (!view) return;
  port ??= window.SharedWorker ? new SharedWorker(live).port : new Worker(live);
  port.onmessage = hear;
  port.postMessage({ view, cursor: document.body.dataset.cursor });
}
function hear({ data: { away, html, cursor, news } }) {
  if (away !== undefined) return setAway(away);
  document.body.dataset.cursor = cursor;
  if (html) swaps = swaps.then(() => change(html));
  news.forEach(tellNews);
}
async function change(text) {
  const partsBefore = countParts();
  await htmx.swap({ sourceElement: document.body, text, swap: "none" });
  if (atEnd || !/#(turns|run_)/.test(text)) return;
  unseen += countParts() - partsBefore;
  showUnseen(`↓ ${unseen || ""} new`);
}
async function setAway(away) {
  page.classList.toggle("away", away);
  const answer = away && (await fetch("/live", { method: "HEAD" }).catch(() => null));
  if (answer?.status === 401) location.reload();
}
addEventListener("pagehide", () => port?.postMessage({}));
addEventListener("pageshow", ({ persisted }) => persisted && follow());

// Enter sends, but not on a touch screen.
addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || event.keyCode === 229) return;
  if (key === "Escape") askToStop();
  if (target !== field) return;
  const sends = key === "Enter" && !event.shiftKey && !matchMedia("(pointer: coarse)").matches;
  const recalls = key === "ArrowUp" && !field.value;
  if (sends || recalls) event.preventDefault();
  if (sends && field.value.trim()) composer.requestSubmit();
  if (recalls) field.value = kept("sent") ?? findAll("#turns p.said").at(-1)?.textContent ?? "";
});
function askToStop() {
  const stop = find(".turn.live .stop");
  if (stop?.matches(":focus")) stop.form.requestSubmit();
  else if (stop) {
    stop.textContent = "Stop? Press Esc again";
    stop.onblur = () => (stop.textContent = "Stop");
    stop.focus();
  }
}

addEventListener("submit", ({ target }) => target.querySelector(".stop:focus-visible") && field?.focus());

// A draft survives, and what is typed while a text is sent.
const kept = (what, text) => {
  const key = `${what}:${view}`;
  return text === undefined ? localStorage.getItem(key) : localStorage.setItem(key, text);
};
field?.addEventListener("input", () => kept("draft", field.value));
if (field && !field.value) field.value = kept("draft") ?? "";
let sentText;
addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement === composer) sentText = field.value;
});
addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  if (ctx.response.status >= 400 || !form.matches("form")) return;
  find("#problem")?.replaceChildren();
  if (form !== composer) return;
  kept("sent", sentText);
  if (field.value === sentText) kept("draft", (field.value = ""));
  toEnd();
});
addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.sourceElement?.matches?.("form"))
    find("#problem").textContent = "The server can't be reached. Try again soon.";
});

// Who reads at the end stays there; others are told what is new.
let atEnd = !/^#(?!newest)./.test(location.hash);
let unseen = 0;
if (composer) history.scrollRestoration = "manual";
const toEnd = () => (page.scrollTop = page.scrollHeight);
const look = () => (atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 80);
const countParts = () => findAll("#turns :is(.turn, .part + .part)").length;
function showUnseen(text) {
  if (button) button.hidden = !(button.textContent = text);
}
addEventListener("scroll", () => {
  if (look()) showUnseen("", (unseen = 0));
  else if (page.scrollTop < 400) find("#older a")?.click();
});

addEventListener("click", ({ target }) => {
  const copy = target.closest("[data-copy]");
  if (copy) void copyText(copy);
  if (target === button) toEnd();
  if (target.closest("[data-notify]")) void Notification.requestPermission().then(settle);
});
async function copyText(copy) {
  const text = copy.closest("figure, div, p, li").querySelector("code");
  if (!navigator.clipboard) return getSelection().selectAllChildren(text);
  await navigator.clipboard.writeText(text.textContent);
  copy.textContent = "Copied";
}

// For who looks elsewhere.
const { title } = document;
const icon = find("link[rel=icon]");
const { href } = icon;
function tellNews({ agentId, runId, state }) {
  if (!document.hidden) return;
  const isDone = state === "succeeded";
  document.title = `${isDone ? "✓" : "✗"} ${title}`;
  icon.href = icon.dataset[isDone ? "done" : "failed"];
  if (window.Notification?.permission !== "granted") return;
  new Notification(`${agentId} ${isDone ? "is done" : "has stopped"}`, { tag: runId }).onclick = () =>
    focus();
}
addEventListener("visibilitychange", () => {
  document.title = title;
  icon.href = href;
});

const style = { dateStyle: "medium", timeStyle: "short" };
function localTimes() {
  for (const time of findAll("time:not([title])")) {
    time.title = time.textContent;
    time.textContent = new Date(time.dateTime).toLocaleString([], style);
  }
  for (const time of findAll("[data-since]")) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    time.textContent = `${Math.floor(seconds / 60)}:${`${Math.floor(seconds % 60)}`.padStart(2, 0)}`;
  }
}
setInterval(localTimes, 1000);

// What is read stays where it is.
let below = 0;
addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  look();
  if (!ctx.sourceElement?.closest("#older")) return;
  page.style.overflowAnchor = "none";
  below = page.scrollHeight - page.scrollTop;
});
function settle() {
  localTimes();
  const offer = find("[data-notify]");
  if (offer) offer.hidden = window.Notification?.permission !== "default";
  if (below || (atEnd && composer)) page.scrollTop = page.scrollHeight - below;
  if (below) requestAnimationFrame(() => (page.style.overflowAnchor = ""));
  below = 0;
}
addEventListener("htmx:after:swap", settle);
settle();
follow();
