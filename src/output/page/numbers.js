// Numbers as text: exact for files, short for people.

/** Digits and decimal exponent as Python's repr writes a float: fixed notation from 1e-4 up to 1e16. */
function pythonNotation(negative, digits, exponent) {
  const sign = negative ? '-' : '';
  if (exponent < -4 || exponent >= 16) {
    const power = String(Math.abs(exponent)).padStart(2, '0');
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** Splits "1.25e-7" into ["125", -7]; zeros at the end are dropped. */
function digitsOf(exponential) {
  const [mantissa, exponent] = exponential.split('e');
  return [mantissa.replace('.', '').replace(/0+$/, '') || '0', Number(exponent)];
}

const notFinite = (value) => (Number.isNaN(value) ? '' : value > 0 ? 'inf' : '-inf');

/** repr of a float64; NaN is an empty field, as pandas writes it. */
function float64Text(value) {
  if (!Number.isFinite(value)) return notFinite(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  return pythonNotation(value < 0, ...digitsOf(Math.abs(value).toExponential()));
}

/** Of two decimals equally near, toExponential gives the larger one; the program writes the even one. */
function evenAtTies(rounded, magnitude, precision) {
  const rest = magnitude
    .toExponential(100)
    .split('e')[0]
    .replace('.', '')
    .slice(precision + 1);
  const [mantissa, exponent] = rounded.split('e');
  const digits = Number(mantissa.replace('.', ''));
  if (!/^50*$/.test(rest) || digits % 2 === 0) return rounded;
  const even = `${digits - 1}e${Number(exponent) - precision}`;
  return Math.fround(Number(even)) === magnitude ? Number(even).toExponential() : rounded;
}

/**
 * The shortest decimal that reads back to the same float32. Of the decimals with so many digits toExponential gives the
 * nearest; at a power of two the interval is wider above, so there the next decimal up may be the one that reads back.
 */
function float32Text(value) {
  if (!Number.isFinite(value)) return notFinite(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  const powerOfTwo = Number.isInteger(Math.log2(magnitude));
  for (let precision = 0; precision < 8; ++precision) {
    const nearest = magnitude.toExponential(precision);
    if (Math.fround(Number(nearest)) === magnitude) {
      return pythonNotation(value < 0, ...digitsOf(evenAtTies(nearest, magnitude, precision)));
    }
    if (powerOfTwo) {
      const [mantissa, exponent] = nearest.split('e');
      const above = `${Number(mantissa.replace('.', '')) + 1}e${Number(exponent) - precision}`;
      if (Math.fround(Number(above)) === magnitude) {
        return pythonNotation(value < 0, ...digitsOf(Number(above).toExponential()));
      }
    }
  }
  return pythonNotation(value < 0, ...digitsOf(evenAtTies(magnitude.toExponential(8), magnitude, 8)));
}

/** A field with pandas' default quoting. */
function csvField(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvLine = (fields) => `${fields.map((field) => csvField(String(field))).join(',')}\n`;

const wholeNumber = new Intl.NumberFormat('en-GB');
const fourDigits = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4 });
const oneDecimal = new Intl.NumberFormat('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

const count = (value) => wholeNumber.format(value);

/** A count with its noun: "1 prompt", "2 prompts". */
const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** About four digits; very small and very large values with an exponent. */
function shortNumber(value) {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e6)) {
    return value.toExponential(2).replace('e+', 'e').replace('-', '−').replace('e-', 'e−');
  }
  return fourDigits.format(value).replace('-', '−');
}

/** A share between 0 and 1 in per cent. */
const percent = (share) => (Number.isFinite(share) ? `${oneDecimal.format(100 * share).replace('-', '−')} %` : '–');

function seconds(value) {
  if (value < 60) return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} s`;
  const whole = Math.round(value);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

function byteSize(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
