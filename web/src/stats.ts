// What a beacon's charts show, from its check-ins.

export interface Histogram {
  from: number;
  width: number;  // of a bin, seconds
  counts: number[];
  beyond: number;  // intervals too long to be shown without squeezing the rest
}

// Past this an interval is a gap rather than part of the rhythm: 6 quartile ranges, or half the
// median, above the upper quartile.
export function farthest(intervals: number[]): number {
  const sorted = [...intervals].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return at(0.75) + Math.max(6 * (at(0.75) - at(0.25)), 0.5 * at(0.5));
}

// Intervals in bins by Freedman and Diaconis (width 2 IQR / cbrt n), at most 80 of them. What lies far
// beyond (a night without the machine) is counted beside it.
export function histogram(intervals: number[]): Histogram | null {
  const sorted = intervals.filter((x) => x >= 0).sort((a, b) => a - b);
  if (sorted.length < 2) return null;
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const spread = at(0.75) - at(0.25);
  const most = Math.min(sorted[sorted.length - 1]!, farthest(sorted));
  const least = sorted[0]!;
  const range = Math.max(most - least, at(0.5) * 0.02, 1e-3);
  const wanted = spread > 0 ? (2 * spread) / Math.cbrt(sorted.length) : range / 10;
  const bins = Math.max(5, Math.min(80, Math.ceil(range / wanted)));
  const width = range / bins;
  const counts = new Array<number>(bins).fill(0);
  let beyond = 0;
  for (const x of sorted) {
    const bin = Math.floor((x - least) / width);
    if (x > least + range) beyond++;
    else counts[Math.min(bin, bins - 1)]!++;
  }
  return {from: least, width, counts, beyond};
}

export interface Autocorrelation {
  step: number;  // seconds between two lags
  values: number[];  // of lag 1, 2, …; -1 to 1
}

// Of the counts of check-ins in bins of a tenth of the rhythm: r(k) = c(k) / c(0), c the
// autocovariance about the mean (Box and Jenkins). Up to five rhythms; at most 20,000 bins, the newest.
export function autocorrelation(times: number[], rhythm: number): Autocorrelation | null {
  if (times.length < 8 || !(rhythm > 0)) return null;
  const step = rhythm / 10;
  const last = times[times.length - 1]!;
  const first = Math.max(times[0]!, last - 20_000 * step);
  const bins = Math.floor((last - first) / step) + 1;
  const lags = 50;
  if (bins < 2 * lags) return null;
  const counts = new Float64Array(bins);
  for (const time of times) {
    if (time >= first) counts[Math.min(bins - 1, Math.floor((time - first) / step))]!++;
  }
  const mean = counts.reduce((sum, x) => sum + x, 0) / bins;
  let whole = 0;
  for (let i = 0; i < bins; i++) whole += (counts[i]! - mean) ** 2;
  if (whole === 0) return null;
  const values: number[] = [];
  for (let lag = 1; lag <= lags; lag++) {
    let sum = 0;
    for (let i = lag; i < bins; i++) sum += (counts[i]! - mean) * (counts[i - lag]! - mean);
    values.push(sum / whole);
  }
  return {step, values};
}
