// A prompt's tokens, coloured by the activation of a feature.

const MOST_TOKENS = 1500;

/** A token with its white space seen. A line feed keeps breaking the line. */
function tokenText(text) {
  return shortened(visibleText(text), 2000).replaceAll('\t', '⇥').replaceAll(' ', '·').replaceAll('\n', '↵\n');
}

/** One prompt's tokens; `status` tells the value under the mouse or the focus. */
function tokenStrip(tokens, activations, scale) {
  const status = element('p', {
    class: 'cell-status',
    role: 'status',
    text: 'Point at a token, or move with the arrow keys.',
  });
  const strip = element('div', { class: 'tokens', role: 'group', 'aria-label': 'Tokens by activation' });
  const fill = (most) => {
    const shown = [...tokens].slice(0, most);
    const spans = shown.map((token, index) => {
      const value = activations[index] ?? 0;
      const span = element('span', {
        class: 'token',
        'data-cell': true,
        tabindex: '-1',
        dir: 'auto',
        role: 'img',
        'aria-label': `${visibleLine(token).slice(0, 200)}: ${shortNumber(value)}`,
        text: tokenText(token),
      });
      heatColor(span, scale > 0 ? value / scale : 0);
      return span;
    });
    strip.replaceChildren(...spans);
    if (tokens.length > shown.length) {
      strip.append(
        element('button', {
          type: 'button',
          class: 'link-button',
          text: `Show all ${count(tokens.length)} tokens`,
          on: { click: () => fill(tokens.length) },
        }),
      );
    }
    spans.forEach((span, index) => {
      span.position = index;
    });
    spans[0]?.setAttribute('tabindex', '0');
  };
  fill(MOST_TOKENS);
  const tell = (event) => {
    const span = event.target.closest('.token');
    if (!span) return;
    status.replaceChildren(
      `Token ${span.position + 1}: `,
      element('bdi', { class: 'mono', text: shortened(visibleLine(tokens[span.position]), 60) }),
      ` ${shortNumber(activations[span.position] ?? 0)}`,
    );
  };
  strip.addEventListener('mouseover', tell);
  strip.addEventListener('focusin', tell);
  strip.addEventListener('keydown', (event) => {
    const spans = [...strip.querySelectorAll('.token')];
    const now = spans.indexOf(event.target);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: spans.length - 1 }[event.key];
    if (now < 0 || next === undefined || !spans[next]) return;
    event.preventDefault();
    spans[now].setAttribute('tabindex', '-1');
    spans[next].setAttribute('tabindex', '0');
    spans[next].focus();
  });
  return element('div', {}, strip, status);
}

/** Every prompt whose tokens were encoded for the feature. */
function tokenSection(table, feature) {
  const { run, data } = table;
  const found = (data.token_activations ?? []).filter((entry) => entry.feature_id === feature);
  const section = element('section', {}, element('h3', { text: 'Tokens by activation' }));
  const strips = [];
  for (const entry of found) {
    const tokenized = run.tokenized?.find((one) => one.model === data.model && one.prompt === entry.prompt);
    if (!tokenized) continue;
    const highest = entry.activations.reduce((most, value) => Math.max(most, value), 0);
    const prompt = run.prompts[entry.prompt];
    strips.push(
      element(
        'div',
        { class: 'strip' },
        element(
          'p',
          { class: 'muted' },
          prompt ? promptName(run, prompt) : '',
          ' ',
          heatScale('0', shortNumber(highest)),
        ),
        tokenStrip(tokenized.tokens, entry.activations, highest),
      ),
    );
  }
  if (strips.length) section.append(...strips);
  else
    section.append(
      emptyState(
        'No tokens were encoded for this feature.',
        '--token-activations encodes the tokens of the strongest prompts of chosen features.',
      ),
    );
  return section;
}
