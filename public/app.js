// What htmx can't do by attributes alone. Everything here is a comfort: the pages work without it.
(() => {
  "use strict";

  const composer = () => document.getElementById("composer");
  const problemPlace = () => document.getElementById("problem");

  // Enter sends where there is a keyboard; on a touch screen it stays a new line.
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const isPlainEnter =
      event.key === "Enter" && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (!isPlainEnter || event.isComposing || event.keyCode === 229) return;
    if (target.id !== "composer-text" || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    if (target.value.trim() !== "") target.form.requestSubmit();
  });

  // The text that was sent, so that what is typed meanwhile isn't taken for it.
  let sentText = "";
  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement === composer()) sentText = composer().elements.prompt.value;
  });

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const { status, headers } = ctx.response;
    if (isLoggedOut(status)) {
      event.preventDefault();
      if (ctx.sourceElement.matches("form"))
        showProblem("You are logged out. Log in in another tab, then try again.");
      else location.reload();
    } else if (status === 204) afterAction(ctx.sourceElement);
    else if (status >= 400 && (headers.get("content-type") ?? "").includes("json"))
      ctx.text = problem(readDetail(ctx.text)).outerHTML;
  });

  // 0 is a redirect that isn't followed, and the only one there is leads to the login page.
  function isLoggedOut(status) {
    return status === 401 || status === 0;
  }

  function afterAction(form) {
    problemPlace()?.replaceChildren();
    if (form !== composer()) return;
    const { prompt, key } = form.elements;
    if (prompt.value === sentText) prompt.value = "";
    key.value = freshKey();
    followEnd = true;
  }

  // A repeated submit of one text is one message; the next text is another.
  function freshKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
  }

  function showProblem(text) {
    problemPlace()?.replaceChildren(problem(text));
  }

  function problem(text) {
    const paragraph = document.createElement("p");
    paragraph.className = "problem";
    paragraph.textContent = text;
    return paragraph;
  }

  function readDetail(text) {
    try {
      return JSON.parse(text).detail ?? "The server refused.";
    } catch {
      return "The server refused.";
    }
  }

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (!ctx?.sourceElement?.matches?.("form")) return;
    showProblem("The server can't be reached. Nothing that you typed is lost; try again in a moment.");
  });

  // A stream that is refused for want of a login gets one.
  document.addEventListener("htmx:sse:error", (event) => {
    if (isLoggedOut(event.detail.status)) location.reload();
    document.documentElement.classList.add("away");
  });
  document.addEventListener("htmx:sse:after:connection", () =>
    document.documentElement.classList.remove("away"),
  );

  // Who reads at the end stays there while the answer grows; who has scrolled up is left alone.
  const page = document.documentElement;
  let followEnd = true;
  const atEnd = () => page.scrollHeight - page.scrollTop - page.clientHeight < 80;
  addEventListener("scroll", () => (followEnd = atEnd()), { passive: true });
  const toEnd = () => {
    if (followEnd && composer()) page.scrollTop = page.scrollHeight;
  };

  // Times in the reader's own zone; the original stays as the title.
  const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  function localTimes() {
    for (const element of document.querySelectorAll("time[datetime]:not([title])")) {
      const date = new Date(element.dateTime);
      element.title = element.textContent;
      const isToday = date.toDateString() === new Date().toDateString();
      element.textContent = (isToday && element.closest(".turn") ? clockTime : dateTime).format(date);
    }
  }

  document.addEventListener("htmx:after:swap", () => {
    localTimes();
    toEnd();
  });
  document.addEventListener("DOMContentLoaded", () => {
    localTimes();
    toEnd();
  });
})();
