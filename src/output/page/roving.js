// Arrow keys between the cells of a matrix of which one at a time is in the tab order.

/** `cells[row][column]` are elements or null; focused(element) is called where one gets the focus or the mouse. */
function roving(container, cells, focused) {
  const places = new Map();
  cells.forEach((line, row) => line.forEach((cell, column) => cell && places.set(cell, [row, column])));
  const first = places.keys().next().value;
  first?.setAttribute('tabindex', '0');
  const cellOf = (event) => {
    const cell = event.target.closest?.('[data-cell]');
    return places.has(cell) ? cell : null;
  };
  container.addEventListener('focusin', (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    container.querySelector('[data-cell][tabindex="0"]')?.setAttribute('tabindex', '-1');
    cell.setAttribute('tabindex', '0');
    focused(cell);
  });
  container.addEventListener('mouseover', (event) => {
    const cell = cellOf(event);
    if (cell) focused(cell);
  });
  container.addEventListener('keydown', (event) => {
    const cell = cellOf(event);
    const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
    if (!cell || !(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [down, right] = steps[event.key];
    let [row, column] = places.get(cell);
    do {
      row += down;
      column += right;
    } while (cells[row] && column >= 0 && column < cells[row].length && !cells[row][column]);
    cells[row]?.[column]?.focus();
  });
}
