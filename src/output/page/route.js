// Where the reader is, kept in the address behind '#', so that a view can be linked, and the theme.

/** The keys that say which view is shown of which table; the others are a view's own filters and order. */
const PLACE_KEYS = ['view', 'source', 'token', 'feature'];

// In a frame, as notebooks show the page, the address is not the page's own: a sandbox lets nobody write into its history, and
// a link of '#…' alone may lead to the notebook. The place is kept here then.
const framed = window.parent !== window;

const route = {
  kept: '',

  read() {
    return Object.fromEntries(new URLSearchParams((framed ? route.kept : location.hash).slice(1)));
  },

  /** Calls `changed` when the place is another one. */
  start(changed) {
    addEventListener('hashchange', changed);
    if (!framed) return;
    document.addEventListener('click', (event) => {
      const link = event.target.closest?.('a[href^="#"]');
      if (!link || event.defaultPrevented) return;
      event.preventDefault();
      route.enter(link.getAttribute('href'));
    });
  },

  /** Goes to an address that starts with '#'. */
  enter(address) {
    if (!framed) {
      location.hash = address;
    } else if (route.kept !== address) {
      route.kept = address;
      setTimeout(() => dispatchEvent(new Event('hashchange'))); // later, as a browser does it
    }
  },

  /** The address of the current place with changes; an empty value takes a key out. */
  address(changes, keepFilters = false) {
    const now = route.read();
    const parameters = new URLSearchParams();
    const names = keepFilters
      ? [...new Set([...PLACE_KEYS, ...Object.keys(now), ...Object.keys(changes)])]
      : PLACE_KEYS;
    for (const name of names) {
      const value = name in changes ? changes[name] : name === 'feature' && !keepFilters ? '' : now[name];
      if (value !== undefined && value !== '') parameters.set(name, value);
    }
    return `#${parameters}`;
  },

  go(changes, keepFilters = false) {
    route.enter(route.address(changes, keepFilters));
  },

  /** Changes filters without a step in the browser's history. */
  note(changes) {
    if (framed) route.kept = route.address(changes, true);
    else history.replaceState(null, '', route.address(changes, true));
  },
};

const theme = {
  /** What the system asks for, unless the reader chose otherwise. */
  start(changed) {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    try {
      const stored = localStorage.getItem('saescope-theme');
      if (stored === 'light' || stored === 'dark') document.documentElement.dataset.theme = stored;
    } catch {
      // A page opened from disk may have no storage; the choice then lasts as long as the page.
    }
    const show = () => {
      byId('theme').textContent = theme.dark(dark) ? 'Light theme' : 'Dark theme';
    };
    show();
    byId('theme').addEventListener('click', () => {
      const chosen = theme.dark(dark) ? 'light' : 'dark';
      document.documentElement.dataset.theme = chosen;
      try {
        localStorage.setItem('saescope-theme', chosen);
      } catch {
        // as above
      }
      show();
      changed();
    });
    dark.addEventListener('change', () => {
      show();
      changed();
    });
  },

  dark(preference) {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === 'dark' : preference.matches;
  },

  /** A colour of the style sheet as canvas understands it: custom properties keep light-dark() unresolved. */
  color(name) {
    const probe = element('span', { hidden: true });
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  },
};
