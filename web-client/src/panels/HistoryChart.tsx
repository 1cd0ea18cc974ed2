import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTexts } from '../i18n/context.ts';
import type { Palette } from '../map/palette.ts';
import { usePalette } from '../page/context.ts';
import { HISTORY_MS } from '../twin/history.ts';

const HEIGHT = 120;

interface Props {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly since: number;
  /** Says in a sentence what the chart shows. */
  readonly label: string;
  readonly format: (value: number) => string;
}

/** The last minutes of one value as a line. */
export function HistoryChart({ times, values, since, label, format }: Props) {
  const texts = useTexts();
  const palette = usePalette();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const formatNow = useRef(format);
  useEffect(() => {
    formatNow.current = format;
  }, [format]);

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const chart = new uPlot(options(element.clientWidth, palette, (at) => texts.clock(at), (value) => formatNow.current(value)), [[], []], element);
    plot.current = chart;
    const resizes = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    resizes.observe(element);
    return () => {
      resizes.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, [palette, texts]);

  // Drawn at each rendering: the arrays stay the same while they grow, and the present moment moves on.
  useEffect(() => {
    const now = Date.now();
    // The value holds until another comes: the line goes on to the present moment.
    const xs = [...times, now].map((time) => time / 1000);
    const ys = [...values, values.at(-1)].map((value) => (value === undefined || Number.isNaN(value) ? null : value));
    const from = Math.max(now - HISTORY_MS, Math.min(since, now - 60_000));
    plot.current?.batch(() => {
      plot.current?.setData([xs, ys], false);
      plot.current?.setScale('x', { min: from / 1000, max: now / 1000 });
    });
  });

  return (
    <>
      <p className="unseen">{label}</p>
      <div className="chart" ref={place} aria-hidden="true" />
    </>
  );
}

function options(width: number, palette: Palette, clock: (at: number) => string, format: (value: number) => string): uPlot.Options {
  const font = '11px system-ui, sans-serif';
  const axis = { stroke: palette.ink, font, ticks: { show: false }, grid: { stroke: `${palette.quiet}44`, width: 1 } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 10, 0, 0],
    scales: { x: { time: true }, y: { range: (_, least, most) => around(least, most) } },
    axes: [
      { ...axis, size: 24, gap: 4, space: 50, incrs: [60, 120, 180, 300], values: (_, splits) => splits.map((at) => clock(at * 1000)) },
      { ...axis, size: 62, gap: 6, space: 32, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [{}, { stroke: palette.accent, width: 2, fill: `${palette.accent}22`, points: { show: false }, paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder }],
  };
}

/** A little room above and below, and never a scale without height. */
function around(least: number | null, most: number | null): [number, number] {
  if (least === null || most === null || Number.isNaN(least)) return [0, 1];
  const room = Math.max((most - least) * 0.15, Math.abs(most) * 0.02, 0.01);
  return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
}
