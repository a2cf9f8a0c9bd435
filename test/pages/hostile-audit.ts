/** What our pages are made of; nothing else may come out of a foreign text. */
export const ownElements =
  "html head meta title link script body a header img nav form button main footer h1 h2 h3 h4 h5 h6 p br hr " +
  "span div section article strong em del q bdi code pre kbd mark time blockquote ul ol li dl dt dd " +
  "table thead tbody tr th td figure figcaption details summary fieldset legend label input textarea select " +
  "option datalist svg g line text rect circle path title ins hx-partial";

/**
 * Everything in the document that isn't ours, as lines. Runs in the page: it gets the names of our elements
 * and looks at what the parser has made of them.
 */
export function auditDocument(elements: string): string[] {
  const own = new Set(elements.split(" "));
  const found: string[] = [];
  const textAttributes =
    "class id href rel target title tabindex role aria-label aria-hidden align start type disabled checked open " +
    "data-copy hx-ignore";
  const inText = new Set(textAttributes.split(" "));
  const isOwnPath = (value: string) => value === "" || /^(?:\/(?!\/)|#|\?)/.test(value) || isHere(value);
  const isHere = (value: string) => value.startsWith(`${location.origin}/`);

  for (const element of document.querySelectorAll("*")) {
    const isForeign = element.closest(".prose") !== null;
    if (!own.has(element.localName)) found.push(`element ${element.outerHTML.slice(0, 120)}`);
    if (isForeign && element.closest("[hx-ignore]") === null) found.push(`not ignored ${element.outerHTML}`);
    const leadsAway = element.getAttribute("target") !== null;
    if (leadsAway && !element.getAttribute("rel")?.includes("noopener"))
      found.push(`opener ${element.outerHTML}`);
    for (const { name, value } of element.attributes) {
      if (isWrong(name, value, isForeign))
        found.push(`<${element.localName} ${name}="${value.slice(0, 120)}">`);
    }
  }
  for (const id of ["main", "composer", "turns", "problem"]) {
    if (document.querySelectorAll(`#${id}`).length > 1) found.push(`two #${id}`);
  }
  for (const script of document.scripts) if (!isHere(script.src)) found.push(`script ${script.outerHTML}`);
  return found;

  function isWrong(name: string, value: string, isForeign: boolean): boolean {
    if (name === "style") return value !== "";
    if (/^(?:on|srcdoc$|formaction$|xlink|data-hx|ping$|background$)/.test(name)) return true;
    if (name.startsWith("hx-")) return /[<>"'`()]|pwned|alert/.test(value);
    if (isForeign && !inText.has(name)) return true;
    if (isForeign && name === "href") return !/^(?:https?:\/\/|mailto:)/.test(value);
    if (name === "class" || name === "id") return /[<>"'`()]/.test(value);
    return ["href", "src", "action"].includes(name) && !isOwnPath(value);
  }
}
