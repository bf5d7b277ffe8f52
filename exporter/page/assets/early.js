// What the first paint depends on: the theme, and which parts the URL shows. The only script that is not a module, because
// modules run after that paint: until then they are not even asked for (the template in index.html), since their fetching would
// delay it.
//
// A theme chosen with the button is remembered; without one the page follows the system, also while it is open.
(() => {
  const kKey = 'watchkeeper-theme';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const remembered = () => {
    try {
      const theme = localStorage.getItem(kKey);
      return theme === 'light' || theme === 'dark' ? theme : null;
    } catch {
      return null;  // Storage is switched off; the system's theme is used.
    }
  };
  const apply = () => {
    document.documentElement.dataset.theme = remembered() ?? (system.matches ? 'dark' : 'light');
    document.dispatchEvent(new Event('themechange'));
  };
  const root = document.documentElement;
  const table = /^\/ensemble\/[^/]+\/(members|connections|configuration|sources|events|inside)\/?$/.exec(location.pathname)?.[1] ?? '';
  root.dataset.view = location.pathname === '/ensembles' ? 'list' : table === '' ? 'ensemble' : 'table';
  root.dataset.table = table;
  apply();
  system.addEventListener('change', apply);
  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-role=theme]')) return;
    try {
      const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
      localStorage.setItem(kKey, next);
    } catch {
      return;
    }
    apply();
  });
  const modules = document.getElementById('modules');  // Plain documents have none.
  if (modules === null) return;
  root.dataset.first = '';  // parts.css shows the bar and the verdict alone: they are there sooner than everything together.
  /** One file that is missing keeps all modules from running: nobody else can say so. */
  const sayMissing = () => {
    for (const [name, text] of [['sentence', 'The page could not be loaded whole; reload it.'], ['cause', 'A file of the page was not answered.'],
                                ['remedy', 'Load this page again.']])
      document.querySelector(`[data-part=verdict] [data-role=${name}]`).textContent = text;
  };
  const load = () => {
    delete root.dataset.first;
    const files = modules.content.cloneNode(true);
    files.querySelector('script').addEventListener('error', sayMissing);
    document.head.append(files);
  };
  document.addEventListener('DOMContentLoaded', () => {
    // A page that opens in the background has no first paint to wait for.
    if (document.visibilityState === 'hidden') load();
    else requestAnimationFrame(() => setTimeout(load));
  });
})();
