// Frequency against mean activation: a point for each feature. The table beside it is the same for the keyboard.

const CELL = 12; // CSS pixels of the grid in which the point under the mouse is looked for
const REACH = 14; // CSS pixels from the mouse

/** The nearest of the points drawn, found through a grid of cells. Positions are CSS pixels of the plotting area. */
class PointFinder {
  constructor(xs, ys) {
    this.xs = xs;
    this.ys = ys;
    this.cells = new Map();
    for (let i = 0; i < xs.length; ++i) {
      const key = this.key(Math.floor(xs[i] / CELL), Math.floor(ys[i] / CELL));
      const cell = this.cells.get(key);
      if (cell) cell.push(i);
      else this.cells.set(key, [i]);
    }
  }

  key(column, row) {
    return column * 100003 + row;
  }

  nearest(x, y) {
    let best = -1;
    let least = REACH * REACH;
    const column = Math.floor(x / CELL);
    const row = Math.floor(y / CELL);
    for (let i = column - 2; i <= column + 2; ++i) {
      for (let j = row - 2; j <= row + 2; ++j) {
        for (const point of this.cells.get(this.key(i, j)) ?? []) {
          const distance = (this.xs[point] - x) ** 2 + (this.ys[point] - y) ** 2;
          if (distance < least) {
            least = distance;
            best = point;
          }
        }
      }
    }
    return best;
  }
}

/** Rows whose mean can stand on a logarithmic axis, by ascending share. */
function scatterRows(table) {
  const rows = [];
  for (let row = 0; row < table.rows; ++row) {
    if (table.prompts[row] > 0 && table.mean[row] > 0 && Number.isFinite(table.mean[row])) rows.push(row);
  }
  return Uint32Array.from(rows).sort((a, b) => table.prompts[a] - table.prompts[b] || a - b);
}

function drawPoints(plot, xs, ys, rows, table) {
  const ratio = devicePixelRatio;
  const colors = [theme.color('--dim-point'), theme.color('--accent')];
  const size = (rows.length > 5000 ? 2.5 : 4) * ratio;
  clipped(plot, (ctx) => {
    // Universal features last, on top.
    for (const universal of [0, 1]) {
      ctx.fillStyle = colors[universal];
      ctx.globalAlpha = rows.length > 5000 ? 0.5 : 0.75;
      for (let i = 0; i < rows.length; ++i) {
        if (Number(rows[i] < table.universalRows) !== universal) continue;
        ctx.fillRect(plot.bbox.left + xs[i] * ratio - size / 2, plot.bbox.top + ys[i] * ratio - size / 2, size, size);
      }
    }
  });
}

/** Null where no feature can stand on the axes. `open(feature)` is called by a click on a point. Dragging zooms in, a double click zooms out. */
function scatterChart(table, open) {
  const rows = scatterRows(table);
  if (rows.length === 0) return null;
  const shares = Float64Array.from(rows, (row) => table.share(row));
  const means = Float64Array.from(rows, (row) => table.mean[row]);
  const low = means.reduce((least, value) => Math.min(least, value), Infinity);
  const high = means.reduce((most, value) => Math.max(most, value), 0);
  const few = 1 / Math.max(1, table.data.prompts);
  const logarithmic = table.data.prompts >= 30;
  const note = element('p', {
    class: 'muted',
    text: `${counted(rows.length, 'feature')}; those at or above the threshold are coloured. Drag to zoom, double click to zoom out.`,
  });
  if (rows.length < table.rows)
    note.textContent += ` ${counted(table.rows - rows.length, 'feature')} that never fired or whose mean is not positive cannot stand on these axes.`;
  let finder = null;
  let found = -1;
  const ring = element('div', { class: 'scatter-ring', hidden: true });
  const hover = (plot) => {
    const { left, top } = plot.cursor;
    found = left < 0 || !finder ? -1 : finder.nearest(left, top);
    ring.hidden = found < 0;
    plot.over.style.cursor = found < 0 ? '' : 'pointer';
    if (found < 0) return tooltip.hide();
    ring.style.transform = `translate(${finder.xs[found] - 6}px, ${finder.ys[found] - 6}px)`;
    const row = rows[found];
    const feature = table.ids[row];
    const { chat, pt } = table.description(feature);
    const box = plot.over.getBoundingClientRect();
    const lines = [
      element('strong', { text: `Feature ${feature}` }),
      `${percent(shares[found])} of the prompts (${count(table.prompts[row])}), mean ${shortNumber(means[found])}`,
    ];
    if (chat || pt) lines.push(foreign(chat || pt, 160));
    tooltip.show(lines, box.left + left, box.top + top);
  };
  const make = () => ({
    scales: {
      x: {
        time: false,
        distr: logarithmic ? 3 : 1,
        range: (_, min, max) =>
          min === max || min === null || (min <= shares[0] && max >= shares.at(-1))
            ? logarithmic
              ? [few * 0.8, 1.25]
              : [0, 1.05]
            : [min, max],
      },
      y: {
        distr: 3,
        range: (_, min, max) =>
          min === max || min === null || (min <= low && max >= high) ? [low * 0.8, high * 1.25] : [min, max],
      },
    },
    cursor: { points: { show: false }, drag: { x: true, y: true, uni: 20 }, x: false, y: false },
    axes: [
      axisStyle('share of prompts on which it is active', {
        ...(logarithmic ? { splits: (_, __, min, max) => logTicks(min, max), filter: (_, splits) => splits } : {}),
        values: (_, splits) => splits.map((split) => `${shortNumber(split * 100)} %`),
      }),
      axisStyle('mean activation', {
        size: 54,
        splits: (_, __, min, max) => logTicks(min, max),
        filter: (_, splits) => splits,
        values: (_, splits) => splits.map(shortNumber),
      }),
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      init: [
        (plot) => {
          plot.over.append(ring);
          let pressed = { x: 0, y: 0 };
          plot.over.addEventListener('mousedown', (event) => {
            pressed = event;
          });
          plot.over.addEventListener('click', (event) => {
            const dragged = Math.hypot(event.x - pressed.x, event.y - pressed.y) > 4;
            if (found >= 0 && !dragged) open(table.ids[rows[found]]);
          });
        },
      ],
      draw: [
        (plot) => {
          const xs = Float32Array.from(shares, (value) => plot.valToPos(value, 'x'));
          const ys = Float32Array.from(means, (value) => plot.valToPos(value, 'y'));
          finder = new PointFinder(xs, ys);
          drawPoints(plot, xs, ys, rows, table);
        },
      ],
      setCursor: [hover],
    },
  });
  const chart = new Chart('Frequency and mean activation', note, 340, [shares, means], make);
  chart.holder.setAttribute('role', 'img');
  chart.holder.setAttribute(
    'aria-label',
    'Scatter plot of share of prompts against mean activation. The table below holds the same values.',
  );
  return chart;
}
