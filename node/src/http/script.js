// Pages work without this. It says when something new has come, brings pages that wait for something
// up to date by themselves, and makes what has become late loud where it stands.
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
  const asItIsNow = async () => {
    try {
      const answer = await fetch(location.href);
      return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    } catch {
      return null;
    }
  };
  const waits = Number(body.dataset.waits);
  const lookAgain = async () => {
    const now = await asItIsNow();
    if (now && before !== now.querySelector("main").textContent) location.reload();
  };
  if (waits) setInterval(lookAgain, waits);
  if (!("end" in body.dataset) || !("EventSource" in window)) return;
  const news = document.getElementById("news");
  const gone = document.getElementById("gone");
  const late = document.getElementById("late");
  const live = new EventSource("/live");
  live.addEventListener("news", (event) => {
    gone.hidden = true;
    if (Number(event.data) <= Number(body.dataset.end)) return;
    if (waits) lookAgain(); else news.hidden = false;
  });
  // What somebody types meanwhile, and where they are, stays: only what says how it stands changes.
  live.addEventListener("late", async () => {
    const now = await asItIsNow();
    for (const old of now ? document.querySelectorAll("[data-stands]") : []) {
      const stands = now.querySelector(`[data-stands="${old.dataset.stands}"]`);
      if (!stands || stands.outerHTML === old.outerHTML) continue;
      old.replaceWith(stands);
      late.hidden = false;
    }
  });
  live.addEventListener("open", () => { gone.hidden = true; });
  live.addEventListener("error", () => { gone.hidden = false; });
  window.addEventListener("pagehide", () => live.close());
})();
