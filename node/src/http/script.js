// Pages work without this. It says when something new has come, and brings pages that wait for
// something up to date by themselves.
"use strict";
(() => {
  const body = document.body;
  const before = document.querySelector("main")?.textContent;
  for (const form of document.querySelectorAll("form[data-go]")) form.requestSubmit();
  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Could not copy: select it and copy by hand";
      }
    });
  }
  const waits = Number(body.dataset.waits);
  if (waits) setInterval(async () => {
    try {
      const answer = await fetch(location.href);
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (before === now.querySelector("main").textContent) return;
    } catch {
      return;
    }
    location.reload();
  }, waits);
  if (!("end" in body.dataset) || !("EventSource" in window)) return;
  const news = document.getElementById("news");
  const gone = document.getElementById("gone");
  const live = new EventSource("/live");
  live.addEventListener("news", (event) => {
    gone.hidden = true;
    if (Number(event.data) > Number(body.dataset.end)) news.hidden = false;
  });
  live.addEventListener("open", () => { gone.hidden = true; });
  live.addEventListener("error", () => { gone.hidden = false; });
  window.addEventListener("pagehide", () => live.close());
})();
