// What can be seen to be wrong with the page that is shown now. `ask` says how it is shown.
((ask) => {
  const wrong = [];
  const root = document.documentElement;
  const said = (it) => `<${it.tagName.toLowerCase()} class="${it.className}"> ${it.textContent.trim().slice(0, 60)}`;
  const shown = (it) => it.checkVisibility() && it.getClientRects().length > 0;
  for (const details of document.querySelectorAll("details")) details.open = true;

  const width = root.clientWidth;
  if (root.scrollWidth > width) {
    const out = [...document.body.querySelectorAll("*")].filter((it) => it.getBoundingClientRect().right > width + 0.5);
    wrong.push(`wider than ${width}: ${root.scrollWidth}, by ${out.slice(-1).map(said)}`);
  }

  // One thing to do first: on a page, or in each of several articles that are decided one by one.
  const firsts = new Map();
  for (const main of [...document.querySelectorAll("button.main, a.button.main")].filter(shown)) {
    const place = main.closest("article") || document.body;
    firsts.set(place, [...(firsts.get(place) || []), main]);
  }
  for (const several of firsts.values()) if (several.length > 1) wrong.push(`${several.length} first things: ${several.map(said)}`);

  // Nothing but our own elements, whatever stands in a record.
  const scripts = [...document.querySelectorAll("script")];
  if (scripts.length !== 1 || scripts[0].getAttribute("src") !== "/script.js" || scripts[0].textContent) {
    wrong.push(`scripts: ${scripts.map((script) => script.outerHTML)}`);
  }
  for (const it of document.querySelectorAll("iframe, object, embed, base, frame, img, video, audio, math, style, template, meta[http-equiv], marquee, form form")) {
    wrong.push(`a foreign element: ${it.outerHTML.slice(0, 100)}`);
  }
  for (const it of document.querySelectorAll("*")) {
    for (const { name, value } of it.attributes) {
      if (name.startsWith("on") || name === "style" || name === "srcdoc" || /^\s*(javascript|data|vbscript):/i.test(value) && ["href", "src", "action", "formaction", "xlink:href"].includes(name)) {
        wrong.push(`a foreign attribute: ${name}=${value.slice(0, 60)} of ${said(it)}`);
      }
    }
    if (it.tagName === "A" && it.hasAttribute("href") && it.origin !== location.origin) wrong.push(`a link to elsewhere: ${it.href}`);
  }
  if (window.__kithRan) wrong.push(`a script of a record ran: ${window.__kithRan}`);
  if (document.title.trim() === "" || !document.querySelector("h1, h2")) wrong.push("no title or heading");

  // Times as programs write them, and commands, are not for people who click.
  if (ask.commands) {
    const read = document.createTreeWalker(document.querySelector("main") || document.body, NodeFilter.SHOW_TEXT);
    const named = new RegExp(`(^|[^a-z])kith (${ask.commands.join("|")})(?![a-z-])`);
    while (read.nextNode()) {
      const it = read.currentNode.parentElement, text = read.currentNode.data;
      if (it.closest("pre, textarea, script")) continue;
      if (/\d{4}-\d\d-\d\dT\d\d/.test(text)) wrong.push(`a time for programs: ${said(it)}`);
      if (named.test(text)) wrong.push(`a command: ${said(it)}`);
    }
  }

  if (ask.media === "print") {
    const left = [...document.querySelectorAll("button, nav, .top, input, form")].filter(shown);
    if (left.length) wrong.push(`printed: ${left.slice(0, 3).map(said)}`);
    const paper = getComputedStyle(document.body).backgroundColor;
    if (paper !== "rgb(255, 255, 255)") wrong.push(`printed on ${paper}`);
  }

  // Lines that an eye can follow back.
  if (ask.lines) {
    const range = document.createRange();
    for (const block of document.querySelectorAll("main p, main li, main dd, .bottom p")) {
      // Links, keys and data have no words, and stand in boxes of their own.
      const texts = [...block.childNodes].filter((node) => node.nodeType === 3 && node.data.trim().length > 75 && !/\S{60}/.test(node.data));
      for (const text of texts.filter(() => shown(block)).slice(0, 3)) {
        let top = null, longest = 0, line = 0;
        for (const word of text.data.matchAll(/\S+\s*/g)) {
          range.setStart(text, word.index);
          range.setEnd(text, word.index + word[0].trimEnd().length);
          const at = range.getBoundingClientRect().top;
          if (top === null || Math.abs(at - top) > 4) { top = at; line = 0; }
          line += word[0].length;
          longest = Math.max(longest, line - 1);
        }
        if (longest > 75) wrong.push(`a line of ${longest} characters: ${said(block)}`);
      }
    }
  }
  return wrong;
})
