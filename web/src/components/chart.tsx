// uPlot in the page's colours: drawn anew when width or theme change.
import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';

import {clock, day, local} from '../format';

export interface Line {
  label: string;
  colour: 'accent' | 'second' | 'critical';
  how: 'points' | 'bars' | 'line';
}
interface Props {
  label: string;  // what it shows, in words: for those who do not see it
  x: number[];
  ys: (number | null)[][];
  lines: Line[];
  time?: boolean;  // x is in Unix seconds
  xWords?: (x: number) => string;
  yWords: (y: number) => string;
  marks?: {x: number; label: string}[];
  height?: number;
  zero?: boolean;  // y begins at 0
  seconds?: ('x' | 'y')[];  // axes that show lengths of time: at whole minutes, not at 100 seconds
  pad?: number;  // of x to both sides: half a bar's width
}

const kSteps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
  1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000];

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// `given`: what is drawn, which changes under it.
function options(given: {current: Props}, width: number): uPlot.Options {
  const props = given.current;
  const text = colour('--quiet'), grid = colour('--line');
  const font = '12px system-ui, sans-serif';
  const words = (x: number) => given.current.xWords?.(x) ?? (props.time ? local(new Date(x * 1000)) : String(x));
  const axis = {stroke: text, font, grid: {stroke: grid, width: 1}, ticks: {stroke: grid, width: 1}};
  return {
    width,
    height: props.height ?? 200,
    scales: {
      x: {time: props.time === true,
        ...(props.pad ? {range: (_: uPlot, low: number, high: number): [number, number] =>
          [low - props.pad!, high + props.pad!]} : {})},
      y: {range: (_, low, high) => {
        const least = props.zero ? Math.min(0, low) : low;
        const room = (high - least || Math.abs(high) || 1) * 0.08;
        return [props.zero && low >= 0 ? 0 : least - room, high + room];
      }},
    },
    legend: {live: true},
    cursor: {points: {size: 7}},
    axes: [
      {...axis, ...(props.seconds?.includes('x') ? {incrs: kSteps} : {}), values: (_, ticks) => ticks.map((x) => {
        if (!props.time) return words(x);
        const {x: xs} = given.current;
        const span = (xs[xs.length - 1] ?? 0) - (xs[0] ?? 0);
        return span > 2 * 86400 ? day(new Date(x * 1000)) : clock(new Date(x * 1000));
      }), space: 80},
      {...axis, size: 80, ...(props.seconds?.includes('y') ? {incrs: kSteps} : {}), values: (_, ticks) => ticks.map((y) => given.current.yWords(y))},
    ],
    series: [
      {label: props.time ? 'Time' : 'At', value: (_, x) => (x === null ? '–' : words(x))},
      ...props.lines.map((line): uPlot.Series => {
        const stroke = colour(`--chart-${line.colour}`);
        return {
          label: line.label, stroke, width: 1.5,
          value: (_, y) => (y === null || y === undefined ? '–' : given.current.yWords(y)),
          ...(line.how === 'points' ? {paths: () => null, points: {show: true, size: 5, stroke, fill: stroke}}
            : line.how === 'bars'
              ? {paths: uPlot.paths.bars!({size: [0.95, 60]}), fill: stroke, points: {show: false}}
              : {points: {show: false}}),
        };
      }),
    ],
    hooks: {
      draw: [(plot) => {
        const {ctx, bbox} = plot;
        for (const mark of given.current.marks ?? []) {
          const at = plot.valToPos(mark.x, 'x', true);
          if (!(at >= bbox.left && at <= bbox.left + bbox.width)) continue;
          ctx.save();
          ctx.strokeStyle = ctx.fillStyle = colour('--chart-critical');
          ctx.setLineDash([4, 4]);
          ctx.beginPath();
          ctx.moveTo(at, bbox.top);
          ctx.lineTo(at, bbox.top + bbox.height);
          ctx.stroke();
          ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
          const far = at > bbox.left + bbox.width * 0.7;
          ctx.textAlign = far ? 'right' : 'left';
          ctx.fillText(mark.label, at + (far ? -5 : 5), bbox.top + 14 * devicePixelRatio);
          ctx.restore();
        }
      }],
    },
  };
}

const dataOf = ({x, ys}: Props) => [x, ...ys] as uPlot.AlignedData;

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const given = useRef(props);
  const plot = useRef<uPlot | null>(null);
  given.current = props;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(given, Math.max(240, element.clientWidth)), dataOf(given.current), element);
    };
    draw();
    const watch = new ResizeObserver(() =>
      plot.current?.setSize({width: Math.max(240, element.clientWidth), height: given.current.height ?? 200}));
    watch.observe(element);
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    window.addEventListener('beaconry-theme', draw);
    return () => {
      watch.disconnect();
      dark.removeEventListener('change', draw);
      window.removeEventListener('beaconry-theme', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [props.lines.length, props.pad]);
  // What is drawn stays under the reader's pointer.
  useEffect(() => plot.current?.setData(dataOf(props)), [props.x, props.ys]);
  return <div class="chart" role="img" aria-label={props.label} ref={box} />;
}

// A few numbers as one line, without axes.
export function Sparkline({values, label}: {values: number[]; label: string}) {
  if (values.length < 2) return null;
  const least = Math.min(...values), most = Math.max(...values);
  const range = most - least || 1;
  const points = values.map((value, i) =>
    `${((i / (values.length - 1)) * 100).toFixed(1)},${(22 - ((value - least) / range) * 20).toFixed(1)}`);
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} />
    </svg>
  );
}
