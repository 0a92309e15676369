// Elements and foreign text. Everything that comes from the data gets into the page as text or as a checked attribute.

const byId = (id) => document.getElementById(id);

/** Makes an element: `class`, `text`, `on` (handlers by event) and attributes; true is an attribute without a value. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') made.className = value;
    else if (name === 'text') made.textContent = value;
    else if (name === 'on') for (const [type, handler] of Object.entries(value)) made.addEventListener(type, handler);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Characters that would not be seen, or would change how the text around them is laid out. */
const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function symbolOf(character) {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`;
}

/** Text in which control characters are seen; line feeds and tabs stay. */
const visibleText = (text) => text.replace(/\r\n/g, '\n').replace(unseen, symbolOf).replace(loneSurrogate, '\ufffd');

/** The same on one line. */
const visibleLine = (text) => visibleText(text).replaceAll('\n', '\u21b5').replaceAll('\t', '\u21e5');

/** Foreign text on one line, isolated from the text around it; cut in the page where it is very long. */
function foreign(text, longest = 400) {
  return element('bdi', { text: shortened(visibleLine(text), longest) });
}

/** Cut between code points, with an ellipsis. */
function shortened(text, longest) {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A label; the empty one is that of prompts without a label. */
function labelNode(label) {
  return label === '' ? element('em', { class: 'muted', text: 'no label' }) : foreign(label, 120);
}

const labelText = (label) => (label === '' ? 'no label' : shortened(visibleLine(label), 80));

/** A text of the data with a button that shows all of it where it is long. `total`: its code points before it was cut. */
function longText(text, total, longest = 600) {
  const shown = visibleText(text);
  const body = element('div', { class: 'long-text', dir: 'auto' });
  const cut = total > [...text].length ? ` … (the first ${count([...text].length)} of ${count(total)} characters)` : '';
  if (shown.length <= longest) {
    body.textContent = shown + cut;
    return body;
  }
  body.textContent = shortened(shown, longest);
  const button = element('button', {
    type: 'button',
    class: 'link-button',
    text: 'Show all',
    'aria-expanded': 'false',
  });
  button.addEventListener('click', () => {
    const open = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(open));
    button.textContent = open ? 'Show less' : 'Show all';
    body.textContent = open ? shown + cut : shortened(shown, longest);
  });
  return element('div', {}, body, button);
}

/** What stands where there is nothing to show; `flag` names what provides it. */
function emptyState(what, hint) {
  return element(
    'div',
    { class: 'empty' },
    element('p', { class: 'empty-what', text: what }),
    hint ? element('p', { text: hint }) : null,
  );
}

/** A plain table: `columns` are [title, class]; a cell is text or a node. */
function plainTable(caption, columns, rows) {
  const head = element(
    'tr',
    {},
    ...columns.map(([title, kind]) => element('th', { scope: 'col', class: kind, text: title })),
  );
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell, column) => {
        const made = element(column === 0 ? 'th' : 'td', {
          class: columns[column][1],
          scope: column === 0 ? 'row' : null,
        });
        made.append(cell);
        return made;
      }),
    ),
  );
  return element(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    element(
      'table',
      { class: 'plain' },
      element('caption', { class: 'visually-hidden', text: caption }),
      element('thead', {}, head),
      element('tbody', {}, ...body),
    ),
  );
}

/** A bar beside a number: `share` of the cell's width. */
function barCell(text, share) {
  const made = element('span', { class: 'bar-cell' }, element('span', { class: 'bar' }), element('span', { text }));
  made.firstChild.style.setProperty('--share', String(Math.max(0, Math.min(1, share || 0))));
  return made;
}

function announce(text) {
  byId('announcer').textContent = text;
}

/** Hands a text to the browser's downloads. */
function download(name, parts) {
  const address = URL.createObjectURL(new Blob(parts, { type: 'text/csv;charset=utf-8' }));
  const link = element('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

const tooltip = {
  /** Shows lines beside a point of the window, within it. */
  show(lines, x, y) {
    const box = byId('tooltip');
    box.replaceChildren(...lines.map((line) => element('div', {}, line)));
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const left = x + 14 + width > innerWidth ? x - 14 - width : x + 14;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, Math.min(y + 12, innerHeight - height - 4))}px`;
  },
  hide() {
    byId('tooltip').hidden = true;
  },
};
