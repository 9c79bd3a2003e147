// Everything that a key can come to, in the order in which it stands; and where the keyboard is now.
(() => {
  const every = "a[href], button, input, select, textarea, summary, [tabindex]";
  const shown = (it) => it.checkVisibility() && it.getClientRects().length > 0;
  const isStop = (it) => {
    if (it.disabled || it.tabIndex < 0 || it.type === "hidden" || !shown(it)) return false;
    if (it.type !== "radio") return true;
    const group = [...it.form.querySelectorAll("input[type=radio]")].filter((other) => other.name === it.name);
    return it === (group.find((other) => other.checked) || group[0]);
  };
  window.__stops = [...document.querySelectorAll(every)].filter(isStop);
  window.__at = () => {
    const it = document.activeElement;
    if (!it || it === document.body) return [-1, true, "the page"];
    const style = getComputedStyle(it);
    const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const box = it.getBoundingClientRect();
    const inSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    const scrolls = it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight;
    const at = window.__stops.indexOf(it);
    return [at === -1 && scrolls ? -2 : at, ringed && inSight, it.outerHTML.slice(0, 120)];
  };
  return window.__stops.length;
})()
