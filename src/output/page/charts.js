// The two charts of a table, drawn by uPlot.

/** Ticks 1, 2, 5 of each power of ten; every power only, or every second one, where the range is long. */
function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const steps = decades <= 1.5 ? [1, 2, 3, 5, 7] : decades <= 3 ? [1, 3] : [1];
  const every = Math.max(1, Math.ceil(decades / 7));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) {
    if (power % every !== 0) continue;
    for (const step of steps) {
      const tick = step * 10 ** power;
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

function axisStyle(title, extra) {
  const font = '12px system-ui, sans-serif';
  return {
    stroke: theme.color('--muted'),
    font,
    labelFont: font,
    label: title,
    labelSize: 20,
    labelGap: 2,
    size: 32,
    grid: { stroke: theme.color('--grid'), width: 1 },
    ticks: { stroke: theme.color('--grid'), width: 1, size: 4 },
    ...extra,
  };
}

/** Draws inside of the plotting area only. */
function clipped(plot, draw) {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.beginPath();
  plot.ctx.rect(left, top, width, height);
  plot.ctx.clip();
  draw(plot.ctx);
  plot.ctx.restore();
}

/** A chart in a figure. It follows the figure's width; `make(width)` gives uPlot's options. */
class Chart {
  constructor(title, note, height, data, make) {
    this.height = height;
    this.holder = element('div', { class: 'chart' });
    this.holder.style.minHeight = `${height}px`;
    this.root = element('figure', {}, element('figcaption', {}, element('h3', { text: title }), note), this.holder);
    const draw = (width) => {
      this.plot?.destroy();
      this.plot = new uPlot(
        { width, height, legend: { show: false }, padding: [10, 10, 0, 0], ...make() },
        data,
        this.holder,
      );
    };
    this.redraw = () => this.plot && draw(this.width);
    this.observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width < 1 || width === this.width) return;
      this.width = width;
      if (this.plot) this.plot.setSize({ width, height });
      else draw(width);
    });
    this.observer.observe(this.holder);
  }

  destroy() {
    this.observer.disconnect();
    this.plot?.destroy();
  }
}

const binText = ({ from, to }) => (from === to ? String(from) : `${from}–${to}`);

/** How many features are active on how many prompts. The bins are the data's, the height is logarithmic. */
function histogramChart(table) {
  const bins = table.data.histogram;
  const values = bins.map((bin) => bin.features);
  const most = Math.max(1, ...values);
  const threshold = table.run.threshold * table.data.prompts;
  const note = element('p', { class: 'muted' });
  note.textContent = `${count(values.reduce((sum, value) => sum + value, 0))} encoded features. The bins from the threshold of ${percent(table.run.threshold)} on are coloured.`;
  let hovered = -1;
  const make = () => {
    const colors = [theme.color('--dim'), theme.color('--accent')];
    return {
      scales: { x: { time: false, range: [-0.6, bins.length - 0.4] }, y: { distr: 3, range: [0.6, most * 1.6] } },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      axes: [
        axisStyle('prompts on which a feature is active', {
          grid: { show: false },
          splits: (plot) => {
            const step = Math.max(1, Math.ceil(bins.length / Math.max(2, plot.width / 62)));
            return bins.map((_, index) => index).filter((index) => index % step === 0);
          },
          values: (_, splits) => splits.map((index) => binText(bins[index])),
        }),
        axisStyle('features', {
          size: 54,
          splits: () => logTicks(0.9, most * 1.6),
          filter: (_, splits) => splits,
          values: (_, splits) => splits.map(count),
        }),
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [
          (plot) =>
            clipped(plot, (ctx) => {
              const floor = plot.bbox.top + plot.bbox.height;
              bins.forEach((bin, index) => {
                if (bin.features === 0) return;
                const left = plot.valToPos(index - 0.42, 'x', true);
                const right = plot.valToPos(index + 0.42, 'x', true);
                const top = plot.valToPos(bin.features, 'y', true);
                ctx.fillStyle = colors[bin.from >= 1 && bin.from >= threshold ? 1 : 0];
                ctx.fillRect(left, top, Math.max(1, right - left), floor - top);
              });
            }),
        ],
        setCursor: [
          (plot) => {
            const { left } = plot.cursor;
            const index = left < 0 ? -1 : Math.round(plot.posToVal(left, 'x'));
            if (index === hovered && index < 0) return;
            hovered = index;
            if (index < 0 || index >= bins.length) return tooltip.hide();
            const box = plot.over.getBoundingClientRect();
            const prompts =
              bins[index].to === 0
                ? 'never active'
                : `active on ${binText(bins[index])} of ${counted(table.data.prompts, 'prompt')}`;
            tooltip.show(
              [counted(bins[index].features, 'feature'), prompts],
              box.left + left,
              box.top + plot.cursor.top,
            );
          },
        ],
      },
    };
  };
  const chart = new Chart(
    'How many features fire on how many prompts',
    note,
    316,
    [bins.map((_, index) => index), values],
    make,
  );
  chart.holder.setAttribute('role', 'img');
  chart.holder.setAttribute(
    'aria-label',
    `Histogram of ${counted(bins.length, 'bin')}; its values stand in the table below it.`,
  );
  chart.root.append(
    element(
      'details',
      {},
      element('summary', { text: 'Values' }),
      plainTable(
        'Features by number of prompts',
        [
          ['Prompts', ''],
          ['Features', 'number'],
        ],
        bins.map((bin) => [bin.to === 0 ? '0 (never)' : binText(bin), count(bin.features)]),
      ),
    ),
  );
  return chart;
}
