// The CSV files of the program, made again from the page's data: same columns, same text of every number.

const UNIVERSAL_HEADER =
  'feature_id,activation_mean,activation_max,activation_min,num_prompts,chat_desc,pt_desc,type,source,token,link\n';
const CONTRAST_HEADER =
  'feature_id,label,against,rate_label,rate_against,mean_label,mean_against,rate_difference,odds_ratio,p_value,q_value,source,token,link\n';

function universalLine(table, row) {
  const feature = table.ids[row];
  const { chat, pt, type } = table.description(feature);
  return csvLine([
    feature,
    float32Text(table.mean[row]),
    float32Text(table.max[row]),
    float32Text(table.min[row]),
    table.prompts[row],
    chat,
    pt,
    type,
    table.data.source,
    table.data.token,
    table.link(feature),
  ]);
}

function contrastLine(table, row) {
  const { labels } = table.run;
  const rows = table.contrast;
  const feature = rows.ids[row];
  const numbers = [
    rows.rateLabel,
    rows.rateAgainst,
    rows.meanLabel,
    rows.meanAgainst,
    rows.rateDifference,
    rows.oddsRatio,
    rows.p,
    rows.q,
  ];
  return csvLine([
    feature,
    labels[rows.label[row]],
    rows.against[row] === NONE ? 'rest' : labels[rows.against[row]],
    ...numbers.map((values) => float64Text(values[row])),
    table.data.source,
    table.data.token,
    table.link(feature),
  ]);
}

/** Lines of every table, header first. */
function allUniversal(tables) {
  const parts = [UNIVERSAL_HEADER];
  for (const table of tables) for (let row = 0; row < table.universalRows; ++row) parts.push(universalLine(table, row));
  return parts;
}

function allContrast(tables) {
  const parts = [CONTRAST_HEADER];
  for (const table of tables)
    for (let row = 0; row < (table.contrast?.rows ?? 0); ++row) parts.push(contrastLine(table, row));
  return parts;
}

/** A file name from foreign words. */
const fileName = (...words) =>
  `${words
    .join('_')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .slice(0, 120)}.csv`;
