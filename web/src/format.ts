// Numbers and times as people read them.

const kWhole = new Intl.NumberFormat('en');
export const whole = (n: number) => kWhole.format(Math.round(n));
export const percent = (share: number) => `${(share * 100).toFixed(share >= 0.9995 || share === 0 ? 0 : 1)} %`;

export function bytes(n: number | null): string {
  if (n === null) return 'unknown';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (n >= 1000 && at < units.length - 1) {
    n /= 1000;
    at++;
  }
  return `${at === 0 || n >= 100 ? n.toFixed(0) : n.toFixed(1)} ${units[at]}`;
}

// 0.25 s, 20.0 s, 4 min 20 s, 3 h 5 min, 12 d 4 h
export function length(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (Math.abs(seconds) < 0.005) return '0 s';
  if (seconds < 0) return '-' + length(-seconds);
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const total = Math.round(seconds);
  const steps: [number, string][] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const first = steps.findIndex(([size]) => total >= size);
  const [size, unit] = steps[first]!;
  const next = steps[first + 1];
  const big = Math.floor(total / size);
  const rest = next ? Math.floor((total % size) / next[0]) : 0;
  return rest > 0 && next ? `${big} ${unit} ${rest} ${next[1]}` : `${big} ${unit}`;
}

const kLocal = new Intl.DateTimeFormat(undefined, {
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
  second: '2-digit', hourCycle: 'h23',
});
const kClock = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});
const kDay = new Intl.DateTimeFormat(undefined, {year: 'numeric', month: '2-digit', day: '2-digit'});
export const local = (time: Date) => kLocal.format(time);
export const day = (time: Date) => kDay.format(time);
export const clock = (time: Date) => kClock.format(time);
export const utc = (time: Date) => time.toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC');

export function ago(time: Date, now: number): string {
  const seconds = (now - time.getTime()) / 1000;
  if (seconds < -60) return `in ${length(-seconds)}`;
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

export const plural = (n: number, one: string, many = one + 's') => `${whole(n)} ${n === 1 ? one : many}`;
