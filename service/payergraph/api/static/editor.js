// The query editor: the page's settings in, a YASGUI that talks to this host and to no other.
"use strict";

(() => {
  const settings = JSON.parse(document.getElementById("editor-settings").textContent);
  const place = document.getElementById("editor");
  const endpoint = new URL(settings.endpoint, location.href).href;
  const examples = new Map(settings.examples.map((example) => [example.name, example]));
  const completers = ["payergraph-prefixes", "variables"]; // YASGUI's own ask prefix.cc and Linked Open Vocabularies

  Yasgui.Yasqe.forkAutocompleter("prefixes", {
    name: completers[0],
    persistenceId: null,
    get: () => Object.entries(settings.prefixes).map(([prefix, namespace]) => `${prefix}: <${namespace}>`),
  });

  Yasgui.Yasqe.defaults.editorHeight = "26rem";
  Yasgui.Yasr.defaults.errorRenderers = [renderProblem];

  place.replaceChildren();
  const wanted = exampleInAddress();
  // YASGUI would send the name in the address along, as a parameter of the query
  if (wanted) history.replaceState(null, "", location.pathname);
  const yasgui = new Yasgui(place, {
    requestConfig: { endpoint, method: "POST" },
    copyEndpointOnNewTab: true,
    endpointCatalogueOptions: { getData: () => [{ endpoint }] },
    persistenceId: `payergraph ${endpoint}`,
    yasqe: {
      value: settings.examples.length ? settings.examples[0].text : "SELECT * WHERE { ?s ?p ?o } LIMIT 10\n",
      autocompleters: completers,
      prefixCcApi: null,
    },
    yasr: { prefixes: settings.prefixes },
  });
  if (wanted) {
    history.replaceState(null, "", `#${wanted.name}`);
    open(wanted);
  }

  addEventListener("hashchange", () => {
    const example = exampleInAddress();
    if (example) open(example);
  });
  document.getElementById("examples").addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const example = link && examples.get(decodeURIComponent(link.hash.slice(1)));
    if (!example) return;
    event.preventDefault(); // the same question may be opened twice: its hash would not change
    history.replaceState(null, "", link.hash);
    open(example);
  });

  /** What the server says of a query that it did not answer; undefined leaves it to YASGUI. */
  async function renderProblem(error) {
    let problem;
    try {
      problem = JSON.parse(error.text);
    } catch {
      return undefined;
    }
    const element = document.createElement("div");
    element.className = "problem";
    element.setAttribute("role", "alert");
    for (const [tag, text] of [["strong", problem.title], ["p", problem.detail]]) {
      element.append(Object.assign(document.createElement(tag), { textContent: text ?? "" }));
    }
    return element;
  }

  /** The example that the address names, as in /sparql#stances-on-a-code. */
  function exampleInAddress() {
    return examples.get(decodeURIComponent(location.hash.slice(1)));
  }

  /** Shows an example in a tab of its name, ready to run; a tab that was opened before is used again. */
  function open(example) {
    const tabs = Object.values(yasgui._tabs);
    let tab = tabs.find((one) => one && one.name() === example.name);
    if (!tab) tab = yasgui.addTab(true, { ...Yasgui.Tab.getDefaults(yasgui), name: example.name });
    yasgui.selectTabId(tab.getId());
    tab.setQuery(example.text);
    tab.setEndpoint(endpoint);
    place.scrollIntoView({ block: "nearest" });
  }
})();
